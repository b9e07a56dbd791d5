"""The declaration: one YAML document that says who gets what, checked and with compiled templates."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from runner.declare.audience.audience import Audience, InlineAudience
from runner.declare.audience.recipient import Recipient, Row
from runner.declare.audience.selection import Selection, Tally
from runner.declare.problem_length import mark_length
from runner.declare.recipient_rules import Redirect
from runner.declare.sender import Sender
from runner.declare.template.language import TemplateFault
from runner.declare.template.template import Template
from runner.declare.yaml.document import Document, SourceFile, YamlPath
from runner.errors import Place, Problem
from runner.privacy import AnyText

_DRAFT_UNTIL = datetime(2099, 1, 1, tzinfo=UTC)  # what `msgrun init` and `msgrun new` write into not_before
CONVERSATION_FLAG = "create_conversation_without_contact_reply"
SUBSCRIPTION_KEY = "require_subscription"
EXCEPTION_KEYS = ("quiet_hours", "frequency")  # the rules of msgrun.yaml that a message may ignore
MessageType = Literal["inapp", "email"]


class TemplateOrigin(NamedTuple):
    """Where a template is written: in the scalar at `path` of the document, or in a `file` of its own."""

    document: Document
    path: YamlPath
    file: SourceFile | None = None

    def problem(self, fault: TemplateFault, recipient: AnyText = "") -> Problem:
        """Returns a fault as a problem at its line: in the file that the fault names, else in this template."""
        excerpt: AnyText
        if fault.file:
            place, excerpt = _find_place(fault.file, fault.line, fault.excerpt, fault.name), fault.excerpt
        elif self.file:
            line = self.file.line(fault.line)
            place, excerpt = _find_place(self.file.path, fault.line, line, fault.name), line
        else:
            place = self.document.template_place(self.path, fault.line, fault.name)
            excerpt = self.document.excerpt(place.line)
        return Problem(fault.code, place, fault.message, fault.hint, excerpt=excerpt, recipient=recipient)


def _find_place(path: str, number: int, line: str, name: str) -> Place:
    """Returns the place where a line mentions a name, else that of its first character after the indent."""
    index = line.find(name) if name else -1
    if index >= 0:
        return Place(path, number, index + 1, len(name))
    index = len(line) - len(line.lstrip())
    return Place(path, number, index + 1, mark_length(line, index))


@dataclass(frozen=True, slots=True, eq=False)
class Declaration:
    """One message and its recipients, as declared. It is frozen.

    Only `declaration_parser.parse` makes one. If `parse` reported no error, the document is valid. The recipients'
    own values may still have faults, which `delivery.render_deliveries` reports.

    `variables` are the template globals, then the variables of the project, then those of the message; every render
    gets them. `content` is the hash of what the author wrote. `unknown_variables` are warnings: each names a variable
    that has no value. `revision` is counted from 1. `redirect` is the contact that gets the message in place of each
    recipient; None if there is none. `require_subscription` is the name of a subscription type of the workspace: who
    is not subscribed is excluded; empty if it does not matter. `ignores_quiet_hours` and `ignores_frequency` are
    exceptions for a message that cannot wait.
    """

    name: str
    revision: int
    message_type: MessageType
    subject: Template | None
    body: Template
    template: Literal["plain", "personal"] | None
    sender: Sender
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
    redirect: Redirect | None = None
    require_subscription: str = ""
    ignores_quiet_hours: bool = False
    ignores_frequency: bool = False

    @property
    def place(self) -> Place:
        """The place of its name."""
        return self.document.place(("name",))

    @property
    def texts(self) -> list[Template]:
        """The subject, if there is one, and the body."""
        return [self.subject, self.body] if self.subject else [self.body]

    @property
    def is_draft(self) -> bool:
        """Whether it still has the day that `msgrun init` and `msgrun new` write into not_before."""
        return self.not_before == _DRAFT_UNTIL

    def written(self, key: str) -> str:
        """Returns the value of a key as the author wrote it; empty if the declaration has none."""
        return str(self.document.value.get(key, ""))

    def is_expired(self, now: datetime) -> bool:
        """Returns whether nothing of the message is sent any more at `now`."""
        return self.expires is not None and now >= self.expires

    def find_expiry_problem(self, now: datetime) -> Problem | None:
        """Returns a warning if the message has expired at `now`; None if it has not."""
        if not self.is_expired(now):
            return None
        message, hint = "expires has passed: nothing is sent any more", "raise it, if it is to be sent"
        return self.document.warning("expired", ("expires",), message, hint)

    def recipients(self, tally: Tally, rows: Iterable[Row | Problem] | None = None) -> Iterator[Recipient | Problem]:
        """Returns the recipients that pass the filters, in order, and a Problem for each row that cannot be used.

        If `rows` are given, only they are read; that is for a table alone. Else the whole audience is read. The number
        of recipients that each filter left out is added to the tally.
        """
        candidates = (
            self.audience.recipients() if isinstance(self.audience, InlineAudience) else self.audience.recipients(rows)
        )
        return self.selection.select(self.audience, candidates, self.variables, tally)
