"""Text is printed with colours of our own alone, and a CI system finds no command in it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.report.terminal_text import defuse_commands, one_line, remove_styles, style, to_json_text, to_terminal


def test_a_style_is_a_control_sequence_on_a_terminal_and_nothing_elsewhere() -> None:
    text = f"{style('no', 'red', 'bold')} {style('x', None)}"
    assert to_terminal(text, colour=True) == "\x1b[31;1mno\x1b[0m x"
    assert to_terminal(text, colour=False) == remove_styles(text) == "no x"


@given(st.text())
def test_what_is_printed_holds_no_control_character_but_tab_and_line_feed(value: str) -> None:
    printed = to_terminal(style(value, "red"), colour=False)
    assert all(each in "\t\n" or each.isprintable() or not each.isascii() for each in printed)
    assert "\n" not in one_line(value)


@given(st.text(alphabet="#[:v so\n\r\t"))
def test_a_log_holds_no_command(value: str) -> None:
    text = defuse_commands(value)
    assert "##[" not in text
    assert "##vso[" not in text
    assert not [line for line in text.split("\n") if line.lstrip().startswith("::")]


@settings(max_examples=50)  # one takes 50 ms
@given(
    st.recursive(
        st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
    )
)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_json_keeps_its_meaning(encoding: str, value: object) -> None:
    text = to_json_text(json.dumps(value, ensure_ascii=False), encoding)
    assert json.loads(text) == value
    assert "##[" not in text
    assert encoding == "utf-8" or text.isascii()
