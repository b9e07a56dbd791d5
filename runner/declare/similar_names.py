"""Names that are alike: the one that a wrong name means, and two that a reader takes for each other."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter

from runner.errors import Place, Problem, Severity

_MAX_LISTED = 10  # names in one message
_MAX_COMPARED = 20  # names with one word
_MAX_COMPARED_LENGTH = 60  # letters of both
# What looks alike in a name, which is ASCII: 0 and o; 1, i and l; vv and w; rn and m;
# cl and d. Capitals and small letters too.
_LOOKS = str.maketrans({"0": "o", "1": "l", "i": "l"})
_LONGER_LOOKS = (("vv", "w"), ("rn", "m"), ("cl", "d"))


def did_you_mean(word: str, choices: Collection[str], cutoff: float = 0.6) -> str:
    """Returns a hint that names the choice most similar to a word; empty if none is similar."""
    match = closest_match(word, choices, cutoff)
    return f"did you mean {match}?" if match else ""


def suggest_or_list(word: str, names: Sequence[str]) -> str:
    """Returns a hint with the name most similar to a word, else with the first names that there are; empty if none."""
    there_are = f"there {'is' if len(names) == 1 else 'are'} {list_first(names)}" if names else ""
    return did_you_mean(word, names) or there_are


def list_first(names: Sequence[str]) -> str:
    """Returns the first names, with commas, and a mark if there are more."""
    return ", ".join((*names[:_MAX_LISTED], *("…" for _ in names[_MAX_LISTED : _MAX_LISTED + 1])))


def closest_match(word: str, choices: Collection[str], cutoff: float = 0.6) -> str:
    """Returns the choice most similar to a word; empty if none is similar."""
    return next(iter(closest_matches(word, choices, 1, cutoff)), "")


def closest_matches(word: str, choices: Collection[str], most: int, cutoff: float = 0.6) -> list[str]:
    """Returns the choices most similar to a word, by a ratio of `difflib` of at least `cutoff`, the most similar first.

    Of equally similar ones, the order of the choices decides. Long names are not compared, and closely only those that
    have most letters in common: the choices may be Intercom's, and two texts of 200 letters may take 30 ms.
    """
    from difflib import SequenceMatcher  # noqa: PLC0415  # saves 1 ms in every command without a misspelt name

    matcher = SequenceMatcher(b=word)

    def rank(names: Iterable[str], ratio: Callable[[], float]) -> list[str]:
        ranked = list[tuple[float, str]]()
        for name in names:
            matcher.set_seq1(name)
            if matcher.real_quick_ratio() >= cutoff and (similarity := ratio()) >= cutoff:
                ranked.append((-similarity, name))
        return [name for _, name in sorted(ranked, key=itemgetter(0))]

    short = (name for name in choices if max(len(name), len(word)) <= _MAX_COMPARED_LENGTH)
    return rank(rank(short, matcher.quick_ratio)[:_MAX_COMPARED], matcher.ratio)[:most]


def is_one_slip(written: str, meant: str) -> bool:
    """Returns whether one slip turns one word into the other: a letter more, less or wrong, or two swapped."""
    if len(written) == len(meant):
        wrong = [index for index, (a, b) in enumerate(zip(written, meant, strict=True)) if a != b]
        is_swapped = len(wrong) == 2 and wrong[1] == wrong[0] + 1 and sorted(written) == sorted(meant)  # noqa: PLR2004
        return is_swapped or len(wrong) == 1
    short, long = sorted((written, meant), key=len)
    return len(long) == len(short) + 1 and any(long[:index] + long[index + 1 :] == short for index in range(len(long)))


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
