"""Audiences: a list that stands in the declaration, and the rows of a source."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from runner.declare.audience.recipient import IdentifierKind, Recipient, Role, Row
from runner.declare.template.template import Template
from runner.errors import Problem

if TYPE_CHECKING:  # few projects have a query, and every command pays for its start
    from runner.declare.audience.csv_files import CsvFiles
    from runner.declare.audience.json_lines import JsonLines
    from runner.declare.audience.sql_query import Query
    from runner.declare.audience.yaml_files import YamlList


RowSource: TypeAlias = "CsvFiles | JsonLines | YamlList | Query"


@dataclass(frozen=True, slots=True, eq=False)
class InlineAudience:
    """Recipients that stand in the declaration itself; `alone` if `to` is one recipient rather than a list."""

    members: tuple[Recipient, ...]
    is_single: bool

    @property
    def variables(self) -> frozenset[str]:
        """Every variable that some recipient has."""
        return frozenset(name for member in self.members for name in (*member.vars, *member.blank_variables))

    @property
    def identifier_kinds(self) -> frozenset[str]:
        """The kinds of address, and the variables named like one."""
        return frozenset(member.kind for member in self.members) | self.variables

    @property
    def estimated_count(self) -> int:
        """How many recipients there are."""
        return len(self.members)

    def recipients(self) -> Iterator[Recipient | Problem]:
        """The recipients in their order."""
        return iter(self.members)

    def label(self, number: int) -> str:
        """How problems call the recipient."""
        return "" if self.is_single else f"recipient {number}"


@dataclass(frozen=True, slots=True, eq=False)
class TableAudience:
    """A source of rows: each is a recipient, its columns are the variables. Never in memory as a whole."""

    source: RowSource
    role: Role
    kind: IdentifierKind
    identifier: Template

    @property
    def variables(self) -> frozenset[str]:
        """The columns."""
        return frozenset(self.source.columns)

    @property
    def identifier_kinds(self) -> frozenset[str]:
        """The kind of address, and the columns named like one."""
        return self.variables | {self.kind}

    @property
    def estimated_count(self) -> int:
        """About how many recipients there are, or 0: for room to be made."""
        return self.source.estimated_count

    def label(self, number: int) -> str:
        """How problems call the recipient."""
        return self.source.label(number)

    def recipients(self, rows: Iterable[Row | Problem] | None = None) -> Iterator[Recipient | Problem]:
        """The recipients of these or all rows, and what is wrong with a row; what cannot be read ends it."""
        role, kind, identifier, make = self.role, self.kind, self.identifier, tuple.__new__
        for row in self.source.rows() if rows is None else rows:
            if isinstance(row, Problem):
                yield row
            else:
                values, blank, number = row
                # What Recipient(…) does, without the call in Python that a named tuple makes of it.
                yield make(Recipient, (role, kind, identifier, values, blank, number))
