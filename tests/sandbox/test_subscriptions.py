"""The subscription types that a test sets, and the choices of contacts."""

from __future__ import annotations

import pytest

DOCUMENT = {
    "types": [
        {"name": "Offers", "consent_type": "opt_out", "state": "archived"},
        {"name": "Digest", "consent_type": "opt_in", "id": "9"},
    ],
    "choices": {"ann@example.com": ["Digest"], "bo-1": ["Offers", "9"]},
}


def set_subscriptions(client, **document):
    return client.call("PUT", "/_sandbox/subscriptions", document, Authorization=None)


def chosen(client, field, value):
    contact = client.search({"field": field, "operator": "=", "value": value}).json["data"][0]["id"]
    return [
        item["default_translation"]["name"] for item in client.get(f"/contacts/{contact}/subscriptions").json["data"]
    ]


def test_types_and_choices_are_set_over_http(client):
    reply = set_subscriptions(client, **DOCUMENT)
    assert reply.json == client.get("/_sandbox/subscriptions").json
    listed = client.get("/subscription_types").json["data"]
    assert [(one["consent_type"], one["state"]) for one in listed] == [("opt_out", "archived"), ("opt_in", "live")]
    assert chosen(client, "email", "Ann@example.com") == ["Digest"]
    assert chosen(client, "external_id", "bo-1") == ["Offers", "Digest"]
    assert chosen(client, "email", "cy@example.com") == []


def test_a_project_names_more_types(start):
    client = start(groups=[("subscription", "Offers"), ("subscription", "Newsletter"), ("tag", "x")])
    names = [one["default_translation"]["name"] for one in client.get("/subscription_types").json["data"]]
    assert names == ["Announcements", "Newsletter", "Offers"]


@pytest.mark.parametrize(
    "document",
    [
        {"type": []},
        {"types": {}},
        {"types": [{"name": " ", "consent_type": "opt_in"}]},
        {"types": [{"name": "x", "consent_type": "maybe"}]},
        {"types": [{"name": "x", "consent_type": "opt_in", "state": "gone"}]},
        {"choices": {"ann@example.com": "Newsletter"}},
        {"choices": {"ann@example.com": ["Nothing"]}},
    ],
)
def test_an_invalid_setting_is_refused_and_changes_nothing(client, document):
    set_subscriptions(client, **DOCUMENT)
    before = client.get("/_sandbox/subscriptions").json
    reply = set_subscriptions(client, **document)
    assert (reply.status, "error" in reply.json) == (400, True)
    assert client.get("/_sandbox/subscriptions").json == before
