"""Searching conversations: the documented query, all pages, and nothing made of what does not say enough."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from runner.errors import RunStopped
from runner.intercom.conversations import ConversationQuery, Conversations, MessageConversation, OpeningMessage
from runner.intercom.rate_limit import RateLimiter
from runner.intercom.transport import Reply
from runner.intercom.workspace import Workspace

DAY = 86_400
SOURCE = {"id": "2001", "subject": "<p>Hey</p>", "body": "<p>Ponies</p>", "author": {"type": "admin", "id": "7"}}
CONVERSATION = {
    "id": "502001",
    "created_at": 1000,
    "source": SOURCE,
    "contacts": {"contacts": [{"type": "contact", "id": "c1"}]},
}


def reply(*conversations: object, following: str = "") -> Reply:
    pages = {"next": {"starting_after": following}} if following else {}
    return Reply(200, {}, json.dumps({"conversations": conversations, "pages": pages}).encode())


@pytest.fixture
def search(time, script):
    def make(*answers):
        transport = script(*answers)
        return Conversations(Workspace(transport, RateLimiter(time.clock, 1.0, None), time.clock)), transport

    return make


def term(contact: str, since: str) -> dict[str, object]:
    return {
        "operator": "AND",
        "value": [
            {"field": "contact_ids", "operator": "=", "value": contact},
            {"field": "source.author.id", "operator": "=", "value": "7"},
            {"field": "created_at", "operator": ">", "value": since},
        ],
    }


def test_one_is_searched_by_contact_author_and_the_two_days_before(search):
    found, transport = search(reply(CONVERSATION))
    assert list(found.search([ConversationQuery("c1", "7", 2 * DAY + 5.5)])) == [
        OpeningMessage("2001", ("c1",), "7", "<p>Hey</p>", "<p>Ponies</p>", 1000.0, "502001")
    ]
    (asked,) = transport.asked
    assert asked == (
        "POST",
        "/conversations/search",
        {"query": term("c1", "5"), "pagination": {"per_page": 150}},
        "2.14",
    )


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"])
@pytest.mark.parametrize("day", ["2026-10-25", "2026-11-01", "2026-04-05", "2026-06-15"])
def test_a_search_begins_on_an_earlier_day_in_every_zone_also_where_a_day_has_25_hours(zone, day, search):
    start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).timestamp()
    found, transport = search(reply())
    times = [start + 600 * step for step in range(26 * 6)]
    list(found.search([ConversationQuery("c1", "7", time) for time in times]))
    terms = [term for _, _, body, _ in transport.asked for term in body["query"].get("value")]
    assert len(terms) == len(times)
    for attempt, condition in zip(times, (term["value"][2] for term in terms), strict=True):
        dates = [datetime.fromtimestamp(time, ZoneInfo(zone)).date() for time in (attempt, int(condition["value"]))]
        assert dates[0] > dates[1]


def test_many_go_in_groups_of_fifteen_two_levels_deep(search):
    found, transport = search(reply())
    wanted = [ConversationQuery(f"c{number}", "7", 2 * DAY) for number in range(17)]
    assert list(found.search([*wanted, *wanted])) == []
    first, second = (body["query"] for _, _, body, _ in transport.asked)
    assert first == {"operator": "OR", "value": [term(f"c{number}", "0") for number in range(15)]}
    assert second == {"operator": "OR", "value": [term("c15", "0"), term("c16", "0")]}


def test_nothing_wanted_asks_nothing(search):
    found, transport = search(reply())
    assert list(found.search([])) == []
    assert transport.asked == []


def test_all_pages_are_read(search):
    found, transport = search(reply(CONVERSATION, following="x"), reply({**CONVERSATION, "created_at": 2000}))
    assert [opening.created_at for opening in found.search([ConversationQuery("c1", "7", DAY)])] == [1000.0, 2000.0]
    assert transport.asked[1][2]["pagination"] == {"per_page": 150, "starting_after": "x"}


@pytest.mark.parametrize(
    "change",
    [
        {"source": None},
        {"source": {**SOURCE, "id": None}},
        {"source": {**SOURCE, "author": None}},
        {"created_at": "soon"},
        {"contacts": None},
    ],
)
def test_a_conversation_that_does_not_say_enough_is_left_out(change, search):
    found, _ = search(reply({**CONVERSATION, **change}, CONVERSATION))
    assert len(list(found.search([ConversationQuery("c1", "7", DAY)]))) == 1


def test_numbers_as_ids_and_texts_that_are_null_are_read(search):
    source = {"id": 2001, "subject": None, "body": None, "author": {"id": 7}}
    contacts = {"contacts": [{"id": 5}, {"id": None}, None]}
    found, _ = search(reply({**CONVERSATION, "source": source, "contacts": contacts}))
    assert list(found.search([ConversationQuery("5", "7", DAY)])) == [
        OpeningMessage("2001", ("5",), "7", "", "", 1000.0, "502001")
    ]


def test_an_answer_of_another_kind_stops_the_search(search):
    found, _ = search(Reply(200, {}, b'{"data": []}'))
    with pytest.raises(RunStopped, match="POST /conversations/search answered something that is not documented"):
        list(found.search([ConversationQuery("c1", "7", DAY)]))


def test_what_became_of_messages_is_read_fifteen_to_a_request_with_their_drop_reasons(search):
    dropped = {**CONVERSATION, "source": {**SOURCE, "recipients": [{"type": "to", "drop_reason": "user_bounced"}]}}
    replied = {"id": "502020", "source": {"id": "2020"}, "first_contact_reply": {"created_at": 1200}}
    conversations, transport = search(reply(dropped), reply(replied, {"id": "9", "source": {"id": "1"}}))
    ids = [str(number) for number in range(2001, 2021)]
    assert list(conversations.of_messages(ids)) == [
        MessageConversation("2001", "502001", None, "user_bounced"),
        MessageConversation("2020", "502020", 1200.0),
    ]
    assert [len(asked[2]["query"]["value"]) for asked in transport.asked] == [15, 5]
    assert {asked[3] for asked in transport.asked} == {"2.16"}


def test_a_conversation_without_a_source_id_gets_it_from_an_older_version(search):
    nameless = {**CONVERSATION, "source": {"id": None}, "statistics": {"last_contact_reply_at": 1300}}
    conversations, transport = search(reply(nameless), reply(CONVERSATION))
    assert list(conversations.of_messages(["2001"])) == [MessageConversation("2001", "502001", 1300.0)]
    assert [asked[3] for asked in transport.asked] == ["2.16", "2.14"]


@pytest.mark.parametrize(
    ("fields", "replied_at", "reason"),
    [
        ({"first_contact_reply": {"created_at": "soon"}}, 0.0, ""),
        ({"first_contact_reply": 7, "statistics": None}, 0.0, ""),
        ({"source": {"id": "2001", "recipients": [{"drop_reason": "\x1b[31m ann@example.com"}]}}, None, "other"),
        ({"source": {"id": "2001", "recipients": ["x", {"drop_reason": None}]}}, None, ""),
    ],
)
def test_an_unusual_answer_is_read_as_far_as_it_goes(fields, replied_at, reason, search):
    conversations, _ = search(reply({**CONVERSATION, **fields}))
    assert list(conversations.of_messages(["2001"])) == [MessageConversation("2001", "502001", replied_at, reason)]


def test_the_conversations_of_a_contact_are_read_page_by_page_with_the_older_names(search):
    def page(number: int, message: str, first_reply: object) -> Reply:
        item = {"id": number, "conversation_message": {"id": message}, "customer_first_reply": first_reply}
        pages = {"type": "pages", "page": number, "total_pages": 2, "next": "https://api.intercom.io/?page=2"}
        return Reply(200, {}, json.dumps({"conversations": [item], "pages": pages}).encode())

    conversations, transport = search(page(1, "2001", None), page(2, "2002", {"created_at": 7}))
    assert list(conversations.of_contact("c/1", "2.5")) == [
        MessageConversation("2001", "1", None),
        MessageConversation("2002", "2", 7.0),
    ]
    path = "/conversations?type=user&intercom_user_id=c%2F1&per_page=60&page="
    assert [asked[:2] for asked in transport.asked] == [("GET", f"{path}1"), ("GET", f"{path}2")]
    assert {asked[3] for asked in transport.asked} == {"2.5"}
