"""Contacts of the Intercom workspace as a source: a segment, a tag, a company, or a search.

Nothing here asks Intercom. A declaration names the contacts; who has a token reads them (`intercom/audiences.py`), and
hands the reading in. Until then the source has no rows, and every use of them raises GuardRefused: a number of
recipients that is not known must never look like 0.
"""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, ClassVar, Literal

import orjson

from runner.declare.audience.audience import InlineAudience, TableAudience
from runner.declare.audience.recipient import Role, Row
from runner.declare.template.language import TOO_SLOW, TemplateFault
from runner.declare.template.template import Template
from runner.declare.tree import Tree
from runner.errors import GuardRefused, Place, Problem, RunStopped
from runner.shown_command import shown_command

GroupKind = Literal["segment", "tag", "company", "search"]
GROUP_KINDS: tuple[GroupKind, ...] = ("segment", "tag", "company", "search")
# The fields of a contact that templates see. Source: reference, "Get a contact", 2.14. The others are links, pictures
# and lists of what the contact belongs to, which Intercom cuts off after ten.
CONTACT_FIELDS = (
    *("id", "role", "external_id", "email", "phone", "name", "owner_id", "language_override", "location"),
    *("created_at", "signed_up_at", "updated_at", "last_seen_at", "last_replied_at", "last_contacted_at"),
    *("last_email_opened_at", "last_email_clicked_at", "browser", "browser_language", "os"),
    *("unsubscribed_from_emails", "has_hard_bounced", "marked_email_as_spam", "custom_attributes"),
)
CONTACT_VARIABLE = "contact"
# A contact's identifiers are variables too, so that lists of contacts and `unique_by` recognise it.
_IDENTIFIER_FIELDS = {"id": "id", "user_id": "external_id", "email": "email"}
OWN_VARIABLES = (CONTACT_VARIABLE, *_IDENTIFIER_FIELDS)
_BLOCK_CONTACTS = 128  # contacts that are compressed together
_MAX_CONTACT = 128 << 10  # bytes of JSON; 250 attributes of 255 characters have half of that
MAX_COMPRESSED = 256 * 1024 * 1024  # bytes; 100,000 contacts with few attributes of their own take 7 MB
_MAX_DEPTH = 60  # levels of a contact's fields; Intercom has three, and hundreds would end in Python's own limit
_PLAIN_FIELD = re.compile(r"[\w.]+")
_MAX_TITLE = 200  # characters


@dataclass(frozen=True, slots=True)
class ContactGroup:
    """Which contacts of the workspace are meant.

    `name` is that of a segment or a tag, or the company's own id (company_id). `query` is that of a search.
    """

    kind: GroupKind
    name: str = ""
    query: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The group as declared, on one line."""
        return f"{self.kind} {self.name}" if self.name else f"search {_format_query(self.query)}"

    @property
    def title(self) -> str:
        """The group in few words."""
        return f"{self.text[:_MAX_TITLE]}…" if len(self.text) > _MAX_TITLE else self.text


def _format_query(query: Mapping[str, Any]) -> str:
    """Returns a search query on one line. No value, and no name of a field, can read as a condition of its own."""
    operator, value = query["operator"], query["value"]
    if operator in {"AND", "OR"}:
        parts = [f"({_format_query(item)})" if "field" not in item else _format_query(item) for item in value]
        return f" {operator} ".join(parts)
    field = query["field"] if _PLAIN_FIELD.fullmatch(query["field"]) else orjson.dumps(query["field"]).decode()
    return f"{field} {operator} {orjson.dumps(value).decode()}"


@dataclass(frozen=True, slots=True, eq=False)
class ContactReading:
    """The contacts of a group as they were read, each once, and what happened meanwhile.

    They are compressed in memory, never on disk: they are people's data. `repeated` is the number of contacts that came
    on more than one page, and `other_role` the number of those of another role than the declared type. `first_total`
    and `last_total` are what the first and the last page said of the number of all contacts; None if they did not.
    """

    blocks: tuple[bytes, ...]
    count: int
    repeated: int = 0
    other_role: int = 0
    first_total: int | None = None
    last_total: int | None = None

    def contacts(self) -> Iterator[dict[str, Any]]:
        """Yields the contacts in the order in which they were read: their fields that have a value."""
        return chain.from_iterable(map(_unpack, self.blocks))

    def find(self, number: int) -> dict[str, Any]:
        """Returns the contact with a number, from 1."""
        block, index = divmod(number - 1, _BLOCK_CONTACTS)
        contact: dict[str, Any] = _unpack(self.blocks[block])[index]
        return contact


def pack_contacts(contacts: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Yields contacts as Intercom shows them in compressed blocks, with the fields that templates see.

    Raises RunStopped for one that is too large: as objects, lists in lists take 40 times the memory of their JSON.
    """
    iterator = map(_to_json, contacts)
    while block := [*islice(iterator, _BLOCK_CONTACTS)]:
        yield zlib.compress(b"[" + b",".join(block) + b"]", 1)


def _to_json(contact: Mapping[str, Any]) -> bytes:
    data = orjson.dumps(_select_fields(contact))
    if len(data) > _MAX_CONTACT:
        message = f"the contact {str(contact.get('id'))[:128]} has more than {_MAX_CONTACT >> 10} KiB of fields"
        raise RunStopped(message, "choose an audience without it, for example by a tag or a segment")
    return data


@dataclass(frozen=True, slots=True, eq=False)
class ContactVariable:
    """A variable of `vars`: a template over the contact, and what makes a problem of a fault in it.

    `make_problem` takes the fault and how problems name the contact.
    """

    template: Template
    make_problem: Callable[[TemplateFault, str], Problem]


@dataclass(frozen=True, slots=True, eq=False)
class WorkspaceContacts:
    """The contacts of a group. `reading` is None until they were read.

    `role` is the only role that recipients have; None means both. `variables` are those of `vars`, `constants` the
    globals of every template. `declared_at` is where the group is named.
    """

    tree: Tree
    group: ContactGroup
    role: Role | None
    variables: Mapping[str, ContactVariable]
    constants: Mapping[str, Any]
    declared_at: Place
    reading: ContactReading | None = None
    paths: ClassVar[tuple[str, ...]] = ()
    is_text: ClassVar[bool] = False
    has_fixed_columns: ClassVar[bool] = True

    @property
    def is_unread(self) -> bool:
        """Whether the contacts were not read."""
        return self.reading is None

    @property
    def columns(self) -> tuple[str, ...]:
        """The variables of every row."""
        return (*OWN_VARIABLES, *self.variables)

    @property
    def estimated_count(self) -> int:
        """The number of contacts; 0 if they were not read."""
        return self.reading.count if self.reading else 0

    @property
    def title(self) -> str:
        """The group in few words."""
        return f"Intercom {self.group.title}"

    def label(self, number: int) -> str:
        """Returns how problems name a contact: by its id, so that it can be found in Intercom."""
        return f"contact {self.reading.find(number)['id']}" if self.reading and number else self.title

    def place(self, number: int) -> Place:
        """Returns where the group is named: a contact has no place in a file."""
        del number
        return self.declared_at

    def rows(self) -> Iterator[Row | Problem]:
        """Yields the contacts as rows, in the order in which they were read. Raises GuardRefused if they were not."""
        if self.reading is None:
            raise GuardRefused(
                f"the recipients ({self.title}) are in the Intercom workspace, and this command does not read them",
                f"{shown_command('plan', '--online')} does, with an access token",
            )
        for number, contact in enumerate(self.reading.contacts(), 1):
            row = self._make_row(contact, number)
            yield row
            if isinstance(row, Problem) and row.code == TOO_SLOW:
                return  # each further contact would take as long

    def _make_row(self, contact: dict[str, Any], number: int) -> Row | Problem:
        values: dict[str, Any] = {CONTACT_VARIABLE: contact}
        values |= {name: contact[key] for name, key in _IDENTIFIER_FIELDS.items() if key in contact}
        blank = [name for name in _IDENTIFIER_FIELDS if name not in values]
        context = {**self.constants, CONTACT_VARIABLE: contact}
        for name, variable in self.variables.items():
            try:
                text = variable.template.render(context).strip()
            except TemplateFault as fault:
                if fault.code != "undefined-variable":
                    return variable.make_problem(fault, self.label(number))
                text = ""
            if text:
                values[name] = text
            else:
                blank.append(name)  # like a blank cell: to be tested or given a default, never printed
        return values, tuple(blank), number


def find_workspace_contacts(audience: InlineAudience | TableAudience) -> WorkspaceContacts | None:
    """Returns the source of an audience in the workspace; None for an audience of the project's own files."""
    source = audience.source if isinstance(audience, TableAudience) else None
    return source if isinstance(source, WorkspaceContacts) else None


def _unpack(block: bytes) -> list[dict[str, Any]]:
    contacts: list[dict[str, Any]] = orjson.loads(zlib.decompress(block))
    return contacts


def _select_fields(contact: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name in CONTACT_FIELDS if (value := _without_blanks(contact.get(name))) is not None}


def _without_blanks(value: Any, depth: int = 0) -> Any:
    """Returns the value; None if it is blank or too deep. A mapping loses its blank values, at any depth."""
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, dict):
        items = ((str(key), _without_blanks(item, depth + 1)) for key, item in value.items())
        return {key: item for key, item in items if item is not None}
    if isinstance(value, list):
        return [item if isinstance(item, str) else _without_blanks(item, depth + 1) for item in value]
    return value
