"""Which ledger is the right one: those that `lock:` named before, what they know, and what a move leaves behind."""
