"""The name that was meant, for one that does not exist."""


def did_you_mean(word: str, choices: list[str]) -> str:
    """Returns a hint that names the choice most similar to a word; empty if none is similar."""
    match = closest_match(word, choices)
    return f"did you mean {match}?" if match else ""


def closest_match(word: str, choices: list[str]) -> str:
    """Returns the choice most similar to a word, by a ratio of `difflib` of at least 0.6; empty if there is none."""
    import difflib  # noqa: PLC0415  # saves 1 ms in every command without a misspelt name

    return next(iter(difflib.get_close_matches(word, choices, n=1, cutoff=0.6)), "")
