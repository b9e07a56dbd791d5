"""Keys of a keyboard in braces, as manuals and macro tools write them: {Ctrl}+{C}, press {Enter}."""

import re

# What is the name of nothing else. German and French keyboards have names of their own.
_KEYS = re.compile(
    r"(?:(?:left|right|[lr])? ?(?:ctrl|shift|alt|cmd)|[lr]win|alt ?gr|strg|umschalt|entf|einfg|pos1|suppr|esc|escape|"
    r"enter|tab|tabulator|backspace|caps ?lock|num ?lock|scroll ?lock|pg ?up|pg ?dn|page ?up|page ?down|"
    r"prt ?sc(?:n|r)?|print ?screen|f(?:[1-9]|1\d|2[0-4])|numpad[\da-z]+|arrow ?(?:up|down|left|right)|"
    r"(?:up|down|left|right) ?arrow|space ?bar)(?:[ _](?:up|down|\d+))?",
    re.IGNORECASE,
)
# What may also name a field: a key only beside another one, or after a word such as "press".
_POSSIBLE_KEYS = re.compile(
    r"[a-z\d]|home|end|up|down|left|right|space|command|control|option|meta|win|windows|super|fn|del(?:ete)?|ins(?:ert)?|"
    r"return|pause|break|menu|leertaste|eingabe|rücktaste|entrée|espace|inicio|fin|intro|invio",
    re.IGNORECASE,
)
_KEY_BEFORE = re.compile(
    r"(?:[}\])\w] ?\+ ?|\b(?:press|hit|hold|tap|keys?|drück\w*|taste\w*|appuy\w*|touches?|pulsa\w*|teclas?|prem[ei]\w*|"
    r"tast[oi]|druk\w*|tryck\w*)\b[^.!?\n]{0,40})$",
    re.IGNORECASE,
)
_KEY_AFTER = re.compile(r" ?\+ ?[{\w]| keys?\b| ?taste\b", re.IGNORECASE)
_CONTEXT = 60  # characters before a key that say what is done with it


def is_keyboard_key(text: str, start: int, end: int, name: str) -> bool:
    """Returns whether what stands in braces from `start` to `end` of a text is the name of a key."""
    if _KEYS.fullmatch(name):
        return True
    if not _POSSIBLE_KEYS.fullmatch(name):
        return False
    before = text[max(start - _CONTEXT, 0) : start]
    return _KEY_BEFORE.search(before) is not None or _KEY_AFTER.match(text, end) is not None
