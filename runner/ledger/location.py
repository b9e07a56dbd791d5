"""The Protocol of a ledger's location, whatever kind of ledger it is."""

from contextlib import AbstractContextManager
from typing import Protocol

from runner.ledger.facts import Facts
from runner.ledger.ledger import Ledger
from runner.ledger.record import Record


def explain_move(display_name: object, to: str) -> tuple[str, str]:
    """The message and the hint for a ledger that moved to the address `to` and is therefore not used."""
    hint = (
        f"what was sent since is known there alone: put back lock: {to}, or bring it here: MSGRUN_LOCK={to} msgrun lock"
        f" export sent.lock, then msgrun lock import sent.lock. If {to} is lost for ever, msgrun lock free"
    )
    return f"the ledger {display_name} moved to {to}", hint


class LedgerLocation(Protocol):
    """Where a project's ledger is: reads it without a lock, and opens it to write."""

    @property
    def display_name(self) -> str:
        """Its name in messages, without any credential."""
        ...

    @property
    def exists(self) -> bool:
        """Whether a ledger was started at this location. Raises LedgerUnavailable."""
        ...

    def read(self) -> Facts:
        """Its records and those of its rescue file, read without a lock. Raises GuardRefused, LedgerUnavailable."""
        ...

    def read_history(self, key_prefix: str) -> list[Record]:
        """Every record whose key begins with `key_prefix`, in order of time. Raises LedgerUnavailable."""
        ...

    def open(self, command: str, *, new_lock: bool, no_fetch: bool) -> AbstractContextManager[Ledger]:
        """The ledger, brought up to date and ready to write; closed when the context ends.

        `command` names who writes, `new_lock` permits to start the ledger, `no_fetch` asks no git remote about a
        lockfile. Raises GuardRefused, LedgerUnavailable.
        """
        ...
