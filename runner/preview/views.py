"""What the pages show, as frozen values: texts are masked already, and only a body frame holds HTML."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from runner.compare.comparison import Comparison
from runner.plan.plan import Plan

Tone = Literal["bad", "warn", "info"]


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that the reviewer should know: a guard, a finding, a warning. `place` is file, line and column.

    `label` is the code of a problem, or what kind of remark it is. `messages` are the page names of the messages that
    it is about; empty if it is about the whole project.
    """

    tone: Tone
    label: str
    text: str
    hint: str = ""
    place: str = ""
    recipient: str = ""
    excerpt: str = ""
    messages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a body: its address and its text.

    `target` is the address in three parts, of which the second is the host; the others are shortened. `is_new_host`: no
    message at the git ref that is compared with has a link to it. `hidden` says why a reader may not see it.
    """

    address: str
    text: str
    target: tuple[str, str, str] = ("", "", "")
    is_new_host: bool = False
    hidden: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """An image of a body. It is never loaded: a box stands in its place."""

    address: str
    text: str


@dataclass(frozen=True, slots=True)
class ClientNote:
    """Something in a body that some mail clients do not support, by whom, and where that is written."""

    feature: str
    clients: str
    source: str


@dataclass(frozen=True, slots=True)
class BodyChecks:
    """What was looked at in one body. `size` is in bytes, as it is sent. `unlisted_links` counts the other links.

    `style_conditions` is what its style sheets ask for that a mail client may answer in another way than the preview.
    """

    links: tuple[Link, ...] = ()
    unlisted_links: int = 0
    images: tuple[Image, ...] = ()
    clients: tuple[ClientNote, ...] = ()
    style_conditions: tuple[str, ...] = ()
    size: int = 0


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that the texts use. `origin` says whose value it is; `value` is empty if there is none."""

    name: str
    value: str
    origin: Literal["recipient", "message", "none"]


@dataclass(frozen=True, slots=True)
class RecipientView:
    """One sampled recipient.

    `reasons` say why it was chosen. `frame` is the document of the body's iframe, `height` the pixels that it needs.
    `is_variant`: it was chosen because others get another text. `is_computed`: words of the author may be
    masked. `date_conflict` says that subject and body have other dates.
    """

    name: str
    reasons: tuple[str, ...]
    action: str
    action_reason: str
    subject: str
    beginning: str
    frame: str
    height: int
    json: str
    variables: tuple[Variable, ...]
    checks: BodyChecks
    is_variant: bool = False
    is_computed: bool = False
    date_conflict: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: the recipient, the subject with its differences marked, and the body's frame."""

    to: str
    subject: Markup
    frame: str
    height: int


@dataclass(frozen=True, slots=True)
class ChangeView:
    """What changed of a message since a git ref. `fields` are name, before and now.

    `parts` names what changed: keys of the declaration, subject, body, recipients. `sources` are diffs of the HTML, or
    of the texts as they are written, each with its name.
    """

    kind: str
    parts: tuple[str, ...] = ()
    fields: tuple[tuple[str, str, str], ...] = ()
    audience: str = ""
    notes: tuple[str, ...] = ()
    before: Side | None = None
    now: Side | None = None
    sources: tuple[tuple[str, Markup], ...] = ()


@dataclass(frozen=True, slots=True)
class RunView:
    """One run that sent a message, and when."""

    when: str
    note: str
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """The number of its deliveries."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class AfterView:
    """What Intercom showed of one revision at a time. `listed` are what became of it, when, and the recipient."""

    revision: int
    as_of: str
    counts: Mapping[str, int]
    listed: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class SentView:
    """What became of a message that was sent, all revisions of it.

    `runs` are the latest, and `last` is when that was; both are empty if the ledger is too large to read them.
    `accepted` are when edits were accepted, and how many keep the text from before.
    """

    counts: Mapping[str, int]
    last: str
    runs: tuple[RunView, ...]
    earlier_runs: int
    accepted: tuple[tuple[str, int], ...]
    after: tuple[AfterView, ...]

    def count_after(self, status: str) -> int:
        """The number of deliveries of which this became, of all revisions."""
        return sum(one.counts[status] for one in self.after)


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message, with what the index shows of it, and its sampled recipients.

    `page` is the name of its page without suffix. `total` is the number of its declared recipients. `read_count` is the
    number of them that was searched for the sample and linted. `html` is its page, which alone shows the recipients.
    `is_unread`: its recipients are in the workspace, which was not asked. `written` are its texts as they are written,
    each with its name, if there is no recipient.
    """

    name: str
    page: str
    kind: Literal["email", "inapp"]
    template: str
    sender: str
    revision: int
    source: str
    subject: str
    counts: Mapping[str, int]
    to_send: int
    total: int
    read_count: int
    audience: str
    concerns: tuple[Concern, ...]
    recipients: tuple[RecipientView, ...]
    change: ChangeView | None = None
    facts: tuple[tuple[str, str], ...] = ()
    is_unread: bool = False
    written: tuple[tuple[str, str], ...] = ()
    sent: SentView | None = None
    html: str = ""

    @property
    def tone(self) -> str:
        """The worst tone of its concerns; empty without one."""
        return next((tone for tone in ("bad", "warn") if any(concern.tone == tone for concern in self.concerns)), "")


@dataclass(frozen=True, slots=True)
class Site:
    """What all pages of a preview show, so that one page can be kept while others change.

    `is_live`: `--serve` shows the pages, which follow each change. `against` is the git ref of the comparison.
    `online_command` is the command after which the pages show what became of what was sent.
    """

    project: str
    environment: str = "default"
    workspace: str = ""
    is_masked: bool = False
    is_sandbox: bool = False
    is_live: bool = False
    against: str = ""
    online_command: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """Everything that the pages show. `problems` are errors of the files: then there are no messages and no plan."""

    site: Site
    messages: tuple[MessageView, ...] = ()
    concerns: tuple[Concern, ...] = ()
    plan: Plan | None = None
    comparison: Comparison | None = None
    problems: tuple[Concern, ...] = ()

    @property
    def kinds_to_send(self) -> str:
        """What is sent, in words, because a bare number would read as that of people."""
        counts = [
            (sum(message.to_send for message in self.messages if message.kind == kind), word)
            for kind, word in (("email", "email"), ("inapp", "in-app message"))
        ]
        return " and ".join(f"{count:,} {word}{'' if count == 1 else 's'}" for count, word in counts if count)
