"""`lock import`: records only add up, and what would settle an open attempt is asked."""

import json

import pytest

from runner.ledger.facts import Facts
from tests.cli.commands.test_apply import LIST
from tests.cli.commands.test_status import append, line
from tests.support.ledger_files import read_records
from tests.support.project import Folder

HEADER = '{"msgrun_lock":1,"workspace":"","salt_check":"9165df25"}\n'


def test_records_are_added_once(folder: Folder) -> None:
    append(folder, line("a", "1", "sent", id="7"))
    folder.write("other.lock", HEADER + line("a", "1", "sent", id="7") + line("b", "2", "sent", id="8"))
    ran = folder.run("lock", "import", "other.lock")
    assert (ran.code, ran.out) == (0, "1 record added to messages.lock; 1 more delivery counts as sent\n")
    assert folder.run("lock", "import", "other.lock").out == "messages.lock has every record of other.lock\n"
    assert [record["id"] for record in read_records(folder.path / "messages.lock")] == ["7", "8"]


def test_records_of_another_ledger_are_asked_and_those_without_an_id_are_not(folder: Folder) -> None:
    def header(ledger_id: str) -> str:
        return HEADER.replace(",", f',"ledger":"{ledger_id}",', 1)

    own, other = "01M80N0000000000000000000A", "01M80N0000000000000000000B"
    append(folder, header(own) + line("a", "1", "sent", id="7"))
    rows = line("a", "2", "sent", id="9") + line("b", "3", "sent", id="8")
    folder.write("other.lock", header(other) + rows)
    ran = folder.run("lock", "import", "other.lock")
    assert (ran.code, len(read_records(folder.path / "messages.lock"))) == (5, 1)
    assert (
        "other.lock is of another ledger. 1 delivery more would count as sent here, and is not sent any more."
        " 1 delivery would count as sent twice. Its records cannot be taken out again. Add them?" in ran.err
    )
    assert "hint: pass --yes: msgrun lock import other.lock --yes\n" in ran.err
    folder.write("msgrun.yaml", f"environments: {{staging: {{ledger: {other}}}}}\n")
    assert "is of another ledger, that of the environment staging. 1 " in folder.run("lock", "import", "other.lock").err
    folder.write("same.lock", header(own) + line("b", "3", "sent", id="8"))
    assert folder.run("lock", "import", "same.lock").code == 0
    assert folder.run("lock", "import", "other.lock", "--yes").code == 5  # a duplicate is there now
    assert folder.run("lock", "import", "other.lock").out == "messages.lock has every record of other.lock\n"


def test_an_open_attempt_that_the_file_has_too_is_not_asked(folder: Folder) -> None:
    append(folder, line("a", "1", "claimed"))
    folder.write("other.lock", HEADER + line("a", "1", "unknown") + line("b", "2", "claimed"))
    assert folder.run("lock", "import", "other.lock").code == 0


@pytest.mark.parametrize("outcome", [line("a", "1", "released", by="run"), line("a", "1", "sent", id="7")])
def test_what_settles_an_open_attempt_is_asked(folder: Folder, outcome: str) -> None:
    append(folder, line("a", "1", "claimed"))
    folder.write("other.lock", HEADER + outcome + line("b", "2", "sent", id="8"))
    ran = folder.run("lock", "import", "other.lock")
    assert (ran.code, "--yes" in ran.err) == (5, True)
    assert [record["status"] for record in read_records(folder.path / "messages.lock")] == ["claimed"]
    assert folder.run("lock", "import", "other.lock", "--yes").code == 0
    assert len(read_records(folder.path / "messages.lock")) == 3


def test_the_attempts_of_one_key_are_read_once_and_not_once_for_each(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, records_of = [], Facts.records_of
    append(folder, "".join(line("a", str(number), "claimed") for number in range(100)))
    outcomes = "".join(line("a", str(number), "sent", id=str(number)) for number in range(100))
    folder.write("other.lock", HEADER + outcomes)
    monkeypatch.setattr(Facts, "records_of", lambda facts, key: reads.append(key) or records_of(facts, key))
    assert folder.run("lock", "import", "other.lock", "--yes").code == 5  # one recipient got all of them
    assert len(read_records(folder.path / "messages.lock")) == 200
    assert len(reads) <= 5


def test_a_released_attempt_that_is_not_open_is_not_asked(folder: Folder) -> None:
    append(folder, line("a", "1", "sent", id="7"))
    folder.write("other.lock", HEADER + line("a", "1", "released", by="run"))
    assert folder.run("lock", "import", "other.lock").code == 0
    assert json.loads(folder.run("status", "--format", "json").out)["counts"]["sent"] == 1


def test_a_rescue_file_needs_no_header(folder: Folder) -> None:
    folder.write("ID.rescue", line("b", "2", "sent", id="8"))
    assert folder.run("lock", "import", "ID.rescue").code == 0
    assert len(read_records(folder.path / "messages.lock")) == 1


@pytest.mark.parametrize(
    ("header", "code"),
    [(HEADER.replace("9165df25", "00000000"), 5), (HEADER.replace('workspace":""', 'workspace":"other"'), 5),
     (HEADER.replace('lock":1', 'lock":2'), 6)],
)  # fmt: skip
def test_a_file_of_another_salt_workspace_or_version_adds_nothing(folder: Folder, header: str, code: int) -> None:
    append(folder, HEADER.replace('workspace":""', 'workspace":"acme"'))
    folder.write("other.lock", header + line("b", "2", "sent", id="8"))
    assert folder.run("lock", "import", "other.lock").code == code
    assert not read_records(folder.path / "messages.lock")


def test_a_file_of_another_project_or_without_records_is_named_as_such(folder: Folder) -> None:
    append(folder, line("a", "1", "sent", id="7"))
    folder.write("other.lock", HEADER.replace("9165df25", "00000000") + line("b", "2", "sent", id="8"))
    err = folder.run("lock", "import", "other.lock").err
    assert "other.lock is of another project: it was written with another salt. Nothing was added" in err
    folder.write("empty.lock", "")
    assert "empty.lock has no records of a ledger" in folder.run("lock", "import", "empty.lock").err
    folder.write("any.json", '{"a": 1}\n')
    assert folder.run("lock", "import", "any.json").err == "error: any.json is not a lockfile\n"
    folder.message(LIST)
    folder.run("plan", "--out", "plan.json")
    ran = folder.run("lock", "import", "plan.json")
    hint = "  hint: to send what it holds: msgrun apply --plan plan.json\n"
    assert (ran.code, ran.err) == (64, f"error: plan.json is a saved plan, not a lockfile\n{hint}")


def test_a_damaged_file_is_asked(folder: Folder) -> None:
    append(folder, line("a", "1", "sent", id="7"))
    folder.write("other.lock", HEADER + line("b", "2", "sent", id="8") + line("c", "3", "sent", id="9")[:-9] + "\n")
    ran = folder.run("lock", "import", "other.lock")
    assert (ran.code, "other.lock has 1 damaged line, and may lack records. What is added" in ran.err) == (5, True)
    assert len(read_records(folder.path / "messages.lock")) == 1
    assert folder.run("lock", "import", "other.lock", "--yes").code == 0


def test_a_file_that_is_not_there_is_wrong_usage(folder: Folder) -> None:
    assert folder.run("lock", "import", "other.lock").code == 64


def test_a_duplicate_that_comes_with_the_file_is_reported(folder: Folder) -> None:
    append(folder, line("a", "1", "sent", id="7"))
    folder.write("other.lock", HEADER + line("a", "2", "sent", id="8"))
    for args in (("lock", "import", "other.lock"), ("status",)):
        ran = folder.run(*args)
        assert (ran.code, ran.err.count("msgrun resolve aaaaaaaaaaaa --duplicate")) == (5, 1)
