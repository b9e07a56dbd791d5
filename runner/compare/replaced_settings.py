"""Finds settings that commits replace without a change in them: they move, or another msgrun.yaml is nearer now.

The root of a project is the nearest parent folder with msgrun.yaml. So a file that moves brings other rules and another
ledger, and a comparison of the file at one path would find none of them changed.
"""

from pathlib import Path, PurePosixPath

from runner.declare.project_root import SETTINGS_FILE
from runner.git.repository import Repository


def find_replaced_settings(repository: Repository, commit: str, root: Path, start: Path) -> list[str]:
    """Returns the files msgrun.yaml whose rules and ledger counted at a commit and do not count for HEAD.

    `root` is the project's root now, and `start` the folder in which the search for it began.
    """
    base = repository.try_git("merge-base", commit, "HEAD") or commit
    pathspec = f":(top,glob)**/{SETTINGS_FILE}"
    output = repository.try_git("diff-tree", "-r", "--no-renames", "--name-status", "-z", base, "HEAD", "--", pathspec)
    fields = (output or "").split("\0")
    states = dict(zip(fields[1::2], fields[::2], strict=False))
    own = repository.relative_path(root / SETTINGS_FILE)
    is_new = own is not None and states.get(own) == "A"
    replaced = [path for path, state in states.items() if state == "D"] if is_new else []
    before = _find_settings(repository, base, start)
    return list(dict.fromkeys([*replaced, *([before] if before and before != own else [])]))


def _find_settings(repository: Repository, commit: str, start: Path) -> str | None:
    """Returns the settings file that a command in a folder would have found at a commit; None if there was none."""
    folder = repository.relative_path(start)
    if folder is None:
        return None
    listing = repository.try_git("ls-tree", "-r", "--full-tree", "--name-only", "-z", commit) or ""
    files = {path for path in listing.split("\0") if PurePosixPath(path).name == SETTINGS_FILE}
    names = ((parent / SETTINGS_FILE).as_posix() for parent in (PurePosixPath(folder), *PurePosixPath(folder).parents))
    return next((name for name in names if name in files), None)
