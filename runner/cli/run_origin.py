"""Who runs msgrun, and where, as CI or git names it: for the records of a run, and of what a person decides."""

import os
import re
from pathlib import Path

from runner.errors import LedgerUnavailable
from runner.git.pushing import ci_job_url
from runner.git.repository import Repository, find_repository
from runner.ledger.record import RunOrigin

# In this order. GitHub's first name is of the person who ran a job again, the second of the one who ran it first.
_ACTOR_VARIABLES = ("GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN")
_MAX_ACTOR = 80  # characters
_URL = re.compile(r"https?://[A-Za-z0-9._~:/?#\[\]!$&'()*+,;=%-]{1,300}")  # without @: no credentials


def find_run_origin(root: Path) -> RunOrigin:
    """Returns who runs msgrun in the project at `root`: as CI names the actor, else the user.name of git.

    An email address is left out: it has no place in a ledger.
    """
    repository = _find_repository(root)
    actor = next((value for name in _ACTOR_VARIABLES if (value := os.environ.get(name))), "")
    if not actor and repository and not os.environ.get("CI"):
        actor = repository.try_git("config", "user.name") or ""
    actor = "".join(character for character in actor if character.isprintable()).strip()[:_MAX_ACTOR]
    url = ci_job_url(os.environ)
    commit = (repository.try_git("rev-parse", "--verify", "--quiet", "HEAD") or "") if repository else ""
    return RunOrigin("" if "@" in actor else actor, url if _URL.fullmatch(url) else "", commit)


def _find_repository(root: Path) -> Repository | None:
    try:
        return find_repository(root.resolve())
    except LedgerUnavailable:  # the sandbox needs no git; a ledger that does has refused already
        return None
