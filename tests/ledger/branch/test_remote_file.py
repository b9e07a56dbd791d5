"""On a working branch, where people merge, each push moves a second ref too: what one of the two lost comes back."""

import contextlib
import subprocess
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import LedgerUnavailable
from runner.git.process import GitFailed
from runner.git.repository import find_repository
from runner.ledger.branch.ledger import BranchLedger
from runner.ledger.branch.remote_file import RemoteFile
from runner.ledger.branch.shared_file import SharedFile, read_version
from runner.ledger.lock_address import BranchAddress
from runner.ledger.record import Header, Record, salt_check
from tests.support import ledgers
from tests.support.laws import costly

ID = "01JD0000000000000000000000"
SECOND = f"refs/msgrun/ledger/{ID}"
HEADER = Header("acme", salt_check(""), ID).to_line()
LINES = [Record(f"{number:032x}", f"RUN-{number}", "sent", "m", 1).to_line() for number in range(4)]
Open = Callable[..., RemoteFile]


def git(folder: Path, *args: str) -> str:
    return subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A remote whose branch main has a README."""
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    git(tmp_path, "clone", "--quiet", "origin.git", "author")
    (tmp_path / "author" / "README").write_text("hello\n")
    commit(tmp_path / "author")
    return tmp_path / "origin.git"


@pytest.fixture
def opened(tmp_path: Path, origin: Path) -> Open:
    """The file as a clone sees it. Each name has a clone of its own."""

    def make(name: str, *options: str, branch: str = "main", ledger_id: str = ID) -> RemoteFile:
        path = tmp_path / name
        if not path.exists():
            git(tmp_path, "clone", "--quiet", *options, origin.as_uri(), str(path))
        return RemoteFile(find_repository(path), BranchAddress("origin", branch, "messages.lock"), ledger_id)

    return make


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "change")
    git(folder, "push", "--quiet", "origin", "HEAD:main")


def merge_drops(author: Path, data: bytes | None) -> None:
    """Somebody pushes a commit on top of the branch in which the file is `data`; None removes it."""
    git(author, "pull", "--quiet", "--no-rebase", "origin", "main")
    file = author / "messages.lock"
    if data is None:
        file.unlink()
    else:
        file.write_bytes(data)
    commit(author)


def refs(origin: Path) -> dict[str, str]:
    lines = git(origin, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.split(" ") for line in lines)


def push(remote: RemoteFile, data: bytes) -> None:
    remote.push_version(remote.fetch(), data, "test")


def read(remote: RemoteFile) -> list[bytes]:
    version = remote.fetch()
    assert version is not None
    return version.data.splitlines(keepends=True)


def test_a_push_to_a_working_branch_moves_both_refs_to_one_commit(opened: Open, origin: Path) -> None:
    remote = opened("a")
    push(remote, HEADER)
    found = refs(origin)
    assert found["refs/heads/main"] == found[SECOND]
    version = remote.fetch()
    for count in (1, 2):  # without a fetch between them
        version = remote.push_version(version, HEADER + b"".join(LINES[:count]), "test")
        found = refs(origin)
        assert found["refs/heads/main"] == found[SECOND] == version.commit
    assert git(origin, "show", "main:README") == "hello"


@pytest.mark.parametrize("other", ["", "messages.eu.lock"])
def test_a_branch_of_ledgers_alone_needs_no_second_ref(opened: Open, origin: Path, tmp_path: Path, other: str) -> None:
    remote = opened("a", branch="msgrun-ledger")
    push(remote, HEADER)
    if other:
        git(tmp_path / "a", "fetch", "--quiet", "origin", "msgrun-ledger")
        git(tmp_path / "a", "checkout", "--quiet", "FETCH_HEAD")
        (tmp_path / "a" / other).write_bytes(HEADER)
        git(tmp_path / "a", "add", other)
        git(tmp_path / "a", "commit", "--quiet", "--message", "another environment")
        git(tmp_path / "a", "push", "--quiet", "origin", "HEAD:msgrun-ledger")
    push(remote, HEADER + LINES[0])
    assert SECOND not in refs(origin)


def test_without_any_id_there_is_no_second_ref(opened: Open, origin: Path) -> None:
    push(opened("a", ledger_id=""), Header(workspace="acme").to_line())
    assert list(refs(origin)) == ["refs/heads/main"]


def test_where_msgrun_yaml_names_no_id_the_second_ref_has_that_of_the_file(
    opened: Open, origin: Path, tmp_path: Path
) -> None:
    push(opened("a", ledger_id=""), HEADER)
    push(opened("b", ledger_id=""), HEADER + LINES[0])
    assert SECOND in refs(origin)
    merge_drops(tmp_path / "author", HEADER)
    assert read(opened("c", ledger_id="")) == [HEADER, LINES[0]]


@pytest.mark.parametrize("kept", [HEADER + LINES[0], HEADER, b"", None])
def test_a_merge_that_drops_lines_forgets_nothing_and_the_next_push_heals_the_branch(
    opened: Open, origin: Path, tmp_path: Path, kept: bytes | None
) -> None:
    remote = opened("a")
    push(remote, HEADER + b"".join(LINES))
    merge_drops(tmp_path / "author", kept)
    for clone in (remote, opened("new")):
        assert sorted(read(clone)) == sorted([HEADER, *LINES])
    version = remote.fetch()
    remote.push_version(version, version.data, "test")
    found = refs(origin)
    assert found["refs/heads/main"] == found[SECOND]
    healed = git(origin, "show", "main:messages.lock").splitlines()
    assert sorted(f"{line}\n".encode() for line in healed) == sorted([HEADER, *LINES])


@costly(0.05)
@given(st.sets(st.sampled_from(LINES)), st.sets(st.sampled_from(LINES)), st.sampled_from([b"", LINES[0][:30]]))
def test_what_is_read_is_the_union_of_both_refs(
    tmp_path_factory: pytest.TempPathFactory, pushed: set[bytes], on_branch: set[bytes], torn: bytes
) -> None:
    folder = tmp_path_factory.mktemp("union")
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    git(folder, "clone", "--quiet", "origin.git", "author")
    (folder / "author" / "README").touch()
    commit(folder / "author")
    remote = RemoteFile(find_repository(folder / "author"), BranchAddress("origin", "main", "messages.lock"), ID)
    push(remote, HEADER + b"".join(sorted(pushed)))
    merge_drops(folder / "author", HEADER + b"".join(sorted(on_branch)) + torn)
    found = {line for line in read(remote) if line.endswith(b"}\n")}
    assert found == {HEADER, *pushed, *on_branch}


def test_a_push_is_refused_as_a_whole_if_only_the_second_ref_is_newer(opened: Open, origin: Path) -> None:
    one, two = opened("a"), opened("b")
    push(one, HEADER)
    before, version = refs(origin)["refs/heads/main"], two.fetch()
    push(one, HEADER + LINES[0])
    git(origin, "update-ref", "refs/heads/main", before)  # somebody resets the branch, and the second ref stays
    with pytest.raises(GitFailed, match="push"):
        two.push_version(version, HEADER + LINES[1], "test")
    assert refs(origin)["refs/heads/main"] == before
    push(two, b"".join(read(two)) + LINES[1])
    assert sorted(read(one)) == sorted([HEADER, LINES[0], LINES[1]])


def test_a_second_ref_that_was_deleted_is_no_hindrance_and_comes_back(opened: Open, origin: Path) -> None:
    remote = opened("a")
    push(remote, HEADER + LINES[0])
    git(origin, "update-ref", "-d", SECOND)
    assert read(remote) == [HEADER, LINES[0]]
    push(remote, HEADER + LINES[0] + LINES[1])
    assert refs(origin)[SECOND] == refs(origin)["refs/heads/main"]


def test_a_shallow_clone_reads_both_refs(opened: Open, tmp_path: Path) -> None:
    push(opened("a"), HEADER + b"".join(LINES))
    merge_drops(tmp_path / "author", HEADER)
    shallow = opened("job", "--depth=1")
    assert sorted(read(shallow)) == sorted([HEADER, *LINES])
    push(shallow, HEADER + b"".join(LINES))


def test_a_shallow_clone_can_be_pulled_after_its_branch_was_read(opened: Open, tmp_path: Path) -> None:
    push(opened("a"), HEADER + LINES[0])
    shallow = opened("job", "--depth=1")
    for _ in range(2):
        merge_drops(tmp_path / "author", HEADER)
    read(shallow)
    git(tmp_path / "job", "pull", "--quiet", "--ff-only")


def test_offline_both_refs_are_read_as_of_the_last_fetch(opened: Open, origin: Path, tmp_path: Path) -> None:
    push(opened("a"), HEADER + b"".join(LINES))
    merge_drops(tmp_path / "author", HEADER)
    remote = opened("b")
    remote.fetch()
    origin.rename(tmp_path / "away")
    version, _ = opened("b").cached_version()
    assert sorted(version.data.splitlines(keepends=True)) == sorted([HEADER, *LINES])


def test_a_run_goes_on_over_a_merge_that_drops_its_claims(opened: Open, tmp_path: Path, origin: Path) -> None:
    claims = [Record(f"{number:032x}", f"R-{number}", "claimed", "m", 1) for number in range(3)]
    with contextlib.closing(opened("a")) as remote:
        run = BranchLedger(SharedFile(remote, "", lambda _: None), "", "apply", lambda: datetime.now(UTC))
        run.refresh()
        run.create(Header("", salt_check(""), ID))
        ledgers.commit(run, claims[0])
        merge_drops(tmp_path / "author", HEADER.replace(b"acme", b""))
        assert ledgers.commit(run, claims[1]) == frozenset()
        merge_drops(tmp_path / "author", None)
        assert ledgers.commit(run, claims[2]) == frozenset()
    other = BranchLedger(SharedFile(opened("b"), "", lambda _: None), "", "status", lambda: datetime.now(UTC))
    other.refresh()
    assert {record.attempt for record in other.facts.records()} == {"R-0", "R-1", "R-2"}
    assert git(origin, "show", "main:messages.lock").count('"R-') == 3


@pytest.mark.parametrize(
    ("side", "junk"),
    [
        ("branch", b"\n"),
        ("branch", b"".join(b"%06x\n" % number for number in range(1 << 16))),
        ("second ref", b"x\n"),
    ],
)
def test_millions_of_short_lines_on_either_ref_are_refused_and_take_no_memory(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, junk: bytes, side: str
) -> None:
    monkeypatch.setattr("runner.ledger.fact_reader.MAX_BLANK_LINES", 1 << 18)
    remote = opened("clone")
    remote.push_version(remote.fetch(), HEADER, "begin")
    remote.close()
    author = tmp_path / "author"
    git(author, "pull", "--quiet", "origin", "main")
    (author / "messages.lock").write_bytes(HEADER + junk * ((4 << 20) // len(junk)))
    git(author, "commit", "--quiet", "--all", "--message", "change", "--message", "Ledger-Branch: main")
    git(author, "push", "--quiet", "--force", "origin", f"HEAD:{'main' if side == 'branch' else SECOND}")
    fetched = opened("clone")
    tracemalloc.start()
    with pytest.raises(LedgerUnavailable, match=r"more than [\d,]+ (blank|torn) lines"):
        read_version(fetched.fetch(), fetched.address)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 << 20  # split at their ends all at once, 2 million lines take 80 MiB
