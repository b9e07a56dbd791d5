"""audit: who applied what, when, in which run, as the records of the ledger say it."""

import csv
import json
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from runner.clock import new_run_id, parse_timestamp, time_of_run
from runner.sandbox import Sandbox
from tests.cli.commands.test_apply import LIST, records
from tests.cli.commands.test_status import append, line
from tests.support.project import Folder


def audit(folder: Folder, *args: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(folder.run("audit", "--format", "json", *args).out)["runs"]
    return rows


def in_git(folder: Folder) -> str:
    """Puts the project into git, with the user Ann. Returns the commit."""
    for args in (["init", "-q"], ["config", "user.name", "Ann"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run(["git", *args], cwd=folder.path, check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder.path, check=True, capture_output=True, text=True)
    return head.stdout.strip()


def test_each_run_says_who_applied_it_and_from_which_commit(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    commit = in_git(folder)
    assert folder.run("apply", "--yes").code == 0
    (row,) = audit(folder)
    assert (row["by"], row["where"], row["commit"], row["sent"]) == ("Ann", "local", commit, 3)
    assert str(row["plan"]).startswith("sha256:")
    named = [record for record in records(folder) if record.get("actor")]
    assert 1 <= len(named) <= 3, "a few records of a run, not every one"
    assert folder.run("lock", "compact").code == 0
    assert audit(folder) == [row], "compaction keeps it"
    assert intercom.messages


@pytest.mark.usefixtures("intercom")
def test_in_ci_it_is_whom_ci_names_with_the_url_of_the_job(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "CI": "true", "GITHUB_ACTOR": "ann", "GITHUB_TRIGGERING_ACTOR": "=bo", "GITHUB_RUN_ID": "7",
        "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/mail",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    folder.message(LIST)
    assert folder.run("apply", "--yes", "--lockfile-in-ci").code == 0
    (row,) = audit(folder)
    assert (row["by"], row["where"]) == ("=bo", "https://github.com/acme/mail/actions/runs/7")
    (cells,) = csv.DictReader(folder.run("audit", "--format", "csv").out.splitlines())
    assert cells["by"] == "'=bo", "no formula for a spreadsheet"


@pytest.mark.parametrize("name", ["ann@example.com", "\x1b[31m", ""])
@pytest.mark.usefixtures("intercom")
def test_an_email_address_or_controls_never_reach_the_ledger(
    name: str, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", name)
    monkeypatch.setenv("CI_JOB_URL", "https://user:secret@gitlab.example/1")
    folder.message(LIST)
    assert folder.run("apply", "--yes").code == 0
    text = (folder.path / "messages.lock").read_text()
    assert not any(part in text for part in ("ann@", "\\u001b", "secret"))


def test_outcomes_are_counted_by_attempt_and_decisions_stand_apart(folder: Folder) -> None:
    append(
        folder,
        line("a", "RUN1-1", "claimed", actor="ann"),
        line("a", "RUN1-1", "sent", id="1", actor="ann", at="2026-01-02T00:00:00Z"),
        line("a", "RUN1-1", "sent", id="1", by="accept", actor="cy", content="new", at="2026-01-05T00:00:00Z"),
        line("b", "RUN1-2", "claimed"),
        line("b", "RUN1-2", "unknown"),
        line("c", "RUN1-3", "refused", code="x"),
        line("d", "RUN1-4", "unknown"),
        line("d", "RUN1-4", "released", by="person", actor="bo", at="2026-01-03T00:00:00Z"),
        line("e", "RUN2-1", "sent", by="adopt", message="other"),
    )
    rows = {(row["command"], row["by"]): row for row in audit(folder)}
    assert [(key, rows[key]["sent"], rows[key]["decided"], rows[key]["not_sent"]) for key in rows] == [
        (("accept", "cy"), 0, 1, 0),
        (("resolve", "bo"), 0, 0, 1),
        (("apply", "ann"), 1, 0, 0),
        (("adopt", ""), 0, 1, 0),
    ]
    apply = rows["apply", "ann"]
    assert (apply["refused"], apply["unknown"], apply["resolved"], apply["first"], apply["last"]) == (
        1, 1, 1, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z",
    )  # fmt: skip
    assert [row["message"] for row in audit(folder, "other")] == ["other"]
    assert folder.run("audit", "othr").code == 64


@pytest.mark.usefixtures("intercom")
def test_a_decision_names_who_made_it(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.message(LIST)
    monkeypatch.setenv("GITHUB_ACTOR", "ann")
    assert folder.run("adopt", "list", "--yes").code == 0
    assert [(row["command"], row["by"], row["decided"]) for row in audit(folder)] == [("adopt", "ann", 3)]
    assert [record.get("actor") for record in records(folder)] == ["ann", None, None]


def test_as_text_it_fits_the_terminal(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    assert folder.run("audit").out == "The ledger has no run.\n"
    append(folder, line("a", "RUN1-1", "sent", id="1", actor="ann", run_url="https://ci.example/7"))
    append(folder, line("b", "RUN1-2", "sent", id="2", by="reconcile", message="news"))
    assert folder.run("audit").out.splitlines() == [
        "at (UTC)          command  message  result                         by   run   where  job",
        "2026-01-01 00:00  apply    list     1 sent                         ann  RUN1  CI",
        "2026-01-01 00:00  apply    news     1 sent (1 found by reconcile)  ann  RUN1  CI     https://ci.example/7",
    ]
    monkeypatch.setenv("COLUMNS", "90")
    assert folder.run("audit").out.splitlines()[1:] == [
        "2026-01-01 00:00  apply    list     1 sent                         ann  RUN1  CI",
        "2026-01-01 00:00  apply    news     1 sent (1 found by reconcile)  ann  RUN1  CI",
        "  https://ci.example/7",
    ]
    monkeypatch.setenv("COLUMNS", "60")
    assert folder.run("audit").out.splitlines() == [
        "at (UTC)          command  message",
        "2026-01-01 00:00  apply    list",
        "  1 sent · by ann · run RUN1 · CI",
        "2026-01-01 00:00  apply    news",
        "  1 sent (1 found by reconcile) · by ann · run RUN1 · CI",
        "    https://ci.example/7",
    ]


def test_revisions_have_a_column_if_a_message_has_several(folder: Folder) -> None:
    append(folder, line("a", "RUN1-1", "sent", id="1"), line("b", "RUN2-1", "sent", id="2", revision=2))
    heads, *rows = folder.run("audit").out.splitlines()
    assert "revision" in heads
    assert sorted(row.split()[4] for row in rows) == ["1", "2"]


def test_a_decision_has_its_own_words_and_the_time_when_it_was_made(folder: Folder) -> None:
    append(
        folder,
        line("a", "RUN1-1", "sent", by="person", decided="2026-01-04T00:00:00Z"),
        line("b", "RUN1-2", "released", by="person", at="2026-01-04T00:00:00Z", actor="ann"),
        line("f", "RUN1-6", "released", by="person", at="2026-01-03T00:00:00Z", actor="bo"),
        line("c", "RUN1-3", "sent", id="1"),
        line("c", "RUN1-3", "sent", id="1", by="accept", at="2026-01-05T00:00:00Z"),
        line("d", "RUN1-4", "sent", id="2"),
        line("d", "RUN2-1", "sent", id="3", by="person", code="duplicate", at="2026-01-06T00:00:00Z"),
        line("e", "RUN3-1", "sent", by="adopt"),
    )
    assert [" ".join(row.split()) for row in folder.run("audit").out.splitlines()[1:]] == [
        "2026-01-06 00:00 resolve list 1 acknowledged as sent twice of RUN2",
        "2026-01-05 00:00 accept list 1 accepted of RUN1",
        "2026-01-04 00:00 resolve list 1 marked as sent, 1 as not sent ann of RUN1 local",
        "2026-01-03 00:00 resolve list 1 marked as not sent bo of RUN1 local",
        "2026-01-01 00:00 adopt list 1 adopted RUN3",
        "2026-01-01 00:00 apply list 2 sent, 3 unknown until resolved RUN1",
    ]


def test_the_row_of_a_run_keeps_its_plan_after_all_it_left_unknown_is_resolved(folder: Folder) -> None:
    append(folder, line("a", "RUN1-1", "unknown", plan="sha256:1"), line("b", "RUN1-2", "unknown", plan="sha256:1"))
    (before,) = audit(folder)
    assert (before["unknown"], before["plan"]) == (2, "sha256:1")
    assert folder.run("resolve", "--message", "list", "--all", "--not-sent", "--yes").code == 0
    decision, after = audit(folder)
    assert (decision["command"], decision["not_sent"]) == ("resolve", 2)
    assert after == {**before, "unknown": 0, "resolved": 2, "first": after["first"], "last": after["last"]}


def test_a_run_whose_only_delivery_was_resolved_keeps_its_time(folder: Folder) -> None:
    run = new_run_id()
    append(folder, line("a", f"{run}-1", "unknown", run=run))
    began = datetime.now(UTC)
    assert folder.run("resolve", "a" * 12, "--not-sent", "--yes").code == 0
    after = audit(folder)[-1]
    assert abs(parse_timestamp(after["first"]) - began) < timedelta(seconds=2)
    assert time_of_run("01M8K7J83QW4FHWDB3VMVT6V33") == "2026-11-29T08:43:22Z"
    assert [time_of_run(other) for other in ("RUN1", "", "x" * 26, "Z" * 26)] == ["", "", "", ""]


def test_an_address_in_place_of_a_message_leads_to_the_command_that_takes_it(folder: Folder) -> None:
    for command in ("audit", "reconcile"):
        ran = folder.run(command, "ann@example.com", "--show-values")
        assert ran.code == 64
        assert ran.err.endswith("  hint: for what this recipient got: msgrun status ann@example.com\n")
    assert "ann@" not in folder.run("audit", "ann@example.com").err


def test_only_what_is_not_older_is_listed(folder: Folder) -> None:
    append(folder, line("a", "RUN1-1", "sent", id="1"), line("b", "RUN2-1", "sent", id="2", at="2026-02-01T00:00:00Z"))
    assert len(folder.run("audit", "--since", "2026-02-01").out.splitlines()) == 2
    assert len(folder.run("audit", "--since", "9999d").out.splitlines()) == 3
    assert folder.run("audit", "--since", "2999-01-01").out == "The ledger has no run since 2999-01-01.\n"
    assert (
        folder.run("audit", "list", "--since", "2999-01-01").out == "The ledger has no run of list since 2999-01-01.\n"
    )
    wrong = folder.run("audit", "--since", "yesterday")
    assert (wrong.code, "as 2026-11-21, or 7d" in wrong.err) == (64, True)


def test_where_to_see_who_was_refused_or_is_unknown_is_said(folder: Folder) -> None:
    append(folder, line("a", "1", "sent", id="1"))
    assert "Next:" not in folder.run("audit").out
    append(folder, line("b", "2", "refused"), line("c", "3", "unknown").replace('"list"', '"other"'))
    steps = folder.run("audit").out.partition("\nNext:\n")[2]
    assert sorted(steps.splitlines()[1:]) == ["    msgrun status list", "    msgrun status other"]
