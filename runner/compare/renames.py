"""New messages that may be a removed one under another name: another name is another message."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

from runner.characters import unescape_html
from runner.compare.audience_overlap import OutOfBudgetError, RowBudget, compare_audiences, count_kinds, has_other_kinds
from runner.compare.declared_fields import EXCLUDE_KEY, LISTED_RECIPIENTS, FieldChange, format_value, list_fields
from runner.compare.declared_texts import list_declared_texts, list_texts_and_variables
from runner.current_work import CURRENT_WORK
from runner.declare.audience.audience import TableAudience
from runner.declare.audience.recipient import IDENTIFIER_KINDS
from runner.declare.audience.suppression import SuppressionList
from runner.declare.declaration import SUBSCRIPTION_KEY, Declaration
from runner.declare.sample import render_sample
from runner.declare.similar_names import list_first
from runner.ledger.facts import Facts
from runner.plan.deliveries import PlannedMessage
from runner.plan.guards import format_recipients
from runner.privacy import reveal_or_mask

_TAG = re.compile(r"<style\b.*?</style\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_ROW, _MAX_COMPARED = 6, 10_000  # letters, of a text that are compared
_MAX_READ = 200_000  # characters of a text, with its tags
_MAX_TEXTS = 100  # that are compared with each other
_MAX_NAMED = 10  # messages that lack a rule
MAX_ROWS = 200_000  # of audiences that are read to compare removed messages with others
_MAX_COPIES = 10  # messages that a removed one, or a new one, is compared with; each time both audiences are read


class RemovedMessage(NamedTuple):
    """A message that only the base declares: its texts, and how many deliveries of its revision were sent."""

    declaration: Declaration
    texts: tuple[str, dict[str, str]]
    sent: int


def list_removed(declarations: Iterable[Declaration], facts: Facts) -> list[RemovedMessage]:
    """Returns the removed messages. Each is looked up once, however many new ones it is compared with."""
    return [RemovedMessage(each, _list_texts(each), _count_sent(each, facts)) for each in declarations]


def find_lost_rules(
    removed: Declaration, others: Sequence[Declaration], budget: RowBudget, *, is_kept: bool = False
) -> Iterator[FieldChange]:
    """Yields the rules of a removed message that leave people out, and that do not hold in some of the other ones.

    The others are the new messages, and those with another text or other recipients: another name must not hide that
    a rule was lifted. Lists are compared by their contacts. `is_kept`: the message is still there, but changed.
    """
    became = "as before" if is_kept else "removed"
    fields = list_fields(removed.document.value)
    if subscription := removed.require_subscription:
        differing = [
            f"{one.name} has {one.require_subscription or 'none'}"
            for one in others
            if one.require_subscription != subscription
        ]
        if differing:
            yield _describe_lost_rule(SUBSCRIPTION_KEY, subscription, became, differing)
    contacts = removed.selection.exclusion_list
    if lacking := list(_list_lacking(contacts, others, budget)) if contacts else []:
        yield _describe_lost_rule(EXCLUDE_KEY, format_value(fields.get(EXCLUDE_KEY)), became, lacking)
    if unfound := list(_list_unfound(removed, others, budget)):
        yield _describe_lost_rule(LISTED_RECIPIENTS, "left out", became, unfound)


def _list_unfound(removed: Declaration, others: Sequence[Declaration], budget: RowBudget) -> Iterator[str]:
    """Yields the messages whose lists do not find recipients of a removed message whom they would find in its rows."""
    compared = [
        one
        for one in others
        if (one.selection.suppression_list or one.selection.exclusion_list) and not _finds_alike(removed, one)
    ]
    left = 0
    for other in compared:
        try:
            overlap = compare_audiences(removed, other, 0, budget) if budget.rows > 0 else None
        except OutOfBudgetError:
            overlap = None
        if budget.rows <= 0:
            left += 1
            continue
        if overlap and overlap.unrecognised:
            yield f"{other.name} is sent to {overlap.unrecognised:,}"
        elif overlap and has_other_kinds(removed, other):
            yield f"{other.name} has recipients by {' and '.join(sorted(count_kinds(other)))}, which were not compared"
    if left:
        yield f"{left:,} with many recipients were not compared"


def _describe_lost_rule(key: str, before: str, became: str, effects: Sequence[str]) -> FieldChange:
    more = f" and {len(effects) - _MAX_NAMED:,} more" if len(effects) > _MAX_NAMED else ""
    return FieldChange(key, before, f"{became}; {', '.join(effects[:_MAX_NAMED])}{more}")


def _finds_alike(removed: Declaration, other: Declaration) -> bool:
    """Returns whether the lists of both find the same people: by the address alone that the messages are sent to."""
    old, new = removed.audience, other.audience
    if not (isinstance(old, TableAudience) and isinstance(new, TableAudience)):
        return False
    lists = (
        (getattr(removed.selection, name), getattr(other.selection, name))
        for name in ("suppression_list", "exclusion_list")
    )
    return (
        {old.kind} == {*IDENTIFIER_KINDS} & old.variables == {*IDENTIFIER_KINDS} & new.variables == {new.kind}
        and old.identifier.source == new.identifier.source
        and all(before is now or (before and now and before.has_same_contacts(now)) for before, now in lists)
    )


def _list_lacking(contacts: SuppressionList, others: Sequence[Declaration], budget: RowBudget) -> Iterator[str]:
    """Yields the messages whose lists lack contacts of a removed message's list."""
    left = 0
    for other in others:
        listed = other.selection.exclusion_list
        if listed and contacts.has_same_contacts(listed):
            continue
        with CURRENT_WORK.on_file(other.document.source.path):
            CURRENT_WORK.step()
            try:
                budget.take(contacts.identifier_count)
            except OutOfBudgetError:
                left += 1
                continue
            if count := contacts.count_missing(listed) if listed else contacts.identifier_count:
                yield f"{other.name} lacks {count:,} of its contacts"
    if left:
        yield f"{left:,} with other lists were not compared"


class SimilarTexts:
    """The texts of some messages, to be searched for one that most readers would take for another one.

    Of more than 100 messages, each counts as similar.
    """

    def __init__(self, declarations: Sequence[Declaration], salt: str) -> None:
        self._declarations, self._salt = declarations, salt
        self._rows: dict[str, tuple[frozenset[str], ...]] = {}

    def find(self, earlier: Declaration, salt: str) -> list[Declaration]:
        """Returns the messages of other names that have most of an earlier text, or of which it has most."""
        others = [each for each in self._declarations if each.name != earlier.name]
        if len(self._declarations) > _MAX_TEXTS:
            return others
        old = _list_rows(earlier, salt)
        return [each for each in others if any(_share_most(*pair) for pair in product(old, self._find_rows(each)))]

    def _find_rows(self, declaration: Declaration) -> tuple[frozenset[str], ...]:
        if declaration.name not in self._rows:
            self._rows[declaration.name] = _list_rows(declaration, self._salt)
        return self._rows[declaration.name]


def _share_most(old: frozenset[str], new: frozenset[str]) -> bool:
    return 2 * len(old & new) > min(len(old), len(new))


def _list_rows(declaration: Declaration, salt: str) -> tuple[frozenset[str], ...]:
    """Returns the rows of six letters that follow each other in a text as its first recipient sees it, and as written.

    Spaces, tags and signs do not count: they can be anywhere without a reader who notices. What is written has the
    texts of all recipients.
    """
    with CURRENT_WORK.on_file(declaration.document.source.path):
        sample = render_sample(declaration, salt)
        seen = [sample.subject, sample.body] if sample else []
        written = list_texts_and_variables(declaration).values()
        return tuple(_read_rows(parts) for parts in ([reveal_or_mask(one, show_values=False) for one in seen], written))


def _read_rows(parts: Iterable[str]) -> frozenset[str]:
    text = _TAG.sub("", " ".join(parts)[:_MAX_READ])
    letters = "".join(filter(str.isalnum, unescape_html(text).lower()))[:_MAX_COMPARED]
    return frozenset(letters[start : start + _ROW] for start in range(max(1, len(letters) - _ROW + 1)))


def find_renames(message: PlannedMessage, removed: Iterable[RemovedMessage], compared: Counter[str]) -> tuple[str, ...]:
    """Returns warnings about removed messages that this message may be under a new name.

    A removed message is reported if both have some recipients in common, and either the same texts, or the same file
    and the removed one was sent. Another name is another message, so these recipients would get both. `compared` counts
    the messages that each removed one was compared with: of many copies only the first are compared.
    """
    warnings: list[str] = []
    left: list[str] = []  # removed messages that are not compared
    number = 0
    texts, path = _list_texts(message.declaration), message.declaration.document.source.path
    for declaration, removed_texts, sent in removed:
        has_same_text = removed_texts == texts
        if not (has_same_text or (sent and declaration.document.source.path == path)):
            continue
        if max(number, compared[declaration.name]) >= _MAX_COPIES:
            left.append(declaration.name)
            continue
        number += 1
        compared[declaration.name] += 1
        overlap = compare_audiences(declaration, message.declaration, len(message.deliveries))
        old, new = (list_fields(each.document.value) for each in (declaration, message.declaration))
        has_same_audience = "to.intercom" in old and old["to.intercom"] == new.get("to.intercom")
        if overlap.same if overlap else has_same_audience:
            common = f"{overlap.same:,} of the same recipients" if overlap else "the same audience"
            warnings.append(_format_rename(message.name, declaration.name, common, sent, has_same_text=has_same_text))
        elif has_same_text and has_other_kinds(declaration, message.declaration):
            common = "its recipients have another kind of address, so whether they are the same people is not known"
            warnings.append(_format_rename(message.name, declaration.name, common, sent, has_same_text=True))
    if left:
        warnings.append(
            f"{message.name} looks like {list_first(left)} under another name, as other messages do;"
            " whether they have recipients in common was not compared"
        )
    return tuple(warnings)


def _format_rename(name: str, other_name: str, common: str, sent: int, *, has_same_text: bool) -> str:
    similarity = "the same text" if has_same_text else "the same file"
    text = f"{name} looks like {other_name} under another name: {similarity}, and {common}"
    consequence = "would get it again" if has_same_text else f"would get {name} too"
    if sent:
        return f"{text}; {format_recipients(sent)} of {other_name} got it already, and {consequence}"
    return f"{text}; nothing was sent as {other_name}"


def _list_texts(declaration: Declaration) -> tuple[str, dict[str, str]]:
    return declaration.message_type, list_declared_texts(declaration)


def _count_sent(declaration: Declaration, facts: Facts) -> int:
    keys = facts.keys_of(declaration.name, declaration.revision)
    return sum((state := facts.state(key)) is not None and state.status == "sent" for key in keys)
