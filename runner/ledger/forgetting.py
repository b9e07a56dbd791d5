"""Removes what lines of a ledger say of a recipient; everything else in them stays as it is, in its place."""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

from runner.atomic_write import write_atomically
from runner.errors import LedgerUnavailable
from runner.ledger.lines import parse_objects
from runner.ledger.record import Record, parse_entry


class RecipientRemoval:
    """Removes the recipients of the deliveries with these keys. `count` is how many records it changed.

    A torn line with one of the keys keeps only the records that can be read.
    """

    def __init__(self, keys: AbstractSet[str]) -> None:
        self.count = 0
        self._keys = keys
        self._pattern = re.compile(b"|".join(re.escape(key.encode()) for key in sorted(keys)) or rb"(?!)")

    def lines(self, lines: Iterable[bytes], origin: str) -> Iterator[bytes]:
        """Yields the lines of a copy of the ledger, each with its line end. Raises LedgerUnavailable."""
        written: set[bytes] = set()
        for number, line in enumerate(lines, 1):
            if not self._pattern.search(line):
                yield line
                continue
            for value in parse_objects(line)[0]:
                entry = parse_entry(value, origin, number)
                if isinstance(entry, Record) and entry.key in self._keys:
                    self.count += not entry.forgotten
                    entry = entry.without_recipient()
                    if (changed := entry.to_line()) in written:
                        continue
                    written.add(changed)
                yield entry.to_line()

    def rewrite(self, path: Path, origin: str) -> int:
        """Rewrites a file of records, if it has one to change. Returns how many. Raises LedgerUnavailable."""
        before = self.count
        try:
            with path.open("rb") as file:
                for _ in self.lines(file, origin):
                    pass
            changed = self.count - before
            if changed:
                with path.open("rb") as file:
                    write_atomically(path, self.lines(file, origin))
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise LedgerUnavailable(f"{origin} cannot be written: {error.strerror}") from error
        self.count = before + changed
        return changed
