"""The edits that certainly fix a problem. Where two changes are possible, there is none.

Each function returns edits, which may be none: nothing here guesses. Only problems that exist are looked at, so the
other modules import this one where they report a problem.
"""

import re
from collections.abc import Sequence

import yaml

from runner.declare.similar_names import is_one_slip
from runner.declare.violation import Violation
from runner.declare.yaml.document import Document
from runner.errors import Edit

_MIN_MISSPELT = 4  # characters of a word whose misspelling is recognised: short words resemble each other
_SEPARATORS = re.compile(r"[-_ .]")


def violation_edits(document: Document, violation: Violation) -> tuple[Edit, ...]:
    """Returns the edit that writes the key or choice that is meant, if only one can be meant."""
    word = certain_match(violation.written, violation.choices)
    node = document.key_node(violation.path) if violation.at_key else document.node(violation.path)
    if not word or not isinstance(node, yaml.ScalarNode) or node.start_mark.line != node.end_mark.line:
        return ()
    start, line = node.start_mark, document.source.line(node.start_mark.line + 1)
    old = line[start.column : node.end_mark.column]
    quote = old[:1] if node.style in {"'", '"'} else ""
    if old != f"{quote}{violation.written}{quote}":  # escapes, an anchor, or a character that is not shown
        return ()
    return (Edit(start.line + 1, start.column + 1, old, f"{quote}{word}{quote}"),)


def certain_match(word: str, choices: Sequence[str]) -> str:
    """Returns the choice that a word means for certain, or an empty text.

    That is one that differs in capitals, hyphens, underscores, spaces and dots only, as `in-app`, or with a plural s.
    Else it is the only one that differs by one character that was added, left out or changed, or by two that changed
    places.
    """
    plain = _plain(word)
    alike = [choice for choice in choices if _plain(choice) in {plain, plain.removesuffix("s")}]
    if alike:
        return alike[0] if len({_plain(choice) for choice in alike}) == 1 else ""
    near = {_plain(choice): choice for choice in choices if is_one_slip(plain, _plain(choice))}
    return next(iter(near.values())) if len(near) == 1 and len(plain) >= _MIN_MISSPELT else ""


def _plain(word: str) -> str:
    return _SEPARATORS.sub("", word).lower()
