"""When trouble strikes: the queue, the share, the recipient."""

from __future__ import annotations

import pytest

from runner.sandbox import Trouble
from runner.sandbox.trouble_kinds import SettingError

ROUTE = "POST /messages"


def names(trouble, count, *recipient):
    return [trouble.choose(ROUTE, recipient).name for _ in range(count)]


def test_the_next_answers_come_in_their_order_and_then_none():
    trouble = Trouble(next=["500_after", "ok", "drop_before"])
    assert names(trouble, 4) == ["500_after", "ok", "drop_before", "ok"]


def test_a_recipients_trouble_lasts_and_leaves_the_queue_alone():
    trouble = Trouble(next=["404"], recipients={"536e": "500_before"})
    assert names(trouble, 2, "536e") == ["500_before"] * 2
    assert names(trouble, 2, "other") == ["404", "ok"]


def test_a_share_strikes_about_as_often_as_it_says():
    trouble = Trouble(share={"500_after": 0.1, "drop_after": 0.2}, seed=7)
    drawn = [trouble.choose(ROUTE, (str(number),)).name for number in range(5000)]
    assert drawn.count("500_after") == pytest.approx(500, rel=0.2)
    assert drawn.count("drop_after") == pytest.approx(1000, rel=0.2)


def test_the_same_seed_strikes_the_same_recipients_in_whatever_order():
    people = [str(number) for number in range(200)]

    def struck(order, seed):
        trouble = Trouble(share={"404": 0.3}, seed=seed)
        return {name for name in order if trouble.choose(ROUTE, (name,)).name == "404"}

    assert struck(people, 1) == struck(people[::-1], 1) != struck(people, 2)


def test_other_routes_are_left_alone_unless_they_are_named():
    trouble = Trouble(next=["500_before"], routes={"GET /contacts/*": {"next": ["401"]}})
    assert trouble.choose("GET /me").name == "ok"
    assert trouble.choose("GET /contacts/1").name == "401"
    assert trouble.choose(ROUTE).name == "500_before"


def test_the_command_lines_texts_mean_the_same():
    trouble = Trouble.from_specs(
        [
            "next=500_after,slow:0.5",
            "for=ann@example.com:drop_after",
            "for=a:b:slow:2",
            "GET /me next=401",
            "share=404:1.0",
        ],
    )
    assert names(trouble, 3) == ["500_after", "slow:0.5", "404"]
    assert names(trouble, 1, "536e", "ann@example.com") == ["drop_after"]
    assert names(trouble, 1, "a:b") == ["slow:2"]
    assert trouble.choose("GET /me").name == "401"


@pytest.mark.parametrize(
    "spec",
    ["", "next=", "next=nonsense", "share=404", "share=404:x", "for=ann", "last=404", "slow:1", "for=a:nonsense"],
)
def test_a_text_that_means_nothing_is_refused(spec):
    with pytest.raises(SettingError):
        Trouble.from_specs([spec])


def test_trouble_is_set_over_http_and_replaces_what_was(client):
    client.sandbox.trouble.add("next=404,404")
    reply = client.call("PUT", "/_sandbox/trouble", {"next": ["500_before"]}, Authorization=None)
    assert (reply.status, reply.json) == (200, {ROUTE: ["500_before"]})
    assert [client.send().status for _ in range(2)] == [500, 200]
    client.call("PUT", "/_sandbox/trouble", {"share": {"404": 1}, "seed": 1})
    assert client.send().status == 404
    client.call("PUT", "/_sandbox/trouble", {})
    assert client.send().status == 200
    assert client.get("/_sandbox/trouble").json == {ROUTE: []}
    assert [message["id"] for message in client.get("/_sandbox/messages").json] == ["2001", "2002"]


@pytest.mark.parametrize(
    "document",
    [
        b"{",
        b"[]",
        {"next": "404"},
        {"next": ["nonsense"]},
        {"share": {"404": "x"}},
        {"for": []},
        {"now": 1},
        {"seed": "x"},
        {"routes": []},
    ],
)
def test_trouble_that_cannot_be_read_changes_nothing(client, document):
    client.sandbox.trouble.add("next=404")
    assert client.call("PUT", "/_sandbox/trouble", document).status == 400
    assert client.send().status == 404


def test_what_the_control_does_not_have_is_not_found(client):
    assert client.get("/_sandbox/nothing").status == 404


def test_a_recipient_found_by_email_meets_the_trouble_of_that_email(client):
    client.sandbox.trouble.add("for=ann@example.com:410")
    found = client.search({"field": "email", "operator": "=", "value": "ann@example.com"}).json["data"][0]["id"]
    assert client.send(to={"type": "user", "id": found}).status == 410
    assert client.send("1.4", to={"type": "user", "email": "ann@example.com"}).status == 410
    assert client.send().status == 200
