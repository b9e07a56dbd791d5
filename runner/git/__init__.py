"""Runs git as a program: repositories, commits and pushes. It imports nothing of runner.ledger."""
