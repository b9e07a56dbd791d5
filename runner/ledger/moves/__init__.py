"""Checks that the ledger in use is the current one: which ledgers `lock:` named before, and marks of a move."""
