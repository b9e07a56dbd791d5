import pytest

from runner.declare.yaml.text_edits import quote_text, replace_odd_spaces, replace_tabs


def apply(lines, edits):
    changed = list(lines)
    for edit in edits:
        line, start = changed[edit.line - 1], edit.column - 1
        assert line.startswith(edit.old, start)
        changed[edit.line - 1] = line[:start] + edit.new + line[start + len(edit.old) :]
    return changed


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        ("subject: Ticket #12 is solved", 'subject: "Ticket #12 is solved"'),
        ("subject: Ticket #12   ", 'subject: "Ticket #12"   '),
        ('subject: The "new" #1', "subject: 'The \"new\" #1'"),
        ("subject: It's \\o/ #1", "subject: 'It''s \\o/ #1'"),
        ("subject: Ticket # of the day", ""),
        ("subject: Ticket #12 # a comment", ""),
        ("subject: Ticket #", ""),
    ],
)
def test_a_text_is_quoted_unless_a_comment_may_be_meant(line, mended):
    edits = quote_text(line, 1, len("subject: "))
    assert apply([line], edits) == [mended or line]
    assert bool(edits) == bool(mended)


def test_tabs_become_spaces_where_all_of_the_indentation_is_tabs():
    lines = ["to:", "\ttype: user", "\tvars:", "\t\tname: Ann", ""]
    assert apply(lines, replace_tabs(lines)) == ["to:", "  type: user", "  vars:", "    name: Ann", ""]


@pytest.mark.parametrize(
    "lines",
    [
        ["to:", "\ttype: user", "vars:", "  name: Ann"],  # how wide a tab is meant to be is not known
        ["body: |", "\t<p>Hi</p>"],  # the tab may belong to the text
        ["body: '<p>", "\tHi</p>'"],
        ["to:", "\ttype: [user"],  # not YAML with spaces either
        ["to: x"],
    ],
)
def test_other_tabs_are_left(lines):
    assert replace_tabs(lines) == ()


def test_no_break_spaces_become_spaces_outside_of_texts():
    lines = ["vars:", "\u00a0\u00a0name: Ann"]
    assert apply(lines, replace_odd_spaces(lines, [2])) == ["vars:", "  name: Ann"]
    assert replace_odd_spaces(["body: |", "  a", "\u00a0\u00a0b"], [3]) == ()
    assert replace_odd_spaces(["vars:", "\u3000name: Ann"], [2]) == ()
