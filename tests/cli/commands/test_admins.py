"""admins lists who may send, and `from` may name one by email or name: looked up before anything is sent."""

import json

import pytest

from runner.intercom.workspace import Workspace
from runner.sandbox import Sandbox
from tests.support import golden
from tests.support.project import SEED, Folder

BY_EMAIL = SEED.replace('id: "394051"', "email: ZOE@msgrun-sandbox.example")
BY_NAME = SEED.replace('id: "394051"', "name: Zoe")


def claims(folder: Folder) -> list[dict[str, object]]:
    lines = (folder.path / "messages.lock").read_text().splitlines()
    return [value for line in lines if (value := json.loads(line)).get("status") == "claimed"]


@pytest.mark.parametrize("columns", ["100", "60", "30"])
@pytest.mark.usefixtures("intercom")
def test_admins_is_a_table_that_fits_the_terminal(columns, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    ran = folder.run("admins")
    golden.check(f"admins-{columns}.txt", ran.out)
    assert ran.code == 0
    assert all(len(line) <= max(int(columns), 36) for line in ran.out.splitlines())


@pytest.mark.usefixtures("intercom")
def test_admins_as_json_masks_nothing_because_they_are_no_recipients(folder: Folder) -> None:
    rows = json.loads(folder.run("admins", "--format", "json").out)["admins"]
    assert rows[0] == {"id": "394051", "name": "Wash", "email": "wash@msgrun-sandbox.example", "seat": True}
    assert [row["seat"] for row in rows] == [True, True, False]


def test_a_token_that_may_not_list_admins_is_said(folder: Folder, intercom: Sandbox) -> None:
    intercom.trouble.replace({"routes": {"GET /admins": {"next": ["403"]}}})
    ran = folder.run("admins")
    assert (ran.code, "the token may not list admins" in ran.err) == (1, True)


@pytest.mark.parametrize("message", [BY_EMAIL, BY_NAME])
def test_a_sender_by_email_or_name_is_sent_as_the_admins_id(message, folder: Folder, intercom: Sandbox) -> None:
    folder.message(message)
    assert "(id not looked up yet)" in folder.run("plan").out
    assert folder.run("apply", "--yes").code == 0
    assert [sent["payload"]["from"] for sent in intercom.messages] == [{"type": "admin", "id": 394052}]
    assert [claim["sender"] for claim in claims(folder)] == ["394052"]
    assert folder.run("plan").out.splitlines()[-3].endswith("nothing to send, 1 already sent.")


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ("name: zoe", "no admin has the name zoe; near it: 394052 (Zoe)"),
        ("email: zoe@acme.example", "no admin has the email address zoe@acme.example; "),
    ],
)
def test_a_sender_who_is_no_admin_stops_before_the_first_claim(
    declared, said, folder: Folder, intercom: Sandbox
) -> None:
    folder.message(SEED.replace('id: "394051"', declared))
    ran = folder.run("apply", "--yes")
    assert (ran.code, said in ran.err) == (5, True)
    assert not claims(folder)
    assert not intercom.messages


def test_where_admins_may_not_be_read_a_name_sends_nothing(
    folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Workspace, "admins", lambda _: None)
    folder.message(BY_NAME)
    ran = folder.run("apply", "--yes")
    assert (ran.code, "the token may not list admins, so it is not known which admin has the name Zoe" in ran.err) == (
        5, True,
    )  # fmt: skip
    assert not intercom.messages


def test_all_senders_that_are_no_admins_are_reported(folder: Folder, intercom: Sandbox) -> None:
    folder.message(SEED.replace('id: "394051"', "name: Xaviera"), "a")
    folder.message(SEED.replace('id: "394051"', "name: Yolanda").replace("name: seed", "name: other"), "b")
    ran = folder.run("apply", "--yes")
    assert ran.err.count("error: no admin has the name ") == 2
    assert not intercom.messages


@pytest.mark.usefixtures("intercom")
def test_plan_online_names_the_admin_and_stops_at_one_who_is_none(folder: Folder) -> None:
    folder.message(BY_NAME)
    assert "from admin Zoe (id 394052)" in folder.run("plan", "--online").out
    folder.message(SEED.replace('id: "394051"', "name: Xaviera"))
    ran = folder.run("plan", "--online")
    assert (ran.code, "[sender-unknown]" in ran.out) == (5, True)


@pytest.mark.usefixtures("intercom")
def test_plan_online_in_the_wrong_workspace_is_a_guard(folder: Folder) -> None:
    folder.write("msgrun.yaml", "workspace: other\n")
    folder.message(SEED)
    ran = folder.run("plan", "--online")
    assert (ran.code, "[workspace]" in ran.out) == (5, True)
    assert "1 to send" in ran.out


@pytest.mark.parametrize("online", [True, False])
def test_a_digest_covers_what_is_declared_and_not_who_that_is_today(online, folder: Folder, intercom: Sandbox) -> None:
    folder.message(BY_NAME)
    digest = folder.run("plan").out.splitlines()[-1]
    assert folder.run("plan", *(["--online"] if online else [])).out.splitlines()[-1] == digest
    assert intercom.messages == []


def test_a_saved_plan_binds_the_id_that_was_looked_up(folder: Folder, intercom: Sandbox) -> None:
    folder.message(BY_NAME)
    saved = folder.path / "plan.json"
    assert folder.run("plan", "--online", "--out", str(saved)).code == 0
    assert json.loads(saved.read_text())["senders"] == [{"name": "Zoe", "id": "394052"}]
    saved.write_text(saved.read_text().replace('"394052"', '"394053"'))
    ran = folder.run("apply", "--yes", "--plan", str(saved))
    assert ran.code == 5
    assert "was made when name:Zoe was admin 394053, and now it is admin 394052" in ran.err
    assert not intercom.messages
    saved.write_text(saved.read_text().replace('"394053"', '"394052"'))
    assert folder.run("apply", "--yes", "--plan", str(saved)).code == 0
    assert len(intercom.messages) == 1


@pytest.mark.parametrize(
    "senders", ['[{"name": "Zoe"}]', '[{"id": "1"}]', '["x"]', "{}", '[{"name": "Zoe", "id": "a"}]']
)
def test_a_saved_plan_with_senders_of_another_form_is_refused(senders, folder: Folder, intercom: Sandbox) -> None:
    folder.message(BY_NAME)
    saved = folder.path / "plan.json"
    folder.run("plan", "--out", str(saved))
    saved.write_text(saved.read_text().replace('"digest"', f'"senders": {senders}, "digest"', 1))
    ran = folder.run("apply", "--yes", "--plan", str(saved))
    assert (ran.code, "one of its senders has the wrong form" in ran.out) == (1, True)
    assert not intercom.messages


def test_the_sandbox_knows_whoever_a_project_sends_from(folder: Folder) -> None:
    folder.message(SEED.replace('id: "394051"', "email: boss@acme.example"))
    ran = folder.run("--sandbox", "apply", "--yes")
    assert ran.code == 0
    assert "Sender boss@acme.example: Boss, admin 4" in ran.err
