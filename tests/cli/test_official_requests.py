"""Every request that only reads, of every command, held against Intercom's official descriptions.

The descriptions are no part of the project: TESTS_OPENAPI names that of 2.14, and one of 2.16 is looked for beside it.
Without them these tests are skipped.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from runner.sandbox import Sandbox
from tests.sandbox.test_openapi import VARIABLE, convert
from tests.support.project import Folder

MESSAGE = """\
name: NAME
message_type: email
subject: Hi
body: <p>Hello</p>
from: {type: admin, id: "394051"}
create_conversation_without_contact_reply: true
to: RECIPIENTS
"""
LISTED = """
  - {type: user, email: ann@example.com}
  - {type: user, user_id: bo-1}
  - {type: user, id: 536e564f316c83104c000020}
  - {type: user, id: merged-1}
  - {type: user, id: lost-1}
"""
SUBSCRIPTION = "require_subscription: Announcements\n"
COMMANDS = {
    "admins": 0,
    "doctor": 0,
    "plan --online --out p.json": 0,
    "apply --plan p.json --yes": 4,  # lost-1 is unknown
    "reconcile --yes": 0,
    "status --online": 0,
    "test-send listed --to ann@example.com": 0,
}
GROUPS = ("segment: Active", "tag: beta", "company: acme", 'search: {field: role, operator: "=", value: user}')


@pytest.fixture(params=["2.14", "2.16"])
def description(request: pytest.FixtureRequest) -> dict[str, Any]:
    path = os.environ.get(VARIABLE)
    if not path or not (file := Path(path).with_name(f"{request.param}.yaml")).exists():
        pytest.skip(f"{VARIABLE} names no folder with Intercom's OpenAPI description of {request.param}")
    document: dict[str, Any] = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
    assert document["info"]["version"] == request.param
    return document


def test_every_read_is_described(folder: Folder, intercom: Sandbox, description: dict[str, Any]) -> None:
    folder.message(MESSAGE.replace("NAME", "listed").replace("RECIPIENTS", LISTED), "listed")
    for number, group in enumerate(GROUPS):
        text = MESSAGE.replace("NAME", f"group{number}").replace("RECIPIENTS", f"{{intercom: {{{group}}}}}")
        folder.message(text, f"group{number}")
    folder.message(MESSAGE.replace("NAME", "part").replace("RECIPIENTS", LISTED) + SUBSCRIPTION, "part")
    folder.write("msgrun.yaml", "test_recipients: [ann@example.com]\n")
    for line, code in COMMANDS.items():
        ran = folder.run(*line.split())
        assert ran.code == code, (line, ran)
    asked = {(entry["method"], entry["path"]) for entry in intercom.log}
    assert len(asked) > 8
    assert {path.rpartition("/")[2] for _, path in asked} >= {"subscription_types", "subscriptions"}
    assert [fault for entry in intercom.log for fault in faults(description, entry)] == []


def faults(description: dict[str, Any], entry: dict[str, Any]) -> list[str]:
    """What the description says against a request."""
    name = f"{entry['method']} {entry['path']}"
    operation = find_operation(description, entry["method"].lower(), entry["path"].partition("?")[0])
    if operation is None:
        return [f"{name} is not described"]
    if entry["payload"] is None:
        return [f"{name} wants a body"] if operation.get("requestBody", {}).get("required") else []
    if entry["path"] == "/messages":
        return []  # it makes something; tests/sandbox holds it against the reference
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    components = convert(description["components"]["schemas"])
    registry = Registry().with_resource("urn:api", Resource.opaque({"components": {"schemas": components}}))
    local = json.loads(json.dumps(convert(schema)).replace('"#/components', '"urn:api#/components'))
    errors = Draft202012Validator(local, registry=registry).iter_errors(entry["payload"])
    return [f"{name} {error.json_path}: {error.message}" for error in errors]


def find_operation(description: dict[str, Any], method: str, path: str) -> dict[str, Any] | None:
    for template, operations in sorted(description["paths"].items(), key=lambda item: item[0].count("{")):
        if method in operations and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
            found: dict[str, Any] = operations[method]
            return found
    return None
