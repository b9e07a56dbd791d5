"""Who is left out by a list of contacts: an audience's own `exclude`, or the project's `suppress`."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from runner.declare import schema
from runner.declare.audience.audience import RowSource
from runner.declare.audience.recipient import IDENTIFIER_KINDS, IdentifierKind, normalise_identifier
from runner.errors import Place, Problem, Severity
from runner.key_table import KeyTable
from runner.privacy import mark_private

MAX_REPORTED = 20


class SuppressionList:
    """The contacts of some files, known by id, user_id or email: kept as digests, compared as keys are.

    `name` is what the plan counts them under.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._seen = KeyTable()
        self._rows: Counter[frozenset[str]] = Counter()

    def add(self, identifiers: Mapping[IdentifierKind, str]) -> None:
        """Adds one contact, by everything that is known of it."""
        self._rows[frozenset(identifiers)] += 1
        for kind, value in identifiers.items():
            self._seen.add(_digest(kind, value))

    def matches(self, identifiers: Iterable[tuple[IdentifierKind, str]]) -> bool:
        """Whether one of a recipient's identifiers is on the list."""
        return any(_digest(kind, value) in self._seen for kind, value in identifiers)

    def count_unmatchable(self, kinds: frozenset[str]) -> tuple[int, int]:
        """How many contacts could not be recognised among recipients that have only these kinds; and of how many."""
        rows = sum(number for known, number in self._rows.items() if known.isdisjoint(kinds))
        return rows, sum(self._rows.values())


def read_suppression_list(name: str, sources: Iterable[RowSource]) -> tuple[SuppressionList, list[Problem]]:
    """The contacts of the sources, and what is wrong with their rows: what cannot be read excludes nobody."""
    found = SuppressionList(name)
    problems: list[Problem] = []
    for source in sources:
        if not set(IDENTIFIER_KINDS) & set(source.columns):
            message = "no column is named id, user_id or email"
            hint = "name the column that says who is meant"
            problems.append(Problem("suppression-columns", source.place(1), message, hint))
            continue
        problems.extend(_read(found, source))
    return found, problems


def _read(found: SuppressionList, source: RowSource) -> list[Problem]:
    problems: list[Problem] = []
    empty: list[Place] = []
    count = 0
    for row in source.rows():
        if isinstance(row, Problem):
            problem: Problem | None = row
        else:
            values, _, number = row
            known = _identifiers(values)
            problem = _no_text(values, source.place(number)) or _no_contact(known, source.place(number))
            if problem is None and known:
                found.add(known)
            elif problem is None and len(empty) < MAX_REPORTED:
                empty.append(source.place(number))
        if problem:
            count += 1
            if count <= MAX_REPORTED:
                problems.append(problem)
    if count > MAX_REPORTED:
        rest = f"and {count - MAX_REPORTED:,} more rows with a problem"
        problems.append(Problem("suppression-rows", problems[-1].place, rest))
    if empty:
        message = "this row has no id, user_id or email, so it excludes nobody"
        problems.append(Problem("suppression-blank", empty[0], message, severity=Severity.WARNING))
    return problems


def _no_contact(known: Mapping[IdentifierKind, str], place: Place) -> Problem | None:
    """What keeps a row from excluding anybody: no recipient has such an address, and nobody would notice."""
    for kind, value in known.items():
        contact = {"type": "user", kind: value.strip()}
        if value.strip() and not schema.validator("contact").is_valid(contact):
            found = schema.explain_violations(contact, "contact")[0]
            message = f"{mark_private(value.strip()[:80])} excludes nobody: {found.message}"
            return Problem(found.code, place, message, found.hint or "one address a row; a domain excludes nobody")
    return None


def _no_text(values: Mapping[str, Any], place: Place) -> Problem | None:
    for kind in IDENTIFIER_KINDS:
        if kind in values and type(values[kind]) not in (str, int):
            message = f"this {kind} is neither a text nor a whole number, so it excludes nobody"
            return Problem("identifier-form", place, message, "one address a row, as text")
    return None


def _identifiers(values: Mapping[str, Any]) -> dict[IdentifierKind, str]:
    return {kind: str(values[kind]) for kind in IDENTIFIER_KINDS if kind in values}


def _digest(kind: IdentifierKind, value: str) -> bytes:
    return hashlib.sha256(f"{kind}\0{normalise_identifier(kind, value)}".encode(errors="surrogatepass")).digest()[:16]
