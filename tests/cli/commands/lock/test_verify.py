"""`lock verify`: a ledger can be read, and with `--against` no pull request changes what was sent."""

import json

import pytest

from runner.ledger.record import salt_check
from tests.cli.commands.test_status import append, line
from tests.support.clones import HEADER, Clone
from tests.support.ledger_files import read_settings
from tests.support.project import Folder, Ran

AGAINST = ("lock", "verify", "--against", "origin/main")


def push(author: Clone) -> None:
    author.commit()
    author.git("push", "--quiet")


def verify(author: Clone, *options: str) -> Ran:
    return author.msgrun(*options, *AGAINST)


def extend(author: Clone, name: str, text: str) -> None:
    author.write(name, (author.path / name).read_text() + text)


@pytest.fixture
def sent(author: Clone) -> Clone:
    """A project with an id, a record and a branch for a pull request."""
    assert author.msgrun("lock", "begin").code == 0
    assert author.msgrun("apply", "--yes", "--limit", "1").code == 0
    push(author)
    author.git("checkout", "--quiet", "-b", "request")
    return author


def test_a_ledger_that_can_be_read(folder: Folder) -> None:
    append(folder, line("a", "1", "sent", id="7"))
    ran = folder.run("lock", "verify")
    assert (ran.code, ran.out) == (0, "messages.lock: 1 delivery, every line can be read\n")


def test_a_torn_line_goes_with_the_command_that_verify_names(folder: Folder) -> None:
    append(folder, line("a", "1", "sent", id="7"))
    path = folder.path / "messages.lock"
    path.write_text(path.read_text() + '{"key":"aa\n')
    ran = folder.run("lock", "verify")
    assert (ran.code, "Write the ledger again, without torn lines:\n    msgrun lock compact\n" in ran.out) == (1, True)
    assert folder.run("lock", "compact").code == 0
    assert folder.run("lock", "verify").code == 0


@pytest.mark.parametrize(
    ("field", "values"),
    [("workspace", ("acme", "other")), ("ledger", ("01M80N0000000000000000000A", "01M80N0000000000000000000B"))],
)
def test_headers_that_contradict_each_other_are_refused(folder: Folder, field: str, values: tuple[str, ...]) -> None:
    headers = [{"msgrun_lock": 1, "workspace": "", "salt_check": "", field: value} for value in values]
    folder.write("messages.lock", "".join(json.dumps(header) + "\n" for header in headers))
    ran = folder.run("lock", "verify")
    assert (ran.code, " and ".join(values) in ran.err) == (5, True)


def test_commits_that_do_not_touch_the_ledger_are_fine(sent: Clone) -> None:
    sent.write("messages/first.yaml", (sent.path / "messages/first.yaml").read_text() + "# a change\n")
    sent.commit()
    ran = verify(sent)
    result = (
        "messages.lock: 1 delivery, every line can be read. The commits since origin/main change no record of a ledger."
    )
    assert (ran.code, " ".join(ran.out.split())) == (0, result)


def test_a_ref_that_does_not_exist_is_named(sent: Clone) -> None:
    ran = sent.msgrun("lock", "verify", "--against", "nosuch")
    assert (ran.code, "nosuch is not a commit of this repository" in ran.err) == (64, True)


@pytest.mark.parametrize("lock", ["", "git+origin"])
def test_a_record_that_is_added_is_refused_whatever_lock_is(sent: Clone, lock: str) -> None:
    if lock:
        assert sent.msgrun("lock", "move", "--yes", lock).code == 0
        sent.commit()
        sent.git("push", "--quiet", "origin", "HEAD:main")
    extend(sent, "messages.lock", line("a", "1", "sent", id="7"))
    sent.commit()
    ran = verify(sent)
    assert (ran.code, "these commits change messages.lock: 1 records added, 0 removed" in ran.err) == (5, True)
    assert "git checkout origin/main -- messages.lock" in ran.err


def test_a_record_that_is_removed_is_refused(sent: Clone) -> None:
    lines = (sent.path / "messages.lock").read_text().splitlines(keepends=True)
    sent.write("messages.lock", "".join(text for text in lines if '"key"' not in text))
    sent.commit()
    ran = verify(sent)
    assert (ran.code, "0 records added, 1 removed" in ran.err) == (5, True)


@pytest.mark.parametrize(
    "more", [{"turn": 1, "moved": "git+origin"}, {"turn": 9, "from": "x.lock"}, {"workspace": "x"}]
)
def test_a_header_that_is_added_is_refused(author: Clone, more: dict[str, object]) -> None:
    """The ledger has no id and no record, so nothing else of it contradicts the header."""
    header = json.loads((author.path / "messages.lock").read_text())
    author.git("checkout", "--quiet", "-b", "request")
    extend(author, "messages.lock", json.dumps({**header, **more}) + "\n")
    author.commit()
    ran = verify(author)
    assert (ran.code, "and what it says of itself changed" in ran.err) == (5, True)


def test_a_header_that_is_removed_is_refused(sent: Clone) -> None:
    lines = (sent.path / "messages.lock").read_text().splitlines(keepends=True)
    header = json.loads(lines[-1]) if '"msgrun_lock"' in lines[-1] else json.loads(lines[0])
    without = json.dumps({**header, "ledger": "", "workspace": ""}) + "\n"
    sent.write("messages.lock", without + "".join(text for text in lines if '"key"' in text))
    sent.commit()
    assert verify(sent).code == 5


def test_a_new_lockfile_may_come_without_records_and_marks(author: Clone) -> None:
    header = HEADER % salt_check("rehearsal")
    author.git("checkout", "--quiet", "-b", "request")
    extend(author, "msgrun.yaml", "environments:\n  eu: {}\n")
    author.write("messages.eu.lock", header)
    author.commit()
    assert verify(author).code == 0
    for text in (
        line("a", "1", "sent", id="7"),
        json.dumps({**json.loads(header), "turn": 1, "moved": "x.lock"}) + "\n",
    ):
        author.write("messages.eu.lock", header + text)
        author.commit()
        ran = verify(author)
        assert (ran.code, "these commits change messages.eu.lock" in ran.err) == (5, True)


def test_the_file_may_be_removed_once_the_ledger_moved_to_a_branch(sent: Clone) -> None:
    assert sent.msgrun("lock", "move", "--yes", "git+origin").code == 0
    (sent.path / "messages.lock").unlink()
    sent.commit()
    assert verify(sent).code == 0


def test_the_file_may_not_be_removed_while_it_is_the_ledger(sent: Clone) -> None:
    (sent.path / "messages.lock").unlink()
    sent.commit()
    ran = verify(sent)
    assert (ran.code, "these commits remove messages.lock" in ran.err) == (5, True)


def test_the_file_may_not_be_removed_if_the_ledger_lacks_a_record_of_it(sent: Clone) -> None:
    """The ledger is another one, with an id of its own, so what the file has does not count."""
    extend(sent, "msgrun.yaml", "lock: git+origin\n")
    assert sent.msgrun("lock", "begin", "--abandon-previous", "--yes").code == 0
    (sent.path / "messages.lock").unlink()
    sent.commit()
    ran = verify(sent)
    assert (ran.code, "these commits remove messages.lock: 0 records added, 1 removed" in ran.err) == (5, True)


def test_a_file_of_another_environment_is_compared_with_the_ledger_of_that_environment(author: Clone) -> None:
    """The default environment has a record of the same key; the ledger of eu, now another file, has none."""
    header = HEADER % salt_check("rehearsal")
    settings = (author.path / "msgrun.yaml").read_text()
    author.write("msgrun.yaml", f"{settings}environments:\n  eu: {{}}\n")
    for name in ("messages.lock", "messages.eu.lock"):
        author.write(name, header + line("a", "1", "sent", id="7"))
    push(author)
    author.git("checkout", "--quiet", "-b", "request")
    author.write("msgrun.yaml", f"{settings}environments:\n  eu: {{lock: new.lock}}\n")
    author.write("new.lock", header)
    (author.path / "messages.eu.lock").unlink()
    author.commit()
    for options in ((), ("-e", "eu")):
        ran = verify(author, *options)
        assert (ran.code, "these commits remove messages.eu.lock" in ran.err) == (5, True), options


def test_an_environment_that_moved_may_remove_its_file_whichever_is_verified(author: Clone) -> None:
    extend(author, "msgrun.yaml", "environments:\n  eu: {}\n")
    assert author.msgrun("-e", "eu", "lock", "begin").code == 0
    assert author.msgrun("-e", "eu", "apply", "--yes", "--limit", "1").code == 0
    push(author)
    author.git("checkout", "--quiet", "-b", "request")
    assert author.msgrun("-e", "eu", "lock", "move", "--yes", "git+origin").code == 0
    assert read_settings(author.path)["environments"]["eu"]["lock"] == "git+origin"
    (author.path / "messages.eu.lock").unlink()
    author.commit()
    for options in ((), ("-e", "eu")):
        assert verify(author, *options).code == 0, options


def test_the_hint_for_a_lockfile_that_was_added_removes_it(sent: Clone) -> None:
    extend(sent, "msgrun.yaml", "environments: {eu: {vars: {a: b}}}\n")
    sent.write("messages.eu.lock", line("a", "1", "sent", id="7"))
    sent.commit()
    ran = verify(sent)
    assert (ran.code, "git rm -f messages.eu.lock\n" in ran.err) == (5, True)
    sent.git("rm", "-qf", "messages.eu.lock")
    sent.commit()
    assert verify(sent).code == 0
