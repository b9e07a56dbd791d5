"""Names of messages that a reader takes for each other: a reviewer who approves one of them may send the other."""

from collections.abc import Iterator, Mapping

from runner.errors import Place, Problem, Severity

# What looks alike in a name, which is ASCII: 0 and o; 1, i and l; vv and w; rn and m;
# cl and d. Capitals and small letters too.
_LOOKS = str.maketrans({"0": "o", "1": "l", "i": "l"})
_LONGER_LOOKS = (("vv", "w"), ("rn", "m"), ("cl", "d"))


def find_look_alike_names(places: Mapping[str, Place]) -> Iterator[Problem]:
    """Yields a warning for each name that looks like one before it. `places` maps the names to their places."""
    names_by_look: dict[str, str] = {}
    for name in sorted(places, key=lambda name: places[name].sort_key):
        earlier = names_by_look.setdefault(_look(name), name)
        if earlier != name:
            message = f"the name {name} looks like {earlier}, at {places[earlier].path}:{places[earlier].line}"
            hint = "give it another name, or make sure that its text is the one that was meant"
            yield Problem("look-alike-name", places[name], message, hint, Severity.WARNING)


def _look(name: str) -> str:
    look = name.lower().translate(_LOOKS)
    for written, seen in _LONGER_LOOKS:
        look = look.replace(written, seen)
    return look
