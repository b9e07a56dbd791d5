"""doctor says of everything that a run needs whether it is in place, and changes nothing."""

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from runner.declare.schema import schema_path
from runner.sandbox import Sandbox
from runner.sandbox.trouble_schedule import Trouble
from tests.sandbox.test_openapi import convert, description, schemas
from tests.support import golden
from tests.support.postgres import Server
from tests.support.project import SEED, Folder

__all__ = ["description", "schemas"]
FINDABLE = f"{SEED}create_conversation_without_contact_reply: true\n"
ALL_WELL = "workspace: acme\n"


def git(folder: Folder, *args: str) -> None:
    subprocess.run(["git", *args], cwd=folder.path, check=True, capture_output=True)


@pytest.fixture
def project(folder: Folder) -> Folder:
    """A project in which all is well: committed, pinned to its workspace, and its message can be found again."""
    folder.write("msgrun.yaml", ALL_WELL)
    folder.write(".gitattributes", "messages.lock -text merge=union\nmessages.*.lock -text merge=union\n")
    folder.write(".gitignore", ".msgrun/\n")
    folder.message(FINDABLE)
    git(folder, "init", "-q", "-b", "main")
    commit(folder)
    return folder


def commit(folder: Folder) -> None:
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "all")


def checks(folder: Folder, *args: str) -> Mapping[str, dict[str, str]]:
    """The checks by name."""
    ran = folder.run("doctor", "--format", "json", *args)
    value = json.loads(ran.out)
    assert ran.code == (5 if value["counts"]["fail"] else 0)
    return {row["check"]: row for row in value["checks"]}


def status(folder: Folder, *args: str) -> dict[str, str]:
    """The checks that are not ok, with their status."""
    return {name: row["status"] for name, row in checks(folder, *args).items() if row["status"] != "ok"}


@pytest.mark.usefixtures("intercom")
def test_where_all_is_well_it_says_so_in_one_line(project: Folder) -> None:
    ran = project.run("doctor")
    assert ran.code == 0
    assert re.search(r"\nAll \d\d checks are ok\.\n$", ran.out)
    assert "token" in ran.out
    assert "of Wash (394051)" in ran.out
    assert "secret-token" not in ran.out + ran.err


def test_it_only_reads(project: Folder, intercom: Sandbox) -> None:
    before = contents(project.path)
    project.run("doctor")
    project.run("doctor", "--sandbox")
    assert contents(project.path) == before
    asked = {(entry["method"], entry["path"]) for entry in intercom.log}
    assert asked == {
        ("GET", "/me"), ("GET", "/admins"), ("POST", "/contacts/search"), ("POST", "/conversations/search"),
    }  # fmt: skip
    assert not intercom.messages


def contents(root: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in root.rglob("*")
        if path.is_file()
    }


def test_every_request_is_one_of_the_official_description(
    project: Folder, intercom: Sandbox, description: Any, schemas: Any
) -> None:
    project.run("doctor")
    for entry in intercom.log:
        operation = description["paths"][entry["path"]][entry["method"].lower()]
        if entry["payload"] is None:
            assert "requestBody" not in operation
            continue
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        local = json.loads(json.dumps(convert(schema)).replace('"#/components', '"urn:api#/components'))
        errors = Draft202012Validator(local, registry=schemas).iter_errors(entry["payload"])
        assert [f"{entry['path']} {error.json_path}: {error.message}" for error in errors] == []


@pytest.mark.parametrize("columns", ["100", "60"])
def test_what_a_person_sees(columns, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("INTERCOM_ACCESS_TOKEN", "t")
    monkeypatch.setattr("platform.python_version", lambda: "3.11.7")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == "duckdb")
    folder.write("msgrun.yaml", "workspace: other\nfrom: {type: admin, name: Kaylee}\n")
    folder.message(SEED.replace('from: {type: admin, id: "394051"}\n', ""))
    trouble = Trouble(routes={"POST /conversations/search": {"next": ["403"]}})
    with Sandbox(workspace="acme", rate_limit=167, window=1e9, trouble=trouble) as intercom:
        monkeypatch.setenv("INTERCOM_BASE_URL", intercom.url)
        ran = folder.run("doctor")
    assert ran.code == 5
    _, *lines = ran.out[ran.out.index("\n\n") :].splitlines()  # the title has the folder of the test
    assert max(map(len, lines)) <= int(columns)
    text = re.sub(r"127\.0\.0\.1:\d+", "api.intercom.io", "\n".join(lines))
    golden.check(f"doctor-{columns}.txt", f"msgrun doctor · /home/ann/acme\n{text}\n")


def test_without_a_token_it_says_what_it_could_not_look_at(project: Folder) -> None:
    looked = checks(project)
    assert looked["token"]["status"] == "warn"
    assert looked["token"]["fix"].startswith("set INTERCOM_ACCESS_TOKEN")
    assert {name for name, row in looked.items() if row["status"] == "skip"} == {
        "permissions", "workspace", "region", "api version", "senders", "rate limit", "clock",
    }  # fmt: skip
    assert project.run("doctor").code == 0


def test_in_the_sandbox_no_token_is_needed(project: Folder) -> None:
    assert status(project, "--sandbox") == {}


def test_without_settings_that_can_be_read_it_is_refused_as_any_command_and_asks_nothing(
    project: Folder, intercom: Sandbox
) -> None:
    project.write("msgrun.yaml", "regio: eu\n")
    ran = project.run("doctor")
    assert (ran.code, "msgrun.yaml:1:1: error: there is no key regio here" in ran.out) == (1, True)
    assert not intercom.log


@pytest.mark.usefixtures("intercom")
@pytest.mark.parametrize(
    ("settings", "check", "said"),
    [
        ("workspace: other\n", "workspace", "the token is of workspace acme, and msgrun.yaml names other"),
        ("workspace: acme\nregion: eu\n", "region", "the workspace is in region us, and msgrun.yaml says eu"),
        (
            "workspace: acme\nfrom: {type: admin, name: Xaviera}\n",
            "senders",
            "no admin has the name Xaviera; yours are",
        ),
        ("workspace: acme\nsalt: other\n", "ledger", "salt"),
    ],
)
def test_what_contradicts_the_settings_is_a_failure(settings, check, said, project: Folder) -> None:
    project.write("msgrun.yaml", settings)
    row = checks(project)[check]
    assert row["status"] == "fail"
    assert said in row["detail"]
    assert row["fix"]


@pytest.mark.usefixtures("intercom")
@pytest.mark.parametrize(
    ("settings", "check", "said"),
    [
        ("", "workspace", "write workspace: acme into msgrun.yaml"),
        ("default_environment: qa\nenvironments: {qa: {}}\n", "workspace", "into msgrun.yaml, below environments.qa"),
        ("workspace: acme\nfrom: {type: admin, name: Kaylee}\n", "senders", "Settings, Teammates"),
        ('workspace: acme\napi_version: "2.5"\n', "reconcile", "api_version"),
    ],
)
def test_what_may_go_wrong_later_is_a_warning(settings, check, said, project: Folder) -> None:
    project.write("msgrun.yaml", settings)
    if "2.5" in settings:
        project.message(SEED)
    row = checks(project)[check]
    assert row["status"] == "warn"
    assert said in row["fix"]


def test_permissions_that_lack_are_named_with_what_they_are_for(project: Folder, intercom: Sandbox) -> None:
    intercom.trouble.replace({"routes": {"POST /contacts/search": {"next": ["403"]}}})
    row = checks(project)["permissions"]
    assert row["status"] == "fail"
    assert row["detail"].startswith("may not read contacts: apply cannot look up its recipients")


def test_an_answer_that_is_no_denial_is_no_lack_of_permission(project: Folder, intercom: Sandbox) -> None:
    intercom.trouble.replace({"routes": {"POST /contacts/search": {"next": ["503_retry_after"]}}})
    row = checks(project)["permissions"]
    assert (row["status"], row["detail"]) == ("warn", "contacts could not be read: HTTP status 503")


def test_a_token_that_is_not_accepted_is_one_failure(project: Folder, intercom: Sandbox) -> None:
    intercom.trouble.replace({"routes": {"GET /me": {"next": ["401"]}}})
    row = checks(project)["token"]
    assert (row["status"], row["fix"].startswith("copy INTERCOM_ACCESS_TOKEN again; ")) == ("fail", True)


def test_a_host_that_is_not_reached_is_one_failure(project: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCOM_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("INTERCOM_ACCESS_TOKEN", "t")
    row = checks(project)["token"]
    assert (row["status"], row["detail"].startswith("127.0.0.1:9 is not reached: ")) == ("fail", True)


def test_how_much_of_the_limit_others_use_is_shown(project: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(workspace="acme", rate_limit=100, window=1e9) as intercom:
        monkeypatch.setenv("INTERCOM_BASE_URL", intercom.url)
        monkeypatch.setenv("INTERCOM_ACCESS_TOKEN", "t")
        assert "other programs used 0 of them (0%)" in checks(project)["rate limit"]["detail"]
        for _ in range(14):
            project.run("admins")  # two requests each
        row = checks(project)["rate limit"]
    assert "other programs used 32 of them (32%)" in row["detail"]


@pytest.mark.usefixtures("intercom")
def test_git_is_asked_what_is_not_committed(project: Folder) -> None:
    project.message(FINDABLE.replace("Hey", "Hi"))
    row = checks(project)["git"]
    assert (row["status"], row["fix"]) == ("warn", "git add . && git commit")
    commit(project)
    project.write(".gitattributes", "")
    assert checks(project)["git"]["fix"] == "msgrun init"


@pytest.mark.usefixtures("intercom")
def test_a_copy_of_a_schema_that_is_out_of_date_is_a_warning(project: Folder) -> None:
    project.write("schema/message.schema.json", schema_path("message").read_text(encoding="utf-8"))
    project.write("schema/project.schema.json", "{}\n")
    row = checks(project)["schemas"]
    assert row["status"] == "warn"
    assert row["fix"] == "msgrun schema project > schema/project.schema.json"


@pytest.mark.usefixtures("intercom")
def test_a_message_with_a_problem_is_a_failure(project: Folder) -> None:
    project.message("name: broken\n", "broken")
    row = checks(project)["project"]
    assert (row["status"], row["fix"].endswith("validate")) == ("fail", True)


@pytest.mark.usefixtures("intercom")
def test_a_ledger_that_is_not_started_and_one_with_unknown_deliveries_are_warnings(project: Folder) -> None:
    (project.path / "messages.lock").unlink()
    assert checks(project)["ledger"]["fix"] == "msgrun lock begin"
    project.write("messages.lock", '{"msgrun_lock":1,"workspace":"","salt_check":"9165df25"}\n' + CLAIM)
    row = checks(project)["ledger"]
    assert (row["status"], "1 unknown" in row["detail"], row["fix"].endswith("reconcile")) == ("warn", True, True)


CLAIM = (
    '{"key":"3215e97fae6137100a3e78e8529ac85e","attempt":"A-1","status":"claimed","message":"seed","revision":1,'
    '"to":"id:x","digest":"v1:1","content":"c","at":"2026-11-22T10:00:00Z"}\n'
)


@pytest.mark.usefixtures("intercom")
def test_a_lockfile_in_ci_is_a_failure(project: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert checks(project)["ledger"]["fix"].startswith("msgrun lock move git+origin; ")


@pytest.mark.usefixtures("intercom")
def test_a_remote_that_takes_a_push_is_found_without_pushing(project: Folder, tmp_path_factory) -> None:
    remote = tmp_path_factory.mktemp("remote") / "origin.git"
    subprocess.run(["git", "init", "-q", "--bare", str(remote)], check=True)
    git(project, "remote", "add", "origin", str(remote))
    project.write("msgrun.yaml", f"{ALL_WELL}lock: git+origin\n")
    (project.path / "messages.lock").unlink()
    assert checks(project)["ledger write"]["status"] == "ok"
    refs = subprocess.run(["git", "for-each-ref"], cwd=remote, check=True, capture_output=True, text=True).stdout
    assert refs == ""
    git(project, "remote", "set-url", "origin", str(remote / "missing"))
    looked = checks(project)
    assert (looked["ledger"]["status"], looked["ledger write"]["status"]) == ("fail", "skip")


@pytest.mark.usefixtures("intercom")
def test_a_remote_that_is_gone_is_the_failure_that_apply_refuses_with(project: Folder) -> None:
    git(project, "remote", "add", "origin", str(project.path / "gone.git"))
    row = checks(project)["ledger"]
    assert (row["status"], "origin cannot be asked whether the ledger moved" in row["detail"]) == ("fail", True)
    assert row["fix"].endswith("if the repository is gone for good: git remote remove origin")
    git(project, "remote", "remove", "origin")
    assert checks(project)["ledger"]["status"] == "ok"


@pytest.mark.usefixtures("intercom")
def test_a_ledger_that_moved_in_another_clone_is_a_failure_and_reconcile_is_no_fix(
    project: Folder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    remote = tmp_path_factory.mktemp("remote") / "origin.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(remote)], check=True)
    git(project, "remote", "add", "origin", str(remote))
    header = '{"msgrun_lock":1,"workspace":"","salt_check":"9165df25","ledger":"AAAAAAAAAAAAAAAAAAAAAAAAAA"}\n'
    project.write("messages.lock", header + CLAIM)
    commit(project)
    git(project, "commit", "--allow-empty", "-qm", '{"project":".","environment":"","turn":1,"moved":"git+origin"}')
    git(project, "push", "-q", "origin", f"HEAD:refs/msgrun/moved/{'A' * 26}", "HEAD~:refs/heads/main")
    row = checks(project)["ledger"]
    assert (row["status"], row["detail"]) == ("fail", "this project's ledger moved to git+origin, says origin")
    assert "reconcile" not in row["fix"]


@pytest.mark.usefixtures("intercom")
def test_a_ledger_in_a_database_is_read(project: Folder, server: Server) -> None:
    (project.path / "messages.lock").unlink()
    project.write("msgrun.yaml", f"{ALL_WELL}lock: {server.lock}\n")
    commit(project)
    assert checks(project)["ledger"]["status"] == "warn"
    assert project.run("lock", "begin").code == 0
    looked = checks(project)
    assert (looked["ledger"]["status"], looked["ledger write"]["status"]) == ("ok", "skip")
