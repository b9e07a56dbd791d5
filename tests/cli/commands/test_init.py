"""?"""

from pathlib import Path

from tests.support.project import Folder


def test_init_scaffolds_a_project_that_works_at_once(folder: Folder, tmp_path: Path) -> None:
    root = tmp_path / "new"
    here = Folder(root, folder.capture)
    ran = folder.run("init", "new")
    assert ran.code == 0
    assert (root / "messages.lock").read_text().count("\n") == 1
    assert "messages.lock -text merge=union" in (root / ".gitattributes").read_text()
    assert ".msgrun/" in (root / ".gitignore").read_text()
    assert here.run("validate").code == 0
    assert here.run("plan").code == 0
    assert here.run("--sandbox", "apply", "--yes").code == 0
    assert here.run("--sandbox", "apply", "--yes").out.splitlines()[-1] == "nothing to do"


def test_init_changes_nothing_that_exists(folder: Folder) -> None:
    folder.write("msgrun.yaml", "region: eu\n")
    folder.write(".gitignore", "*.pyc")
    lock = (folder.path / "messages.lock").read_text()
    ran = folder.run("init")
    assert ran.code == 0
    assert "kept     msgrun.yaml" in ran.out
    assert "extended .gitignore" in ran.out
    assert (folder.path / "msgrun.yaml").read_text() == "region: eu\n"
    assert (folder.path / ".gitignore").read_text() == "*.pyc\n.msgrun/\n"
    assert (folder.path / "messages.lock").read_text() == lock
    assert "kept     .gitignore" in folder.run("init").out


def test_two_projects_have_different_salts(folder: Folder) -> None:
    folder.run("init", "one")
    folder.run("init", "two")
    assert (folder.path / "one/msgrun.yaml").read_text() != (folder.path / "two/msgrun.yaml").read_text()


def test_init_where_nothing_can_be_written_says_so(folder: Folder) -> None:
    folder.write("file", "")
    assert folder.run("-C", str(folder.path / "file"), "init").code == 64
