"""No link of a pull request makes msgrun read, quote or write a file outside the project, or one that is hidden."""

import os
from pathlib import Path

import pytest

from runner.ledger.record import salt_check
from runner.sandbox import Sandbox
from tests.support.clones import HEADER, Clone, message
from tests.support.project import PACKAGE, run_in_process

SECRET = "correct-horse-battery-staple"
LEAK = "messages/leak.yaml"


def body(line: str, name: str = "leak") -> str:
    """A declaration to one recipient, with this line for its body."""
    return f"name: {name}\nmessage_type: inapp\nfrom: {{type: admin, id: '1'}}\nto: {{type: user, id: a1}}\n{line}\n"


def rows(source: str, name: str = "leak") -> str:
    """A declaration to the rows of a source."""
    to = f"{{{source}, type: user, id: '{{{{ who }}}}'}}"
    return f"name: {name}\nmessage_type: inapp\nfrom: {{type: admin, id: '1'}}\nbody: Hi\nto: {to}\n"


# Each is what a pull request adds: files, and links by where they lead. OUT is a folder beside the project.
READS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "messages": ({}, {"messages": "OUT/messages"}),
    "messages, hidden": ({}, {"messages": ".hidden"}),
    "a folder of messages": ({}, {"messages/more": "OUT/messages"}),
    "a declaration": ({}, {"messages/more.yaml": "OUT/messages/leak.yaml"}),
    "a declaration, hidden": ({}, {"messages/more.yaml": "../.env"}),
    "a secret as a declaration": ({}, {"messages/more.yaml": "OUT/passwd"}),
    "a link to a link": ({}, {"messages/more.yaml": "next.yaml", "messages/next.yaml": "OUT/passwd"}),
    "a body": ({LEAK: body("body_file: x.html")}, {"messages/x.html": "OUT/passwd"}),
    "a body, hidden": ({LEAK: body("body_file: x.html")}, {"messages/x.html": "../.env"}),
    "the folder of a body": ({LEAK: body("body_file: x/passwd")}, {"messages/x": "OUT"}),
    "an include": ({LEAK: body("body: '{% include \"x.html\" %}'")}, {"messages/x.html": "OUT/passwd"}),
    "a list": ({LEAK: rows("csv: ../a.csv")}, {"a.csv": "OUT/a.csv"}),
    "lists": ({LEAK: rows("csv: ../a/*.csv")}, {"a": "OUT"}),
    "all lists": ({LEAK: rows("csv: ../a/**")}, {"a/b": "OUT"}),
    "a packed list": ({LEAK: rows("csv: ../a.csv.gz")}, {"a.csv.gz": "OUT/a.csv.gz"}),
    "JSON lines": ({LEAK: rows("jsonl: ../a.jsonl")}, {"a.jsonl": "OUT/a.jsonl"}),
    "a query": ({LEAK: rows("sql: \"select * from 'a.csv'\"")}, {"a.csv": "OUT/a.csv"}),
    "a suppression list": ({"msgrun.yaml": "suppress: [a.csv]\n"}, {"a.csv": "OUT/a.csv"}),
    "the settings": ({}, {"msgrun.yaml": "OUT/settings.yaml"}),
}
# Where a name is guessed from what is beside it; messages/x leads to OUT.
NEAR = {
    "a body": body("body_file: x/passwx"),
    "an include": body("body: '{% include \"x/passwx\" %}'"),
    "a list": rows("csv: x/passwx"),
    "lists": rows("csv: x/passw*"),
    "lists at any depth": rows("csv: x/**/passw*"),
    "lists of any folder": rows("csv: '*/passw*'"),
    "JSON lines": rows("jsonl: x/passw?"),
    "a query": rows("sql: \"select * from 'messages/x/passwx'\""),
    "queries": rows("sql: \"select * from 'messages/x/passw*'\""),
}
COMMANDS = [("validate",), ("render", "leak")]  # what reads most, and what quotes most


@pytest.fixture
def project(tmp_path: Path, intercom: Sandbox) -> Clone:
    """A valid project, and secrets outside of it and hidden in it."""
    del intercom
    made = Clone(tmp_path / "project", None)  # type: ignore[arg-type]  # it talks to nobody
    made.write("msgrun.yaml", "")
    made.write("messages.lock", HEADER % salt_check(""))
    made.write("messages/first.yaml", message("first", "aaa1") + 'from: {type: admin, id: "1"}\n')
    made.write(".env", f"TOKEN={SECRET}\n{SECRET}: x\n")
    made.write(".hidden/leak.yaml", message(SECRET, "aaa1"))
    outside = {
        "passwd": f"root:{SECRET}\n", "passwd-backup": SECRET, "a.csv": f"who\n{SECRET}\n", "a.csv.gz": SECRET,
        "a.jsonl": f'{{"who": "{SECRET}"}}\n',
        "settings.yaml": f"vars: {{a: {SECRET}}}\nsalt: [{SECRET}]\n", "messages/leak.yaml": message(SECRET, "aaa1"),
    }  # fmt: skip
    for name, text in outside.items():
        made.write(f"../outside/{name}", text)
    return made


def added(project: Clone, files: dict[str, str], links: dict[str, str]) -> None:
    for path, text in files.items():
        project.write(path, text)
    for path, target in links.items():
        link = project.path / path
        if link.is_dir():
            link.rename(project.path.parent / "former")
        link.unlink(missing_ok=True)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target.replace("OUT", str(project.path.parent / "outside")))


def run(project: Clone, *args: str) -> tuple[int, str]:
    ran = run_in_process((*args, "--show-values"), project.path, dict(os.environ))
    return ran.code, ran.out + ran.err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("name", READS)
def test_no_link_is_read_that_leaves_the_project_or_leads_to_what_is_hidden(
    project: Clone, name: str, command: tuple[str, ...]
) -> None:
    added(project, *READS[name])
    code, printed = run(project, *command)
    assert code != 0, printed
    assert SECRET not in printed
    assert "a bug in msgrun" not in printed


@pytest.mark.parametrize("name", NEAR)
def test_no_hint_names_a_file_outside(project: Clone, name: str) -> None:
    added(project, {LEAK: NEAR[name]}, {"messages/x": "OUT"})
    code, printed = run(project, "validate")
    assert code == 1, printed
    assert "passwd" not in printed
    assert "leads outside the project" in printed


def test_links_that_stay_in_the_project_are_followed(project: Clone) -> None:
    project.write("texts/hello.html", "<p>Hello</p>")
    project.write("lists/a.csv", "who\nzoe1\n")
    added(
        project,
        {
            "messages/one.yaml": body("body_file: x.html", "one"),
            "messages/two.yaml": rows("csv: ../all/*.csv", "two"),
        },
        {"messages/x.html": "../texts/hello.html", "all": "lists"},
    )
    code, printed = run(project, "validate")
    assert (code, printed) == (0, "3 messages to 3 recipients: no problems\n")


def test_a_circle_of_links_and_a_pipe_are_told(project: Clone) -> None:
    os.mkfifo(project.path / "messages/pipe.yaml")
    added(project, {}, {"messages/a.yaml": "b.yaml", "messages/b.yaml": "a.yaml"})
    code, printed = run(project, "validate")
    assert code == 1
    assert printed.count("[file-missing]") == 3


def test_a_file_that_would_fill_the_memory_is_not_read(project: Clone) -> None:
    with (project.path / "messages/large.yaml").open("wb") as handle:
        handle.truncate(1 << 36)  # 64 GiB without a byte on the disk
    code, printed = run(project, "validate")
    assert (code, "messages/large.yaml is larger than 4 MiB" in printed) == (1, True)


# What msgrun writes, as a link to a file or folder outside of which nothing may change.
WRITES: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "the lockfile": ({"messages.lock": "OUT/file"}, ("apply", "--yes")),
    "the lockfile, inside": ({"messages.lock": "ledger.txt"}, ("apply", "--yes")),
    "the lockfile, nowhere": ({"messages.lock": "nowhere"}, ("apply", "--yes", "--new-lock")),
    "the lock": ({".msgrun/lock": "OUT/file"}, ("apply", "--yes")),
    "the lock's folder": ({".msgrun": "OUT"}, ("apply", "--yes")),
    "the plan file": ({"messages.plan": "OUT/file"}, ("plan", "--write")),
    "the plan file, read": ({"messages.plan": "OUT/file"}, ("plan",)),
    "a saved plan": ({"plan.json": "OUT/file"}, ("plan", "--out", "plan.json")),
    "a saved plan, read": ({"plan.json": "OUT/file"}, ("apply", "--yes", "--plan", "plan.json")),
    "the stop file": ({".msgrun/stop": "OUT/file"}, ("apply", "--yes")),
    "a rescue file": ({".msgrun/messages.lock.rescue": "OUT/file"}, ("apply", "--yes")),
    "the sandbox": ({".msgrun/sandbox": "OUT"}, ("sandbox", "--reset")),
    "the sandbox, in use": ({".msgrun/sandbox": "OUT"}, ("--sandbox", "apply", "--yes")),
    "the sandbox's state": ({".msgrun/sandbox/state.jsonl": "OUT/file"}, ("--sandbox", "apply", "--yes")),
    "the sandbox's ledger": ({".msgrun/sandbox/messages.lock": "OUT/file"}, ("--sandbox", "apply", "--yes")),
    "the settings": ({"msgrun.yaml": "OUT/file"}, ("init", "--github", "--from", PACKAGE)),
    "the settings, begin": ({"msgrun.yaml": "OUT/file"}, ("lock", "begin")),
    "the settings, move": ({"msgrun.yaml": "OUT/file"}, ("lock", "move", "other.lock", "--yes")),
    "the lockfile, moved to": ({"other.lock": "OUT/file"}, ("lock", "move", "other.lock", "--yes")),
    "the lockfile, moved nowhere": ({"other.lock": "nowhere"}, ("lock", "move", "other.lock", "--yes")),
    "the pages": ({".msgrun/preview": "OUT"}, ("preview",)),
    "the pages, elsewhere": ({"shown": "OUT"}, ("preview", "--out", "shown")),
    "the pages, nowhere": ({"shown": "nowhere"}, ("preview", "--out", "shown")),
    "the pages, below": ({"shown": "OUT"}, ("preview", "--out", "shown/pages")),
    "the pictures": ({"shots": "OUT"}, ("preview", "--png", "shots")),
    "a comment": ({"comment.md": "OUT/file"}, ("plan", "--comment", "comment.md")),
    "the log of a run": ({"log.jsonl": "OUT/file"}, ("apply", "--yes", "--log-file", "log.jsonl")),
    "what is exported": ({"x": "OUT"}, ("lock", "export", "x/records")),
    "what is imported": ({"x.lock": "OUT/file"}, ("lock", "import", "x.lock")),
    "the log of a sandbox": ({"log.jsonl": "OUT/file"}, ("sandbox", "--log", "log.jsonl")),
    "the log of a sandbox, below": ({"logs": "OUT"}, ("sandbox", "--log", "logs/log.jsonl")),
    "the contacts": ({".msgrun/contacts-messages": "OUT/file"}, ("apply", "--yes")),
    "ignored files": ({".gitignore": "OUT/file"}, ("init",)),
    "attributes": ({".gitattributes": "OUT/file"}, ("init",)),
    "a schema's folder": ({"schema": "OUT"}, ("init",)),
    "the workflows": ({".github": "OUT"}, ("init", "--github", "--from", PACKAGE)),
}


@pytest.mark.parametrize("name", WRITES)
def test_nothing_is_written_through_a_link_and_what_msgrun_keeps_is_never_one(project: Clone, name: str) -> None:
    links, command = WRITES[name]
    (project.path / ".env").unlink()
    project.write("ledger.txt", HEADER % salt_check(""))
    outside = project.path.parent / "outside"
    (outside / "file").write_text("precious\n")
    (outside / "sandbox").mkdir()
    before = contents(outside)
    added(project, {}, links)
    code, printed = run(project, *command)
    expected = 1 if name.startswith("the settings") else 5
    assert (code, "is a link" in printed) == (expected, True), printed
    assert contents(outside) == before
    assert (project.path / "ledger.txt").read_text() == HEADER % salt_check("")


# Each names a file beside the project, in its repository. OUT is a link there.
BESIDE: dict[str, tuple[str, ...]] = {
    "a saved plan": ("plan", "--out", "../OUT/plan.json"),
    "a saved plan, a link itself": ("plan", "--out", "../file.json"),
    "a saved plan, read": ("apply", "--yes", "--plan", "../file.json"),
    "a comment": ("plan", "--comment", "../OUT/comment.md"),
    "a comment without a project": ("-C", "..", "plan", "--comment", "OUT/comment.md"),
    "pages": ("preview", "--out", "../OUT/pages"),
    "pictures": ("preview", "--png", "../OUT/pictures"),
    "the log of a run": ("apply", "--yes", "--log-file", "../OUT/log.jsonl"),
    "the log of a sandbox": ("sandbox", "--log", "../OUT/log.jsonl"),
    "the log of a sandbox without a project": ("-C", "..", "sandbox", "--log", "../OUT/log.jsonl"),
    "an export": ("lock", "export", "../OUT/records"),
    "an import": ("lock", "import", "../file.json"),
    "by its full path": ("plan", "--out", "ROOT/OUT/plan.json"),
    "by a link of the user's own": ("plan", "--out", "ROOT/../own/OUT/plan.json"),
    "a folder below the link": ("plan", "--out", "../OUT/messages/plan.json"),
}


@pytest.mark.parametrize("name", BESIDE)
def test_no_link_beside_the_project_in_its_repository_is_followed(project: Clone, name: str) -> None:
    root, outside = project.path, project.path.parent / "outside"
    repository = root.parent / "repository"
    repository.mkdir()
    for folder in ("objects", "refs"):
        (repository / ".git" / folder).mkdir(parents=True)
    (repository / ".git/HEAD").write_text("ref: refs/heads/main\n")
    root.rename(repository / "mail")
    (repository / "OUT").symlink_to(outside)
    (repository / "file.json").symlink_to(outside / "passwd")
    (root.parent / "own").symlink_to(repository)
    before = contents(outside)
    command = [part.replace("ROOT", str(repository)) for part in BESIDE[name]]
    ran = run_in_process(command, repository / "mail", dict(os.environ))
    assert (ran.code, "is a link" in ran.err) == (5, True), ran
    assert contents(outside) == before


def test_a_link_that_leads_into_the_project_from_elsewhere_is_the_users_own(project: Clone) -> None:
    (project.path / ".git").mkdir()
    (project.path / "shown").mkdir()
    (project.path.parent / "own").symlink_to(project.path)
    (project.path.parent / "shown").symlink_to(project.path / "shown")
    for path in (f"{project.path.parent}/own/a.json", f"{project.path.parent}/shown/b.json", "shown/c.json"):
        assert run(project, "plan", "--out", path)[0] == 0
    assert (project.path / "a.json").exists()
    assert sorted(file.name for file in (project.path / "shown").iterdir()) == ["b.json", "c.json"]


def test_a_link_of_the_name_of_a_file_that_is_being_written_is_not_followed(project: Clone) -> None:
    outside = project.path.parent / "outside" / "file"
    outside.write_text("precious\n")
    (project.path / f".messages.plan.{os.getpid()}").symlink_to(outside)
    code, printed = run(project, "plan", "--write")
    assert code == 0, printed
    assert outside.read_text() == "precious\n"
    assert "name" in (project.path / "messages.plan").read_text()


def contents(folder: Path) -> dict[str, str]:
    return {str(path): path.read_text() for path in folder.rglob("*") if path.is_file()}


LINKED = ["messages.lock -> ledger.txt", "messages.lock -> ../outside.lock", "messages.lock -> .git/config"]
LINKED += ["messages.lock -> nowhere", "messages.lock -> messages.lock", "messages.lock -> sub/messages.lock"]
CHECKS = [
    ("lock", "verify", "--against", "origin/main"),
    ("plan",),
    ("plan", "--against", "origin/main"),
    ("apply", "--yes"),
]


@pytest.mark.parametrize("link", LINKED)
def test_a_pull_request_cannot_put_a_link_in_the_ledgers_place(author: Clone, link: str) -> None:
    assert author.msgrun("apply", "--yes").code == 0
    author.write("ledger.txt", HEADER % salt_check("rehearsal"))
    author.write("sub/messages.lock", HEADER % salt_check("rehearsal"))
    author.commit()
    author.git("push", "--quiet")
    name, _, target = link.partition(" -> ")
    (author.path / name).unlink()
    (author.path / name).symlink_to(target)
    author.commit()
    for command in CHECKS:
        ran = author.msgrun(*command)
        assert (ran.code, "messages.lock is a link" in ran.err) == (5, True)
    assert len(author.sent()) == 3


@pytest.mark.parametrize("path", ["messages.lock", "data/messages.lock"])
def test_a_link_that_only_commits_have_is_refused_too(author: Clone, path: str) -> None:
    """The work tree has the file again; the newest commit of the remote, which is asked, has the link."""
    author.write("msgrun.yaml", f'salt: "rehearsal"\nfrom: {{type: admin, id: "1"}}\nlock: {path}\n')
    author.write(path, HEADER % salt_check("rehearsal"))
    author.commit()
    author.git("push", "--quiet")
    (author.path / path).rename(author.path / "ledger.txt")
    (author.path / path).symlink_to("../ledger.txt" if "/" in path else "ledger.txt")
    author.commit()
    author.git("push", "--quiet")
    (author.path / path).unlink()
    (author.path / "ledger.txt").rename(author.path / path)
    for command in (("apply", "--yes"), ("lock", "verify", "--against", "HEAD^")):
        ran = author.msgrun(*command)
        assert (ran.code, f"{path} of the commit" in ran.err) == (5, True)
    assert author.sent() == []


def test_settings_that_are_a_link_in_a_commit_are_refused(author: Clone) -> None:
    (author.path / "msgrun.yaml").rename(author.path / "settings.yaml")
    (author.path / "msgrun.yaml").symlink_to("settings.yaml")
    linked = author.commit()
    (author.path / "msgrun.yaml").unlink()
    (author.path / "settings.yaml").rename(author.path / "msgrun.yaml")
    author.commit()
    ran = author.msgrun("plan", "--against", linked)
    assert (ran.code, f"msgrun.yaml of the commit {linked[:10]} is a link" in ran.err) == (5, True)
