"""Moves the current ledger to another address, and reads the ledgers that it moved from."""
