"""What git remotes say of a project's ledger: the marks of moves, and the ledger that the default branch names.

A lockfile can be restored by git, and with it what it said before a move. So a move of a lockfile also leaves a mark on
the remote: the ref refs/msgrun/moved/ID, or a branch of that name if the host refuses such refs. A mark only refuses:
the address in it is shown, never contacted.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from shlex import quote

import orjson

from runner.errors import LedgerUnavailable
from runner.git.process import GitFailed
from runner.git.pushing import create_commit, failure_reason
from runner.git.repository import Repository
from runner.ledger.context import LedgerContext
from runner.ledger.known_hosts import find_remotes, is_same_repository, refuse_other_push_url
from runner.ledger.lock_address import BranchAddress, DeclaredLedger, LockfileAddress, file_stem
from runner.ledger.mark import MAX_GENERATION, MoveMark, parse_mark
from runner.ledger.record import LEDGER_ID

_PREFIXES = ("refs/msgrun/moved/", "refs/heads/msgrun/moved/")  # the second where a host refuses the first
_MARK_REF = re.compile(f"(?:{'|'.join(_PREFIXES)}){LEDGER_ID.pattern}")
_MAX_MARKS = 1_000  # of a remote. A ledger that moved has one
_MAX_MARKS_SIZE = 16 << 20  # bytes of all marks; one has a few hundred


@dataclass(frozen=True, slots=True)
class RemoteMark:
    """The mark of a ledger that left a lockfile. `project` is the project's path from the top of its repository.

    `ref` is its full name on the remote. A mark that cannot be read counts as the highest, so that it refuses.
    """

    ref: str
    project: str
    environment: str
    mark: MoveMark

    @property
    def ledger_id(self) -> str:
        """The id of the ledger."""
        return self.ref.rpartition("/")[2]

    @property
    def is_readable(self) -> bool:
        """Whether the mark could be read."""
        return self.mark.generation != MAX_GENERATION


@dataclass(frozen=True, slots=True)
class RemoteAnswer:
    """What a remote says: all its marks, and what msgrun.yaml of its default branch names; None if that is nothing.

    `renamed_to` is the path of a msgrun.yaml there that names the ledger's id, if `default` is None: the folder or the
    environment of the project has another name there, and so has its lockfile. `branches` are the default branch, which
    is the first if there is one, and those that this checkout follows: by full name, the newest commit.
    """

    remote: str
    marks: tuple[RemoteMark, ...]
    default: DeclaredLedger | None
    renamed_to: str = ""
    branches: Mapping[str, str] = field(default_factory=dict)


def ask_remotes(context: LedgerContext) -> list[RemoteAnswer]:
    """Asks each remote of the clone, and the one that `remote:` of msgrun.yaml names.

    None in the sandbox and outside of git. Raises LedgerUnavailable if one does not answer.
    """
    if (repository := context.repository) is None:
        return []
    names, main = find_remotes(context, repository)
    remotes = dict.fromkeys([*names, *([main] if main else [])])
    return [_ask(context, repository, remote) for remote in remotes]


def ask_commits(context: LedgerContext) -> list[tuple[str, str]]:
    """Asks the remotes only for commits that may have other versions of a lockfile; of another kind, none."""
    return commits_of(ask_remotes(context)) if isinstance(context.address, LockfileAddress) else []


def commits_of(answers: Sequence[RemoteAnswer]) -> list[tuple[str, str]]:
    """Returns the newest commits of the remotes' branches, each with the name of its branch for messages."""
    return [
        (f"{answer.remote}/{ref.removeprefix('refs/heads/')}", commit)
        for answer in answers
        for ref, commit in answer.branches.items()
    ]


def marks_of(answers: Sequence[RemoteAnswer], ledger_id: str) -> list[MoveMark]:
    """Returns the marks that the remotes have of the ledger with this id."""
    return [one.mark for answer in answers for one in answer.marks if one.ledger_id == ledger_id]


def push_mark(context: LedgerContext, ledger_id: str, mark: MoveMark) -> MoveMark:
    """Writes the mark of a lockfile that moved to this clone, and to its remote if there is one.

    Returns the mark that is valid now: another one if another clone was faster. Does nothing outside of git.
    Raises LedgerUnavailable if the remote refuses it, and GuardRefused if this clone pushes to another repository.
    """
    repository = context.repository
    if repository is None:
        return mark
    value = {"project": context.project_path, "environment": context.environment}
    text = orjson.dumps(value | {"turn": mark.generation, "moved": mark.address}).decode()
    commit = create_commit(repository, repository.write_object("mktree"), f"{text}\n")
    _, main = find_remotes(context, repository)
    refuse_other_push_url(repository, main)
    current_mark = _push_to_first(repository, main, commit, ledger_id, mark) if main else mark
    if current_mark != mark:
        return current_mark
    repository.git("update-ref", _PREFIXES[0] + ledger_id, commit)
    return mark


def _ask(context: LedgerContext, repository: Repository, remote: str) -> RemoteAnswer:
    try:
        followed = repository.followed_branches(remote)
        refs, default_branch = repository.list_remote_refs(
            remote, "HEAD", *followed, *(f"{prefix}*" for prefix in _PREFIXES)
        )
        marks = tuple(_read_marks(repository, remote, refs))
        tip = refs.get("HEAD", "")
        branches = {default_branch or "HEAD": tip} if tip else {}
        branches.update((branch, refs[branch]) for branch in followed if branch in refs)
        repository.fetch_missing(remote, branches)
    except GitFailed as error:
        raise LedgerUnavailable(
            f"{remote} cannot be asked whether the ledger moved: {failure_reason(error)}",
            f"connect, and see whether git reaches it: git ls-remote {quote(remote)};"
            f" {_explain_gone(context, repository, remote)}",
        ) from error
    default = context.declared_at(repository, tip) if tip else None
    renamed_to = _find_renamed(context, repository, tip) if tip and not default else ""
    return RemoteAnswer(remote, marks, default, renamed_to, branches)


def _explain_gone(context: LedgerContext, repository: Repository, remote: str) -> str:
    """Returns the end of a hint: how msgrun asks another repository, or none, if one is gone for good."""
    gone = "if the repository is gone for good"
    if remote not in (repository.try_git("remote") or "").splitlines():
        return f"{gone}: remove remote: from msgrun.yaml, or correct it"
    url = context.declared.remote
    is_declared = url and is_same_repository(repository, remote, url)
    if isinstance(context.address, BranchAddress) and context.address.remote == remote:  # the ledger is gone with it
        correct = "correct remote: in msgrun.yaml, then: " if is_declared else ""
        return f"if the repository moved, or another takes its place: {correct}git remote set-url {quote(remote)} URL"
    return (
        f"{gone}: {'remove remote: from msgrun.yaml, then: ' if is_declared else ''}git remote remove {quote(remote)}"
    )


def _find_renamed(context: LedgerContext, repository: Repository, commit: str) -> str:
    """Returns the msgrun.yaml of a commit that names this ledger for another project or environment; else empty."""
    ledger_id, own = context.declared.ledger_id, posixpath.normpath(f"{context.project_path}/msgrun.yaml")
    pattern = ("--name-only", "--fixed-strings", ledger_id, commit, "--", ":(top,glob)**/msgrun.yaml")
    lines = (repository.try_git("grep", *pattern) or "").splitlines() if ledger_id else []
    paths = (line.removeprefix(f"{commit}:") for line in lines)
    # If the same file names it, the environment was renamed; without an environment, the file is not valid.
    return next((path for path in paths if path != own or context.stem != file_stem(None)), "")


def _read_marks(repository: Repository, remote: str, refs: Mapping[str, str]) -> Iterator[RemoteMark]:
    """Yields the marks among the refs of a remote. Raises LedgerUnavailable if these are too many to be marks."""
    marks = {ref: commit for ref, commit in refs.items() if _MARK_REF.fullmatch(ref)}
    if len(marks) > _MAX_MARKS:
        raise LedgerUnavailable(
            f"{remote} has {len(marks):,} refs for ledgers that moved, and msgrun reads {_MAX_MARKS:,}",
            f"see which of them are none of this repository's: git ls-remote {quote(remote)} '{_PREFIXES[0]}*'",
        )
    repository.fetch_missing(remote, marks)
    contents = {name: content for name, _, content in repository.read_objects(marks.values(), _MAX_MARKS_SIZE)}
    for ref, commit in marks.items():
        yield _parse_mark(ref, contents.get(commit, b""))


def _parse_mark(ref: str, commit: bytes) -> RemoteMark:
    """Reads a mark from the content of a commit. One that cannot be read gets the highest generation."""
    _, _, text = commit.partition(b"\n\n")  # its message
    unreadable = RemoteMark(ref, ".", "", MoveMark(MAX_GENERATION, "moved", "?"))
    try:
        value = orjson.loads(text)
        mark = parse_mark(value)
        is_readable = mark.status == "moved" and mark.generation > 0
        return RemoteMark(ref, str(value["project"]), str(value["environment"]), mark) if is_readable else unreadable
    except (ValueError, TypeError, KeyError, AttributeError):
        return unreadable


def _push_to_first(repository: Repository, remote: str, commit: str, ledger_id: str, mark: MoveMark) -> MoveMark:
    """Pushes the commit of a mark to the first of the two refs that the remote takes. Returns the mark now valid.

    A ref that another clone pushed meanwhile is not replaced. Raises LedgerUnavailable.
    """
    reasons, refs = [], [prefix + ledger_id for prefix in _PREFIXES]
    for ref in refs:
        before, _ = repository.list_remote_refs(remote, *refs)
        if commit in map(before.get, refs):  # it arrived, and only the answer was lost
            return mark
        for known in _read_marks(repository, remote, before):
            if known.mark.rank[:2] >= mark.rank[:2]:
                return known.mark
        try:
            lease = f"--force-with-lease={ref}:{before.get(ref, '')}"
            repository.git(
                "push", "--porcelain", "--no-verify", lease, *repository.remote_arguments(remote), f"{commit}:{ref}"
            )
        except GitFailed as error:
            reasons.append(failure_reason(error))
        else:
            return mark
    raise LedgerUnavailable(
        f"{remote} does not take the mark that the ledger moved: {reasons[0]}", "let this clone push, or try again"
    )
