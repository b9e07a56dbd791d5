"""The name that was meant, for one that does not exist."""

_MAX_LISTED = 10  # names that a hint lists


def did_you_mean(word: str, choices: list[str]) -> str:
    """Returns a hint that names the choice most similar to a word; empty if none is similar."""
    match = closest_match(word, choices)
    return f"did you mean {match}?" if match else ""


def suggest_or_list(word: str, names: list[str]) -> str:
    """Returns a hint with the name most similar to a word, else with the first names that there are; empty if none."""
    more = ", …" if len(names) > _MAX_LISTED else ""
    there_are = f"there {'is' if len(names) == 1 else 'are'} {', '.join(names[:_MAX_LISTED])}{more}" if names else ""
    return did_you_mean(word, names) or there_are


def closest_match(word: str, choices: list[str]) -> str:
    """Returns the choice most similar to a word; empty if none is similar."""
    return next(iter(closest_matches(word, choices, 1)), "")


def closest_matches(word: str, choices: list[str], most: int) -> list[str]:
    """Returns the choices most similar to a word, by a ratio of `difflib` of at least 0.6, the most similar first."""
    import difflib  # noqa: PLC0415  # saves 1 ms in every command without a misspelt name

    return difflib.get_close_matches(word, choices, n=most, cutoff=0.6)
