"""?"""

import json

import pytest

from tests.cli.commands.test_status import append, line
from tests.support.project import Folder


@pytest.mark.parametrize(
    "args",
    [[], ["aa"], ["aa", "--sent", "1", "--not-sent"], ["aa", "--message", "list", "--all", "--not-sent"],
     ["--message", "list", "--not-sent"], ["--all", "--not-sent"], ["aa", "--sent", ""]],
)  # fmt: skip
def test_resolve_wants_to_know_which_and_what(folder: Folder, args: list[str]) -> None:
    assert folder.run("resolve", *args).code == 64


def test_resolve_of_a_key_that_is_not_unknown_says_what_it_is(folder: Folder) -> None:
    append(
        folder,
        line("a", "1", "sent", id="7"),
        line("b", "2", "claimed"),
        line("b", "3", "claimed").replace("b" * 32, "b" * 8 + "c" * 24),
    )
    assert "that delivery is sent" in folder.run("resolve", "aaaa", "--not-sent").err
    assert folder.run("resolve", "dddd", "--not-sent").code == 64
    assert "2 unknown deliveries have a key" in folder.run("resolve", "bbbb", "--not-sent").err


def test_resolve_all_of_a_message(folder: Folder) -> None:
    append(folder, line("a", "1", "claimed"), line("b", "2", "unknown"))
    assert folder.run("resolve", "--message", "list", "--all", "--sent", "9", "--yes").code == 64
    ran = folder.run("resolve", "--message", "list", "--all", "--not-sent", "--yes")
    assert ran.code == 0
    counts = json.loads(folder.run("status", "--format", "json").out)["counts"]
    assert counts == {"sent": 0, "unknown": 0, "refused": 0, "free": 2}
    assert folder.run("resolve", "--message", "list", "--all", "--not-sent", "--yes").out == "nothing to do\n"


def test_resolve_as_sent_keeps_the_id(folder: Folder) -> None:
    append(folder, line("a", "1", "claimed"))
    assert folder.run("resolve", "aaaaaaaa", "--sent", "2009").code == 5
    assert folder.run("resolve", "aaaaaaaa", "--sent", "2009", "--yes").code == 0
    held = json.loads(folder.run("status", "--format", "json").out)["deliveries"][0]
    assert (held["status"], held["id"], held["by"], held["attempt"]) == ("sent", "2009", "person", "1")
