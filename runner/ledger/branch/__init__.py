"""The ledger in a file on a branch of a git remote."""
