"""Compares a plan with the project at another commit: for each message its texts, its recipients and other fields.

It asks neither git nor Intercom. It reads the audiences of both sides, and renders one delivery of each message of the
other one.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, get_args

from runner.compare.audience_overlap import (
    Overlap,
    RowBudget,
    compare_audiences,
    count_kinds,
    find_recipient,
    has_other_kinds,
    hash_recipient,
)
from runner.compare.declared_fields import (
    EXCLUDED_CONTACTS,
    RECIPIENT_KIND,
    FieldChange,
    compare_audience_variables,
    compare_fields,
    describe_list_change,
)
from runner.compare.declared_texts import list_texts_and_variables
from runner.compare.renames import MAX_ROWS, RemovedMessage, SimilarTexts, find_lost_rules, find_renames, list_removed
from runner.current_work import CURRENT_WORK
from runner.declare.declaration import Declaration
from runner.declare.project import Project
from runner.declare.sample import Sample, render_sample_for
from runner.ledger.facts import Facts
from runner.plan.deliveries import PlannedMessage
from runner.plan.guards import format_recipients, format_resend
from runner.plan.plan import Plan

_MAX_HOSTS, _MAX_NAMES = 10, 3  # new hosts that a note names, and of each the messages

ChangeKind = Literal["new", "changed", "unchanged", "removed", "uncompared"]
CHANGE_KINDS: tuple[ChangeKind, ...] = get_args(ChangeKind)


@dataclass(frozen=True, slots=True)
class MessageChange:
    """How one message changed. `before` and `now` are samples, for the same recipient if both sides have it.

    `is_content_changed` says that the author changed the texts, or variables that the texts use. `written` are the
    changed ones as they are written, if there are not two samples.
    """

    name: str
    kind: ChangeKind
    fields: tuple[FieldChange, ...] = ()
    audience: Overlap | None = None
    is_content_changed: bool = False
    before: Sample | None = None
    now: Sample | None = None
    warnings: tuple[str, ...] = ()
    written: tuple[FieldChange, ...] = ()

    def notes(self, *, is_same_text: bool) -> Iterator[str]:
        """Yields what a reader has to know to understand the differences between both samples."""
        if not self.is_content_changed:
            return
        if not (self.before and self.now):
            yield "not both sides have a sample, so the texts are compared as they are written"
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
        hosts = [f"{host} ({_list_first(names, _MAX_NAMES)})" for host, names in self.new_hosts.items()]
        found = _list_first(hosts, _MAX_HOSTS)
        return f"new hosts in links, which no message of {self.against} has: {found}"

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
    whether a declaration with this path would be part of the plan. `sample` renders a sample of a message. `salt` is
    that of the project.
    """

    plan: Plan
    declared_names: frozenset[str]
    is_selected: Callable[[str], bool]
    sample: Callable[[PlannedMessage], Sample | None]
    salt: str


def compare(now: CurrentPlan, before: Project, facts: Facts) -> tuple[MessageChange, ...]:
    """Returns the change of every message of the plan, and of every removed message."""
    earlier_by_name = {declaration.name: declaration for declaration in before.declarations}
    invalid = {str(document.value["name"]): document for document in before.unread_documents}
    invalid |= {declaration.name: declaration.document for declaration in before.invalid_declarations}
    faulty_paths = {problem.place.path for problem in before.problems if problem.is_error}
    gone = (
        declaration
        for declaration in before.declarations
        if declaration.name not in now.declared_names and now.is_selected(declaration.document.source.path)
    )
    removed, new = list_removed(gone, facts), list[Declaration]()
    changes, compared = [], Counter[str]()
    for message in now.plan.messages:
        if earlier := earlier_by_name.get(message.name):
            warnings = (*_find_resends(message, earlier), *_find_release(message.declaration, earlier))
            with CURRENT_WORK.on_file(message.declaration.document.source.path):
                changes.append(_compare_message(message, earlier, now, before.settings.salt, warnings))
        elif message.name in invalid or message.declaration.document.source.path in faulty_paths:
            document = invalid.get(message.name)
            fields = compare_fields(document.value, message.declaration.document.value) if document else ()
            changes.append(MessageChange(message.name, "uncompared", fields=tuple(fields)))
        else:
            # The guard `repeat` reports the rename already. The guard `edited` reports every edit after sending.
            is_reported = any(guard.code == "repeat" and message.name in guard.messages for guard in now.plan.guards)
            with CURRENT_WORK.on_file(message.declaration.document.source.path):
                warnings = () if is_reported else find_renames(message, removed, compared)
            changes.append(MessageChange(message.name, "new", warnings=warnings))
            new.append(message.declaration)
    changed = {change.name for change in changes if change.kind == "changed"}
    others = [message.declaration for message in now.plan.messages if message.name in changed]
    texts, budget = SimilarTexts([*others, *new], now.salt), RowBudget(MAX_ROWS)
    for number, change in enumerate(changes):
        if change.name in changed:
            earlier = earlier_by_name[change.name]
            alike = texts.find(earlier, before.settings.salt)
            compared_with = {each.name: each for each in [*(new if _sends_less(change) else ()), *alike]}
            lost = find_lost_rules(earlier, [*compared_with.values()], budget, is_kept=True)
            changes[number] = replace(change, fields=(*change.fields, *lost))
    return (*changes, *(_describe_removal(each, [*new, *others], budget) for each in removed))


def _sends_less(change: MessageChange) -> bool:
    """Returns whether a changed message may go to fewer people than before: a new one may take its place."""
    has_less = change.audience.removed > 0 if change.audience else change.is_content_changed
    return has_less or bool(change.fields)


def _compare_message(
    message: PlannedMessage, earlier: Declaration, now: CurrentPlan, salt: str, warnings: tuple[str, ...]
) -> MessageChange:
    declaration = message.declaration
    fields = (
        *compare_fields(earlier.document.value, declaration.document.value),
        *compare_audience_variables(earlier, declaration),
        *_compare_exclusions(earlier, declaration),
        *_compare_kinds(earlier, declaration),
    )
    overlap = compare_audiences(earlier, declaration, len(message.deliveries))
    is_rewritten = _is_rewritten(earlier, declaration)
    if not (is_rewritten or fields or (overlap and overlap.has_changes)):
        return MessageChange(message.name, "unchanged", audience=overlap, warnings=warnings)
    sample = now.sample(message) if is_rewritten or (overlap and overlap.altered) else None
    recipient = None
    if sample and not earlier.audience.is_unread:
        recipient = find_recipient(earlier, hash_recipient(sample.kind, sample.value))
    before = render_sample_for(earlier, recipient, salt) if recipient else None
    return MessageChange(
        name=message.name,
        kind="changed",
        fields=fields,
        audience=overlap,
        is_content_changed=is_rewritten,
        before=before,
        now=sample,
        warnings=warnings,
        written=() if before else tuple(_compare_written(earlier, declaration)),
    )


def _compare_exclusions(before: Declaration, now: Declaration) -> Iterator[FieldChange]:
    old, new = before.selection.exclusion_list, now.selection.exclusion_list
    if old and new and (change := describe_list_change(old, new)):
        yield FieldChange(EXCLUDED_CONTACTS, *change)


def _compare_kinds(before: Declaration, now: Declaration) -> Iterator[FieldChange]:
    """Yields another kind of address, by which lists, the ledger and Intercom may know other people."""
    if has_other_kinds(before, now):
        yield FieldChange(RECIPIENT_KIND, *(_format_kinds(count_kinds(side)) for side in (before, now)))


def _format_kinds(kinds: Counter[str]) -> str:
    return " and ".join(kind if number == 1 else f"{kind} ({number:,})" for kind, number in sorted(kinds.items()))


def _describe_removal(removed: RemovedMessage, new: Sequence[Declaration], budget: RowBudget) -> MessageChange:
    name, sent = removed.declaration.name, removed.sent
    warnings = (f"{name} is removed, and {format_recipients(sent)} got it already",) if sent else ()
    fields = tuple(find_lost_rules(removed.declaration, new, budget))
    return MessageChange(name, "removed", fields=fields, warnings=warnings)


def _list_first(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def _find_resends(message: PlannedMessage, earlier: Declaration) -> Iterator[str]:
    """Yields a warning if the revision changed after the earlier one was sent: its recipients would get it again."""
    now, before = message.declaration.revision, earlier.revision
    if now != before and (count := message.resends.get(before)):
        yield f"{message.name}: {format_resend(before, count, message.counts['send'])}"


def _find_release(now: Declaration, before: Declaration) -> Iterator[str]:
    """Yields a warning if nothing but the deleted not_before, as that of a draft, held the message back."""
    if before.not_before and not now.not_before:
        moment = before.written("not_before")
        yield f"{now.name} may be sent from now on: its not_before, {moment}, is deleted"


def _is_rewritten(before: Declaration, now: Declaration) -> bool:
    """Returns whether the texts differ, or the variables of project and message that the texts use."""
    return before.content != now.content and (
        before.message_type != now.message_type or any(_compare_written(before, now))
    )


def _compare_written(before: Declaration, now: Declaration) -> Iterator[FieldChange]:
    """Yields the texts, included files and used variables that differ, as they are written."""
    old, new = (list_texts_and_variables(side) for side in (before, now))
    for name in {**new, **old}:
        if old.get(name) != new.get(name):
            yield FieldChange(name, old.get(name, ""), new.get(name, ""))
