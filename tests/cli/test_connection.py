"""What a user reads when Intercom cannot be reached or does not accept the token: at once, with what to change."""

import json
import re
import shlex
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.intercom.client import HOSTS
from runner.sandbox import Sandbox
from tests.cli.commands.test_apply import LIST, records
from tests.support.certificates import create_authority
from tests.support.project import Folder
from tests.support.raw_server import no_proxy, serve

__all__ = ["no_proxy", "serve"]
pytestmark = pytest.mark.usefixtures("no_proxy")
QUICK = 6.0  # seconds: far below the half minute for which a failure is tried again


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCOM_ACCESS_TOKEN", "t0ken")


def me(serve: Callable, *, status: str = "200 OK", **app: object) -> str:
    """The address of a server that gives every request this answer of GET /me."""
    body = json.dumps({"type": "admin", "app": {"id_code": "acme", **app}}).encode()
    return serve(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body).url


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    ("variable", "value"),
    [("HTTPS_PROXY", "foo://127.0.0.1:1"), ("REQUESTS_CA_BUNDLE", "/none.pem"), ("HTTPS_PROXY", "http://a:b@c:d")],
)
def test_a_setting_that_cannot_work_is_not_tried_again(variable, value, folder: Folder, monkeypatch) -> None:
    monkeypatch.setenv(variable, value)
    folder.message(LIST)
    began = time.monotonic()
    ran = folder.run("apply", "--yes")
    assert time.monotonic() - began < QUICK
    assert ran.code == 1
    assert "trying again" not in ran.err
    assert f"error: GET /me: {variable}" in ran.err
    assert "  hint: " in ran.err
    assert not records(folder)


@pytest.mark.usefixtures("token")
def test_a_wrong_certificate_is_not_tried_again(folder: Folder, serve, tmp_path: Path, monkeypatch) -> None:
    server = serve(None, tls=create_authority(tmp_path / "tls").serving("good", "127.0.0.2"), host="127.0.0.2")
    monkeypatch.setenv("INTERCOM_BASE_URL", f"https://127.0.0.2:{server.port}")
    folder.message(LIST)
    began = time.monotonic()
    ran = folder.run("apply", "--yes")
    assert time.monotonic() - began < QUICK
    assert (ran.code, len(server.requests)) == (1, 0)
    assert f"error: GET /me: the certificate of 127.0.0.2:{server.port} is not valid" in ran.err


@pytest.mark.usefixtures("token")
def test_the_first_failure_is_reported_at_once_and_once(folder: Folder, monkeypatch) -> None:
    monkeypatch.setenv("INTERCOM_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("runner.intercom.workspace.READ_RETRY_TIME", 2.0)
    folder.message(LIST)
    ran = folder.run("apply", "--yes")
    assert ran.code == 1
    note = "no connection to 127.0.0.1:9 (Connection refused); trying again for up to 2 s\n"
    assert ran.err.count(note) == 1
    assert ran.err.index(note) < ran.err.index("error: GET /me: no connection to 127.0.0.1:9 (Connection refused)\n")
    assert "trying again" not in folder.run("-q", "apply", "--yes").err


@pytest.mark.usefixtures("token")
def test_a_name_that_is_not_known_is_named(folder: Folder, monkeypatch) -> None:
    monkeypatch.setitem(HOSTS, "us", "https://api.intercom.invalid")
    monkeypatch.setattr("runner.intercom.workspace.READ_RETRY_TIME", 0.1)
    folder.message(LIST)
    ran = folder.run("apply", "--yes")
    assert "error: GET /me: no connection to api.intercom.invalid (" in ran.err


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    "url", ["ann:s3cret@127.0.0.1:8765", "127.0.0.1", "https://", "https:///x", "://x", "http://[::1", "a b"]
)
def test_what_is_no_address_is_not_repeated(url, folder: Folder, monkeypatch) -> None:
    monkeypatch.setenv("INTERCOM_BASE_URL", url)
    folder.message(LIST)
    ran = folder.run("apply", "--yes")
    assert ran.code == 64
    assert "INTERCOM_BASE_URL has no scheme or no server" in ran.err
    assert "s3cret" not in ran.err


@pytest.mark.parametrize("variable", ["INTERCOM_ACCESS_TOKEN", "INTERCOM_TOKEN"])
def test_401_names_the_variable_of_the_token_and_what_was_asked(
    variable, folder: Folder, intercom: Sandbox, monkeypatch
) -> None:
    monkeypatch.delenv("INTERCOM_ACCESS_TOKEN")
    monkeypatch.setenv(variable, "expired")
    folder.message(LIST)
    ran = folder.run("apply", "--yes")
    assert ran.code == 1
    host = intercom.url.removeprefix("http://")
    assert (
        f"hint: copy {variable} again; {host} was asked: compare INTERCOM_BASE_URL with the workspace's region"
        in ran.err
    )
    monkeypatch.delenv("INTERCOM_BASE_URL")
    monkeypatch.setitem(HOSTS, "au", intercom.url)
    folder.write("msgrun.yaml", "region: au\n")
    ran = folder.run("apply", "--yes")
    assert f"copy {variable} again; region au ({host}) was asked: compare region: in msgrun.yaml" in ran.err


def test_401_in_the_middle_of_a_run_names_the_same(folder: Folder, intercom: Sandbox, monkeypatch) -> None:
    monkeypatch.delenv("INTERCOM_ACCESS_TOKEN")
    monkeypatch.setenv("INTERCOM_TOKEN", "x")
    intercom.trouble.replace({"next": ["401"]})
    folder.message(LIST)
    ran = folder.run("apply", "--yes")
    assert ran.code == 1
    assert "copy INTERCOM_TOKEN again" in ran.out
    assert records(folder)[-1]["status"] in {"released", "sent"}


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(("shown", "declared"), [("EU", "us"), ("eu", "au"), ("US", "eu"), ("AU", "us")])
def test_a_workspace_of_another_region_is_refused(shown, declared, folder: Folder, serve, monkeypatch) -> None:
    monkeypatch.setenv("INTERCOM_BASE_URL", me(serve, region=shown))
    folder.write("msgrun.yaml", f"region: {declared}\n")
    folder.message(LIST)
    ran = folder.run("apply", "--yes")
    assert ran.code == 5
    assert f"error: the workspace is in region {shown.lower()}, and msgrun.yaml says {declared}\n" in ran.err
    assert f"write region: {shown.lower()} into msgrun.yaml" in ran.err
    assert not records(folder)


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("shown", ["EU", "", None, 5, "eu-west-1", ["US"]])
def test_the_declared_region_and_what_is_none_are_no_guard(shown, folder: Folder, serve, monkeypatch) -> None:
    monkeypatch.setenv("INTERCOM_BASE_URL", me(serve, region=shown))
    folder.write("msgrun.yaml", "region: eu\n")
    folder.message(LIST)
    assert "is in region" not in folder.run("apply", "--yes").err


@pytest.mark.usefixtures("token")
def test_a_server_that_fails_is_named_and_reported_at_once(folder: Folder, serve, monkeypatch) -> None:
    url = me(serve, status="503 Later")
    monkeypatch.setenv("INTERCOM_BASE_URL", url)
    monkeypatch.setattr("runner.intercom.workspace.READ_RETRY_TIME", 1.0)
    folder.message(LIST)
    ran = folder.run("apply", "--yes")
    host = url.removeprefix("http://")
    assert (
        f"{host} gave HTTP status 503; trying again for up to 1 s\nerror: GET /me: {host} gave HTTP status 503\n"
        in ran.err
    )


@pytest.mark.usefixtures("token")
def test_a_run_that_reaches_a_sandbox_by_its_address_gets_the_command_that_works(folder: Folder, monkeypatch) -> None:
    folder.message(LIST)
    with Sandbox() as sandbox:
        monkeypatch.setenv("INTERCOM_BASE_URL", sandbox.url)
        refused = folder.run("apply", "--yes")
    assert (refused.code, "INTERCOM_BASE_URL is the address of a sandbox" in refused.err) == (5, True)
    command = re.findall(r"hint: .*to use the embedded one: msgrun (.*)", refused.err)[0]
    assert folder.run(*shlex.split(command)).code == 0
