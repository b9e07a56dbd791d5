"""Formats results for people and programs: as text, JSON, Markdown, SARIF or annotations.

Functions return text and print nothing.
"""
