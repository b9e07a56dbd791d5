"""`lock export`: every record, as a lockfile."""

from tests.cli.commands.test_status import append, line
from tests.support.ledger_files import read_headers, read_records
from tests.support.project import Folder


def test_export_prints_a_header_with_the_id_and_every_record(folder: Folder) -> None:
    folder.run("lock", "begin")
    append(folder, line("b", "2", "sent", id="8"), line("a", "1", "claimed"), line("a", "1", "sent", id="7"))
    ran = folder.run("lock", "export")
    folder.write("printed.lock", ran.out)
    (header,) = read_headers(folder.path / "printed.lock")
    assert (ran.code, header["ledger"]) == (0, read_headers(folder.path / "messages.lock")[-1]["ledger"])
    exported = [(record["key"][0], record["status"]) for record in read_records(folder.path / "printed.lock")]
    assert exported == [("a", "sent"), ("b", "sent")]


def test_export_writes_a_new_file_and_never_an_old_one(folder: Folder) -> None:
    append(folder, line("a", "1", "sent", id="7"))
    ran = folder.run("lock", "export", "out.lock")
    assert (ran.code, ran.out) == (0, "wrote the records of 1 delivery in messages.lock to out.lock\n")
    before = (folder.path / "out.lock").read_bytes()
    append(folder, line("b", "2", "sent", id="8"))
    assert folder.run("lock", "export", "out.lock").code == 64
    assert (folder.path / "out.lock").read_bytes() == before


def test_what_was_exported_and_imported_is_the_same(folder: Folder) -> None:
    append(folder, line("a", "1", "sent", id="7"), line("b", "2", "unknown"), line("c", "3", "refused", code="x"))
    before = folder.run("lock", "export", "out.lock").code, folder.run("status", "--format", "json").out
    (folder.path / "messages.lock").unlink()
    assert folder.run("lock", "import", "out.lock", "--new-lock").code == 0
    assert (0, folder.run("status", "--format", "json").out) == before


def test_without_a_ledger_there_is_nothing_to_export(folder: Folder) -> None:
    (folder.path / "messages.lock").unlink()
    ran = folder.run("lock", "export", "out.lock")
    assert (ran.code, "there is no ledger messages.lock" in ran.err) == (5, True)
    assert not (folder.path / "out.lock").exists()


def test_a_ledger_that_moved_is_exported_with_a_note(folder: Folder) -> None:
    append(folder, line("a", "1", "sent", id="7"))
    assert folder.run("lock", "move", "--yes", "other.lock").code == 0
    folder.write("msgrun.yaml", "")
    ran = folder.run("lock", "export")
    assert (ran.code, "the ledger messages.lock moved to other.lock" in ran.err) == (0, True)
    assert '"id":"7"' in ran.out
