"""The records of the ledger: JSON for programs, a table for a person."""

import json

import pytest

from runner.cli.output import Output
from tests.cli.commands.test_status import append, line, rows
from tests.support.project import Folder


def test_show_prints_the_records_that_count(folder: Folder) -> None:
    append(folder, line("a", "1", "claimed"), line("b", "2", "claimed"), line("a", "1", "sent", id="7"))
    append(folder, line("c", "3", "claimed"), line("c", "3", "unknown"))
    assert [json.loads(found)["status"] for found in folder.run("lock", "show", "aaaa").out.splitlines()] == ["sent"]
    assert [json.loads(found)["status"] for found in folder.run("lock", "show", "cccc").out.splitlines()] == ["unknown"]
    assert len(folder.run("lock", "show").out.splitlines()) == 3
    assert len(folder.run("lock", "show", "-v").out.splitlines()) == 4
    for key, hint in (("dddd", "msgrun status"), ("list", "msgrun status list")):
        ran = folder.run("lock", "show", key)
        assert (ran.code, ran.err.endswith(f"\n  hint: {hint}\n")) == (64, True)


def test_a_person_reads_the_newest_records_in_a_table(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Output, "width_for_reading", 100)
    monkeypatch.setenv("COLUMNS", "100")
    assert folder.run("lock", "show").out == "The ledger has no record.\n"
    append(folder, *(line("b", str(n), "claimed", at=f"2026-01-02T00:{n:02}:00Z") for n in range(2, 22)))
    append(folder, line("a", "1", "sent", id="7", by="reconcile"))
    ran = folder.run("lock", "show")
    assert rows(ran.out)[:2] == [
        ["at (UTC)", "status", "message", "recipient", "key"],
        ["2026-01-02 00:02", "claimed", "list", "id:b", "b" * 12],
    ]
    assert len(ran.out.splitlines()) == 1 + 20
    assert ran.err == "--all also shows 1 older attempt.\n"
    assert rows(folder.run("lock", "show", "aaaa").out)[1][-2:] == ["a" * 12, "message 7, by reconcile"]
    assert len(folder.run("lock", "show", "--all").out.splitlines()) == 1 + 21


def test_a_person_reads_the_last_record_of_each_attempt_in_the_order_of_the_run(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Output, "width_for_reading", 60)
    monkeypatch.setenv("COLUMNS", "60")
    append(folder, line("a", "R-10", "claimed", revision=2), line("a", "R-10", "unknown", code="http_500", revision=2))
    append(folder, line("b", "R-9", "claimed", message="news-for-all-of-our-customers"))
    append(folder, line("c", "R-2", "sent", id="7"), line("c", "R-2", "sent", by="accept", at="2026-01-02T00:00:00Z"))
    assert folder.run("lock", "show").out.splitlines() == [
        "at (UTC)          status   message",
        "2026-01-01 00:00  claimed  news-for-all-of-our-customers",
        f"  id:b · key {'b' * 12}",
        "2026-01-01 00:00  unknown  list revision 2",
        f"  id:a · key {'a' * 12} · http_500",
        "2026-01-02 00:00  sent     list",
        f"  id:c · key {'c' * 12} · by accept",
    ]
    verbose = folder.run("lock", "show", "-v").out.splitlines()
    assert [text.split()[2] for text in verbose[1::2]] == ["sent", "claimed", "claimed", "unknown", "sent"]
