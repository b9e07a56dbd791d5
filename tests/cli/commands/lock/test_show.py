"""The records of the ledger: JSON for programs, a table for a person."""

import json

import pytest

from runner.cli.output import Output
from tests.cli.commands.test_status import append, line, rows
from tests.support.project import Folder


def test_show_prints_the_records_that_count(folder: Folder) -> None:
    append(folder, line("a", "1", "claimed"), line("b", "2", "claimed"), line("a", "1", "sent", id="7"))
    assert [json.loads(found)["status"] for found in folder.run("lock", "show", "aaaa").out.splitlines()] == ["sent"]
    assert len(folder.run("lock", "show").out.splitlines()) == 2
    assert folder.run("lock", "show", "dddd").code == 64


def test_a_person_reads_the_newest_records_in_a_table(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Output, "width_for_reading", 100)
    assert folder.run("lock", "show").out == "The ledger has no record.\n"
    append(folder, *(line("b", str(n), "claimed", at=f"2026-01-02T00:{n:02}:00Z") for n in range(2, 22)))
    append(folder, line("a", "1", "sent", id="7"))
    ran = folder.run("lock", "show")
    assert rows(ran.out)[:2] == [
        ["at (UTC)", "status", "message", "revision", "recipient", "key"],
        ["2026-01-02 00:02", "claimed", "list", "1", "id:b", "b" * 12],
    ]
    assert len(ran.out.splitlines()) == 1 + 20
    assert ran.err == "1 older record is not shown. All of them, as JSON: msgrun lock show | less\n"
    assert rows(folder.run("lock", "show", "aaaa").out)[1][-2:] == ["a" * 12, "7"]
