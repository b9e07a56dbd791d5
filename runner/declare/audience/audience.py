"""Audiences: a list in the declaration, or the rows of a source."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from runner.declare.audience.recipient import IdentifierKind, Recipient, Role, Row, parse_role
from runner.declare.template.template import Template
from runner.errors import Problem

if TYPE_CHECKING:  # few projects have a query, and importing it would delay the start of every command
    from runner.declare.audience.csv_files import CsvFiles
    from runner.declare.audience.json_lines import JsonLines
    from runner.declare.audience.sql_query import Query
    from runner.declare.audience.workspace_contacts import WorkspaceContacts


RowSource: TypeAlias = "CsvFiles | JsonLines | Query | WorkspaceContacts"


class InlineAudience(NamedTuple):
    """Recipients that are listed in the declaration itself. `is_single`: `to` is one recipient, not a list."""

    members: tuple[Recipient, ...]
    is_single: bool

    @property
    def is_unread(self) -> bool:
        """Always False: the recipients stand in the declaration."""
        return False

    @property
    def variables(self) -> frozenset[str]:
        """Every variable that some recipient has, with or without a value."""
        return frozenset(name for member in self.members for name in (*member.vars, *member.blank_variables))

    @property
    def identifier_kinds(self) -> frozenset[str]:
        """The kinds of the recipients' identifiers, and the variables, which may be named like a kind."""
        return frozenset(member.kind for member in self.members) | self.variables

    @property
    def estimated_count(self) -> int:
        """The number of recipients."""
        return len(self.members)

    def recipients(self) -> Iterator[Recipient | Problem]:
        """Yields the recipients in the order of the list."""
        return iter(self.members)

    def label(self, number: int) -> str:
        """Returns how problems name the recipient. Empty if it is the only one."""
        return "" if self.is_single else f"recipient {number}"


class TableAudience(NamedTuple):
    """The rows of a source. Each row is a recipient, and its columns are the variables.

    The rows are streamed. They are never in memory as a whole. `role` is that of every recipient; None means that each
    row is a contact of the workspace, which has its own.
    """

    source: RowSource
    role: Role | None
    kind: IdentifierKind
    identifier: Template

    @property
    def is_unread(self) -> bool:
        """Whether the recipients are contacts of the workspace that were not read: how many there are is not known."""
        return self.source.is_unread

    @property
    def variables(self) -> frozenset[str]:
        """The columns of the source."""
        return frozenset(self.source.columns)

    @property
    def identifier_kinds(self) -> frozenset[str]:
        """The kind of the recipients' identifiers, and the columns, which may be named like a kind."""
        return self.variables | {self.kind}

    @property
    def estimated_count(self) -> int:
        """About how many recipients there are, so that tables can reserve memory. 0 if that is not known."""
        return self.source.estimated_count

    def label(self, number: int) -> str:
        """Returns how problems name the recipient."""
        return self.source.label(number)

    def recipients(self, rows: Iterable[Row | Problem] | None = None) -> Iterator[Recipient | Problem]:
        """Yields the recipients of `rows`, or of all rows if it is None, and a Problem for each row that has one.

        Where a file cannot be read on, the Problem is the last item of that file.
        """
        role, kind, identifier, new = self.role, self.kind, self.identifier, tuple.__new__
        for row in self.source.rows() if rows is None else rows:
            if isinstance(row, Problem):
                yield row
            else:
                values, blank, number = row
                # The same as Recipient(…), without the Python function that a named tuple calls for it.
                own_role = role or parse_role(values["contact"].get("role"))
                yield new(Recipient, (own_role, kind, identifier, values, blank, number))


Audience = InlineAudience | TableAudience
