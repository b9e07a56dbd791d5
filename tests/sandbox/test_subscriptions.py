"""The subscription types, and the choices of contacts."""

from runner.sandbox.subscriptions import SubscriptionType


def chosen(client, field, value):
    contact = client.search({"field": field, "operator": "=", "value": value}).json["data"][0]["id"]
    return [
        item["default_translation"]["name"] for item in client.get(f"/contacts/{contact}/subscriptions").json["data"]
    ]


def test_a_test_sets_types_and_choices(client):
    subscriptions = client.sandbox.subscriptions
    subscriptions.types = (
        SubscriptionType("8", "Offers", "opt_out", "archived"), SubscriptionType("9", "Digest", "opt_in"),
    )  # fmt: skip
    subscriptions.choices = {"ann@example.com": ["Digest"], "bo-1": ["Offers", "Digest"]}
    listed = client.get("/subscription_types").json["data"]
    assert [(one["consent_type"], one["state"]) for one in listed] == [("opt_out", "archived"), ("opt_in", "live")]
    assert chosen(client, "email", "Ann@example.com") == ["Digest"]
    assert chosen(client, "external_id", "bo-1") == ["Offers", "Digest"]
    assert chosen(client, "email", "cy@example.com") == []


def test_a_project_names_more_types(start):
    client = start(groups=[("subscription", "Offers"), ("subscription", "Newsletter"), ("tag", "x")])
    names = [one["default_translation"]["name"] for one in client.get("/subscription_types").json["data"]]
    assert names == ["Announcements", "Newsletter", "Offers"]
