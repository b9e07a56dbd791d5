"""Parses YAML into plain Python values, with the place in the file of every value."""
