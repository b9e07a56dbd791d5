"""Lists of contacts that are left out: an audience's own `exclude`, or the project's `suppress`, and their files."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from runner.current_work import CURRENT_WORK
from runner.declare import schema
from runner.declare.audience.audience import RowSource
from runner.declare.audience.recipient import IDENTIFIER_KINDS, IdentifierKind, normalise_identifier
from runner.errors import Place, Problem, Severity
from runner.key_table import KeyTable
from runner.privacy import mark_private

MAX_REPORTED = 20
FORMATS = ("csv", "jsonl", "parquet")
# Wild cards of SQL, shells and regular expressions in an address. No sign of them is in an address that people have.
_WILD_CARD = re.compile(r"[/^]|[^@]*[%?*$|\\(\[]|[^@]*@[^@]*[$/\\+*?%)|]")


class ContactFiles(NamedTuple):
    """One file, or several that one pattern names.

    `pattern` is relative to the declaration. `format` is one of FORMATS, or empty if the suffix of each file says it.
    `options` are the keys that say how the files are read: columns, delimiter, quote and encoding.
    """

    pattern: str
    format: str
    options: Mapping[str, Any]

    def __str__(self) -> str:
        if not self.format:
            return self.pattern
        return json.dumps({self.format: self.pattern, **self.options}, ensure_ascii=False)


def parse_contact_files(value: Any) -> tuple[ContactFiles, ...]:
    """Returns the files that a valid `exclude` or `suppress` names: a path, a mapping, or a list of these."""
    return tuple(_parse_files(item) for item in (value if isinstance(value, list) else [value]))


def _parse_files(item: str | Mapping[str, Any]) -> ContactFiles:
    if isinstance(item, str):
        return ContactFiles(item, "", {})
    name = next(name for name in FORMATS if name in item)
    return ContactFiles(item[name], name, {key: value for key, value in item.items() if key != name})


class SuppressionList:
    """The contacts of some files, each known by id, user_id or email.

    They are stored as digests of normalised identifiers, and compared like the keys of deliveries. `name` is the reason
    under which the plan counts the recipients that are on the list.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._digests = KeyTable()
        self._row_counts: Counter[frozenset[str]] = Counter()

    def add(self, identifiers: Mapping[IdentifierKind, str]) -> None:
        """Adds one contact, with all its identifiers that are known."""
        self._row_counts[frozenset(identifiers)] += 1
        for kind, value in identifiers.items():
            self._digests.add(_digest(kind, value))

    def matches(self, identifiers: Iterable[tuple[IdentifierKind, str]]) -> bool:
        """Returns whether one of a recipient's identifiers is on the list."""
        return any(_digest(kind, value) in self._digests for kind, value in identifiers)

    @property
    def identifier_count(self) -> int:
        """The number of different identifiers."""
        return len(self._digests)

    def has_same_contacts(self, other: "SuppressionList") -> bool:
        """Returns whether both lists have the same identifiers."""
        return self is other or self._fingerprint == other._fingerprint  # noqa: SLF001  # of its own class

    @cached_property
    def _fingerprint(self) -> bytes:
        return hashlib.sha256(b"".join(sorted(self._digests))).digest()

    def count_missing(self, other: "SuppressionList") -> int:
        """Returns how many of the identifiers are not on another list."""
        return sum(digest not in other._digests for digest in self._digests)  # noqa: SLF001  # of its own class

    def count_unmatchable(self, kinds: frozenset[str]) -> tuple[int, int]:
        """Returns how many contacts cannot match a recipient that has only these kinds of identifier, and the total."""
        unmatchable = sum(count for row_kinds, count in self._row_counts.items() if row_kinds.isdisjoint(kinds))
        return unmatchable, sum(self._row_counts.values())


def read_suppression_list(name: str, sources: Iterable[RowSource]) -> tuple[SuppressionList, list[Problem]]:
    """Returns the contacts of the sources, and the problems of their rows.

    Each source has a column named id, user_id or email.

    A row that cannot be read is not on the list, so it excludes no recipient.
    """
    suppression = SuppressionList(name)
    problems: list[Problem] = []
    for source in sources:
        problems.extend(_add_rows(suppression, source))
    return suppression, problems


def _add_rows(suppression: SuppressionList, source: RowSource) -> list[Problem]:
    problems: list[Problem] = []
    empty: list[Place] = []
    count = 0
    has_rows = False
    for row in source.rows():
        has_rows = True
        CURRENT_WORK.step()
        if isinstance(row, Problem):
            problem: Problem | None = row
        else:
            values, _, number = row
            identifiers = {kind: str(values[kind]) for kind in IDENTIFIER_KINDS if kind in values}
            place = source.place(number)
            problem = _check_types(values, place) or _check_contact(identifiers, place, explain=count < MAX_REPORTED)
            if problem is None and identifiers:
                suppression.add(identifiers)
            elif problem is None and len(empty) < MAX_REPORTED:
                empty.append(source.place(number))
        if problem:
            count += 1
            if count <= MAX_REPORTED:
                problems.append(problem)
    if count > MAX_REPORTED:
        rest = f"and {count - MAX_REPORTED:,} more rows with a problem"
        problems.append(Problem("suppression-rows", problems[-1].place, rest))
    if not has_rows:
        message = "this list has no row, so it excludes no recipient"
        hint = "if it is meant to be empty, remove it from the list of files"
        problems.append(Problem("suppression-blank", source.place(1), message, hint, Severity.WARNING))
    if empty:
        message = "this row has no id, user_id or email, so it excludes no recipient"
        problems.append(Problem("suppression-blank", empty[0], message, severity=Severity.WARNING))
    return problems


def _check_contact(identifiers: Mapping[IdentifierKind, str], place: Place, *, explain: bool) -> Problem | None:
    """Returns the problem that no contact can have such an identifier, or None.

    Without it the row would exclude no recipient, and the author would not notice. Unless `explain`, the problem is for
    counting only and does not say why, because that takes as long as reading a hundred rows.
    """
    for kind, value in identifiers.items():
        if kind == "email" and _WILD_CARD.match(value.strip()):
            message = mark_private(value.strip()[:80]) + " excludes no recipient: it is a pattern, not an address"
            return Problem(
                "email-form", place, message, "one address a row; a pattern or a domain excludes no recipient"
            )
        contact = {"type": "user", kind: value.strip()}
        if value.strip() and not schema.validator("contact").is_valid(contact):
            if not explain:
                return Problem("suppression-rows", place, "")
            violation = schema.explain_violations(contact, "contact")[0]
            message = mark_private(value.strip()[:80]) + " excludes no recipient:  " + violation.message
            return Problem(
                violation.code, place, message, violation.hint or "one address a row; a domain excludes no recipient"
            )
    return None


def _check_types(values: Mapping[str, Any], place: Place) -> Problem | None:
    for kind in IDENTIFIER_KINDS:
        if kind in values and type(values[kind]) not in (str, int):
            message = f"this {kind} is neither a text nor a whole number, so it excludes no recipient"
            return Problem("identifier-form", place, message, "one address a row, as text")
    return None


def _digest(kind: IdentifierKind, value: str) -> bytes:
    return hashlib.sha256(f"{kind}\0{normalise_identifier(kind, value)}".encode(errors="surrogatepass")).digest()[:16]
