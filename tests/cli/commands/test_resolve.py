"""?"""

import json

import pytest

from tests.cli.commands.test_apply import LIST
from tests.cli.commands.test_status import append, line
from tests.support.project import Folder
from tests.support.terminal import run_on_terminal

KEY = "a" * 12
OF_KEY = (
    "if the delivery with the key KEY arrived: msgrun resolve KEY --sent - --yes;"
    " if it did not: msgrun resolve KEY --not-sent --yes"
)
NO_OUTCOME = f"no outcome is given\n  hint: {OF_KEY.replace('KEY', 'aa')}\n"
OF_ALL = (
    "if all of list arrived: msgrun resolve --message list --all --sent - --yes;"
    " if none of it did: msgrun resolve --message list --all --not-sent --yes\n"
)
NO_OUTCOME_OF_ALL = f"no outcome is given\n  hint: {OF_ALL}"
NO_ID = (
    "--sent needs the id of the message in Intercom, or - if it is not known\n"
    "  hint: msgrun resolve aa --sent - --yes\n"
)
WAYS = f"\n  hint: {OF_KEY.replace('KEY', KEY)}; {OF_ALL}"
ASKS, NO_NAME = "1 delivery is unknown, and there is no terminal to ask on", "no delivery is named"


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ([], f"{ASKS}{WAYS}"),
        (["--all"], f"--all is for one message{WAYS}"),
        (["aa"], NO_OUTCOME),
        (["aa", "--sent", ""], NO_ID),
        (["aa", "--sent"], NO_ID),
        (["--sent"], f"{NO_NAME}{WAYS}"),
        (["aa", "--sent", "1", "--not-sent"], "more than one outcome is given\n"),
        (["aa", "--message", "list", "--all", "--not-sent"], "a KEY and --message are given"),
        (["list"], NO_OUTCOME_OF_ALL),
        (["list", "--not-sent"], "--all is missing\n  hint: msgrun resolve --message list --all --not-sent --yes\n"),
        (
            ["aa", "--all", "--sent", "7"],
            "--all is for a message, not for a KEY\n  hint: msgrun resolve aa --sent 7 --yes\n",
        ),
        (
            ["--all", "--not-sent"],
            "--all is for one message\n  hint: msgrun resolve --message list --all --not-sent --yes\n",
        ),
        (["--all", "--duplicate"], "--all is for one message\n  hint: msgrun resolve --message NAME --all --dup"),
        (["zzzz", "--sent", "-"], "no message is named zzzz, and the ledger knows none\n"),
    ],
)
def test_resolve_wants_to_know_which_and_what(folder: Folder, args: list[str], error: str) -> None:
    append(folder, line("a", "1", "claimed"))
    ran = folder.run("resolve", *args)
    assert (ran.code, f"error: {error}" in ran.err) == (64, True), ran.err


def test_resolve_all_names_the_command_of_each_message_on_a_line_of_its_own(folder: Folder) -> None:
    append(folder, line("a", "1", "claimed"), line("b", "2", "claimed").replace('"list"', '"other"'))
    err = folder.run("resolve", "--all", "--not-sent").err
    assert "  hint: for list: msgrun resolve --message list --all --not-sent --yes; for other: msgrun resolve -" in err
    lines = run_on_terminal(folder.path, "resolve", "--all", "--not-sent", columns=60, term="dumb").splitlines()
    commands = [f"msgrun resolve --message {name} --all --not-sent" for name in ("list", "other")]
    assert [text.strip() for text in lines if "msgrun" in text] == commands


def test_resolve_of_a_key_that_is_not_unknown_says_what_it_is(folder: Folder) -> None:
    append(
        folder,
        line("a", "1", "sent", id="7"),
        line("b", "2", "claimed"),
        line("b", "3", "claimed").replace("b" * 32, "b" * 8 + "c" * 24),
    )
    assert "it counts as sent, and that cannot be taken back" in folder.run("resolve", "aaaa", "--not-sent").err
    assert folder.run("resolve", "dddd", "--not-sent").code == 64
    assert "2 unknown deliveries have a key" in folder.run("resolve", "bbbb", "--not-sent").err


def test_resolve_all_of_a_message(folder: Folder) -> None:
    append(folder, line("a", "1", "claimed"), line("b", "2", "unknown"))
    assert folder.run("resolve", "--message", "list", "--all", "--sent", "9", "--yes").code == 64
    ran = folder.run("resolve", "--message", "list", "--all", "--not-sent", "--yes")
    assert (ran.code, "  Send them:\n    msgrun apply\n" in ran.out) == (0, True)
    counts = json.loads(folder.run("status", "--format", "json").out)["counts"]
    assert counts == {"sent": 0, "unknown": 0, "refused": 0, "free": 2}
    assert folder.run("resolve", "--message", "list", "--all", "--not-sent", "--yes").out == (
        "nothing to do: nothing of list is unknown\n"
    )
    for args in ["resolve", "--message", "lis", "--all", "--not-sent"], ["reconcile", "lis"], ["audit", "lis"]:
        ran = folder.run(*args)
        assert (ran.code, "no message is named lis, and the ledger knows none" in ran.err) == (64, True)
        assert "did you mean list?" in ran.err


def test_a_message_may_stand_in_place_of_a_key_and_only_its_file_is_sent_next(folder: Folder) -> None:
    folder.message(LIST, "people")
    append(folder, line("a", "1", "claimed"))
    assert "--all is missing" in folder.run("resolve", "list", "--not-sent").err
    ran = folder.run("resolve", "list", "--all", "--not-sent", "--yes")
    assert (ran.code, "  Send it:\n    msgrun apply messages/people.yaml\n" in ran.out) == (0, True), ran


def test_with_many_unknown_of_a_message_the_command_for_all_is_named_and_its_people_are_sorted(folder: Folder) -> None:
    append(folder, *(line(key, key, "claimed", to=f"id:{10 - number}") for number, key in enumerate("abcde")))
    for_all = "msgrun resolve --message list --all --not-sent\n"
    assert for_all not in folder.run("status", "list").out
    append(folder, line("f", "f", "claimed", to="id:1"))
    for args in ("status",), ("status", "list"):
        assert folder.run(*args).out.endswith(
            f"  Or, if none of the 6 unknown of list arrived, mark them all as not sent:\n    {for_all}"
        )
    assert "id:1, id:10, id:6, id:7, id:8, id:9\n" in folder.run(*for_all.split()[1:]).err


def test_resolve_as_sent_keeps_the_id(folder: Folder) -> None:
    append(folder, line("a", "1", "claimed"))
    assert folder.run("resolve", "aaaaaaaa", "--sent", "2009").code == 5
    assert folder.run("resolve", "aaaaaaaa", "--sent", "2009", "--yes").code == 0
    held = json.loads(folder.run("status", "--format", "json").out)["deliveries"][0]
    assert (held["status"], held["id"], held["by"], held["attempt"]) == ("sent", "2009", "person", "1")


def test_what_a_person_has_seen_arrive_is_sent_also_without_its_id(folder: Folder) -> None:
    append(folder, line("a", "1", "unknown", code="http_500", at="2026-02-03T04:05:06Z"), line("b", "2", "claimed"))
    assert folder.run("resolve", "aaaaaaaa", "--sent", "-", "--yes").out == "Marked 1 as sent. It is not sent again.\n"
    assert folder.run("resolve", "--message", "list", "--all", "--sent", "-", "--yes").code == 0
    held = json.loads(folder.run("status", "--format", "json").out)["deliveries"]
    assert [(one["status"], one["by"], one.get("id"), one.get("code")) for one in held] == [
        ("sent", "person", None, None)
    ] * 2
    assert held[0]["at"] == "2026-02-03T04:05:06Z", "when it was sent, not when that was found out"
    assert held[0]["decided"] > held[0]["at"], "and that is known, too"
    assert folder.run("lock", "verify").code == 0


TWICE = [line(key, attempt, "sent", id=f"{key}{attempt}") for key in "ab" for attempt in "12"]


def test_a_duplicate_ends_exit_5_once_it_is_acknowledged(folder: Folder) -> None:
    append(folder, *TWICE[:2])
    assert folder.run("status").code == 5
    ran = folder.run("resolve", "aaaa", "--duplicate")
    assert (ran.code, "The question is: Acknowledge 1 duplicate?" in ran.err, "--yes" in ran.err) == (5, True, True)
    assert folder.run("status").code == 5
    assert folder.run("resolve", "aaaa", "--duplicate", "--yes").code == 0
    for args in (["status"], ["plan"], ["lock", "verify"], ["lock", "compact"], ["lock", "verify"], ["lock", "show"]):
        ran = folder.run(*args)
        assert (ran.code, "twice" in ran.err) == (0, False), args
    assert json.loads(folder.run("status", "--format", "json").out)["counts"]["sent"] == 1


def test_all_duplicates_of_a_message_are_acknowledged_at_once(folder: Folder) -> None:
    append(folder, *TWICE)
    assert folder.run("resolve", "aaaa", "--duplicate", "--yes").code == 5  # the other one is left
    assert folder.run("resolve", "--message", "list", "--all", "--duplicate", "--yes").code == 0
    assert folder.run("status").code == 0
    assert folder.run("resolve", "--message", "list", "--all", "--duplicate", "--yes").out == "nothing to do\n"


def test_a_third_message_is_a_duplicate_again(folder: Folder) -> None:
    append(folder, *TWICE[:2])
    assert folder.run("resolve", "aaaa", "--duplicate", "--yes").code == 0
    append(folder, line("a", "3", "sent", id="a3"))
    assert folder.run("status").code == 5


def test_a_key_without_a_duplicate_is_wrong_usage(folder: Folder) -> None:
    append(folder, line("a", "1", "sent", id="7"))
    assert folder.run("resolve", "aaaa", "--duplicate", "--yes").code == 64
    assert folder.run("resolve", "aaaa", "--duplicate", "--not-sent", "--yes").code == 64
