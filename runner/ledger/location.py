"""Where a ledger lives, whatever kind it is."""

from contextlib import AbstractContextManager
from typing import Protocol

from runner.ledger.facts import Facts
from runner.ledger.ledger import Ledger
from runner.ledger.record import Record


def explain_move(shown: object, to: str) -> tuple[str, str]:
    """Why a ledger that moved is not used, and the ways out."""
    hint = (
        f"what was sent since is known there alone: put back lock: {to}, or bring it here: MSGRUN_LOCK={to} msgrun lock"
        f" export sent.lock, then msgrun lock import sent.lock. If {to} is lost for ever, msgrun lock free"
    )
    return f"the ledger {shown} moved to {to}", hint


class LedgerLocation(Protocol):
    """Where a project's ledger lives, whatever kind it is; `shown` is what to call it in messages."""

    @property
    def display_name(self) -> str:
        """What to call it in messages."""
        ...

    @property
    def exists(self) -> bool:
        """Whether a ledger was started there. Raises LedgerUnavailable."""
        ...

    def read(self) -> Facts:
        """What it knows, without holding it. Raises LedgerUnavailable."""
        ...

    def read_history(self, start: str) -> list[Record]:
        """Every fact that is written about the keys that begin with `start`, by time. Raises LedgerUnavailable."""
        ...

    def open(self, command: str, *, new_lock: bool, no_fetch: bool) -> AbstractContextManager[Ledger]:
        """The ledger to write, brought up to date. Raises GuardRefused, LedgerUnavailable."""
        ...
