"""Twenty thousand recipients become contacts with few requests and in little memory."""

import time
import tracemalloc
from datetime import UTC, datetime
from operator import itemgetter

import orjson
import pytest

from runner.clock import Clock
from runner.declare.address_search import Address
from runner.deliver.contact_cache import ContactCache
from runner.deliver.contact_lookup import ContactLookup
from runner.intercom.rate_limit import RateLimiter
from runner.intercom.transport import Reply
from runner.intercom.workspace import Workspace


class Directory:
    """An Intercom with a contact for every email. `most` is how long a list it takes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.requests = 0

    def exchange(self, _: str, __: str, body: dict, ___: str) -> Reply:
        self.requests += 1
        query = body["query"]
        emails = query["value"] if query["operator"] == "IN" else [term["value"] for term in query["value"]]
        if len(emails) > self._most:
            return Reply(422, {}, b'{"errors":[{"code":"parameter_invalid","message":"too many"}]}')
        data = [{"id": f"c{email}".partition("@")[0], "role": "user", "email": email} for email in emails]
        return Reply(200, {}, orjson.dumps({"data": data}))


def look_up(most: int, people: int) -> int:
    """Looks so many people up, and returns the number of requests."""
    directory = Directory(most)
    clock = Clock(lambda: datetime.now(UTC), time.monotonic, time.sleep)
    workspace = Workspace(directory, RateLimiter(clock, 1.0, None), clock)
    lookup = ContactLookup(workspace, ContactCache(b"", None, 0))
    rows = ((number, Address("email", f"p{number}@example.com")) for number in range(people))
    for (number, _), (contact,) in lookup.find(rows, itemgetter(1), people):
        assert contact.id == f"cp{number}"
    lookup.close()
    return directory.requests


@pytest.mark.proof
@pytest.mark.parametrize(("most", "requests"), [(50, 400), (15, 1_380)])
def test_twenty_thousand_recipients_take_few_requests(most, requests):
    assert requests - 50 <= look_up(most, 20_000) <= requests


@pytest.mark.proof
def test_the_memory_of_a_recipient_is_what_the_cache_keeps_of_it():
    peaks = []
    for people in (1_000, 3_000):
        tracemalloc.start()
        look_up(50, people)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 2_000 * 200  # bytes; a dictionary of contacts would take some 800 each
