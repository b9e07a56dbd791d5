"""The name that was meant, for one that does not exist."""


def did_you_mean(word: str, choices: list[str]) -> str:
    """Returns a hint that names the choice most similar to a word; empty if none is similar."""
    match = closest_match(word, choices)
    return f"did you mean {match}?" if match else ""


def closest_match(word: str, choices: list[str]) -> str:
    """Returns the choice most similar to a word; empty if none is similar."""
    return next(iter(closest_matches(word, choices, 1)), "")


def closest_matches(word: str, choices: list[str], most: int) -> list[str]:
    """Returns the choices most similar to a word, by a ratio of `difflib` of at least 0.6, the most similar first."""
    import difflib  # noqa: PLC0415  # saves 1 ms in every command without a misspelt name

    return difflib.get_close_matches(word, choices, n=most, cutoff=0.6)
