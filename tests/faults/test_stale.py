"""Kept connections that the server closes: a request never meets the close on its way, so nothing becomes unknown.

The server closes at its idle timeout; as behind a network, what arrives within one latency after that is lost.
"""

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.intercom import client
from runner.intercom.client import HttpTransport
from runner.intercom.transport import Reply
from tests.support.processes import start_intercom

IDLE, LATENCY = 0.7, 0.1  # seconds
PAYLOAD = {"message_type": "inapp", "body": "x", "from": {"type": "admin", "id": 1}}


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    server = start_intercom(tmp_path / "log", "--idle", str(IDLE), "--latency", str(LATENCY))
    yield server.url
    server.close()


def lost(url: str) -> int:
    """How many of 100 POSTs got no answer, with pauses around the idle timeout between them."""
    answers = []

    def post(pause: float) -> None:
        transport = HttpTransport(url, "t")
        for number in range(5):
            payload = {**PAYLOAD, "to": {"type": "user", "id": f"{pause}-{number}"}}
            answers.append(transport.exchange("POST", "/messages", payload, "2.14"))
            time.sleep(pause)

    pauses = [IDLE + LATENCY * step / 10 for step in range(-10, 10)]
    threads = [threading.Thread(target=post, args=(pause,)) for pause in pauses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with urllib.request.urlopen(f"{url}/counts") as reply:
        counts = json.load(reply)
    missed = sum(not isinstance(answer, Reply) for answer in answers)
    assert counts["made"] == 100 - missed  # and what was lost was never made: nobody can see that from here
    return missed


@pytest.mark.proof
def test_a_pause_as_long_as_the_servers_idle_timeout_loses_nothing(url):
    assert lost(url) == 0


@pytest.mark.proof
def test_without_a_bound_of_ours_it_would_lose_many(url, monkeypatch):
    monkeypatch.setattr(client, "KEEP_ALIVE_TIMEOUT", 1e9)
    assert lost(url) > 10  # else the test above proves nothing
