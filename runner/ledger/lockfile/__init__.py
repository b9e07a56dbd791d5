"""The ledger in a file of the project."""
