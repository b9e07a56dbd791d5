"""Every route that docs/sandbox.md names is answered, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runner.sandbox.trouble_kinds import TROUBLE_KINDS

DOCS = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
ROUTES = sorted(set(re.findall(r"`(GET|POST|PUT) (/\S+)`", DOCS)))
IDS = {
    "{id}": "536e564f316c83104c000020",
    "{external_id}": "resident-01",
    "{conversation}": "502001",
    "{message}": "2001",
    "{company}": "6c0000000000000000000001",
    "{admin}": "394051",
}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_route_of_the_documentation_is_answered(client, method, path):
    client.send(create_conversation_without_contact_reply=True)
    for name, value in IDS.items():
        path = path.replace(name, value)
    reply = client.call(method, path, None if method == "GET" else {})
    # An empty object is no message, search, contact or reply, so that a POST may be refused for it.
    is_refused = reply.status == 400 and (path.startswith("/_sandbox/") or reply.code == "parameter_invalid")
    assert reply.status == 200 or (method == "POST" and is_refused), reply.raw


def test_the_documentation_has_all_of_them():
    assert len(ROUTES) > 20
    table = DOCS.partition("| kinds |")[2].partition("\n\n")[0]
    first_cells = " ".join(re.findall(r"^\|([^|]+)\|", table, re.MULTILINE))
    assert sorted(re.findall(r"`([^`]+)`", first_cells)) == sorted(TROUBLE_KINDS)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/messages"),
        ("DELETE", "/contacts/1"),
        ("GET", "/contacts/1/notes"),
        ("GET", "/contacts/1/tags/2"),
        ("POST", "/contacts/search/all"),
        ("POST", "/segments"),
        ("GET", "/me/too"),
        ("PUT", "/conversations/1"),
        ("POST", "/companies"),
        ("GET", "/tickets"),
    ],
)
def test_another_route_is_not_found(client, method, path):
    assert (client.call(method, path).status, client.call(method, path).code) == (404, "not_found")
