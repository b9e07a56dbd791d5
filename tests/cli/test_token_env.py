"""`token_env:` of an environment names the variable with its token, and no other token replaces it."""

import pytest

from runner.cli import scaffold
from runner.declare.settings import Settings
from runner.sandbox import Sandbox
from tests.cli.commands.test_apply import LIST
from tests.support.project import PACKAGE, Folder

VARIABLE = "INTERCOM_TOKEN_STAGING"


def test_the_token_is_read_from_the_variable_alone(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("msgrun.yaml", f"environments: {{staging: {{token_env: {VARIABLE}}}}}\n")
    folder.message(LIST)
    monkeypatch.setenv("INTERCOM_ACCESS_TOKEN", "production")
    refused = folder.run("-e", "staging", "apply", "--yes", "--new-lock")
    assert (refused.code, f"set {VARIABLE}" in refused.err) == (1, True)
    monkeypatch.setenv(VARIABLE, "t")
    assert folder.run("-e", "staging", "apply", "--yes", "--new-lock").code == 0
    assert f"; {VARIABLE}, accepted by" in folder.run("-e", "staging", "doctor").out
    assert len(intercom.messages) == 3


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "INTERCOM_BASE_URL", "AWS_SECRET_ACCESS_KEY", "dG9rOjEyMw=="])
def test_no_other_secret_can_be_named(folder: Folder, name: str) -> None:
    folder.write("msgrun.yaml", f"token_env: {name}\n")
    folder.message(LIST)
    assert "[token-env-form]" in folder.run("validate").out


def test_a_workflow_has_the_environments_own_secret() -> None:
    text = scaffold.workflow("github", "main", ".", PACKAGE, Settings(environment="staging", token_env=VARIABLE))
    assert f"{VARIABLE}: ${{{{ secrets.{VARIABLE} }}}}" in text
    assert "INTERCOM_ACCESS_TOKEN" not in text


def test_the_workflow_of_the_unnamed_environment_names_it_where_another_is_the_default() -> None:
    text = scaffold.workflow("github", "main", ".", PACKAGE, Settings(default_environment="staging"))
    assert "msgrun -e default apply" in text
