"""A project whose ledger is a lockfile that nobody began: msgrun.yaml names neither its id nor a remote."""

from pathlib import Path

import pytest

from runner.sandbox import Sandbox
from tests.support.clones import ATTRIBUTES, HEADER, SETTINGS, Clone, message


@pytest.fixture
def author(tmp_path: Path, origin: Path, intercom: Sandbox) -> Clone:
    """The clone of whoever made the project: settings, two messages to three recipients, an empty ledger; pushed."""
    from runner.ledger.record import salt_check  # noqa: PLC0415  # coverage starts first

    made = Clone(tmp_path / "author", intercom)
    made.path.mkdir()
    made.git("init", "--quiet", "--initial-branch=main")
    made.write("msgrun.yaml", SETTINGS)
    made.write(".gitattributes", ATTRIBUTES)
    made.write(".gitignore", ".msgrun/\n")
    made.write("messages.lock", HEADER % salt_check("rehearsal"))
    made.write("messages/first.yaml", message("first", "aaa1", "aaa2"))
    made.write("messages/second.yaml", message("second", "bbb1"))
    made.commit()
    made.git("remote", "add", "origin", origin.as_uri())
    made.git("push", "--quiet", "--set-upstream", "origin", "main")
    return made
