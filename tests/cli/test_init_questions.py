"""What init asks on a real terminal."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.sandbox import Sandbox
from tests.support.ledger_files import read_settings
from tests.support.project import PACKAGE
from tests.support.terminal import CTRL_C, Terminal

NO_TOKEN = {"INTERCOM_ACCESS_TOKEN": "", "INTERCOM_TOKEN": "", "INTERCOM_BASE_URL": "", "CI": "", "GITHUB_ACTIONS": ""}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[object]:
    terminals = []

    def start(*args: str, **environ: str) -> Terminal:
        terminals.append(Terminal(tmp_path, "init", *args, environ={**NO_TOKEN, **environ}))
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.close()


def test_without_a_token_the_id_may_be_given_later(start, tmp_path: Path) -> None:
    terminal = start()
    terminal.answer("Region of your Intercom workspace", "eu")
    terminal.answer("Email address of the admin", "")
    terminal.wait_for("Where will apply run?")
    terminal.answer("Number [1]:", "")
    assert terminal.finish() == 0
    settings = read_settings(tmp_path)
    assert (settings["region"], settings["from"]) == ("eu", {"type": "admin", "id": "394051"})
    assert (tmp_path / "messages.lock").exists()
    assert "msgrun plan" in terminal.screen


def test_with_a_token_the_admins_are_listed(start, tmp_path: Path) -> None:
    with Sandbox(workspace="acme1234") as intercom:
        terminal = start(INTERCOM_ACCESS_TOKEN="secret", INTERCOM_BASE_URL=intercom.url)
        terminal.answer("Region of your Intercom workspace", "")
        terminal.answer("Number", "somebody")
        terminal.wait_for('"somebody" is not a number from 1 to')
        terminal.answer("Number", "2")
        terminal.wait_for("Where will apply run?")
        terminal.answer("Number [1]:", "1")
        assert terminal.finish() == 0
    settings = read_settings(tmp_path)
    second = re.search(r" 2  .* \((\d+)\)", terminal.screen)
    assert second is not None
    assert (settings["workspace"], settings["from"]["id"]) == ("acme1234", second[1])
    assert "secret" not in terminal.raw


def test_an_answer_that_is_none_is_asked_for_again(start, tmp_path: Path) -> None:
    terminal = start()
    terminal.answer("Region of your Intercom workspace", "mars")
    terminal.wait_for('"mars" is none of us, eu, au.')
    terminal.answer("Region of your Intercom workspace", "au")
    terminal.answer("Email address of the admin", "ann")
    terminal.wait_for('"ann" is not an id (digits) or an email address.')
    terminal.answer("Email address of the admin", "7")
    terminal.wait_for("Where will apply run?")
    terminal.answer("Number [1]:", "1")
    assert terminal.finish() == 0
    assert read_settings(tmp_path)["from"]["id"] == "7"


def test_a_sender_may_be_given_by_email_address(start, tmp_path: Path) -> None:
    terminal = start()
    terminal.answer("Region of your Intercom workspace", "")
    terminal.answer("Email address of the admin", "ann@example")
    terminal.wait_for("Where will apply run?")
    terminal.answer("Number [1]:", "1")
    assert terminal.finish() == 0
    assert read_settings(tmp_path)["from"] == {"type": "admin", "email": "ann@example"}


def test_a_token_that_intercom_refuses_does_not_end_it(start, tmp_path: Path) -> None:
    with Sandbox(workspace="acme1234") as intercom:
        terminal = start(INTERCOM_ACCESS_TOKEN="expired", INTERCOM_BASE_URL=intercom.url)
        terminal.answer("Region of your Intercom workspace", "us")
        terminal.wait_for("INTERCOM_ACCESS_TOKEN")
        terminal.answer("Email address of the admin", "7")
        terminal.wait_for("Where will apply run?")
        terminal.answer("Number [1]:", "1")
        assert terminal.finish() == 0
    assert read_settings(tmp_path)["from"]["id"] == "7"


def test_the_workflow_of_a_ci_system_is_written_on_the_way(start, tmp_path: Path) -> None:
    terminal = start("--from", PACKAGE)
    terminal.answer("Region of your Intercom workspace", "us")
    terminal.answer("Email address of the admin", "7")
    terminal.wait_for("Where will apply run?")
    terminal.answer("Number [1]:", "3")
    assert terminal.finish() == 0
    assert PACKAGE in (tmp_path / ".gitlab/msgrun.yml").read_text()
    assert "Asking the package index for the hashes …" in terminal.raw
    assert read_settings(tmp_path)["lock"] == "git+origin"


def test_an_admin_may_be_chosen_by_name_and_ctrl_c_ends_the_line(start) -> None:
    with Sandbox(workspace="acme1234") as intercom:
        terminal = start(INTERCOM_ACCESS_TOKEN="secret", INTERCOM_BASE_URL=intercom.url)
        terminal.answer("Region of your Intercom workspace", "")
        terminal.answer("Number", "ZOE")
        terminal.wait_for("Where will apply run?")
        terminal.wait_for("Number [1]: ")
        terminal.type(CTRL_C)
        assert terminal.finish() == 130
    assert "\nInterrupted by Ctrl-C.\n" in terminal.screen


def test_after_three_wrong_answers_nothing_is_written(start, tmp_path: Path) -> None:
    terminal = start()
    for _ in range(3):
        terminal.answer("Region of your Intercom workspace", "mars")
    assert terminal.finish() == 5
    assert "Cancelled. Nothing was written." in terminal.screen
    assert not list(tmp_path.iterdir())
