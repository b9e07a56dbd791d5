"""Compares the contacts on suppression lists with those at another commit, within bounds: both sides are hostile.

Lines would say too little: an added line can make the lines after it a part of a note.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from runner.compare.audience_overlap import have_same_content
from runner.compare.declared_fields import FieldChange, describe_list_change
from runner.current_work import CURRENT_WORK
from runner.declare.audience.sources import read_suppression_files
from runner.declare.audience.suppression import ContactFiles, SuppressionList
from runner.declare.tree import NotReadable, Tree
from runner.errors import Place

Environments = Mapping[str | None, Sequence[ContactFiles]]  # the lists that each declares
_MAX_NAMED = 500  # lists that are named by a path
_MAX_PATTERNS = 20  # lists that are named by a pattern, which looks into thousands of folders
_MAX_SIZE = 256 * 1024**2  # bytes of all lists on both sides: five million contacts
_NOT_COMPARED = "not compared: "


def compare_suppression_lists(
    before: Tree, now: Tree, declared_before: Environments, declared_now: Environments
) -> Iterator[FieldChange]:
    """Yields the changes of suppression lists, as their numbers of identifiers. What is beyond the limits is named.

    `declared_before` are the lists that each environment of the commit declares. Another one is new, and lost no
    contact. One that an environment does not declare any more is compared with all that it declares now.
    """
    lists = [files for declared in declared_before.values() for files in declared]
    distinct = {repr(files): files for files in lists}.values()
    named = [files for files in distinct if not _is_wild(files.pattern)]
    wild = [files for files in distinct if _is_wild(files.pattern)]
    left_out = len(named[_MAX_NAMED:]) + len(wild[_MAX_PATTERNS:])
    room = _MAX_SIZE
    for files in (*named[:_MAX_NAMED], *wild[:_MAX_PATTERNS]):
        with CURRENT_WORK.on_file(f"the suppression list {files.pattern}"):
            old, new = (_list_files(tree, files.pattern) for tree in (before, now))
            room -= sum(path.stat().st_size for path in (*old, *new))
            if room < 0:
                change: tuple[str, str] | None = ("", f"{_NOT_COMPARED}more than {_MAX_SIZE >> 20} MiB of all lists")
            else:
                change = None if old and have_same_content(old, new) else _compare(before, now, files)
            yield from [FieldChange(f"suppress {files.pattern}", *change)] if change else []
    environments = declared_before.keys() & declared_now.keys()
    pairs = {
        repr((declared_before[name], declared_now[name])): (declared_before[name], declared_now[name])
        for name in environments
    }
    for old_lists, new_lists in islice(pairs.values(), _MAX_PATTERNS):  # many environments have the same lists
        yield from _list_lost(before, now, old_lists, new_lists)
    left_out += len(pairs) - min(len(pairs), _MAX_PATTERNS)
    if left_out:
        limit = f"at most {_MAX_NAMED} lists, and {_MAX_PATTERNS} patterns, of all environments are compared"
        yield FieldChange("suppress", "", f"{_NOT_COMPARED}{left_out:,} more; {limit}")


def _list_lost(
    before: Tree, now: Tree, declared_before: Sequence[ContactFiles], declared_now: Sequence[ContactFiles]
) -> Iterator[FieldChange]:
    """Yields the lists that an environment does not declare any more, if it lost contacts of them."""
    kept = {repr(files) for files in declared_now}
    lost = [files for files in declared_before if repr(files) not in kept]
    contacts = _read_contacts(now, *declared_now) if lost else None
    for files in lost[:_MAX_NAMED]:
        with CURRENT_WORK.on_file(f"the suppression list {files.pattern}"):
            old = _read_contacts(before, files)
            change = describe_list_change(old, contacts) if old and contacts else None
            if change and not change[1].endswith(" 0 removed"):
                yield FieldChange(f"suppress {files.pattern}, not declared any more", *change)


def _is_wild(pattern: str) -> bool:
    return not {*"*?["}.isdisjoint(pattern)


def _list_files(tree: Tree, pattern: str) -> list[Path]:
    """Returns the files of a list that are not empty. One that cannot be read, reading the project reports."""
    with suppress(NotReadable, OSError):
        return [path for name in tree.glob(pattern, "_") if (path := tree.root / name).stat().st_size]
    return []


def _compare(before: Tree, now: Tree, files: ContactFiles) -> tuple[str, str] | None:
    """Returns a list before and now, in words; None if it was empty, or has the same contacts."""
    old = _read_contacts(before, files)
    new = _read_contacts(now, files) if _list_files(now, files.pattern) else SuppressionList("")
    if old is None or new is None:
        return "a list", f"{_NOT_COMPARED}it cannot be read"
    return describe_list_change(old, new)


def _read_contacts(tree: Tree, *lists: ContactFiles) -> SuppressionList | None:
    """Returns the contacts of lists; None if they cannot be read, also if a tree of git does not have them."""
    with suppress(NotReadable, OSError):
        paths = [tree.root / name for files in lists for name in tree.glob(files.pattern, "_")]
        if not any(path.stat().st_size for path in paths):
            return SuppressionList("")
        return read_suppression_files(tree, "", lists, "_", Place(""))[0]
    return None
