"""A ledger that moved: what it says to whoever still uses it."""

from runner.database import has_password, is_postgres, parse_database_address


def name(lock: str) -> str:
    """What `lock:` says, without a password, which MSGRUN_LOCK may hold."""
    return parse_database_address(lock).shown if is_postgres(lock) and has_password(lock) else lock


def refusal(shown: object, to: str) -> tuple[str, str]:
    """Why a ledger that moved is not used, and the ways out."""
    hint = (
        f"what was sent since is known there alone: put back lock: {to}, or bring it here: MSGRUN_LOCK={to} msgrun lock"
        f" export sent.lock, then msgrun lock import sent.lock. If {to} is lost for ever, msgrun lock free"
    )
    return f"the ledger {shown} moved to {to}", hint
