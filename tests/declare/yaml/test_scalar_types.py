"""YAML as editors read it, with its traps handled."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.declare.yaml.scalar_types import compose_all, convert_node
from runner.declare.yaml.syntax import BadYaml


def _made(text):
    (root,) = compose_all(text)
    return convert_node(root)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1", 1),
        ("-3", -3),
        ("0", 0),
        ("2.5", 2.5),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("", None),
        *(
            (text, text)
            for text in ("0123", "1_000", "1:30", "0x1F", "1e3", "1.10", "2026-12-01", "yes", "=", "0o7", "+1")
        ),
        ("0.00001", "0.00001"),
        ("!!str 12", "12"),
        ("!!int 12", 12),
        ('"12"', "12"),
    ],
)
def test_a_number_is_one_only_if_it_prints_as_it_was_written(written, value):
    found = _made(f"x: {written}")[0]["x"]
    assert found == value
    assert type(found) is type(value)


@given(st.integers(-(10**17), 10**17))
def test_whole_numbers_are_read(number):
    assert _made(f"x: {number}")[0]["x"] == number


@pytest.mark.parametrize("key", ["name", "id", "user_id", "expires", "salt"])
@pytest.mark.parametrize("written", ["12", "1.0", "true", "0123", "1_000"])
def test_identifiers_are_taken_as_written_but_not_in_vars(key, written):
    assert _made(f"{key}: {written}")[0] == {key: written}
    assert _made("vars: {id: 12}")[0] == {"vars": {"id": 12}}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: &a [*a]", "yaml-alias-loop"),
        ("a: 1\na: 2", "duplicate-key"),
        ("[a]: 1", "yaml-key"),
        ("a: {{ x }}", "yaml-key"),
        ("a: !x 1", "yaml-tag"),
        ("a: !!int x", "yaml-tag"),
        ("a: !!omap [b: 1]", "yaml-tag"),
        ("<<: 1", "yaml-merge"),
        ("vars: {a: yes}", "yaml-boolean"),
    ],
)
def test_traps_are_told(text, code):
    made = _made(text)
    assert [fault.code for fault in made[1]] == [code]
    assert any(not fault.is_warning for fault in made[1]) == (code != "yaml-boolean")


def test_merges_give_way_to_what_stands_in_the_mapping():
    made = _made("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*b, *a], z: 3}")
    assert made[0]["c"] == {"x": 1, "y": 2, "z": 3}


def test_few_aliases_cannot_stand_for_billions_of_values():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    began = time.process_time()
    assert [fault.code for fault in _made("\n".join(lines))[1]] == ["yaml-aliases"]
    assert time.process_time() - began < 2
    maps = ["a0: &a0 {x: 1, y: 2}"] + [
        f"a{i}: &a{i} {{{', '.join(f'k{n}: *a{i - 1}' for n in range(9))}}}" for i in range(1, 12)
    ]
    assert [fault.code for fault in _made("\n".join(maps))[1]] == ["yaml-aliases"]


DEEP = {
    "brackets": "[" * 100_000,
    "braces": "{" * 100_000,
    "lists": "- " * 5000 + "x",
    "keys": "? " * 100_000,
    "mappings": "{a: " * 100,
    "tags": "[!a " * 50_000,
    "indents": "".join(f"{' ' * level}a:\n" for level in range(100)),
    "before a syntax error": "[" * 70 + "]" * 70 + "\n- ]",
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_deep_nesting_is_refused(text):
    with pytest.raises(BadYaml) as found:
        list(compose_all(text))
    assert found.value.fault.code == "yaml-depth"


def test_brackets_in_quotes_do_not_hide_a_syntax_error():
    with pytest.raises(BadYaml) as found:
        list(compose_all("- '" + "[" * 70 + "'\nx: ["))
    assert (found.value.fault.code, found.value.fault.line) == ("yaml-syntax", 1)


def test_many_brackets_side_by_side_are_not_deep():
    assert len(_made("\n".join(f"- [{i}]" for i in range(100)))[0]) == 100
    with pytest.raises(BadYaml):
        list(compose_all("[]\n" * 70 + "}"))


def test_half_a_surrogate_pair_is_no_character():
    import yaml  # noqa: PLC0415

    mark = yaml.Mark("", 0, 0, 0, "", 0)
    node = yaml.ScalarNode("tag:yaml.org,2002:str", "\ud83d", mark, mark)
    assert [fault.code for fault in convert_node(node)[1]] == ["yaml-character"]
