"""An edit of msgrun.yaml sets what it should, and leaves everything else as it was."""

from __future__ import annotations

import copy

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runner.declare.settings_editor import set_settings
from runner.declare.yaml.document import Document, SourceFile, parse_documents
from runner.errors import UsageMistake

ULID = "01J9ZQ4T8RXC2M7V5K3B6N1WDE"
LOCK = {"lock": "git+origin"}
BOTH = {"lock": "git+origin", "ledger": ULID}

PROJECT = {
    "an empty text": ("", LOCK, "lock: git+origin\n"),
    "a BOM alone": ("\ufeff", LOCK, "\ufefflock: git+origin\n"),
    "a BOM and keys": ("\ufeffsalt: a\n", LOCK, "\ufeffsalt: a\nlock: git+origin\n"),
    "only comments": ("# a\n\n# b\n", LOCK, "# a\n\n# b\nlock: git+origin\n"),
    "only a comment, without a newline": ("# a", LOCK, "# a\nlock: git+origin"),
    "an empty document": ("---\n", LOCK, "---\nlock: git+origin\n"),
    "an empty document with an end": ("--- # a\n...\n", LOCK, "--- # a\nlock: git+origin\n...\n"),
    "a document start and end": ("---\na: 1\n...\n", LOCK, "---\na: 1\nlock: git+origin\n...\n"),
    "no newline at the end": ("a: 1", BOTH, f"a: 1\nlock: git+origin\nledger: {ULID}"),
    "CRLF": ("a: 1\r\nlock: b\r\nc: 2\r\n", BOTH, f"a: 1\r\nlock: git+origin\r\nledger: {ULID}\r\nc: 2\r\n"),
    "CRLF without a newline at the end": ("a: 1\r\nb: 2", LOCK, "a: 1\r\nb: 2\r\nlock: git+origin"),
    "a trailing comment": ("lock: a.lock # b\n", LOCK, "lock: git+origin # b\n"),
    "odd spaces": ("lock :   a.lock   # b \n", LOCK, "lock :   git+origin   # b \n"),
    "quoted keys and values": ("'lock': 'a.lock'\n\"b\": 1\n", LOCK, "'lock': git+origin\n\"b\": 1\n"),
    "the same value in quotes": ("lock: 'git+origin' # a\n", LOCK, "lock: 'git+origin' # a\n"),
    "a number as text": ("lock: 5\n", {"lock": "5"}, 'lock: "5"\n'),
    "no value": ("lock: # a\nb: 1\n", LOCK, "lock: git+origin # a\nb: 1\n"),
    "no value at the end": ("lock:", BOTH, f"lock: git+origin\nledger: {ULID}"),
    "null": ("lock: ~\n", LOCK, "lock: git+origin\n"),
    "several lines": ("lock: a\n  b # c\nd: 'e\n\n  f'\n", LOCK, "lock: git+origin # c\nd: 'e\n\n  f'\n"),
    "after lock": ("lock: git+a # b\n# c\nd: 1\n", {"ledger": ULID}, f"lock: git+a # b\nledger: {ULID}\n# c\nd: 1\n"),
    "after lock of two lines": ("lock: 'a\n  b'\nd: 1\n", {"ledger": "x"}, "lock: 'a\n  b'\nledger: x\nd: 1\n"),
    "after a block scalar": ("lock: |-\n  git+a\n\nd: 1\n", {"ledger": "x"}, "lock: |-\n  git+a\n\nledger: x\nd: 1\n"),
    "a block scalar at the end": ("a: |+\n  b\n\n", LOCK, "a: |+\n  b\n\nlock: git+origin\n"),
    "comments at the end": ("a:\n  b: 1\n  # c\n# d\n\n", LOCK, "a:\n  b: 1\n  # c\n# d\nlock: git+origin\n\n"),
    "a list at the end": ("a:\n- b\n- c # d\n", LOCK, "a:\n- b\n- c # d\nlock: git+origin\n"),
    "an alias at the end": ("a: &x 1\nb: 2\nc: *x\n", LOCK, "a: &x 1\nb: 2\nc: *x\nlock: git+origin\n"),
    "flow": ("{a: 1, lock: b}\n", BOTH, f"{{a: 1, lock: git+origin, ledger: {ULID}}}\n"),
    "an empty flow mapping": ("--- {} # a", LOCK, "--- {lock: git+origin} # a"),
    "flow with a comma": ("{a: 1, # b\n}\n", LOCK, "{a: 1, lock: git+origin # b\n}\n"),
    "flow with an alias": ("{a: &x {b: 1}, c: *x}", LOCK, "{a: &x {b: 1}, c: *x, lock: git+origin}"),
    "flow without a value": ("{a, lock: }", BOTH, f"{{a, lock: git+origin, ledger: {ULID} }}"),
    "a comma in flow": ("{}", {"lock": "a,b"}, '{lock: "a,b"}'),
    "a comma in a block": ("a: 1\n", {"lock": "a,b"}, "a: 1\nlock: a,b\n"),
    "a value with a hash": ("lock: a\n", {"lock": "git+https://b/c.git#d"}, "lock: git+https://b/c.git#d\n"),
    "a value that needs quotes": ("lock: a\n", {"lock": 'a: "é" #\n'}, 'lock: "a: \\"é\\" #\\n"\n'),
}
EU = {
    "an empty flow mapping": ("environments: {eu: {}}\n", "environments: {eu: {lock: git+origin}}\n"),
    "flow in flow": ("{environments: {eu: {a: 1}, us: {}}}", "{environments: {eu: {a: 1, lock: git+origin}, us: {}}}"),
    "no value": ("environments:\n  eu: # a\n  us: {}\n", "environments:\n  eu: {lock: git+origin} # a\n  us: {}\n"),
    "no value at the end": ("environments:\n  eu:", "environments:\n  eu: {lock: git+origin}"),
    "null": ("environments:\n  eu: null\n", "environments:\n  eu: {lock: git+origin}\n"),
    "a tilde": ("environments: {eu: ~}\n", "environments: {eu: {lock: git+origin}}\n"),
    "a block": (
        "environments:\n    eu:\n       a: 1 # b\n    us: {}\nlock: c\n",
        "environments:\n    eu:\n       a: 1 # b\n       lock: git+origin\n    us: {}\nlock: c\n",
    ),
    "its own lock": (
        "lock: a\nenvironments:\n  eu:\n    lock: b # c\n    d: 1\n",
        "lock: a\nenvironments:\n  eu:\n    lock: git+origin # c\n    d: 1\n",
    ),
    "comments at its end": (
        "environments:\n  eu:\n    a:\n     b: 1\n     # c\n\n    # d\n  # e\n    # f\n  us:\n",
        "environments:\n  eu:\n    a:\n     b: 1\n     # c\n\n    # d\n    lock: git+origin\n  # e\n    # f\n  us:\n",
    ),
    "CRLF": (
        "environments:\r\n  eu:\r\n    a: 1\r\n  us: {}\r\n",
        "environments:\r\n  eu:\r\n    a: 1\r\n    lock: git+origin\r\n  us: {}\r\n",
    ),
    "an anchor that is not used": (
        "environments:\n  eu: &a\n    b: 1\n",
        "environments:\n  eu: &a\n    b: 1\n    lock: git+origin\n",
    ),
    "quoted keys": (
        "'environments':\n  \"eu\":\n    'a': 1\n",
        "'environments':\n  \"eu\":\n    'a': 1\n    lock: git+origin\n",
    ),
    "a merge": (
        "environments:\n  us: &us {lock: a}\n  eu:\n    <<: *us\n",
        "environments:\n  us: &us {lock: a}\n  eu:\n    <<: *us\n    lock: git+origin\n",
    ),
    "a block scalar at its end": (
        "environments:\n  eu:\n    a: |\n      b\n\n  us: {}\n",
        "environments:\n  eu:\n    a: |\n      b\n\n    lock: git+origin\n  us: {}\n",
    ),
}
REFUSED = {
    "a list": ("- a\n", None),
    "a text": ("a\n", None),
    "an empty text in quotes": ("''\n", None),
    "null in words": ("null\n", None),
    "two documents": ("a: 1\n---\nb: 2\n", None),
    "a syntax error": ("a: [\n", None),
    "a date that does not exist": ("a: 2026-99-99\n", None),
    "an alias": ("a: &x b\nlock: *x\n", None),
    "an anchor": ("lock: &x b\n", None),
    "a tag": ("lock: !!str 5\n", None),
    "a block scalar": ("lock: |\n  a\nb: 1\n", None),
    "a list as the value": ("lock: [a]\n", None),
    "a mapping without keys of its own": ("? lock\n", None),
    "a block scalar that a newline would change": ("a: |\n  b", None),
    "a loop": ("a: &x [*x]\n", None),
    "no environments": ("a: 1\n", "eu"),
    "environments without a value": ("environments:\n", "eu"),
    "an environment that is missing": ("environments: {us: {}}\n", "eu"),
    "an environment that is merged": ("a: &x {eu: {}}\nenvironments: {<<: *x}\n", "eu"),
    "an environment that others share": ("environments:\n  us: &x {a: 1}\n  eu: *x\n", "eu"),
    "an environment that others merge": ("environments:\n  eu: &x {a: 1}\n  us:\n    <<: *x\n", "eu"),
    "an environment that is a list": ("environments: {eu: []}\n", "eu"),
    "an environment that is an empty text": ("environments: {eu: ''}\n", "eu"),
}


@pytest.mark.parametrize("name", PROJECT)
def test_only_the_keys_of_the_project_change(name):
    text, values, expected = PROJECT[name]
    assert set_settings(text, None, values) == expected


@pytest.mark.parametrize("name", EU)
def test_only_the_keys_of_the_environment_change(name):
    text, expected = EU[name]
    assert set_settings(text, "eu", LOCK) == expected


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_edited_safely_is_refused(name):
    text, environment = REFUSED[name]
    with pytest.raises(UsageMistake, match="cannot be edited automatically"):
        set_settings(text, environment, LOCK)


@pytest.mark.parametrize("name", [*PROJECT, *EU])
def test_a_second_edit_changes_nothing(name):
    text, values, environment = (*PROJECT[name][:2], None) if name in PROJECT else (EU[name][0], LOCK, "eu")
    edited = set_settings(text, environment, values)
    assert set_settings(edited, environment, values) == edited


def test_the_hint_names_the_lines_to_write_by_hand():
    with pytest.raises(UsageMistake) as refused:
        set_settings("[]", None, BOTH)
    assert refused.value.hint == f"write these lines to msgrun.yaml: lock: git+origin, ledger: {ULID}"
    with pytest.raises(UsageMistake) as refused:
        set_settings("a: 1\n", "eu", {"lock": "a: b"})
    assert refused.value.hint == 'write these lines below environments: eu: in msgrun.yaml: lock: "a: b"'


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-9, 10**6),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cn", "Cs"]), max_size=6),
)
VARS = st.dictionaries(st.sampled_from(["a", "b", "no", "1"]), st.one_of(SCALARS, st.lists(SCALARS, max_size=2)))
OWN = {
    "workspace": SCALARS,
    "lock": st.one_of(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=5), st.none()),
    "ledger": st.just(ULID),
    "vars": VARS,
    "suppress": st.lists(st.sampled_from(["a.csv", "b.csv"]), max_size=2),
}
ENVIRONMENT = st.one_of(st.none(), st.fixed_dictionaries({}, optional=OWN))
ENVIRONMENTS = st.fixed_dictionaries({"eu": ENVIRONMENT}, optional={"au": ENVIRONMENT, "us": ENVIRONMENT})
DOCUMENTS = st.fixed_dictionaries({"environments": ENVIRONMENTS}, optional=OWN)
STYLES = st.fixed_dictionaries(
    {
        "default_flow_style": st.sampled_from([True, False, None]),
        "indent": st.integers(2, 5),
        "width": st.sampled_from([20, 1000]),
        "sort_keys": st.booleans(),
        "default_style": st.sampled_from([None, "'", '"']),
        "allow_unicode": st.booleans(),
        "explicit_start": st.booleans(),
        "explicit_end": st.booleans(),
        "line_break": st.sampled_from(["\n", "\r\n"]),
    }
)
NEW_VALUES = st.one_of(
    st.sampled_from(
        ["git+origin", "git+https://a.example/b.git#c", ULID, "1" * 26, "no", "a, b", "a: b", "{a}", "x #y"]
    ),
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=8),
)


@given(
    DOCUMENTS,
    STYLES,
    st.sampled_from([None, "eu"]),
    st.dictionaries(st.sampled_from(["lock", "ledger", "remote"]), NEW_VALUES, min_size=1),
)
def test_the_edited_text_says_what_was_set_and_keeps_every_other_line(document, style, environment, values):
    text = yaml.safe_dump(document, **style)
    try:
        edited = set_settings(text, environment, values)
    except UsageMistake:
        assert style["default_style"]  # '"' tags what is not a text
        return
    expected = copy.deepcopy(yaml.safe_load(text))
    target = expected if environment is None else expected["environments"]
    if environment:
        target[environment] = target[environment] or {}
        target = target[environment]
    target.update(values)
    assert yaml.safe_load(edited) == expected
    if style["default_flow_style"] is False:
        assert _other_lines(text, values) == _other_lines(edited, values)
    (read,) = parse_documents(SourceFile("msgrun.yaml", edited))
    assert isinstance(read, Document)
    own = read.value["environments"][environment] if environment else read.value
    assert {key: own[key] for key in values} == values


def _other_lines(text, values):
    """Lists the lines that are about neither these keys nor an environment without a value of its own."""
    return [line for line in text.splitlines(keepends=True) if not line.lstrip(" \"'").startswith((*values, "eu"))]
