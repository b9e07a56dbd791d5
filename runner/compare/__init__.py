"""Comparison of a plan with the project at a git ref, and the project as a commit has it."""
