"""The ledger: records of what was sent, or may have been sent, kept where they are hard to lose."""
