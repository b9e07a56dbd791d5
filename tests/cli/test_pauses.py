"""What puts a run off: HOLD and quiet hours, before the question and before every POST."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from runner.cli.connection import CLOCK
from runner.cli.context import Context
from runner.deliver import contact_lookup
from runner.intercom import contact_search
from runner.intercom.contact import Contact
from runner.intercom.contact_search import ContactSearch
from runner.sandbox import Sandbox
from tests.cli.commands.test_apply import LIST, records
from tests.support.project import Folder

NIGHT = 'quiet_hours: {from: "20:00", to: "08:00", timezone: Europe/Berlin}\n'


def at(monkeypatch: pytest.MonkeyPatch, time: str) -> None:
    """Sets the time of the command."""
    moment = datetime.fromisoformat(time).replace(tzinfo=UTC)
    monkeypatch.setattr(Context, "now", property(lambda _: moment))
    for module in ("connection", "recipient_check"):
        monkeypatch.setattr(f"runner.cli.{module}.CLOCK", replace(CLOCK, now=lambda: moment))


def test_a_hold_sends_nothing_and_says_why_without_asking(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    folder.write("HOLD", "Incident 7:\x1b[31m no mail\nmore\n")
    ran = folder.run("apply")
    assert ran.code == 75
    assert "0 sent by this run, 3 left: on hold by the file HOLD: Incident 7:[31m no mail\n" in ran.out
    assert "hint: remove HOLD to go on" in ran.out
    assert (intercom.messages, records(folder)) == ([], [])


def _hold_at_once(folder: Folder, reason: str) -> None:
    """Creates HOLD with its reason in one step, as git does: a run that reads it never finds it empty."""
    folder.write("HOLD.new", reason)
    (folder.path / "HOLD.new").replace(folder.path / "HOLD")


@pytest.mark.parametrize(
    ("change", "options", "code", "reason"),
    [
        (lambda folder: folder.write(".msgrun/stop", ""), (), 75, "on hold by the file .msgrun/stop"),
        (lambda folder: _hold_at_once(folder, "Incident 7"), (), 75, "on hold by the file HOLD: Incident 7"),
        (lambda _: None, ("--deadline", "0.001"), 75, "the time of --deadline is over"),
        (lambda _: os.kill(os.getpid(), signal.SIGINT), (), 130, "interrupted by Ctrl-C"),
        (lambda _: os.kill(os.getpid(), signal.SIGTERM), (), 143, "interrupted by SIGTERM"),
    ],
)
@pytest.mark.parametrize("batch_size", [1, 50])
def test_what_stops_a_run_also_stops_the_check_before_it(
    folder: Folder,
    intercom: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Folder], object],
    options: tuple[str, ...],
    code: int,
    reason: str,
    batch_size: int,
) -> None:
    changed: list[object] = []

    def find_and_change(_: ContactSearch, __: str, values: list[str]) -> object:
        if not changed:  # with the first batch
            changed.append(change(folder))
        return {value: [Contact(value, "user")] for value in values}  # no request that could outlast the test

    monkeypatch.setattr(ContactSearch, "find", find_and_change)
    monkeypatch.setattr(contact_lookup, "_MAX_BATCHES", 1)
    monkeypatch.setattr(contact_search, "IN_BATCH", batch_size)
    folder.message(LIST)
    ran = folder.run("apply", "--yes", "--new-lock", *options)
    assert ran.code == code, ran
    assert f"0 sent by this run, 3 left: {reason}\n" in ran.out
    assert (intercom.messages, records(folder)) == ([], [])


@pytest.mark.parametrize("file", ["HOLD", ".msgrun/stop"])
def test_a_hold_stands_above_plan_status_and_comment(folder: Folder, file: str) -> None:
    folder.message(LIST)
    folder.write(file, "Incident <b>7</b>\n")
    notice = f"! On hold by the file {file}, so apply sends nothing: Incident <b>7</b>\n"
    assert folder.run("plan").out.splitlines(keepends=True)[1] == notice
    assert folder.run("status").out.startswith(notice)
    stopped = folder.run("apply", "--yes")
    assert (stopped.code, f": on hold by the file {file}: Incident <b>7</b>\n" in stopped.out) == (75, True)
    comment = folder.run("plan", "--format", "markdown").out
    assert comment.index("> [!IMPORTANT]\n> On hold by the file ") < comment.index("**3 to send")
    assert "Incident <b>" not in comment
    assert '"notices": [' in folder.run("plan", "--format", "json").out


def test_a_hold_that_is_a_link_holds_and_shows_nothing_of_its_target(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    folder.write("../secret", "s3cret\n")
    (folder.path / "HOLD").symlink_to("../secret")
    ran = folder.run("apply", "--yes")
    assert (ran.code, "s3cret" in ran.out + ran.err) == (75, False)
    (folder.path / "HOLD").unlink()
    (folder.path / "HOLD").mkdir()
    assert folder.run("apply", "--yes").code == 75
    assert intercom.messages == []


def test_in_quiet_hours_nothing_is_sent_and_their_end_is_named(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.message(LIST)
    folder.write("msgrun.yaml", NIGHT)
    at(monkeypatch, "2026-11-28T22:00")
    ran = folder.run("apply")
    assert ran.code == 75
    assert "3 left: quiet hours until 2026-11-29 08:00 (Europe/Berlin)\n\nNext:\n  After that, send the 3" in ran.out
    assert intercom.messages == []
    at(monkeypatch, "2026-11-29T12:00")
    assert folder.run("apply", "--yes").code == 0


def test_the_plan_names_quiet_hours_at_any_time(folder: Folder) -> None:
    folder.message(LIST)
    folder.write("msgrun.yaml", NIGHT)
    assert "\n! Quiet hours: apply sends nothing from 20:00 to 08:00 (Europe/Berlin).\n" in folder.run("plan").out


def test_in_quiet_hours_a_message_that_cannot_wait_is_sent_and_the_plan_and_the_question_say_so(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.message(LIST)
    folder.message(LIST.replace("list", "outage").replace("Hi", "Down,") + "quiet_hours: ignore\n", "outage")
    folder.write("msgrun.yaml", NIGHT)
    at(monkeypatch, "2026-11-28T22:00")
    assert "    ! sent in quiet hours too (quiet_hours: ignore)\n" in folder.run("plan").out
    comment = folder.run("plan", "--format", "markdown").out
    assert "> [!WARNING]\n> - outage: sent in quiet hours too" in comment
    ran = folder.run("apply", "--yes")
    assert ran.code == 75
    assert "3 sent by this run, 3 left: quiet hours until 2026-11-29 08:00 (Europe/Berlin)\n" in ran.out
    assert {record["message"] for record in records(folder)} == {"outage"}
    assert len(intercom.messages) == 3


def test_frequency_leaves_out_who_got_a_message_this_week_and_offline_the_plan_says_that_it_does_not_know(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = "to:\n" + "".join(f"  - {{type: user, email: person{number}@example.com}}\n" for number in range(5))
    head = 'message_type: inapp\nfrom: {type: admin, id: "394051"}\n' + people
    folder.write("msgrun.yaml", "frequency: {max: 1, per: 7d}\n")
    folder.message(f"name: first\nbody: One\n{head}", "first")
    at(monkeypatch, "2026-11-28T10:00")
    assert "5 sent by this run" in folder.run("apply", "--yes").out
    folder.message(f"name: second\nbody: Two\n{head}", "second")
    at(monkeypatch, "2026-11-29T10:00")
    offline = folder.run("plan").out
    assert (
        "! Frequency: at most 1 message in 7 days to a contact. A plan without --online does not check it.\n" in offline
    )
    assert "    5 to send: " in offline
    comment = folder.run("plan", "--online", "--format", "markdown").out
    assert "- 5 excluded: more than 1 message in 7 days: `email:~" in comment
    ran = folder.run("apply", "--yes")
    assert ran.code == 0
    assert "- 5 excluded: more than 1 message in 7 days: email:~" in ran.out
    assert "(first on 2026-11-28 10:00 UTC; may be sent from 2026-12-05 10:00 UTC on)" in ran.out
    assert "no recipient is left" in ran.out
    assert [message["payload"]["body"] for message in intercom.messages] == ["One"] * 5
    at(monkeypatch, "2026-12-05T10:00:01")
    assert "5 sent by this run" in folder.run("apply", "--yes").out
