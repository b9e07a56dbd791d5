"""What the sandbox answers, held against Intercom's official OpenAPI description of 2.14.

The description is no part of the project: TESTS_OPENAPI names the file, and without it these tests are skipped. Where
it differs from what is known of the API, docs/intercom.md wins: see MISSING.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

VARIABLE = "TESTS_OPENAPI"
# Properties that the schemas of the description lack, and why they are answered all the same.
MISSING = {
    "message": ["owner", "template"],  # in the reference's own example of an answer
    "app": ["secure"],  # in the description's example
    # in the description's examples
    **{name: ["type"] for name in ("contact_tags", "contact_notes", "contact_companies", "contact_social_profiles")},
}
ADMIN, COMPANY = 394051, "6c0000000000000000000001"
MESSAGE = {
    "message_type": "email",
    "subject": "Hey",
    "body": "Ponies",
    "template": "plain",
    "from": {"type": "admin", "id": ADMIN},
    "to": {"type": "user", "id": "replies-1"},
}
BY_ID = {"field": "id", "operator": "=", "value": "resident"}
ANSWERS = [
    (200, "GET /me", "/me", None),
    (200, "GET /admins", "/admins", None),
    (200, "GET /admins/{admin_id}", f"/admins/{ADMIN}", None),
    (404, "GET /admins/{admin_id}", "/admins/999", None),
    (200, "GET /tags", "/tags", None),
    (200, "GET /segments", "/segments", None),
    (200, "GET /subscription_types", "/subscription_types", None),
    (200, "GET /contacts", "/contacts?per_page=5", None),
    (200, "POST /contacts/search", "/contacts/search", {"query": BY_ID}),
    (200, "GET /contacts/{contact_id}", "/contacts/536e564f316c83104c000020", None),
    (200, "GET /contacts/find_by_external_id/{external_id}", "/contacts/find_by_external_id/resident-03", None),
    (200, "GET /contacts/{contact_id}/subscriptions", "/contacts/{member}/subscriptions", None),
    (404, "GET /contacts/{contact_id}/subscriptions", "/contacts/missing/subscriptions", None),
    (200, "GET /companies", "/companies?per_page=1", None),
    (404, "GET /companies", "/companies?company_id=nobody", None),
    (200, "GET /companies/{company_id}/contacts", f"/companies/{COMPANY}/contacts", None),
    (404, "GET /companies/{company_id}/contacts", "/companies/1/contacts", None),
    (200, "POST /messages", "/messages", MESSAGE),
    (200, "POST /messages", "/messages", {**MESSAGE, "message_type": "inapp", "subject": ..., "template": ...}),
    (400, "POST /messages", "/messages", {**MESSAGE, "body": ""}),
    (422, "POST /messages", "/messages", {**MESSAGE, "subject": ""}),
    (200, "GET /conversations", "/conversations?per_page=1", None),
    (200, "POST /conversations/search", "/conversations/search", {"query": {**BY_ID, "operator": "!="}}),
    (200, "GET /conversations/{conversation_id}", "/conversations/502001", None),
    (200, "GET /conversations/{conversation_id}", "/conversations/502002", None),
    (404, "GET /conversations/{conversation_id}", "/conversations/1", None),
]
VALUES = {"String": "x", "Integer": 1, "Date": 1_700_000_000, "Boolean": True}


@pytest.fixture(scope="module")
def description():
    path = os.environ.get(VARIABLE)
    if not path:
        pytest.skip(f"{VARIABLE} does not name a file with Intercom's OpenAPI description of 2.14")
    document = yaml.load(Path(path).read_bytes(), Loader=yaml.CSafeLoader)
    assert document["info"]["version"] == "2.14"
    for name, properties in MISSING.items():
        for key in properties:
            described = document["components"]["schemas"][name]["properties"]
            assert key not in described, f"{name}.{key} is described now"
            described[key] = {}
    return document


def convert(node: Any) -> Any:
    """The schemas of OpenAPI 3.0 in JSON Schema's own words, and closed: what is not described is a mistake."""
    if isinstance(node, list):
        return [convert(item) for item in node]
    if not isinstance(node, dict):
        return node
    schema = {key: convert(value) for key, value in node.items() if key not in ("nullable", "example", "examples")}
    if isinstance(node.get("properties"), dict) and node.get("type") == "object":
        schema.setdefault("additionalProperties", False)
    return {"anyOf": [schema, {"type": "null"}]} if node.get("nullable") is True else schema


@pytest.fixture(scope="module")
def schemas(description):
    components = convert(description["components"]["schemas"])
    return Registry().with_resource("urn:api", Resource.opaque({"components": {"schemas": components}}))


@pytest.fixture
def filled(client):
    """A sandbox with a message that opened a conversation, and one whose contact replied."""
    client.call("POST", "/messages", {**MESSAGE, "to": {"type": "user", "id": "replies-1"}})
    flag = {"create_conversation_without_contact_reply": True}
    client.call("POST", "/messages", {**MESSAGE, **flag, "to": {"type": "user", "id": "silent"}})
    return client


@pytest.mark.parametrize(("status", "operation", "path", "payload"), ANSWERS)
def test_an_answer_is_as_described(description, schemas, filled, status, operation, path, payload):
    member = filled.get("/contacts/find_by_external_id/resident-01").json["id"]
    sent = payload and {key: value for key, value in payload.items() if value is not ...}
    method, template = operation.split()
    reply = filled.call(method, path.replace("{member}", member), sent)
    assert reply.status == status, reply.raw
    schema = description["paths"][template][method.lower()]["responses"][str(status)]["content"]["application/json"]
    local = json.loads(json.dumps(convert(schema["schema"])).replace('"#/components', '"urn:api#/components'))
    errors = Draft202012Validator(local, registry=schemas).iter_errors(reply.json)
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_a_search_takes_the_fields_and_operators_that_are_described(description, client):
    text = description["paths"]["/contacts/search"]["post"]["description"]
    fields, operators = (read_table(text.partition(f"### Accepted {title}")[2]) for title in ("Fields", "Operators"))
    assert len(fields) > 40
    assert len(operators) > 9
    wrong = [
        (field, operator)
        for field, of_type in fields.items()
        for operator, types in operators.items()
        if "{" not in field  # custom attributes: their types are the workspace's own
        and is_accepted(client, field, operator, VALUES[of_type.split()[0]])
        != is_described(field, of_type.split()[0], operator, types)
    ]
    assert wrong == []


def read_table(text):
    rows = re.findall(r"^\| +(\S+) +\| +([^|]+?) +\|", text.partition("###")[0], re.MULTILINE)
    heads = ("Field", "Operator")
    return {name: cell.replace("<br>", " ") for name, cell in rows if name not in heads and "--" not in name}


def is_described(field, of_type, operator, types):
    if field == "tag_id":  # the text before the table
        return operator in ("=", "!=")
    return of_type not in types if types.startswith("All") else of_type in types


def is_accepted(client, field, operator, value):
    condition = {"field": field, "operator": operator, "value": [value] if operator in ("IN", "NIN") else value}
    reply = client.search(condition)
    assert reply.status in (200, 400), reply.raw
    return reply.status == 200
