"""A declaration that is not read because of its name is a warning, and what it says to do makes it one that is read."""

import json
import os
import shutil

import pytest

from runner.declare.message_files import list_message_files
from tests.support.project import Folder

TEXT = "name: other\nmessage_type: inapp\nbody: Hi\nfrom: {type: admin, id: '1'}\nto: {type: user, id: a1}\n"
MESSAGE = TEXT.replace("other", "first")
JSON = json.dumps(
    {"name": "other", "message_type": "inapp", "body": "Hi", "from": {"type": "admin", "id": "1"},
     "to": {"type": "user", "id": "a1"}}
)  # fmt: skip


def problems(folder: Folder, *args: str) -> list[dict[str, str]]:
    result = folder.run(*args, "--format", "json")
    found: list[dict[str, str]] = json.loads(result.out)["problems"]
    return [problem for problem in found if problem["code"] == "file-not-read"]


@pytest.mark.parametrize(
    ("name", "meant", "text"),
    [
        ("i.json", "i.yaml", JSON),
        ("pretty.json", "pretty.yaml", json.dumps(json.loads(JSON), indent=2)),
        ("news.v2.JSON", "news.v2.yaml", JSON),
        ("commented.jsonc", "commented.yaml", JSON),
        ("p.ymal", "p.yaml", TEXT),
        ("p.yamll", "p.yaml", TEXT),
        ("c.yaml.txt", "c.yaml", TEXT),
        ("c.yaml.txt", "c.yaml", "\ufeff" + TEXT.replace("\n", "\r\n")),
        ("c.YML.TXT", "c.yaml", TEXT),
        ("plain.txt", "plain.yaml", TEXT),
        ("plain.text", "plain.yaml", "# yaml-language-server: $schema=x\n---\n" + TEXT),
        ("c.yaml (1)", "c.yaml", TEXT),
        ("c.yaml_", "c.yaml", TEXT),
        ("c.yaml ", "c.yaml", TEXT),
        ("c.yaml.", "c.yaml", TEXT),
        ("mail.yaml.j2", "mail.yaml", TEXT),
        ("mail.yaml.html", "mail.yaml", TEXT),
        ("sub/deep/x.text", "sub/deep/x.yaml", TEXT),
        ("quoted.txt", "quoted.yaml", '"name": other\n' + TEXT.partition("\n")[2].replace("inapp", '"inapp"')),
        ("long.txt", "long.yaml", "body: |\n" + "  words\n" * 5000 + TEXT.replace("body: Hi\n", "")),
    ],
)
def test_a_declaration_under_another_name_is_named_with_the_name_that_helps(
    folder: Folder, name: str, meant: str, text: str
) -> None:
    folder.message(MESSAGE, "first")
    file = folder.write(f"messages/{name}", text)
    for command in ("validate", "lint"):
        (problem,) = problems(folder, command)
        assert (problem["path"], problem["severity"]) == (f"messages/{name}", "warning")
        assert problem["hint"] == f"rename it to messages/{meant}"
    assert f"messages/{name}" in folder.run("plan").out + folder.run("plan").err
    file.rename(folder.path / "messages" / meant)
    assert problems(folder, "validate") == []
    assert "2 messages" in folder.run("validate").out


@pytest.mark.parametrize("name", ["first.json", "first.txt", "first.ymal", "first.yaml.txt", "first.yaml (1)"])
def test_what_stands_beside_a_declaration_of_its_name_is_put_there_or_removed(folder: Folder, name: str) -> None:
    folder.message(MESSAGE, "first")
    folder.write(f"messages/{name}", TEXT)
    (problem,) = problems(folder, "validate")
    assert "messages/first.yaml is there already: put this text there if it is the right one" in problem["hint"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.yaml.bak", TEXT), ("bare", TEXT), ("first.yaml~", MESSAGE), ("first.yaml.orig", MESSAGE),
        ("first.yaml.save", MESSAGE), ("#first.yaml#", MESSAGE),
        ("first.yaml.bak2", MESSAGE), ("old.yaml.disabled", TEXT), ("x.yaml.example", TEXT),
        ("x.yaml.off", TEXT), ("x.yaml-draft", TEXT), (".x.json", JSON), (".first.yaml.swp", "b0VIM"),
        (".git/x.txt", TEXT), ("README.md", TEXT), ("HOWTO.yaml.md", TEXT),
        ("README", "name: a message\nSee message_type: email or in-app\n"), ("a.html", TEXT), ("a.html.j2", TEXT),
        ("a.jinja", TEXT), ("a.csv", "name,message_type\na,email\n"),
        ("body.txt", "Hi {{ first_name }},\n\nthe subject: a new message_type\n"), ("body.txt", "name: Bo\nto: you\n"),
        ("vars.json", '{"name": "Bo", "subject": "x"}'), ("empty.ymal", ""),
        ("people.ymal", "- email: bo@example.com\n"),
        ("message.schema.json", '{"properties": {"name": {}, "message_type": {"enum": ["email", "inapp"]}}}'),
        ("answer.json", '{"type": "admin_message", "id": "1", "message_type": "email", "body": "x", "subject": "y"}'),
        ("logo.bin", "\0\1\2"), ("people.jsonl", JSON), ("x.png", "\x89PNG"), ("Makefile", "name:\n\techo\n"),
    ],
)  # fmt: skip
def test_templates_copies_and_other_files_are_silent(folder: Folder, name: str, text: str) -> None:
    folder.message(MESSAGE, "first")
    folder.write(f"messages/{name}", text)
    assert problems(folder, "validate") == []


@pytest.mark.parametrize("name", ["Messages", "MESSAGES", "message", "messages "])
def test_a_folder_that_is_nearly_messages_is_named(folder: Folder, name: str) -> None:
    folder.write("msgrun.yaml", "vars: {a: b}\n")
    (folder.path / "messages").rmdir()
    folder.write(f"{name}/sub/a.yaml", TEXT)
    for command in ("validate", "lint"):
        (problem,) = problems(folder, command)
        assert (problem["path"], problem["hint"]) == (name, "rename it to messages")
    assert name in folder.run("plan").out
    folder.message(MESSAGE, "first")
    (problem,) = problems(folder, "validate")
    assert problem["hint"] == "move its files to messages/"
    shutil.move(folder.path / name / "sub", folder.path / "messages/sub")
    assert problems(folder, "validate") == []
    assert "2 messages" in folder.run("validate").out


@pytest.mark.parametrize(
    "name", ["messages-old", "messages2", "messages.bak", "images", "emails", ".messages", "Massage"]
)
def test_other_folders_are_silent(folder: Folder, name: str) -> None:
    folder.message(MESSAGE, "first")
    folder.write(f"{name}/a.yaml", TEXT if name != "Massage" else "oil: warm\n")
    assert problems(folder, "validate") == []


def test_a_folder_with_only_a_misnamed_messages_is_no_project_and_the_hint_says_why(folder: Folder) -> None:
    (folder.path / "messages").rmdir()
    folder.write("Messages/a.yaml", TEXT)
    result = folder.run("validate")
    assert result.code == 64
    assert "in Messages: the declarations in this folder are not read: it is not messages/; rename it" in result.err
    (folder.path / "Messages").rename(folder.path / "messages")
    assert folder.run("validate").code == 0


def test_a_declaration_beside_messages_is_named(folder: Folder) -> None:
    folder.message(MESSAGE, "first")
    file = folder.write("second.yml", TEXT)
    folder.write("docker-compose.yaml", "services:\n  name: x\n")
    (problem,) = problems(folder, "validate")
    assert problem["hint"] == "move it to messages/second.yml; the paths in it are relative to the file"
    file.rename(folder.path / "messages/second.yml")
    assert problems(folder, "validate") == []


def test_a_command_for_a_misnamed_file_says_how_to_rename_it(folder: Folder) -> None:
    folder.message(MESSAGE, "first")
    folder.write("messages/i.json", JSON)
    result = folder.run("plan", "messages/i.json")
    assert (result.code, "rename it to messages/i.yaml" in result.err) == (64, True)
    assert "i.json" not in folder.run("validate", "messages/first.yaml").out


def test_links_and_pipes_are_not_opened(folder: Folder) -> None:
    folder.message(MESSAGE, "first")
    folder.write("secret", TEXT)
    (folder.path / "messages/link.json").symlink_to("../secret")
    os.mkfifo(folder.path / "messages/pipe.json")
    assert problems(folder, "validate") == []


@pytest.mark.parametrize(
    "name",
    ["msgrun.yml", "Msgrun.yaml", ".msgrun.yaml", "msgrun.yaml.txt", "msgrun.ymal", "msgrun.json"],
)
def test_settings_under_another_name_are_an_error(folder: Folder, name: str) -> None:
    folder.message(MESSAGE, "first")
    text = '{"salt": "s3cret"}' if name.endswith("json") else "region: eu\nsalt: s3cret\n"
    file = folder.write(name, text)
    result = folder.run("plan")
    assert result.code == 1
    assert "[file-not-read]" in result.out
    assert "rename it to msgrun.yaml" in result.out
    folder.write("msgrun.yaml", "salt: s3cret\n")
    (problem,) = problems(folder, "validate")
    assert problem["severity"] == "warning"
    file.rename(folder.path / "msgrun.yaml")
    assert problems(folder, "validate") == []


@pytest.mark.parametrize("name", ["msgrun.yaml.example", "msgrun.example.yaml", "msgrun.yml.dist", "msgrun.sh"])
def test_other_files_beside_the_settings_are_silent(folder: Folder, name: str) -> None:
    folder.message(MESSAGE, "first")
    folder.write(name, "region: eu\n")
    assert problems(folder, "validate") == []


@pytest.mark.parametrize("target", ["l1", "a.yaml/x", "no/such/thing.yaml/"])
def test_a_link_that_cannot_be_followed_hides_no_file_beside_it(folder: Folder, target: str) -> None:
    folder.message(MESSAGE, "first")
    for number in range(6):
        folder.write(f"messages/x{number}/a.yaml", TEXT.replace("other", f"other{number}"))
        (folder.path / f"messages/x{number}/l1").symlink_to(target)
    assert len(list_message_files(folder.path).declarations) >= 7
    ran = folder.run("validate")
    assert (ran.code, "7 messages" in ran.out) == ((0 if target.startswith("no") else 1), True), ran.out


def test_a_folder_whose_path_is_too_long_is_a_problem_in_every_checkout(folder: Folder) -> None:
    deep = "/".join(["d" * 200] * 6)
    folder.write(f"messages/{deep}/a.yaml", TEXT)
    ran = folder.run("validate")
    assert (ran.code, "its path has more than 1,024 bytes" in ran.out) == (1, True)
