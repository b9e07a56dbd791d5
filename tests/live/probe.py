"""Asks a real workspace what no document of Intercom says, with at most ten messages to one contact.

    LIVE_PROBE_TOKEN=… LIVE_PROBE_CONTACT=ann@acme.example python -m tests.live.probe > docs/live-probe.md

Use a developer workspace, and a user of your own team as the contact: it gets the messages. LIVE_PROBE_URL is the host,
by default that of the US. The table has ids of nobody, so that it can be committed.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from runner.intercom.client import HOSTS, HttpTransport
from runner.intercom.transport import NoReply, Reply, Transport

MAX_MESSAGES = 10
VERSION = "2.14"
_DAY = 86_400
_LONGEST_LAG = 60.0  # seconds to wait for the search index
_FLAG = {"create_conversation_without_contact_reply": True}


@dataclass(frozen=True, slots=True)
class Finding:
    """A question that no document answers, what msgrun takes for granted, and what was observed."""

    question: str
    expected: str
    observed: str

    @property
    def agrees(self) -> str:
        """Whether what was observed is what was expected; `?` if it could not be tried or has to be looked at."""
        if self.observed.startswith(("not tried", "look at")) or not self.expected:
            return "?"
        return "yes" if self.observed.startswith(self.expected) else "**no**"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of Intercom: `text` is its status and the code of its error; `value` its JSON."""

    text: str
    value: dict[str, Any]
    headers: dict[str, str]

    @property
    def is_sent(self) -> bool:
        return self.text == "200" and self.value.get("type") == "admin_message"


class Probe:
    """The questions, asked in one workspace. `message_count` is how many messages it POSTed."""

    def __init__(
        self, transport: Transport, email: str, sleep: Callable[[float], None], longest_lag: float = _LONGEST_LAG
    ) -> None:
        self.message_count = 0
        self._transport = transport
        self._email = email
        self._sleep = sleep
        self._longest_lag = longest_lag
        self._contact: dict[str, Any] = {}
        self._admins: list[dict[str, Any]] = []

    def findings(self) -> Iterator[Finding]:
        """Asks all questions. Raises SystemExit if contact or admin are not exactly known: nothing is sent then."""
        self._find_contact_and_admins()
        yield from self._about_reads()
        yield from self._about_sending()
        yield from self._about_conversations()

    # Requests

    def _ask(self, method: str, path: str, body: object = None, version: str = VERSION) -> Answer:
        for _ in range(3):
            result = self._transport.exchange(method, path, body, version)
            if not (isinstance(result, Reply) and result.status == 429 and path != "/messages"):
                break
            self._sleep(10.0)
        if isinstance(result, NoReply):
            return Answer(f"no answer: {result.reason}", {}, {})
        try:
            value = json.loads(result.body)
        except ValueError:
            value = {}
        value = value if isinstance(value, dict) else {}
        errors = value.get("errors")
        code = str(errors[0].get("code", "")) if isinstance(errors, list) and errors else ""
        return Answer(f"{result.status} {code}".strip(), value, result.headers)

    def _send(self, version: str = VERSION, **changes: object) -> Answer:
        """POSTs a message to the contact, once."""
        if self.message_count >= MAX_MESSAGES:
            raise SystemExit("the probe would send more messages than it may")
        self.message_count += 1
        message = {
            "message_type": "inapp",
            "body": f"[Probe] {self.message_count}",
            "from": {"type": "admin", "id": int(self._admins[0]["id"])},
            "to": {"type": "user", "id": self._contact["id"]},
        }
        return self._ask("POST", "/messages", {**message, **changes}, version)

    def _search(self, place: str, query: object, version: str = VERSION) -> Answer:
        return self._ask("POST", f"/{place}/search", {"query": query, "pagination": {"per_page": 150}}, version)

    def _find_contact_and_admins(self) -> None:
        found = self._search("contacts", _where("email", "=", self._email))
        users = [contact for contact in found.value.get("data", ()) if contact.get("role") == "user"]
        self._admins = [admin for admin in self._ask("GET", "/admins").value.get("admins", ()) if admin.get("id")]
        if len(users) != 1 or not self._admins:
            raise SystemExit(f"{len(users)} users have the address of the contact ({found.text}); nothing was sent")
        self._contact = users[0]

    # Questions

    def _about_reads(self) -> Iterator[Finding]:
        me = self._ask("GET", "/me")
        yield Finding("the header `Intercom-Version` of an answer", VERSION, me.headers.get("intercom-version", "none"))
        for number in (50, 15):
            values = [f"missing-{index}@example.invalid" for index in range(number - 1)] + [self._email]
            answer = self._search("contacts", _where("email", "IN", values))
            yield Finding(f"`IN` with {number} addresses", "200, 1 contact", _count(answer, "data", "contact"))
        absent = self._ask("GET", "/admins/999999999")
        yield Finding("`GET /admins/{id}` of no admin", "404 admin_not_found", absent.text)
        yield Finding(
            "the page of a contact", "", "look at https://app.intercom.com/a/apps/APP/users/CONTACT/all-conversations"
        )

    def _about_sending(self) -> Iterator[Finding]:
        yield Finding("`from.id` as a text", "200", self._send(**{"from": self._sender(str)}).text)
        yield Finding("`message_type: in_app`", "200 inapp", _type_of(self._send(message_type="in_app")))
        by_email = {"type": "user", "email": self._email}
        yield Finding("`to.email` in 2.14", "", self._send(to=by_email).text)
        yield Finding("`to.email` in 1.4", "200", self._send("1.4", to=by_email, **{"from": self._sender(str)}).text)
        external_id = self._contact.get("external_id")
        to = {"type": "user", "user_id": external_id}
        yield Finding("`to.user_id` in 2.14", "", self._send(to=to).text if external_id else "not tried: it has none")
        without_seat = next((admin for admin in self._admins if admin.get("has_inbox_seat") is False), None)
        sender = {"type": "admin", "id": int(without_seat["id"])} if without_seat else {}
        seatless = self._send(**{"from": sender}).text if without_seat else "not tried: every admin has one"
        yield Finding("an admin without an inbox seat", "", seatless)

    def _about_conversations(self) -> Iterator[Finding]:
        plain = self._send()
        opening = self._send(message_type="email", subject="[Probe]", template="plain", **_FLAG)
        yield Finding("`conversation_id` in the answer to the flag", "", str("conversation_id" in opening.value))
        lag, found = self._wait_for(opening)
        yield Finding("the conversation of the flag, by `source.id`", "found", f"{found} after {lag:.0f} s")
        none = _count(self._search("conversations", _source(plain)), "conversations", "conversation")
        yield Finding("the conversation without the flag", "200, 0 conversations", none)
        recipients = [
            item.get("source", {}).get("recipients")
            for item in self._search("conversations", _source(opening), "2.16").value.get("conversations", ())
        ]
        shown = "drop_reason" in json.dumps(recipients)
        yield Finding("`drop_reason` of an email, read with 2.16", "shown", "shown" if shown else "not shown")
        for name, seconds in (("an hour", 3600), ("two days", 2 * _DAY)):
            query = {
                "operator": "AND",
                "value": [
                    _where("contact_ids", "=", self._contact["id"]),
                    _where("created_at", ">", str(int(time.time()) - seconds)),
                ],
            }
            ids = _source_ids(self._search("conversations", query))
            seen = "found" if str(opening.value.get("id")) in ids else "not found"
            yield Finding(f"`created_at >` {name} ago", "found" if seconds > _DAY else "", seen)
        yield self._about_old_lists()

    def _about_old_lists(self) -> Finding:
        path = f"/conversations?type=user&intercom_user_id={self._contact['id']}"
        items = self._ask("GET", path, version="2.5").value.get("conversations") or [{}]
        names = [name for name in ("conversation_message", "source") if name in items[0]]
        return Finding("what names the message in a list of 2.5", "conversation_message", ", ".join(names) or "nothing")

    def _sender(self, form: type) -> dict[str, Any]:
        return {"type": "admin", "id": form(self._admins[0]["id"])}

    def _wait_for(self, sent: Answer) -> tuple[float, str]:
        """Returns after how many seconds the search finds the conversation of a message, and whether it does."""
        waited = 0.0
        while True:
            if str(sent.value.get("id")) in _source_ids(self._search("conversations", _source(sent))):
                return waited, "found"
            if not sent.is_sent or waited >= self._longest_lag:
                return waited, "not found"
            self._sleep(2.0)
            waited += 2.0


def to_markdown(findings: Iterable[Finding], day: str) -> str:
    """Returns the findings as a table."""
    rows = [f"| {one.question} | {one.expected} | {one.observed} | {one.agrees} |" for one in findings]
    head = ["| question | msgrun expects | observed | as expected |", "|---|---|---|---|"]
    return "\n".join(
        ["# What a real workspace answers", "", f"Observed on {day}, by `tests/live/probe.py`.", "", *head, *rows]
    )


def _where(field: str, operator: str, value: object) -> dict[str, object]:
    return {"field": field, "operator": operator, "value": value}


def _source(sent: Answer) -> dict[str, object]:
    return _where("source.id", "=", str(sent.value.get("id", "0")))


def _source_ids(answer: Answer) -> set[str]:
    return {str((item.get("source") or {}).get("id")) for item in answer.value.get("conversations", ())}


def _count(answer: Answer, key: str, noun: str) -> str:
    number = len(answer.value.get(key, ()))
    return f"{answer.text}, {number} {noun}{'' if number == 1 else 's'}"


def _type_of(answer: Answer) -> str:
    return f"{answer.text} {answer.value.get('message_type', '')}".strip()


def main() -> None:
    """Runs the probe in the workspace of the environment's token, and prints the table."""
    token, contact = (os.environ.get(f"LIVE_PROBE_{name}", "") for name in ("TOKEN", "CONTACT"))
    if not (token and contact):
        sys.exit("set LIVE_PROBE_TOKEN and LIVE_PROBE_CONTACT, the email address of a user of your own team")
    probe = Probe(HttpTransport(os.environ.get("LIVE_PROBE_URL") or HOSTS["us"], token), contact, time.sleep)
    print(to_markdown(probe.findings(), time.strftime("%Y-%m-%d")))


if __name__ == "__main__":
    main()
