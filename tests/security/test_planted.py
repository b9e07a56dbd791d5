"""No commit writes what msgrun remembers: outcomes that wait, a stop, the sandbox's ledger."""

import hashlib
import json
import os
import re
import shlex
from collections.abc import Callable

import pytest

from runner.cli.planted_files import _find_repositories
from runner.ledger.record import salt_check
from tests.support.clones import HEADER, Clone, message

OPEN, FREE = "aaa1", "bbb1"  # somebody with an open attempt, and somebody to whom nothing was sent
PLACES = ["NAME.rescue", ".msgrun/NAME.rescue", "msgrun/NAME.rescue", "messages/NAME.rescue"]
NAMES = ["messages.lock", "01M80N0000000000000000000A"]  # a rescue file without an id, and with the ledger's
FORGED = [
    (OPEN, "released", {"by": "run"}),
    (OPEN, "released", {"by": "person"}),
    (FREE, "sent", {"id": "9", "digest": "v1:0", "content": "0"}),
    (FREE, "refused", {"code": "not_found"}),
]


def record(who: str, attempt: str, status: str, **more: str) -> bytes:
    key = hashlib.sha256(json.dumps(["rehearsal", "news", 1, "id", who], separators=(",", ":")).encode()).hexdigest()
    fields = {"key": key[:32], "attempt": attempt, "status": status, "message": "news", "revision": 1}
    return json.dumps({**fields, "to": f"id:{who}", "at": "2026-11-22T10:00:00Z", **more}).encode() + b"\n"


@pytest.fixture
def campaign(author: Clone, request: pytest.FixtureRequest) -> Callable[[str], Clone]:
    """A project whose ledger of this kind has one open attempt, and nothing of anybody else."""

    def make(kind: str) -> Clone:
        lock = {"lockfile": "messages.lock", "branch": "git+origin", "database": ""}[kind]
        lock = lock or request.getfixturevalue("server").lock
        for name in ("first", "second"):
            (author.path / f"messages/{name}.yaml").unlink()
        author.write("messages/news.yaml", message("news", OPEN, FREE))
        author.write("msgrun.yaml", f'salt: "rehearsal"\nfrom: {{type: admin, id: "394051"}}\nlock: {lock}\n')
        author.write("../open.lock", (HEADER % salt_check("rehearsal")).encode() + record(OPEN, "one", "claimed"))
        author.commit()
        author.git("push", "--quiet")
        assert author.msgrun("lock", "begin").code == 0
        assert author.msgrun("lock", "import", "../open.lock").code == 0
        author.git("add", "--all")
        author.git("commit", "--quiet", "--allow-empty", "--message", "the ledger, if it is a file")
        author.git("push", "--quiet")
        return author

    return make


@pytest.mark.parametrize("kind", ["lockfile", "branch", "database"])
def test_outcomes_that_a_commit_brings_are_believed_by_nothing(campaign: Callable[[str], Clone], kind: str) -> None:
    clone = campaign(kind)
    ledger_id = re.findall(r"(?m)^ledger: (\w+)$", (clone.path / "msgrun.yaml").read_text())
    places = [place.replace("NAME", name) for place in PLACES for name in ["messages.lock", *ledger_id]]
    assert len(places) == 2 * len(PLACES)
    for place in places:
        clone.write(place, b"".join(record(who, "one", status, **more) for who, status, more in FORGED))
        clone.git("add", "--force", place)
    clone.commit()
    clone.git("push", "--quiet")
    ran = clone.msgrun("apply", "--yes")
    assert ran.code == 4, ran.err  # the open attempt is still unknown
    assert [to for to, _ in clone.sent()] == [FREE]
    assert all((clone.path / place).exists() for place in places)


def test_a_file_that_only_msgrun_writes_fails_the_check_of_a_pull_request(author: Clone) -> None:
    places = [place.replace("NAME", name) for place in PLACES for name in NAMES]
    for path in (*places, ".msgrun/stop", ".msgrun/lock", "a/b/messages.eu.lock.rescue"):
        author.write(path, "x\n")
        author.git("add", "--force", path)
        author.git("commit", "--quiet", "--message", "plant it")
        for command in (("lock", "verify"), ("lock", "verify", "--against", "origin/main")):
            ran = author.msgrun(*command)
            assert (ran.code, f"git tracks {path}" in ran.err, f"git rm --cached {path}" in ran.err) == (5, True, True)
        author.git("rm", "--quiet", "--cached", path)
        author.git("commit", "--quiet", "--message", "take it away")
    assert author.msgrun("lock", "verify").code == 0


BARE = ("HEAD", "config", "objects/.keep", "refs/.keep")
REPOSITORIES = {
    # the files, and whether git may take a folder of the project, or one that it lies in, for a repository
    "the project": ([f"mail/{name}" for name in BARE], True),
    "the project, with packs alone": (["mail/HEAD", "mail/objects/pack/a", "mail/refs/heads/main"], True),
    "a folder of the project": ([f"mail/messages/{name}" for name in BARE], True),
    "deep in the project": ([f"mail/a/b/c/{name}" for name in BARE], True),
    "the top": (BARE, True),
    "with a folder in common": (["mail/HEAD", "mail/commondir"], True),
    "in small letters": (["mail/head", "mail/Objects/a", "mail/REFS/a"], True),
    "beside similar names": ([*(f"mail/{name}" for name in BARE), "mail/objects-1", "mail/refs!/a"], True),
    "a link as its HEAD": ([*(f"mail/{name}" for name in BARE[1:]), "mail/HEAD@"], True),
    "links as its folders": (["mail/HEAD", "mail/objects@", "mail/refs@"], True),
    "another folder of the repository": ([f"tests/{name}" for name in BARE], False),
    "a folder as its HEAD": (["mail/HEAD/head", "mail/objects/a", "mail/refs/a"], False),
    "without refs": (["mail/HEAD", "mail/objects/a"], False),
    "in two folders": (["mail/HEAD", "mail/a/objects/a", "mail/a/refs/a"], False),
}


@pytest.mark.parametrize("name", REPOSITORIES)
def test_a_folder_that_git_would_take_for_a_repository_fails_the_check_of_a_pull_request(
    author: Clone, name: str
) -> None:
    files, is_refused = REPOSITORIES[name]
    author.write("mail/msgrun.yaml", 'salt: rehearsal\nfrom: {type: admin, id: "394051"}\nlock: no.lock\n')
    author.write("mail/no.lock", HEADER % salt_check("rehearsal"))
    for file in files:
        author.write(file.removesuffix("@"), "ref: refs/heads/main\n")
        if file.endswith("@"):
            (author.path / file.removesuffix("@")).unlink()
            (author.path / file.removesuffix("@")).symlink_to("refs/heads/main")
    author.commit()
    ran = author.msgrun("-C", "mail", "lock", "verify")
    assert (ran.code, "makes a repository of that folder" in ran.err) == ((5, True) if is_refused else (0, False))


@pytest.mark.parametrize("name", ["head", "objects", "refs", "commondir"])
def test_folders_of_these_names_take_time_with_their_paths_alone(name: str) -> None:
    # Looked for at each depth, as before, these 3 MB took 1.5 GB.
    assert not list(_find_repositories([f"{f'{name}/' * (3000 // len(name))}{number}" for number in range(1000)]))


def test_a_rescue_file_anywhere_in_the_repository_fails_the_check(author: Clone) -> None:
    author.write("mail/msgrun.yaml", "salt: rehearsal\nlock: no.lock\n")
    author.write("mail/no.lock", HEADER % salt_check("rehearsal"))
    author.write("docs/.msgrun/messages.lock.rescue", "x\n")
    author.git("add", "--force", "--all")
    author.git("commit", "--quiet", "--message", "plant it")
    ran = author.msgrun("-C", "mail", "lock", "verify")
    assert (ran.code, "git rm --cached ../docs/.msgrun/messages.lock.rescue" in ran.err) == (5, True)


def test_a_command_of_a_hint_quotes_the_name_of_a_file(author: Clone) -> None:
    name = "docs$(touch x);`id`/.msgrun/a b"
    author.write(name, "x\n")
    author.git("add", "--force", "--all")
    author.git("commit", "--quiet", "--message", "plant it")
    ran = author.msgrun("lock", "verify")
    assert (ran.code, f"git rm --cached {shlex.quote(name)}, and commit" in ran.err) == (5, True)


def test_what_a_run_could_not_record_is_kept_where_no_commit_writes(author: Clone) -> None:
    """The counter-proof: the file that is believed is the one in git's own folder, and it is picked up."""
    rescue = author.path / ".git/msgrun/messages.lock.rescue"
    assert author.msgrun("apply", "--yes", "--limit", "1").code == 0
    sent = author.sent()[0][0]
    lines = (author.path / "messages.lock").read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if b'"sent"' not in line]
    for path in (author.path / "messages.lock", author.path / ".git/msgrun/messages.lock.journal"):
        path.write_bytes(b"".join(kept))
    rescue.write_bytes(b"".join(line for line in lines if b'"sent"' in line))
    assert author.msgrun("apply", "--yes").code == 0
    assert sorted(to for to, _ in author.sent()) == ["aaa1", "aaa2", "bbb1"]
    assert sent in {"aaa1", "bbb1"}
    assert not rescue.exists()


def test_without_git_a_run_keeps_it_beside_the_lock(author: Clone) -> None:
    os.rename(author.path / ".git", author.path.parent / "git")  # noqa: PTH104
    (author.path / ".msgrun").mkdir(exist_ok=True)
    (author.path / ".msgrun/messages.lock.rescue").write_bytes(record("x1", "one", "sent", id="9"))
    ran = author.msgrun("apply", "--yes")
    assert (ran.code, (author.path / ".msgrun/messages.lock.rescue").exists()) == (0, False)
    assert b'"x1"' not in (author.path / "messages.lock").read_bytes()
    assert b'"id:x1"' in (author.path / "messages.lock").read_bytes()


@pytest.mark.parametrize("command", [(), ("-e", "prod"), ("-e", "test")])
def test_the_lockfiles_of_all_environments_are_verified_whichever_is_named(
    author: Clone, command: tuple[str, ...]
) -> None:
    settings = (author.path / "msgrun.yaml").read_text()
    author.write("msgrun.yaml", f"{settings}environments:\n  prod: {{}}\n  test: {{lock: sent/test.lock}}\n")
    locks = ("messages.lock", "messages.prod.lock", "sent/test.lock")
    for lock in locks:
        author.write(lock, (HEADER % salt_check("rehearsal")).encode() + record(OPEN, "one", "claimed"))
    author.commit()
    author.git("push", "--quiet")
    verify = (*command, "lock", "verify", "--against", "origin/main")
    assert author.msgrun(*verify).code == 0
    for lock in locks:
        author.write(lock, (HEADER % salt_check("rehearsal")).encode())
        author.commit()
        ran = author.msgrun(*verify)
        assert (ran.code, f"change {lock}: 0 records added, 1 removed" in ran.err) == (5, True), ran.err
        author.git("reset", "--quiet", "--hard", "HEAD^")
    author.write("msgrun.yaml", settings)  # an environment that is declared no more, and its lockfile with it
    author.commit()
    assert author.msgrun("lock", "verify", "--against", "origin/main").code == 0
    (author.path / "sent/test.lock").unlink()
    author.commit()
    assert author.msgrun("lock", "verify", "--against", "origin/main").code == 5


@pytest.mark.parametrize("folder", ["messages/shared", "audiences"])
def test_a_submodule_of_the_project_is_refused_and_named_in_the_review(author: Clone, folder: str) -> None:
    head = author.git("rev-parse", "HEAD").strip()
    author.git("branch", "--quiet", "base")
    author.git("update-index", "--add", "--cacheinfo", f"160000,{head},{folder}")
    author.git("commit", "--quiet", "-m", "a submodule")
    for command in ("lock", "verify"), ("lock", "verify", "--against", "base"):
        ran = author.msgrun(*command)
        assert (ran.code, f"{folder} is a submodule" in ran.err) == (5, True)
    assert (
        f"`{folder}`: `files that a review shows` → `a submodule"
        in author.msgrun("plan", "--against", "base", "--format", "markdown").out
    )
