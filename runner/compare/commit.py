"""The commit that a review compares with, by the ref that the user gave."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote

from runner.errors import UsageMistake
from runner.git.repository import Repository

_GITHUB_MERGE = re.compile(r"refs/pull/\d+/merge")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit: the ref that the user gave, the hash of the commit, and that of its merge base with HEAD.

    `merge_base` is empty if there is none, as in a shallow clone.
    """

    ref: str
    hash: str
    merge_base: str

    @property
    def base(self) -> str:
        """The commit that HEAD is compared with: the merge base, or the commit itself if there is none."""
        return self.merge_base or self.hash


def find_commit(repository: Repository | None, ref: str) -> Commit:
    """Returns the commit that a ref names. Raises UsageMistake, with a command that fetches a missing ref."""
    if repository is None:
        raise UsageMistake(f"there is no {ref} to compare with: this is not a git repository", "leave out --against")
    commit_hash = repository.try_git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if not commit_hash:
        raise UsageMistake(f"{ref} is not a commit of this repository", _suggest_fetch(repository, ref))
    return Commit(ref, commit_hash, repository.try_git("merge-base", commit_hash, "HEAD") or "")


def find_reviewed_hash(repository: Repository, environ: Mapping[str, str]) -> str:
    """Returns the hash of HEAD; where CI made HEAD by merging a pull request, that of the request's own last commit.

    No clone has that merge. One that an author made is an author's commit as any other, with any files.
    Sources: GitHub's and GitLab's documentation of predefined variables.
    """
    head, *parents = (repository.try_git("rev-parse", "HEAD", "HEAD^@") or "").split() or [""]
    if _GITHUB_MERGE.fullmatch(environ.get("GITHUB_REF", "")) and len(parents) > 1:
        return parents[-1]
    source = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "")  # empty but in pipelines for merged results
    return source if source in parents[1:] else head


def _suggest_fetch(repository: Repository, ref: str) -> str:
    """Returns how to fetch a ref, so that it exists under the name that the user gave.

    A CI job often has only one commit.
    """
    remote, slash, branch = ref.partition("/")
    if slash and remote in (repository.try_git("remote") or "").split():
        refspec = quote(f"+{branch}:refs/remotes/{ref}")
        return f"a shallow or single-branch clone lacks it: git fetch --depth=1 {remote} {refspec}"
    return "is it spelt right? In a shallow clone pass --against FETCH_HEAD after: git fetch --depth=1 origin REF"
