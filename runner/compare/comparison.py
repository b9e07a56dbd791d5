"""What a plan changes against the project as it was elsewhere: per message its texts, its recipients and the rest.

Pure: from two sets of declarations and the ledger's facts. Of the other side only one delivery a message is rendered.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from runner.compare.audience_overlap import Overlap, compare_audiences, find_recipient, hash_recipient, used_variables
from runner.declare.audience import TableAudience
from runner.declare.declaration import CONVERSATION_FLAG, Declaration
from runner.declare.project import Project
from runner.declare.sample import Sample, render_sample_for
from runner.declare.settings import Settings
from runner.ledger.facts import Facts
from runner.ledger.record import salt_check
from runner.plan.deliveries import PlannedMessage
from runner.plan.guards import format_recipients
from runner.plan.plan import Plan

ChangeKind = Literal["new", "changed", "unchanged", "removed", "uncompared"]


CHANGE_KINDS: tuple[ChangeKind, ...] = ("new", "changed", "unchanged", "removed", "uncompared")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """Something that is declared otherwise than before, in words; empty where it is not declared."""

    name: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class MessageChange:
    """What happened to one message. `before` and `now` are samples, for the same recipient if both sides have it.

    `written` says that its author changed what is rendered, or what it is rendered with.
    """

    name: str
    kind: ChangeKind
    fields: tuple[FieldChange, ...] = ()
    audience: Overlap | None = None
    is_content_changed: bool = False
    before: Sample | None = None
    now: Sample | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """Every message of the plan and what became of it, by name, then those that are removed.

    `against` is the other side as a person named it, `commit` its hash; `notes` say what could not be compared.
    `guards` are the settings that guard the sending and changed.
    """

    against: str
    commit: str
    changes: tuple[MessageChange, ...]
    notes: tuple[str, ...] = ()
    guard_changes: tuple[FieldChange, ...] = ()

    @cached_property
    def counts(self) -> Counter[ChangeKind]:
        """How many messages there are of each kind of change."""
        return Counter(change.kind for change in self.changes)

    def warnings(self) -> list[str]:
        """What to worry about."""
        return [*self.notes, *(warning for change in self.changes for warning in change.warnings)]

    def find_change(self, name: str) -> MessageChange | None:
        """The change of a message."""
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> dict[str, MessageChange]:
        return {change.name: change for change in self.changes}


@dataclass(frozen=True, slots=True)
class CurrentPlan:
    """The plan, every name that is declared beside it (a plan may be of a selection), and samples of its messages.

    `selected` tells of a declaration's path whether it would be part of the plan.
    """

    plan: Plan
    declared_names: frozenset[str]
    is_selected: Callable[[str], bool]
    sample: Callable[[PlannedMessage], Sample | None]


def compare_guard_settings(
    before: Mapping[str | None, Settings], now: Mapping[str | None, Settings]
) -> Iterator[FieldChange]:
    """What changed of the settings that guard the sending, in each environment; None is the unnamed one."""
    for name in sorted({*before, *now}, key=lambda name: name or ""):
        prefix = f"environments.{name}" if name else ""
        if name not in before or name not in now:
            yield FieldChange(prefix, *("" if name not in side else _lock_of(side[name]) for side in (before, now)))
            continue
        was, is_now = _guarding(before[name]), _guarding(now[name])
        yield from (
            FieldChange(f"{prefix}.{key}" if prefix else key, was[key], is_now[key])
            for key in was
            if was[key] != is_now[key]
        )


def _lock_of(settings: Settings) -> str:
    return f"lock: {settings.lock}, workspace: {settings.workspace or 'not pinned'}"


def _guarding(settings: Settings) -> dict[str, str]:
    """The settings that guard the sending, by their names in msgrun.yaml; of the salt the check that the ledger has."""
    limits, breakers = settings.limits, settings.abort_conditions
    return {
        "lock": settings.lock,
        "workspace": settings.workspace,
        "region": settings.region,
        "salt": f"check {salt_check(settings.salt)}",
        "require_plan": str(settings.require_plan).lower(),
        "limits.recipients_per_message": f"{limits.recipients_per_message:,}",
        "limits.recipients_per_apply": f"{limits.recipients_per_apply:,}",
        "abort_if.unknown": f"{breakers.unknown:,}",
        "abort_if.refused": f"{breakers.refused:.0%}",
        "abort_if.after": f"{breakers.after:,}",
        "suppress": ", ".join(settings.suppress),
    }


def compare(now: CurrentPlan, before: Project, facts: Facts) -> tuple[MessageChange, ...]:
    """What happened to every message of the plan, and to those that are gone."""
    known = {declared.name: declared for declared in before.declarations}
    unsound = {declared.name for declared in before.invalid_declarations}
    faulty = {problem.place.path for problem in before.problems if problem.is_error}
    gone = [
        declared
        for declared in before.declarations
        if declared.name not in now.declared_names and now.is_selected(declared.document.source.path)
    ]
    changes = []
    for message in now.plan.messages:
        if earlier := known.get(message.name):
            warnings = tuple(_again(message, earlier, facts))
            changes.append(_changed(message, earlier, now, before.settings.salt, warnings))
        elif message.name in unsound or message.declaration.document.source.path in faulty:
            changes.append(MessageChange(message.name, "uncompared"))
        else:
            # The guard `repeat` says it already; an edit after sending is always told by the guard `edited`.
            is_told = any(guard.code == "repeat" and message.name in guard.messages for guard in now.plan.guards)
            changes.append(
                MessageChange(message.name, "new", warnings=() if is_told else _renames(message, gone, facts))
            )
    return (*changes, *(_removed(declared, facts) for declared in gone))


def _changed(
    message: PlannedMessage, earlier: Declaration, now: CurrentPlan, salt: str, warnings: tuple[str, ...]
) -> MessageChange:
    declared = message.declaration
    fields = tuple(_fields(earlier, declared))
    difference = compare_audiences(earlier, declared, len(message.deliveries))
    written = _is_rewritten(earlier, declared)
    if not (written or fields or difference.has_changes):
        return MessageChange(message.name, "unchanged", audience=difference, warnings=warnings)
    shown = now.sample(message) if written or difference.altered else None
    other = find_recipient(earlier, hash_recipient(shown.kind, shown.value) if shown else b"") if shown else None
    return MessageChange(
        name=message.name,
        kind="changed",
        fields=fields,
        audience=difference,
        is_content_changed=written,
        before=render_sample_for(earlier, other, salt) if other else None,
        now=shown,
        warnings=warnings,
    )


def _removed(declared: Declaration, facts: Facts) -> MessageChange:
    sent = _sent(declared, facts)
    told = (f"{declared.name} is removed, and {format_recipients(sent)} got it already",) if sent else ()
    return MessageChange(declared.name, "removed", warnings=told)


def _fields(before: Declaration, now: Declaration) -> Iterator[FieldChange]:
    """What differs besides the texts and the recipients."""
    for name, one, other in zip(_NAMES, _values(before), _values(now), strict=True):
        if one != other:
            yield FieldChange(name, one, other)


_NAMES = (
    "message_type",
    "template",
    "from",
    "revision",
    "expires",
    "not_before",
    "max_recipients",
    CONVERSATION_FLAG,
    "to",
)


def _values(declared: Declaration) -> tuple[str, ...]:
    moments = [f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else "" for moment in (declared.expires, declared.not_before)]
    return (
        declared.message_type,
        declared.template or "",
        declared.sender,
        str(declared.revision),
        *moments,
        str(declared.max_recipients or ""),
        "true" if declared.opens_conversation else "",
        declared.audience.source.title
        if isinstance(declared.audience, TableAudience)
        else "recipients in the declaration",
    )


def _again(message: PlannedMessage, earlier: Declaration, facts: Facts) -> Iterator[str]:
    now, before = message.declaration.revision, earlier.revision
    if now != before and (sent := _sent(earlier, facts)):
        who = format_recipients(sent)
        yield f"{message.name} is of revision {now} now, so {who} of revision {before} would get it again"


def _renames(message: PlannedMessage, gone: Iterable[Declaration], facts: Facts) -> tuple[str, ...]:
    """Removed messages with some of the same recipients and the same text, or in the same file, where it was sent.

    Another name is another message, so these recipients would get both.
    """
    told = []
    for declared in gone:
        is_same = _texts(declared) == _texts(message.declaration)
        sent = _sent(declared, facts)
        is_near = declared.document.source.path == message.declaration.document.source.path and sent
        if not (is_same or is_near):
            continue
        if both := compare_audiences(declared, message.declaration, len(message.deliveries)).same:
            told.append(_told(message.name, declared.name, both, sent, is_same=is_same))
    return tuple(told)


def _told(name: str, other: str, both: int, sent: int, *, is_same: bool) -> str:
    alike = "the same text" if is_same else "the same file"
    text = f"{name} looks like {other} under another name: {alike}, and {both:,} of the same recipients"
    again = "would get it again" if is_same else f"would get {name} too"
    if sent:
        return f"{text}; {format_recipients(sent)} of {other} got it already, and {again}"
    return f"{text}; nothing was sent as {other}"


def _is_rewritten(before: Declaration, now: Declaration) -> bool:
    """Whether the texts differ, or the variables of project and message that they use."""
    if before.content == now.content:
        return False
    used = used_variables(before, now)
    one, other = (
        {name: value for name, value in declared.variables.items() if used is None or name in used}
        for declared in (before, now)
    )
    return _texts(before) != _texts(now) or one != other


def _texts(declared: Declaration) -> list[str]:
    """What is rendered, free of line ends: a checkout may write others than the commit has."""
    texts = [text for text in (declared.subject, declared.body) if text]
    parts = {name: source for text in texts for name, source in text.includes.items()}
    sources = [
        declared.message_type,
        *(text.source for text in texts),
        *(text for item in sorted(parts.items()) for text in item),
    ]
    return [source.replace("\r\n", "\n") for source in sources]


def _sent(declared: Declaration, facts: Facts) -> int:
    keys = facts.keys_of(declared.name, declared.revision)
    return sum((state := facts.state(key)) is not None and state.status == "sent" for key in keys)
