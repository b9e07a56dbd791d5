"""Lint: named rules for mistakes that a valid message can still have in its text, its HTML and its settings."""
