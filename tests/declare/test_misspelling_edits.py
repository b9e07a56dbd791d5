import pytest

from runner.declare.misspelling_edits import certain_match

TYPES = ("email", "inapp", "in_app")
RECIPIENTS = ("user", "contact", "lead")
KEYS = ("name", "message_type", "subject", "body", "body_file", "from", "to", "vars", "expires", "not_before")


@pytest.mark.parametrize(
    ("word", "choices", "meant"),
    [
        ("in-app", TYPES, "inapp"),
        ("In App", TYPES, "inapp"),
        ("E-Mail", TYPES, "email"),
        ("emial", TYPES, "email"),
        ("users", RECIPIENTS, "user"),
        ("Contact", RECIPIENTS, "contact"),
        ("leads", RECIPIENTS, "lead"),
        ("subjct", KEYS, "subject"),
        ("form", KEYS, "from"),
        ("messageType", KEYS, "message_type"),
        ("body-file", KEYS, "body_file"),
        ("expire", KEYS, "expires"),
    ],
)
def test_what_is_meant_for_certain(word: str, choices: tuple[str, ...], meant: str) -> None:
    assert certain_match(word, choices) == meant


@pytest.mark.parametrize(
    ("word", "choices"),
    [
        ("push", TYPES),
        ("admin", RECIPIENTS),
        ("load", ("lead", "loud")),
        ("too", KEYS),
        ("", KEYS),
        ("bdoy_flie", KEYS),
        ("mail", TYPES[1:]),
        ("a", ("A", "b", "c")[1:]),
    ],
)
def test_what_may_be_something_else(word: str, choices: tuple[str, ...]) -> None:
    assert not certain_match(word, choices)
