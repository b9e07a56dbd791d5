"""The hosts in a text as its recipient gets it: those of links, and the names that a mail client makes a link of."""

import pytest

from runner.compare.link_hosts import find_new_hosts
from runner.declare.sample import Sample


@pytest.mark.parametrize(
    ("body", "hosts"),
    [
        ("Pay at ponles.example now", ["ponles.example"]),
        ("<p>Pay at <b>Ponles</b>, on PONLES.example.</p>", ["ponles.example"]),
        ("<p>www.<b>ponles.example</b></p>", ["ponles.example"]),
        ('<a href="mailto:pay%40ponles.example">x</a>', ["ponles.example"]),
        ('<meta http-equiv=refresh content="0;url=ht&#9;tps://pon&#9;les.example">', ["ponles.example"]),
        ('<img src="/a.png" srcset="ht&#9;tps://%70onles.example/a.png 2x">', ["%70onles.example", "ponles.example"]),
        ('<img src="logo.png" style="margin:1.5em"><p class="a.big">From 12.50eur, version 1.2, e.g. now</p>', []),
        ("<style>td.big{color:red}</style><p>Ann.</p>", []),
    ],
)
def test_the_hosts_of_a_text_are_named(body: str, hosts: list[str]) -> None:
    assert [*find_new_hosts([], [], [("a", None, [Sample("id", "a1", "a1", "Hi", body)])])] == hosts
