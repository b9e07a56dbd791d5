"""A declaration: one YAML document that says who gets what, checked, with its templates compiled."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from runner.declare.audience import Audience, InlineAudience, Recipient
from runner.declare.audience.recipient import Row
from runner.declare.audience.selection import Selection, Tally
from runner.declare.template.language import TemplateFault
from runner.declare.template.template import Template
from runner.declare.yaml.document import Document, SourceFile, YamlPath
from runner.errors import Place, Problem

CONVERSATION_FLAG = "create_conversation_without_contact_reply"
MessageType = Literal["inapp", "email"]


@dataclass(frozen=True, slots=True, eq=False)
class TemplateOrigin:
    """Where a template was written: a scalar of the document, or a file of its own."""

    document: Document
    path: YamlPath
    file: SourceFile | None = None

    def place(self, line: int, name: str = "") -> Place:
        """Where line `line` (from 1) of the template stands, if possible where it mentions `name`."""
        if self.file:
            return Place(self.file.path, line, _column(self.file.line(line), name))
        return self.document.template_place(self.path, line, name)

    def problem(self, fault: TemplateFault, recipient: str = "") -> Problem:
        """The fault as a problem at its line, here or in the include it names."""
        if fault.file:
            place, excerpt = Place(fault.file, fault.line, _column(fault.excerpt, fault.name)), fault.excerpt
        else:
            place = self.place(fault.line, fault.name)
            excerpt = self.file.line(place.line) if self.file else self.document.excerpt(place.line)
        return Problem(fault.code, place, fault.message, fault.hint, excerpt=excerpt, recipient=recipient)


def _column(line: str, name: str) -> int:
    """Where the line mentions the name, else where it begins (from 1)."""
    at = line.find(name) if name else -1
    return (at if at >= 0 else len(line) - len(line.lstrip())) + 1


@dataclass(frozen=True, slots=True, eq=False)
class Declaration:
    """Who gets what. Frozen, and only made by `parser.parse`: holding one proves that its document is valid.

    `values` are the globals, project and message variables for every render; `content` is the hash of what the
    author wrote; `unknown` warns of variables that nothing gives. The recipients' own values may still turn out to be
    faulty: see `delivery.deliveries`.
    """

    name: str
    revision: int
    message_type: MessageType
    subject: Template | None
    body: Template
    template: Literal["plain", "personal"] | None
    sender: str
    audience: Audience
    variables: Mapping[str, Any]
    expires: datetime | None
    not_before: datetime | None
    max_recipients: int | None
    opens_conversation: bool
    content: str
    document: Document
    subject_origin: TemplateOrigin
    body_origin: TemplateOrigin
    unknown_variables: tuple[Problem, ...]
    selection: Selection

    @property
    def place(self) -> Place:
        """Where it is declared."""
        return self.document.place(("name",))

    def recipients(self, tally: Tally, rows: Iterable[Row | Problem] | None = None) -> Iterator[Recipient | Problem]:
        """The recipients that the filters leave, in order, of some rows of a table or of the whole audience.

        How many they left out is added to the tally.
        """
        found = (
            self.audience.recipients() if isinstance(self.audience, InlineAudience) else self.audience.recipients(rows)
        )
        return self.selection.select(self.audience, found, self.variables, tally)
