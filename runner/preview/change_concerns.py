"""What a reviewer should know of a change since a git ref: new hosts, another sender, lost limits, more recipients."""

from collections.abc import Iterator
from itertools import islice

from runner.characters import show_on_one_line
from runner.compare.audience_overlap import Overlap
from runner.compare.comparison import Comparison, FieldChange, MessageChange
from runner.preview.views import Concern

# Labels of concerns that the index lists by their text, because the text names what changed.
LISTED_BY_TEXT = frozenset({"warning", "new host", "sender", "expires", "limit", "audience", "dates", "hidden link"})
_MAX_NEW_HOSTS = 10
_GROWTH = 1.5  # times its recipients before; an audience that grew by less is common
_MIN_ADDED = 5  # recipients: 2 in place of 1 are no surprise
_FIELDS = {
    "from": ("sender", "another sender: {before} → {now}"),
    "expires": ("expires", "expires was removed, it was {before}: an old job could send it for ever"),
    "max_recipients": ("limit", "max_recipients was loosened: {before} → {now}"),
}


def list_change_concerns(comparison: Comparison, change: MessageChange) -> Iterator[Concern]:
    """Yields what should worry of the change of one message."""
    hosts = [host for host, names in comparison.new_hosts.items() if change.name in names]
    for host in islice(hosts, _MAX_NEW_HOSTS):
        text = f"a link or an image leads to a new host, {host}, which no message of {comparison.against} has"
        yield Concern("bad", "new host", show_on_one_line(text), "see where it leads before you approve it")
    for field in change.fields:
        if field.name in _FIELDS and field.before and _is_loosened(field.name, field.before, field.now):
            label, text = _FIELDS[field.name]
            old, new = format_values(field)
            yield Concern("bad", label, text.format(before=old, now=new))
    overlap = change.audience
    if overlap and overlap.added >= _MIN_ADDED and count_now(overlap) >= _GROWTH * count_before(overlap):
        before, now = count_before(overlap), count_now(overlap)
        times = f", {now / before:.1f} times as many".replace(".0 ", " ") if before else ""
        yield Concern("bad", "audience", f"more recipients: {before:,} → {now:,}{times}")
    elif overlap and min(overlap.added, overlap.removed) >= _MIN_ADDED and overlap.same < overlap.removed:
        text = f"other recipients: {overlap.same:,} of {count_before(overlap):,} stay, {overlap.added:,} are new"
        yield Concern("bad", "audience", text)


def _is_loosened(name: str, before: str, now: str) -> bool:
    match name:
        case "expires":
            return not now
        case "max_recipients":
            return not now or int(now) > int(before)
        case _:
            return True


def format_values(field: FieldChange) -> tuple[str, str]:
    """Returns the values of a field before and now, in words."""
    return _format_value(field.name, field.before), _format_value(field.name, field.now)


def _format_value(name: str, value: str) -> str:
    if name == "max_recipients" and value:
        return f"{int(value):,}"
    # A time at midnight UTC is a day, as it is mostly declared.
    return show_on_one_line(value.removesuffix("T00:00:00Z") or "none")


def count_before(overlap: Overlap) -> int:
    """Returns the number of recipients at the git ref."""
    return overlap.same + overlap.removed


def count_now(overlap: Overlap) -> int:
    """Returns the number of recipients now."""
    return overlap.same + overlap.added
