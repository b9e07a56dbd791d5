"""Compares a plan with the project at another commit: for each message its texts, its recipients and other fields.

Pure: made from two sets of declarations and the ledger's records. Only one delivery of each
message of the other project is rendered.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Literal

from runner.compare.audience_overlap import Overlap, compare_audiences, find_recipient, hash_recipient, used_variables
from runner.compare.declared_fields import EXCLUDED_CONTACTS, FIELD_NAMES, describe_list_change, list_field_values
from runner.current_work import CURRENT_WORK
from runner.declare.declaration import Declaration
from runner.declare.project import Project
from runner.declare.sample import Sample, render_sample_for
from runner.ledger.facts import Facts
from runner.plan.deliveries import PlannedMessage
from runner.plan.guards import format_recipients, format_resend
from runner.plan.plan import Plan

_MAX_HOSTS, _MAX_NAMES = 10, 3  # new hosts that a note names, and of each the messages
_MAX_COPIES = 10  # new messages that one removed message is compared with; each reads both audiences

ChangeKind = Literal["new", "changed", "unchanged", "removed", "uncompared"]
CHANGE_KINDS: tuple[ChangeKind, ...] = ("new", "changed", "unchanged", "removed", "uncompared")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field with different values before and now, in words. A value is empty if the field is not declared."""

    name: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class MessageChange:
    """How one message changed. `before` and `now` are samples, for the same recipient if both sides have it.

    `is_content_changed` says that the author changed the texts, or variables that the texts use.
    """

    name: str
    kind: ChangeKind
    fields: tuple[FieldChange, ...] = ()
    audience: Overlap | None = None
    is_content_changed: bool = False
    before: Sample | None = None
    now: Sample | None = None
    warnings: tuple[str, ...] = ()

    def notes(self, *, is_same_text: bool) -> Iterator[str]:
        """Yields what a reader has to know to understand the differences between both samples."""
        if not self.is_content_changed:
            return
        if not (self.before and self.now):
            yield "one side cannot be rendered, so the texts are not compared"
            return
        if is_same_text:
            yield "the compared recipient's text is the same; the template changed, or the texts of other recipients"
        if (self.before.kind, self.before.value) != (self.now.kind, self.now.value):
            yield "the two samples are of different recipients"


@dataclass(frozen=True)
class Comparison:
    """The change of every message of the plan, by name, and after them the messages that were removed.

    `against` is the ref as the user named it, `commit` its hash. `notes` say what could not be compared.
    `guard_changes` are the changed settings that guard the sending. `head` is the hash of the commit that is compared.
    `new_hosts` are the hosts in links that no message of the ref has, each with the names of its messages.
    """

    against: str
    commit: str
    changes: tuple[MessageChange, ...]
    notes: tuple[str, ...] = ()
    guard_changes: tuple[FieldChange, ...] = ()
    head: str = ""
    new_hosts: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def counts(self) -> Counter[ChangeKind]:
        """The number of messages of each kind of change."""
        return Counter(change.kind for change in self.changes)

    def all_notes(self) -> list[str]:
        """Returns the notes, and one about the new hosts, if there are any."""
        return [*self.notes, *([self._describe_new_hosts()] if self.new_hosts else [])]

    def _describe_new_hosts(self) -> str:
        hosts = [
            f"{host} ({', '.join(names[:_MAX_NAMES])})" for host, names in islice(self.new_hosts.items(), _MAX_HOSTS)
        ]
        more = f" and {len(self.new_hosts) - _MAX_HOSTS:,} more" if len(self.new_hosts) > _MAX_HOSTS else ""
        return f"new hosts in links, which no message of {self.against} has: {', '.join(hosts)}{more}"

    def warnings(self) -> list[str]:
        """Returns the notes and the warnings of all messages."""
        return [*self.all_notes(), *(warning for change in self.changes for warning in change.warnings)]

    def find_change(self, name: str) -> MessageChange | None:
        """Returns the change of the message with this name; None if there is none."""
        return self._changes_by_name.get(name)

    @cached_property
    def _changes_by_name(self) -> dict[str, MessageChange]:
        return {change.name: change for change in self.changes}


@dataclass(frozen=True, slots=True)
class CurrentPlan:
    """The current plan, and what the comparison needs besides it.

    `declared_names` are the names of all declared messages, because a plan may be of a selection. `is_selected` says
    whether a declaration with this path would be part of the plan. `sample` renders a sample of a message.
    """

    plan: Plan
    declared_names: frozenset[str]
    is_selected: Callable[[str], bool]
    sample: Callable[[PlannedMessage], Sample | None]


def compare(now: CurrentPlan, before: Project, facts: Facts) -> tuple[MessageChange, ...]:
    """Returns the change of every message of the plan, and of every removed message."""
    earlier_by_name = {declaration.name: declaration for declaration in before.declarations}
    invalid_names = {declaration.name for declaration in before.invalid_declarations}
    faulty_paths = {problem.place.path for problem in before.problems if problem.is_error}
    removed = [
        declaration
        for declaration in before.declarations
        if declaration.name not in now.declared_names and now.is_selected(declaration.document.source.path)
    ]
    changes, compared = [], Counter[str]()
    for message in now.plan.messages:
        if earlier := earlier_by_name.get(message.name):
            warnings = tuple(_find_resends(message, earlier))
            with CURRENT_WORK.on_file(message.declaration.document.source.path):
                changes.append(_compare_message(message, earlier, now, before.settings.salt, warnings))
        elif message.name in invalid_names or message.declaration.document.source.path in faulty_paths:
            changes.append(MessageChange(message.name, "uncompared"))
        else:
            # The guard `repeat` reports the rename already. The guard `edited` reports every edit after sending.
            is_reported = any(guard.code == "repeat" and message.name in guard.messages for guard in now.plan.guards)
            changes.append(
                MessageChange(
                    message.name,
                    "new",
                    warnings=() if is_reported else _find_renames(message, removed, facts, compared),
                )
            )
    return (*changes, *(_describe_removal(declaration, facts) for declaration in removed))


def _compare_message(
    message: PlannedMessage, earlier: Declaration, now: CurrentPlan, salt: str, warnings: tuple[str, ...]
) -> MessageChange:
    declaration = message.declaration
    fields = tuple(_compare_fields(earlier, declaration))
    overlap = compare_audiences(earlier, declaration, len(message.deliveries))
    is_rewritten = _is_rewritten(earlier, declaration)
    if not (is_rewritten or fields or (overlap and overlap.has_changes)):
        return MessageChange(message.name, "unchanged", audience=overlap, warnings=warnings)
    sample = now.sample(message) if is_rewritten or (overlap and overlap.altered) else None
    recipient = None
    if sample and not earlier.audience.is_unread:
        recipient = find_recipient(earlier, hash_recipient(sample.kind, sample.value))
    return MessageChange(
        name=message.name,
        kind="changed",
        fields=fields,
        audience=overlap,
        is_content_changed=is_rewritten,
        before=render_sample_for(earlier, recipient, salt) if recipient else None,
        now=sample,
        warnings=warnings,
    )


def _describe_removal(declaration: Declaration, facts: Facts) -> MessageChange:
    sent = _count_sent(declaration, facts)
    warnings = (f"{declaration.name} is removed, and {format_recipients(sent)} got it already",) if sent else ()
    return MessageChange(declaration.name, "removed", warnings=warnings)


def _compare_fields(before: Declaration, now: Declaration) -> Iterator[FieldChange]:
    """Yields the changed fields other than the texts and the recipients."""
    for name, old, new in zip(FIELD_NAMES, list_field_values(before), list_field_values(now), strict=True):
        if old != new:
            yield FieldChange(name, old, new)
    old_list, new_list = before.selection.exclusion_list, now.selection.exclusion_list
    if old_list and new_list and (change := describe_list_change(old_list, new_list)):
        yield FieldChange(EXCLUDED_CONTACTS, *change)


def _find_resends(message: PlannedMessage, earlier: Declaration) -> Iterator[str]:
    """Yields a warning if the revision changed after the earlier one was sent: its recipients would get it again."""
    now, before = message.declaration.revision, earlier.revision
    if now != before and (count := message.resends.get(before)):
        yield f"{message.name}: {format_resend(before, count, message.counts['send'])}"


def _find_renames(
    message: PlannedMessage, removed: Iterable[Declaration], facts: Facts, compared: Counter[str]
) -> tuple[str, ...]:
    """Returns warnings about removed messages that this message may be under a new name.

    A removed message is reported if both have some recipients in common, and either the same texts, or the same file
    and the removed one was sent. Another name is another message, so these recipients would get both. `compared` counts
    the messages that each removed one was compared with: of many copies only the first are compared.
    """
    warnings = []
    for declaration in removed:
        has_same_text = _list_texts(declaration) == _list_texts(message.declaration)
        sent = _count_sent(declaration, facts)
        was_sent_in_same_file = declaration.document.source.path == message.declaration.document.source.path and sent
        if not (has_same_text or was_sent_in_same_file):
            continue
        compared[declaration.name] += 1
        if compared[declaration.name] > _MAX_COPIES:
            warnings.append(
                f"{message.name} looks like {declaration.name} under another name, as {_MAX_COPIES} other messages do; "
                "whether they have recipients in common was not compared"
            )
        elif (overlap := compare_audiences(declaration, message.declaration, len(message.deliveries))) and overlap.same:
            warnings.append(
                _format_rename(message.name, declaration.name, overlap.same, sent, has_same_text=has_same_text)
            )
    return tuple(warnings)


def _format_rename(name: str, other_name: str, common_count: int, sent: int, *, has_same_text: bool) -> str:
    similarity = "the same text" if has_same_text else "the same file"
    text = (
        f"{name} looks like {other_name} under another name: {similarity}, and {common_count:,} of the same recipients"
    )
    consequence = "would get it again" if has_same_text else f"would get {name} too"
    if sent:
        return f"{text}; {format_recipients(sent)} of {other_name} got it already, and {consequence}"
    return f"{text}; nothing was sent as {other_name}"


def _is_rewritten(before: Declaration, now: Declaration) -> bool:
    """Returns whether the texts differ, or the variables of project and message that the texts use."""
    if before.content == now.content:
        return False
    used = used_variables(before, now)
    old, new = (
        {name: value for name, value in declaration.variables.items() if used is None or name in used}
        for declaration in (before, now)
    )
    return _list_texts(before) != _list_texts(now) or old != new


def _list_texts(declaration: Declaration) -> list[str]:
    """Returns what is rendered, with LF as line end: a checkout may have other line ends than the commit."""
    texts = [text for text in (declaration.subject, declaration.body) if text]
    includes = {name: source for text in texts for name, source in text.includes.items()}
    sources = [
        declaration.message_type,
        *(text.source for text in texts),
        *(text for item in sorted(includes.items()) for text in item),
    ]
    return [source.replace("\r\n", "\n") for source in sources]


def _count_sent(declaration: Declaration, facts: Facts) -> int:
    """Returns the number of deliveries of the declared revision that were sent."""
    keys = facts.keys_of(declaration.name, declaration.revision)
    return sum((state := facts.state(key)) is not None and state.status == "sent" for key in keys)
