"""The commit that a review compares with, by the ref that the user gave."""

from dataclasses import dataclass
from shlex import quote

from runner.errors import UsageMistake
from runner.git.repository import Repository


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


def _suggest_fetch(repository: Repository, ref: str) -> str:
    """Returns how to fetch a ref, so that it exists under the name that the user gave.

    A CI job often has only one commit.
    """
    remote, slash, branch = ref.partition("/")
    if slash and remote in (repository.try_git("remote") or "").split():
        refspec = quote(f"+{branch}:refs/remotes/{ref}")
        return f"a shallow or single-branch clone lacks it: git fetch --depth=1 {remote} {refspec}"
    return "is it spelt right? In a shallow clone pass --against FETCH_HEAD after: git fetch --depth=1 origin REF"
