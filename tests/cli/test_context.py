"""?"""

from runner.compare.guard_settings import compare_guard_settings
from runner.declare.settings import Settings
from tests.support.project import SEED, Folder


def test_without_a_project_the_way_to_one_is_named(folder: Folder) -> None:
    (folder.path / "messages").rmdir()
    ran = folder.run("plan")
    assert ran.code == 64
    assert "msgrun init makes one" in ran.err


def test_a_folder_that_is_not_there_is_a_wrong_usage(folder: Folder) -> None:
    assert folder.run("-C", "nowhere", "plan").code == 64


def test_the_root_is_found_from_below(folder: Folder) -> None:
    folder.message(SEED, "news/seed")
    ran = folder.run("-C", str(folder.path / "messages" / "news"), "validate", "seed.yaml")
    assert ran.out == "1 message to 1 recipient: no problems\n"


def test_an_environment_that_is_not_declared_is_named_with_the_nearest(folder: Folder) -> None:
    folder.write("msgrun.yaml", "environments: {staging: {}}\n")
    ran = folder.run("-e", "stagin", "plan")
    assert ran.code == 64
    assert "did you mean staging?" in ran.err


def test_the_default_environment_is_that_of_commands_without_a_choice(folder: Folder) -> None:
    folder.write("msgrun.yaml", "default_environment: staging\nenvironments: {staging: {workspace: abc}}\n")
    folder.message(SEED)
    assert folder.run("plan").out.startswith("msgrun plan · staging · workspace abc\n")
    (folder.path / "messages.lock").unlink()
    unnamed = folder.run("-e", "default", "plan")
    assert unnamed.out.startswith("msgrun plan · workspace of the token\n")
    assert "start it: msgrun -e default lock begin" in unnamed.err


def test_a_change_of_the_default_environment_is_a_changed_guard() -> None:
    before = Settings()
    (change,) = compare_guard_settings({None: before}, {None: before._replace(default_environment="staging")})
    assert (change.name, change.before, change.now) == ("default_environment", "", "staging")


def test_git_never_sees_what_is_kept_below_msgrun(folder: Folder) -> None:
    folder.write(".msgrun/contacts-messages", "x\n")
    assert folder.run("plan").code == 0
    assert (folder.path / ".msgrun/.gitignore").read_text() == "*\n"
    (folder.path / ".msgrun/.gitignore").write_text("own\n")
    folder.run("plan")
    assert (folder.path / ".msgrun/.gitignore").read_text() == "own\n"
