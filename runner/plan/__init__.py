"""The plan of a run: every delivery with its action, the guards that stop a run, plan files and saved plans.

Pure: no network, clock, environment variables or randomness.
"""
