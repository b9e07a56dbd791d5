"""A project whose ledger is a lockfile that nobody began: msgrun.yaml names neither its id nor a remote."""

from pathlib import Path

import pytest

from runner.sandbox import Sandbox
from tests.support.clones import ATTRIBUTES, HEADER, SETTINGS, Clone, message
from tests.support.pushed_projects import copy_project


@pytest.fixture
def author(tmp_path: Path, intercom: Sandbox) -> Clone:
    """The clone of whoever made the project: settings, two messages to three recipients, an empty ledger; pushed."""
    from runner.ledger.record import salt_check  # noqa: PLC0415  # coverage starts first

    files = {
        "msgrun.yaml": SETTINGS,
        ".gitattributes": ATTRIBUTES,
        ".gitignore": ".msgrun/\n",
        "messages.lock": HEADER % salt_check("rehearsal"),
        "messages/first.yaml": message("first", "aaa1", "aaa2"),
        "messages/second.yaml": message("second", "bbb1"),
    }
    return copy_project(files, tmp_path, intercom)
