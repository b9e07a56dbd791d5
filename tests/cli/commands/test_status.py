"""What the ledger knows: when each message was sent, to whom, and what one recipient got."""

import fcntl
import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from runner.clock import format_timestamp, parse_timestamp
from runner.declare.keys_and_digests import delivery_key
from runner.sandbox import Sandbox
from tests.cli.commands.test_apply import LIST
from tests.support.project import SEED, Folder
from tests.support.terminal import Terminal


def line(key: str, attempt: str, status: str, **more: object) -> str:
    value = {"key": key * 32, "attempt": attempt, "status": status, "message": "list", "revision": 1, "to": f"id:{key}"}
    return json.dumps({**value, "at": "2026-01-01T00:00:00Z", **more}) + "\n"


def append(folder: Folder, *lines: str) -> None:
    with (folder.path / "messages.lock").open("a") as handle:
        handle.writelines(lines)


def rows(out: str) -> list[list[str]]:
    """The cells of every line of a table."""
    return [re.split(r"  +", text.strip()) for text in out.splitlines()]


def delivery(name: str, kind: str, value: str, status: str = "sent", **more: object) -> str:
    """A record of a delivery by its true key."""
    revision = int(str(more.get("revision", 1)))
    key = delivery_key("", name, revision, kind, value)  # type: ignore[arg-type]
    to = f"id:{value}" if kind == "id" else f"{kind}:~{key[:8]}"
    record = {"key": key, "attempt": f"RUN-{key[:4]}", "status": status, "message": name, "revision": revision}
    return json.dumps({**record, "to": to, "at": "2026-01-01T00:00:00Z", **more}) + "\n"


def test_status_counts_by_message_and_lists_what_needs_a_look(folder: Folder) -> None:
    append(folder, line("a", "1", "sent", id="2001"), line("b", "2", "claimed"), line("c", "3", "refused", code="x"))
    ran = folder.run("status")
    assert ran.code == 0
    assert rows(ran.out)[1] == ["list", "1", "1", "1", "1", "2026-01-01 00:00"]
    assert ran.out.split("\n\n")[1].splitlines() == [
        "1 delivery may have arrived, and is never sent again by itself.",
        "1 unknown · list · no answer recorded · 2026-01-01 00:00 UTC",
        "  id:b  key bbbbbbbbbbbb",
        "1 refused · list · x · 2026-01-01 00:00 UTC",
        "  id:c  key cccccccccccc",
    ]


def test_what_another_process_is_sending_is_reported_with_its_name_and_no_person_has_to_settle_it(
    folder: Folder,
) -> None:
    now = format_timestamp(datetime.now(UTC))
    append(folder, delivery("list", "id", "b", "claimed", at=now))
    path = folder.write(".msgrun/lock", "msgrun apply, process 0 on vm, since 2026-01-01 00:00 (UTC)\n")
    with path.open() as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        for command in (["status"], ["status", "--to", "id:b"], ["plan"]):
            out, _, steps = folder.run(*command).out.partition("\nNext:\n")
            assert ("by run RUN" in out, "may have arrived" in out) == (command != ["plan"], False)
            end = format_timestamp(parse_timestamp(now) + timedelta(seconds=120 + 59))[:16].replace("T", " ")
            assert steps == (
                "  1 delivery is being sent by msgrun apply, process 0 on vm, since 2026-01-01 00:00 (UTC)."
                f" See at {end} (UTC) what became of it:\n    msgrun status\n"
            )
        assert ("  1 being sent  " in folder.run("audit").out, "unknown" in folder.run("audit").out) == (True, False)
    out, _, steps = folder.run("status").out.partition("\nNext:\n")
    assert ("being sent" in out + steps, "may have arrived" in out, "msgrun resolve" in steps) == (False, True, True)


def test_what_is_being_sent_has_a_column_of_its_own_while_there_is_some(folder: Folder) -> None:
    now = format_timestamp(datetime.now(UTC))
    append(folder, *(line(f"{number:x}", "1", "claimed", at=now) for number in range(8)), line("f", "2", "claimed"))
    path = folder.write(".msgrun/lock", "msgrun apply, process 0 on vm, since 2026-01-01 00:00 (UTC)\n")
    with path.open() as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        table, listed = folder.run("status").out.split("\n\n")[:2]
    assert [row.split() for row in table.splitlines()] == [
        ["message", "revision", "sent", "being", "sent", "unknown"],
        ["list", "1", "0", "8", "1"],
    ]
    assert "8 being sent · list · by run 1 · " in listed
    assert "1 unknown · list · no answer recorded · " in listed


def test_of_a_refusal_of_somebody_who_is_no_recipient_any_more_nothing_is_to_do(folder: Folder) -> None:
    folder.message(LIST + "  - {type: user, email: d@b.c}\n")
    old, new = (
        delivery("list", "email", "dee@b.c", "refused", code="contact_not_found"),
        delivery("list", "email", "d@b.c"),
    )
    append(folder, old, new)
    terminal = Terminal(folder.path, "status", "list")
    assert terminal.finish() == 0
    assert "contact_not_found , and" not in terminal.screen
    assert "1 refused · contact_not_found, and not a recipient any more · " in terminal.screen
    assert "What to do" not in terminal.screen


def test_status_as_json_gives_the_records_that_hold(folder: Folder) -> None:
    append(folder, line("a", "1", "claimed"), line("a", "1", "sent", id="2001"), line("b", "2", "claimed"))
    status = json.loads(folder.run("status", "--format", "json").out)
    assert status["counts"] == {"sent": 1, "unknown": 1, "refused": 0, "free": 0}
    assert status["messages"] == [{"name": "list", "revision": 1, "counts": status["counts"]}]
    assert [(found["status"], found.get("id")) for found in status["deliveries"]] == [
        ("sent", "2001"),
        ("unknown", None),
    ]


def test_status_of_nothing_and_of_an_unknown_name(folder: Folder) -> None:
    steps = "\nNext:\n  See what is left to send:\n    msgrun plan\n"
    assert folder.run("status").out == f"Nothing was sent yet.\n{steps}"
    append(folder, line("a", "1", "sent", id="2001"))
    assert folder.run("status", "list").code == 0
    ran = folder.run("status", "lits")
    assert ran.code == 64
    assert "did you mean list?" in ran.err


def test_a_duplicate_is_told_by_everything_that_loads_the_ledger(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    append(folder, line("a", "1", "sent", id="2001"), line("a", "2", "sent", id="2002"))
    for args in (["status"], ["plan"], ["lock", "verify"], ["lock", "show"], ["apply", "--yes"]):
        ran = folder.run(*args)
        assert ran.code == 5, args
        assert "duplicate: list went twice to id:a, as 2001 and 2002\n  hint: to report it no more: " in ran.err
    assert len(intercom.messages) == 3


def test_torn_lines_are_told_and_survived(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    append(folder, '{"key":"aaaa', "\n", "<<<<<<< HEAD\n")
    ran = folder.run("lock", "verify")
    assert (ran.code, "messages.lock:2 is torn" in ran.err) == (1, True)
    assert folder.run("apply", "--yes").code == 0
    assert folder.run("lock", "compact").code == 0
    assert folder.run("lock", "verify").code == 0
    assert len(intercom.messages) == 3


def test_a_lockfile_of_a_newer_version_is_unreadable(folder: Folder) -> None:
    append(folder, '{"msgrun_lock":2}\n')
    ran = folder.run("plan")
    assert ran.code == 6
    assert "update msgrun" in ran.err


PEOPLE = """\
name: list
message_type: inapp
body: Hi
from: {type: admin, id: "394051"}
to:
  - {type: user, email: ann@example.com}
  - {type: user, user_id: "25"}
"""


def test_each_message_has_the_time_when_it_was_first_and_last_sent(folder: Folder) -> None:
    times = ["2026-01-02T03:04:05Z", "2026-01-01T00:00:00Z", "2026-02-01T23:59:59Z", "2026-09-09T09:09:09Z"]
    append(folder, *(line(str(n), str(n), "sent", id=str(n), at=at) for n, at in enumerate(times[:3])))
    append(folder, line("e", "e", "claimed", at=times[3]))
    append(folder, line("f", "f", "sent", id="7", at=times[3], message="other", revision=3))
    out = folder.run("status").out
    assert ["list", "1", "3", "1", "2026-01-01 00:00 to 2026-02-01 23:59"] in rows(out)
    assert ["other", "3", "1", "2026-09-09 09:09"] in rows(out)
    assert ["total", "4", "1"] in rows(out)


def test_a_record_with_spaces_in_its_json_has_its_time_too(folder: Folder) -> None:
    value = json.loads(line("a", "1", "sent", id="1", at="2026-05-06T07:08:09Z"))
    append(folder, json.dumps(value, separators=(", ", " : ")) + "\n")
    assert "2026-05-06 07:08" in folder.run("status").out


def test_the_deliveries_of_a_message_come_with_dates_and_addresses(folder: Folder) -> None:
    folder.message(PEOPLE)
    append(
        folder,
        delivery("list", "email", "ann@example.com", id="2001", at="2026-01-02T00:00:00Z"),
        delivery("list", "email", "gone@example.com", id="2002", at="2026-01-03T00:00:00Z"),
        delivery("list", "user_id", "25", "refused", code="not_found", request_id="r-7"),
    )
    gone, user = (
        delivery_key("", "list", 1, kind, value) for kind, value in (("email", "gone@example.com"), ("user_id", "25"))
    )
    shown = folder.run("status", "list", "--show-values").out
    assert rows(shown)[3:8] == [
        ["1 refused · not_found · 2026-01-01 00:00 UTC"],
        ["user_id:25", f"key {user[:12]}"],
        ["2 sent · 2026-01-02 00:00 to 2026-01-03 00:00 UTC"],
        [f"email:~{gone[:8]}", "2026-01-03 00:00"],
        ["ann@example.com", "2026-01-02 00:00"],
    ]
    masked = folder.run("status", "list").out
    assert "ann@example.com" not in masked
    assert f"email:~{delivery_key('', 'list', 1, 'email', 'ann@example.com')[:8]}" in masked
    assert f"key {user[:12]}  request r-7" in folder.run("status", "list", "-v").out


def test_a_mistake_in_a_file_takes_no_names_from_others_and_never_stops_status(folder: Folder) -> None:
    folder.message(PEOPLE)
    folder.message("name: [\n", "broken")
    append(folder, delivery("list", "email", "ann@example.com", "claimed"))
    ran = folder.run("status", "--show-values")
    assert (ran.code, "ann@example.com" in ran.out) == (0, True)


@pytest.mark.parametrize("address", ["ann@example.com", "email:Ann@Example.com", " ann@example.com "])
def test_status_to_says_what_one_recipient_got_and_when_and_from_which_run(folder: Folder, address: str) -> None:
    append(
        folder,
        '{"msgrun_lock":1,"workspace":"acme","salt_check":""}\n',
        delivery("news", "email", "ann@example.com", id="2001", contact="c1", attempt="01RUN-17"),
        delivery("news", "email", "bo@example.com", id="2002", contact="c2"),
        delivery("tips", "email", "ann@example.com", "refused", code="x", revision=2, at="2026-03-01T00:00:00Z"),
        delivery("tour", "id", "c1", id="2003", at="2026-02-01T00:00:00Z", by="adopt"),
        delivery("by-user-id", "user_id", "25", id="2004", contact="c1", at="2025-12-01T00:00:00Z"),
    )
    ran = folder.run("status", "--to", address, "--show-values")
    assert ran.code == 0
    title, link, _, *table = ran.out.splitlines()
    assert title == address.strip().removeprefix("email:")
    assert link == "https://app.intercom.com/a/apps/acme/users/c1/all-conversations"
    tips, tour, news, other = rows("\n".join(table))[1:5]
    assert tips[:5] == ["refused", "tips", "2", "2026-03-01 00:00", "x"]
    assert tour[:4] == ["sent", "tour", "1", "2026-02-01 00:00"]
    assert "adopt" in tour[4]
    assert news == ["sent", "news", "1", "2026-01-01 00:00", "message 2001", "01RUN"]
    assert other[1] == "by-user-id", "the same contact under another address"
    assert "ann@example.com" not in folder.run("status", "--to", address).out.casefold()
    assert [row[1] for row in rows(folder.run("status", "news", "--to", address).out)[4:]] == ["news"]


def test_of_many_deliveries_the_latest_are_listed_and_the_rest_is_counted(folder: Folder) -> None:
    sent = [delivery("list", "id", str(day), id=str(day), at=f"2026-01-{day:02}T00:00:00Z") for day in range(1, 32)]
    append(folder, *sent, *(delivery("list", "id", f"x{n}", at=f"2026-02-{n:02}T00:00:00Z") for n in range(1, 25)))
    out = folder.run("status", "list").out
    assert rows(out)[3] == ["sent · 2026-02-05 00:00 to 2026-02-24 00:00 UTC"]
    assert [row[1] for row in rows(out)[4:24]] == [f"2026-02-{n:02} 00:00" for n in range(24, 4, -1)]
    assert out.endswith("\nand 35 more sent\n\nNext:\n  List the rest too:\n    msgrun status list --all\n")
    assert folder.run("status", "list", "--all").out.count(" 00:00\n") == 1 + 55


def test_of_many_unknown_deliveries_of_a_message_the_first_by_recipient_are_listed(folder: Folder) -> None:
    append(folder, *(delivery("list", "id", f"a{n}", id=str(n)) for n in range(10, 15)))
    append(folder, *(delivery("list", "id", f"b{n}", "claimed", at=f"2026-01-{n - 9:02}") for n in range(10, 40)))
    out = folder.run("status", "list").out
    assert [row[0] for row in rows(out)[5:25]] == [f"id:b{number}" for number in range(10, 30)]
    assert "and 5 more sent, 10 more unknown\n" in out


def test_of_many_deliveries_to_look_at_the_first_are_listed_unless_all_are_asked_for(folder: Folder) -> None:
    append(folder, *(delivery("list", "id", str(number), "refused", code="x") for number in range(25)))
    out = folder.run("status").out
    assert (out.count("\n  id:"), "and 5 more refused\n" in out) == (20, True)
    assert "\nrefused · list · x · " in out
    out = folder.run("status", "--all").out
    assert (out.count("\n  id:"), "\n25 refused · list · x · " in out) == (25, True)


def test_of_a_message_with_several_revisions_each_delivery_says_its_own(folder: Folder) -> None:
    first, second = (delivery("list", "id", "a1", id=str(number), revision=number) for number in (1, 2))
    append(folder, first)
    assert "revision" not in folder.run("status", "list").out.split("\n\n")[1]
    append(folder, second)
    out = folder.run("status", "list").out.split("\n\n")[1]
    assert out.splitlines()[::2] == [f"1 sent · revision {number} · 2026-01-01 00:00 UTC" for number in (1, 2)]


def test_what_was_begun_and_not_sent_is_left_and_is_counted_by_plan(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    append(folder, delivery("list", "id", "a1", id="2001"), delivery("list", "id", "b2", "released", by="run"))
    for arguments in (["status"], ["status", "list"]):
        out = folder.run(*arguments).out
        assert rows(out)[:2][1][:3] == ["list", "1", "1"]
        assert "b2" not in out
        assert "not sent" not in out
        assert out.endswith("See what is left to send:\n    msgrun plan\n")
    assert "2 to send" in folder.run("plan").out
    assert "not sent" in folder.run("status", "id:b2").out
    assert not intercom.messages


def test_an_address_in_place_of_a_name_is_a_recipient(folder: Folder) -> None:
    append(folder, delivery("news", "email", "ann@example.com", id="2001"))
    expected = folder.run("status", "--to", "ann@example.com").out
    assert "message 2001" in expected
    for address in ("ann@example.com", "email:ann@example.com"):
        assert folder.run("status", address).out == expected
    assert "message 2001" not in folder.run("status", "bo@example.com").out


def test_a_declared_message_of_which_nothing_was_sent_is_no_mistake(folder: Folder) -> None:
    folder.message(LIST)
    ran = folder.run("status", "list")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "Nothing of list was sent yet.")
    assert "msgrun plan" in ran.out
    document = json.loads(folder.run("status", "list", "--format", "json").out)
    assert (document["messages"], document["deliveries"]) == ([], [])
    assert "did you mean list?" in folder.run("status", "lits").err


def test_json_has_addresses_where_values_may_be_shown(folder: Folder) -> None:
    folder.message(PEOPLE)
    append(folder, delivery("list", "email", "ann@example.com", id="1"), delivery("list", "email", "gone@example.com"))
    shown = json.loads(folder.run("status", "--format", "json", "--show-values").out)["deliveries"]
    assert {found.get("address") for found in shown} == {"email:ann@example.com", None}
    assert "ann@example.com" not in folder.run("status", "--format", "json").out


def test_what_is_unknown_of_a_recipient_comes_with_its_reason_its_key_and_the_command(folder: Folder) -> None:
    append(folder, delivery("list", "id", "a1", "unknown", code="http_500"))
    key = delivery_key("", "list", 1, "id", "a1")[:12]
    out = folder.run("status", "--to", "id:a1").out
    assert rows(out)[3][4:] == ["http_500", key, "RUN"]
    assert f"msgrun resolve {key} --sent ID" in out


def test_the_links_and_the_times_of_deliveries_come_with_verbose(folder: Folder) -> None:
    append(folder, '{"msgrun_lock":1,"workspace":"acme","salt_check":""}\n', line("a", "1", "unknown", contact="c1"))
    append(folder, line("b", "2", "unknown", contact="c2", at="2026-01-02T00:00:00Z"))
    out = folder.run("status").out
    assert "https://" not in out
    assert "1 unknown" not in out
    assert "\n2 unknown · list · 2026-01-01 00:00 to 2026-01-02 00:00 UTC\n  id:a  key aaaaaaaaaaaa\n" in out
    link = "https://app.intercom.com/a/apps/acme/users/c1/all-conversations"
    assert f"\n  id:a  key aaaaaaaaaaaa  2026-01-01 00:00\n    {link}\n" in folder.run("status", "-v").out


def test_status_to_of_nobody_and_of_no_address(folder: Folder) -> None:
    append(folder, line("a", "1", "sent", id="2001"))
    ran = folder.run("status", "--to", "bo@example.com", "--show-values")
    see = "See all messages, and where their recipients are:\n    msgrun plan --all\n"
    why = f"\n\nNext:\n  No message to this recipient was found in the files. {see}"
    assert (ran.code, ran.out) == (0, f"The ledger has no records of bo@example.com.{why}")
    assert json.loads(folder.run("status", "--to", "id:a", "--format", "json").out)["counts"]["sent"] == 0
    for wrong in ("bo", "phone:1", "email:", "@"):
        ran = folder.run("status", "--to", wrong)
        assert (ran.code, "is not the address of a recipient\n" in ran.err) == (64, True)
        assert "write an email address, or KIND:VALUE, e.g. ann@example.com, user_id:25 or " in ran.err


_KEPT_BACK = "See what keeps back a message to this recipient"
_NO_MESSAGE = "No message to this recipient was found in the files. See all messages, and where their recipients are"
_IN_WORKSPACE = "See whether an audience in the workspace has this recipient:\n    msgrun plan --online messages/w.yaml"


@pytest.mark.parametrize(
    ("address", "other", "step"),
    [("ann@example.com", "", f"{_KEPT_BACK}:\n    msgrun plan --online messages/m.yaml"),
     ("an@example.com", "", "If ann@example.com is meant:\n    msgrun status ann@example.com"),
     ("ann@exam", "", "If ann@example.com is meant:\n    msgrun status ann@example.com"),
     ("zoe@example.com", "", f"{_NO_MESSAGE}:\n    msgrun plan --all"),
     ("zoe@example.com", "to: {intercom: {segment: 'New'}, type: user}", _IN_WORKSPACE)],
)  # fmt: skip
def test_who_got_nothing_is_no_dead_end(folder: Folder, address: str, other: str, step: str) -> None:
    folder.message(PEOPLE, "m")
    if other:
        folder.message(f"name: w\nmessage_type: inapp\nbody: Hi\nfrom: {{type: admin, id: 394051}}\n{other}\n", "w")
    assert folder.run("status", address, "--show-values").out.endswith(f"\n\nNext:\n  {step}\n")


def test_of_a_refused_delivery_a_command_says_what_to_do(folder: Folder) -> None:
    append(folder, delivery("list", "id", "a1", "refused", code="x"))
    step = "\n\nNext:\n  See what refused means, and how to send it again:\n    msgrun explain refused\n"
    assert folder.run("status", "--to", "id:a1").out.endswith(step)
    assert folder.run("status").out.endswith(step)


def test_a_refusal_whose_code_is_explained_is_said_in_words_with_the_command(folder: Folder) -> None:
    append(folder, delivery("list", "id", "a1", "refused", code="contact_ambiguous"))
    step = (
        "\n\nNext:\n  contact_ambiguous: Several contacts of the workspace have this address, so it is not clear who is"
        " meant. What to do:\n    msgrun explain contact_ambiguous\n"
    )
    assert folder.run("status", "id:a1").out.endswith(step)
    assert folder.run("status", "list").out.endswith(step)
    append(folder, delivery("list", "id", "b1", "refused", code="x"))
    assert folder.run("status").out.endswith(
        step[2:] + "  See what refused means, and how to send it again:\n    msgrun explain refused\n"
    )
    assert folder.run("explain", "contact_ambiguous").code == 0


def test_status_to_as_json_has_only_the_recipients_deliveries(folder: Folder) -> None:
    append(folder, delivery("news", "email", "ann@example.com", id="1"), delivery("news", "email", "bo@example.com"))
    status = json.loads(folder.run("status", "--to", "ann@example.com", "--format", "json").out)
    assert status["counts"] == {"sent": 1, "unknown": 0, "refused": 0, "free": 0}
    assert [found["id"] for found in status["deliveries"]] == ["1"]


def test_in_the_sandbox_there_is_no_link_to_intercom(folder: Folder) -> None:
    folder.message(LIST)
    assert folder.run("--sandbox", "apply", "--yes").code == 0
    ran = folder.run("--sandbox", "status", "--to", "id:a1", "--show-values")
    assert ran.code == 0
    assert "message " in ran.out
    assert "https://" not in ran.out


def test_off_a_terminal_one_line_says_how_recipients_are_shown(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.message(PEOPLE)
    append(folder, delivery("list", "email", "ann@example.com", id="2001"), delivery("news", "id", "7", id="2002"))
    for arguments in (["status", "list"], ["status", "ann@example.com"], ["render", "list"]):
        assert folder.run(*arguments).err.count("--show-values shows them") == 1
        assert "--show-values" not in folder.run(*arguments, "--show-values").err
        assert "--show-values" not in folder.run(*arguments, "--quiet").err
    for arguments in (["status"], ["status", "news"], ["status", "--format", "json"]):
        assert "--show-values" not in folder.run(*arguments).err
    monkeypatch.setenv("CI", "true")
    assert "--show-values" not in folder.run("status", "list").err


def test_where_only_the_sandbox_was_sent_something_status_names_its_ledger(folder: Folder) -> None:
    folder.message(LIST)
    assert folder.run("--sandbox", "apply", "--yes").code == 0
    out = folder.run("status").out
    assert out.startswith("Nothing was sent yet.\n")
    assert out.endswith("  See what the sandbox was sent, in a ledger of its own:\n    msgrun --sandbox status\n")


def test_of_many_unknown_the_first_by_message_and_recipient_are_listed(folder: Folder) -> None:
    names = [f"id:c{number:02}" for number in range(30)]
    records = [
        line("a", str(n), "unknown", to=name).replace("a" * 32, f"{99 - n:032x}") for n, name in enumerate(names)
    ]
    append(folder, *reversed(records), *records[:1])
    listed = re.findall(r"^  (id:\S+)", folder.run("status").out, re.MULTILINE)
    assert listed == names[:20]


def test_who_is_left_out_by_a_list_is_told_which(folder: Folder) -> None:
    folder.write("no.csv", "email\nbo@example.com\n")
    folder.write("a.csv", "email\nann@example.com\nbo@example.com\n")
    to = "to: {csv: ../a.csv, type: user, email: '{{ email }}', exclude: ../no.csv}\n"
    folder.message(SEED[: SEED.index("to:")] + to)
    ran = folder.run("status", "bo@example.com")
    assert ran.out.endswith("\nNext:\n  seed leaves this recipient out by exclude in the message\n")
    ran = folder.run("render", "seed", "--to", "bo@example.com")
    assert (ran.code, "hint: the message leaves this recipient out by exclude in the message\n" in ran.err) == (
        64,
        True,
    )
