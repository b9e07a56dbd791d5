"""New messages that may be a removed one under another name: another name is another message."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter

from runner.compare.audience_overlap import compare_audiences
from runner.compare.declared_fields import FieldChange, compare_fields
from runner.compare.declared_texts import list_declared_texts
from runner.declare.declaration import Declaration
from runner.ledger.facts import Facts
from runner.plan.deliveries import PlannedMessage
from runner.plan.guards import format_recipients

_MAX_COPIES = 10  # new messages that one removed message is compared with; each reads both audiences


def compare_with_predecessor(now: Declaration, removed: Sequence[Declaration]) -> Iterator[FieldChange]:
    """Yields the name and the changed fields, if a removed message has the texts of a new one, or was in its file.

    A new name must not hide that a rule was lifted.
    """
    texts, path, to = _list_texts(now), now.document.source.path, now.document.value.get("to")
    like = [
        (has_same_text, declaration.document.value.get("to") == to, declaration)
        for declaration in removed
        if (has_same_text := _list_texts(declaration) == texts) or declaration.document.source.path == path
    ]
    if like:
        *_, before = max(like, key=itemgetter(0, 1))
        yield FieldChange("name", before.name, now.name)
        yield from compare_fields(before.document.value, now.document.value)


def find_renames(
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
        sent = count_sent(declaration, facts)
        was_sent_in_same_file = declaration.document.source.path == message.declaration.document.source.path and sent
        if not (has_same_text or was_sent_in_same_file):
            continue
        compared[declaration.name] += 1
        if compared[declaration.name] > _MAX_COPIES:
            warnings.append(
                f"{message.name} looks like {declaration.name} under another name, as {_MAX_COPIES} other messages do; "
                "whether they have recipients in common was not compared"
            )
            continue
        overlap = compare_audiences(declaration, message.declaration, len(message.deliveries))
        old, new = (each.document.value["to"] for each in (declaration, message.declaration))
        has_same_audience = (
            isinstance(old, dict) and isinstance(new, dict) and old.get("intercom") == new.get("intercom")
        )
        if overlap.same if overlap else has_same_audience:
            common = f"{overlap.same:,} of the same recipients" if overlap else "the same audience"
            warnings.append(_format_rename(message.name, declaration.name, common, sent, has_same_text=has_same_text))
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


def count_sent(declaration: Declaration, facts: Facts) -> int:
    """Returns the number of deliveries of the declared revision that were sent."""
    keys = facts.keys_of(declaration.name, declaration.revision)
    return sum((state := facts.state(key)) is not None and state.status == "sent" for key in keys)
