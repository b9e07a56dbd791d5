"""Finds a ledger that a commit took out of the project: msgrun.yaml does not name its id any more."""

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from runner.git.repository import Repository
from runner.ledger.context import LedgerContext

_NAME = "msgrun.yaml"
_LOG = (  # --full-history, -m: also what a merge itself changes, or takes from one side alone
    *("log", "-z", "--raw", "--no-abbrev", "--no-renames", "--full-history", "-m", "--format=commit %H"),
    *("--end-of-options",),
)
_CHANGE = re.compile(rb"commit (?P<commit>\w+)\0|:\d+ \d+ (?P<old>\w+) (?P<new>\w+) \w\0(?P<path>[^\0]+)\0")
_ENTRY = re.compile(rb"(?P<mode>\d+) blob (?P<blob>\w+)\t(?P<path>[^\0]+)\0")
_SHORT_HASH = 12  # digits of a commit in a message
_MAX_HISTORY = 64 << 20  # bytes of lists of changes or files
_MAX_SETTINGS = 16 << 20  # bytes of all versions of all msgrun.yaml; one has a few thousand


@dataclass(frozen=True, slots=True)
class LostLedger:
    """A ledger, the path of the msgrun.yaml that named it, and the commit that removed its id from there."""

    ledger_id: str
    path: str
    commit: str


def find_lost_ledger(context: LedgerContext, repository: Repository, tips: Iterable[str]) -> LostLedger | None:
    """Returns a ledger that a msgrun.yaml named in the history of commits, and that none of theirs names now.

    One that this project's own msgrun.yaml named counts as lost, whichever other file names it: a copy proves nothing.
    Where another id takes the place of an id, a person gave a lost ledger up. Of a shallow clone only a part is seen.
    Raises LedgerUnavailable.
    """
    tips = [*tips]
    log = repository.git(*_LOG, *tips, "--", f":(top,glob)**/{_NAME}", max_output=_MAX_HISTORY)
    changes = [*_CHANGE.finditer(log)]
    entries = [entry["blob"] for tip in tips for entry in _list_settings(repository, tip)]
    versions = (change[side] for change in changes if change["path"] for side in ("old", "new"))
    ids = dict(_read_ids(context, repository, dict.fromkeys([*entries, *versions])))
    known = {ledger_id for blob in entries for ledger_id in ids.get(blob, {}).values()}
    own, commit = (posixpath.normpath(f"{context.project_path}/{_NAME}"), context.environment), b""
    for change in changes:
        commit = change["commit"] or commit
        now = ids.get(change["new"], {})
        for environment, ledger_id in ids.get(change["old"], {}).items():
            path = os.fsdecode(change["path"])
            if ledger_id and not now.get(environment) and (ledger_id not in known or (path, environment) == own):
                return LostLedger(ledger_id, path, commit.decode()[:_SHORT_HASH])
    return None


def _list_settings(repository: Repository, commit: str) -> Iterator[re.Match[bytes]]:
    """Yields the files msgrun.yaml of a commit, without links."""
    listing = repository.git("ls-tree", "-r", "-z", "--full-tree", commit, max_output=_MAX_HISTORY)
    for entry in _ENTRY.finditer(listing):
        if entry["mode"].startswith(b"100") and PurePosixPath(os.fsdecode(entry["path"])).name == _NAME:
            yield entry


def _read_ids(
    context: LedgerContext, repository: Repository, blobs: Iterable[bytes]
) -> Iterator[tuple[bytes, Mapping[str, str]]]:
    """Yields each blob that the repository has, with the ids that it names by environment."""
    names = (blob.decode() for blob in blobs if blob.strip(b"0"))
    for name, kind, content in repository.read_objects(names, _MAX_SETTINGS):  # without the commits of submodules
        if kind == "blob":
            yield name.encode(), context.ledger_ids(content)
