"""A new project: what init writes, and that nothing of it is sent before it was edited."""

import json
import subprocess
from pathlib import Path

import pytest

from runner.report.layout import fits
from tests.support.ledger_files import read_headers, read_settings
from tests.support.project import PACKAGE, SEED, Folder


def test_init_scaffolds_a_project_that_works_at_once(folder: Folder, tmp_path: Path) -> None:
    root = tmp_path / "new"
    here = Folder(root, folder.capture)
    ran = folder.run("init", "new")
    assert ran.code == 0
    assert "\n    msgrun plan\n" in ran.err
    assert (root / "messages.lock").read_text().count("\n") == 1
    assert "messages.lock -text merge=union" in (root / ".gitattributes").read_text()
    assert ".msgrun/" in (root / ".gitignore").read_text()
    assert here.run("validate").code == 0
    assert json.loads(here.run("plan", "--format", "json").out)["counts"]["send"] == 0
    message = root / "messages/welcome.yaml"
    lines = message.read_text().splitlines(keepends=True)
    message.write_text("".join(line for line in lines if not line.startswith("not_before:")))
    assert json.loads(here.run("plan", "--format", "json").out)["counts"]["send"] == 2
    assert here.run("--sandbox", "apply", "--yes").code == 0
    assert json.loads(here.run("--sandbox", "status", "--format", "json").out)["counts"]["sent"] == 2


def test_a_folder_with_messages_gets_no_example_on_top_of_them(folder: Folder) -> None:
    folder.write("old/messages/news.yaml", SEED)
    ran = folder.run("init", "old")
    assert ran.code == 0
    assert "welcome" not in ran.out + ran.err
    assert "  Write a message:\n    msgrun new NAME\n" in ran.err
    assert [path.name for path in (folder.path / "old/messages").iterdir()] == ["news.yaml"]
    assert not (folder.path / "old/audiences").exists()


@pytest.mark.parametrize(("branch", "applied"), [("trunk", "trunk"), ("main", "main")])
def test_the_workflow_applies_the_branch_that_the_repository_has(folder: Folder, branch: str, applied: str) -> None:
    subprocess.run(["git", "init", "--quiet", "--initial-branch", branch, str(folder.path / "new")], check=True)
    ran = folder.run("init", "new", "--gitlab", "--from", "msgrun==0.1.0")
    assert f"Its jobs install msgrun==0.1.0, and apply what is merged into {applied}.\n" in ran.err


def test_a_workflow_that_was_kept_is_not_said_to_install_another_msgrun(folder: Folder) -> None:
    folder.run("init", "new", "--gitlab", "--from", "msgrun==0.1.0")
    err = folder.run("-C", "new", "init", "--gitlab", "--from", "msgrun==0.2.0").err
    assert "jobs install" not in err
    assert ".gitlab/msgrun.yml does not install msgrun==0.2.0. To renew it, remove both files and run this" in err


def test_in_a_part_of_a_repository_the_workflow_is_committed_and_pushed_before_the_ledger_begins(
    folder: Folder,
) -> None:
    subprocess.run(["git", "init", "--quiet", str(folder.path / "top")], check=True)
    err = folder.run("-C", "top", "init", "part", "--github", "--from", "msgrun==0.1.0").err
    push = "git add . ../.github && git commit -m Begin\n    git remote add origin URL && git push -u origin HEAD\n"
    assert push in err
    assert "msgrun -C top lock begin" in err.partition(push)[2]


def test_the_pipeline_of_gitlab_is_included_and_the_project_set_up_before_the_push(folder: Folder) -> None:
    subprocess.run(["git", "init", "--quiet", str(folder.path / "top")], check=True)
    err = folder.run("-C", "top", "init", "part", "--gitlab", "--from", "msgrun==0.1.0").err
    setup, _, push = err.partition("git add . ../.gitlab ../.gitlab-ci.yml && git commit -m Begin\n")
    assert "Include the pipeline in .gitlab-ci.yml:\n    include:\n      - local: .gitlab/msgrun.yml\n" in setup
    assert "  Set up the project on GitLab, once, as the first lines of .gitlab/msgrun.yml say\n" in setup
    assert "git push" in push


def test_the_next_steps_fit_a_narrow_terminal_and_keep_their_commands(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    steps = folder.run("init", "new").err
    assert fits(steps.splitlines(), 60)
    assert "\n    git init && git add . && git commit -m Begin\n" in steps


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


def test_init_writes_one_id_to_the_settings_and_to_the_lockfile(folder: Folder) -> None:
    folder.run("init", "new")
    (header,) = read_headers(folder.path / "new/messages.lock")
    assert read_settings(folder.path / "new")["ledger"] == header["ledger"]
    assert header["ledger"]
    assert "turn" not in header


@pytest.mark.parametrize("system", ["--github", "--gitlab"])
def test_init_for_ci_names_a_branch_and_leaves_the_id_to_lock_begin(folder: Folder, system: str) -> None:
    assert folder.run("init", "new", system, "--from", PACKAGE).code == 0
    settings = read_settings(folder.path / "new")
    assert (settings["lock"], "ledger" in settings) == ("git+origin", False)
    assert not (folder.path / "new/messages.lock").exists()


def test_a_workflow_for_a_project_with_a_ledger_does_not_edit_where_it_is(folder: Folder) -> None:
    folder.run("init", "new")
    here = Folder(folder.path / "new", folder.capture)
    before = (here.path / "msgrun.yaml").read_text()
    ran = here.run("init", "--github", "--from", PACKAGE)
    assert (ran.code, "where CI needs it:\n    msgrun lock move git+origin\n" in ran.err) == (0, True)
    assert (here.path / "msgrun.yaml").read_text() == before


def test_the_next_steps_begin_with_the_new_folder_and_git(folder: Folder) -> None:
    begun = folder.run("init", "my messages").err
    assert "\n    cd 'my messages'\n" in begun
    assert "\n    git init && git add" in begun


def test_a_project_that_git_has_needs_no_first_commit(folder: Folder) -> None:
    subprocess.run(["git", "init", "--quiet", str(folder.path / "part")], check=True)
    assert (
        "Put it under version control:\n    git -C part add . && git -C part commit"
        in folder.run("-C", "part", "init").err
    )
    subprocess.run(["git", "-C", str(folder.path / "part"), "add", "."], check=True)
    assert "version control" not in folder.run("-C", "part", "init").err
