"""Reads from one workspace: its name, its admins and its contacts.

A read that fails is repeated until Intercom answers or READ_RETRY_TIME is over.
"""

import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import orjson

from runner.clock import FIRST_RETRY_DELAY, Clock, next_retry_delay
from runner.errors import GuardRefused, RateExhausted, RunStopped
from runner.intercom.admins import Admin, parse_admins
from runner.intercom.contact import Contact, parse_contact
from runner.intercom.identifiers import parse_id, parse_label
from runner.intercom.pages import READ_VERSION, SEARCH_TIME, AnswerTooLarge, SearchTime, read_pages
from runner.intercom.rate_limit import WINDOW, RateLimiter
from runner.intercom.reply_meaning import PERMISSION_HINT, account_hint, no_admin_hint, parse_error
from runner.intercom.transport import Access, NoReply, Reply, Transport
from runner.privacy import mark_private_values

_DEFAULT_ACCESS = Access()
_MERGES_SHOWN_SINCE = "2.16"  # the first API version that says what a contact was merged into: 410 with a Link
_MAX_MERGES = 10  # contacts that are followed, one merged into the next
# Its name in the Developer Hub. Source: Intercom's documentation of OAuth scopes.
CONTACTS_PERMISSION = "Read and list users and companies"
_CANONICAL = re.compile(r"""/contacts/([A-Za-z0-9_-]{1,128})>\s*;\s*rel="?canonical\b""")
SEARCH_BATCH = 15  # values in one group of a search, at most
READ_RETRY_TIME = 30.0  # seconds for which a read that fails is repeated
MAX_THROTTLED_WINDOWS = 10  # rate limit windows with a 429 in a row; at the last one a read or a run gives up
_UNREADABLE = frozenset({401, 403, 404})  # statuses for a token without the permission, or of a server without the path
_DENIED = {401, 403}
_REJECTED = {400, 422}  # statuses for a query that Intercom does not take
_NO_CONTACT = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


@dataclass(frozen=True, slots=True)
class WorkspaceIdentity:
    """The name of a workspace, its region (us, eu or au) and the name of its time zone; empty if they are not known."""

    id_code: str
    region: str
    time_zone: str = ""


class Workspace:
    """The workspace that an access token belongs to.

    `on_retry` is called at once when a read fails that is tried again. The text names the host and what failed.
    """

    def __init__(
        self,
        transport: Transport,
        limiter: RateLimiter,
        clock: Clock,
        on_retry: Callable[[str], None] = lambda _: None,
        access: Access = _DEFAULT_ACCESS,
    ) -> None:
        self.access = access
        self._transport = transport
        self._limiter = limiter
        self._clock = clock
        self._on_retry = on_retry

    def identity(self) -> WorkspaceIdentity:
        """Returns what GET /me says of the workspace: `app.id_code` and `app.region`.

        Raises GuardRefused if the reply has no id_code, and RunStopped.
        """
        value = self.read("GET", "/me")
        app = value.get("app") if isinstance(value, dict) else None
        app = app if isinstance(app, dict) else {}
        code = parse_id(app.get("id_code"))
        if not code:
            raise GuardRefused(
                "GET /me does not name the workspace", "use an access token of the app in that workspace"
            )
        return WorkspaceIdentity(code, parse_id(app.get("region")).lower(), parse_label(app.get("timezone")))

    def admins(self) -> tuple[Admin, ...] | None:
        """Returns the admins, in Intercom's order; None if the token may not read them. Raises RunStopped."""
        return parse_admins(self.read("GET", "/admins", none_if=_UNREADABLE))

    def has_admin(self, admin_id: str) -> bool | None:
        """Returns whether an admin has this id; None if that cannot be read. Never raises for network errors."""
        try:
            value = self.read("GET", f"/admins/{quote(admin_id, safe='')}", none_if=_UNREADABLE)
        except RunStopped as error:
            return False if isinstance(error, _NoAdmin) else None
        return True if isinstance(value, dict) else None

    def contact(self, contact_id: str) -> Contact | None:
        """Returns the contact with this id; None if there is none. Raises RunStopped."""
        value = self.read("GET", f"/contacts/{quote(contact_id, safe='')}", none_if={HTTPStatus.NOT_FOUND})
        return parse_contact(value) if isinstance(value, dict) else None

    def current_contact(self, contact_id: str) -> str | None:
        """Returns the id of the contact that this one is now: its own, or the one it was merged into, also in a chain.

        Empty if there is none. None if the token may not read contacts. Raises RunStopped.
        """
        current, reply = self._follow_merges(contact_id)
        if reply.status == HTTPStatus.OK:
            return current
        return "" if reply.status in _NO_CONTACT else None

    def find_contact(self, contact_id: str) -> Contact | None:
        """Returns the contact with this id, or the one that it was merged into, which then has the fault `merged`.

        None if there is none. Raises RunStopped.
        """
        current, reply = self._follow_merges(contact_id)
        value = self._parse_reply(reply, "GET", f"/contacts/{quote(current, safe='')}", _NO_CONTACT)
        contact = parse_contact(value) if isinstance(value, dict) else None
        if contact and contact.id != contact_id:
            return replace(contact, faults=contact.faults | {"merged"})
        return contact

    def _follow_merges(self, contact_id: str) -> tuple[str, Reply]:
        """Returns the last contact of a chain of merges, and the reply to reading it."""
        current = contact_id
        for _ in range(_MAX_MERGES):
            reply = self._request("GET", f"/contacts/{quote(current, safe='')}", None, _MERGES_SHOWN_SINCE)
            link = _CANONICAL.search(reply.headers.get("link", "")) if reply.status == HTTPStatus.GONE else None
            if link is None:
                break
            current = link[1]
        return current, reply

    def search_items(
        self, path: str, query: dict[str, Any], key: str, version: str = READ_VERSION
    ) -> Iterator[dict[str, Any]]:
        """Everything that a search finds, read page by page. `key` is the name of the list in a page.

        Raises QueryRejected if Intercom does not take the query, and RunStopped, also after SEARCH_TIME.
        """
        for page in read_pages(self.read, path, key, query, version=version, time=self.limit_search(f"POST {path}")):
            yield from page[key]

    def limit_search(self, request: str, seconds: float = SEARCH_TIME) -> SearchTime:
        """Begins the time of a search, or of another read. `request` is how errors name it."""
        return SearchTime(request, self._clock.monotonic, seconds)

    def read(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        none_if: Container[int] = (),
        version: str = READ_VERSION,
        time: SearchTime | None = None,
    ) -> Any:
        """Returns the JSON of an answer. None for a status in `none_if`. Raises RunStopped for every other but 200."""
        return self._parse_reply(self._request(method, path, body, version, time), method, path, none_if)

    def _request(self, method: str, path: str, body: Any, version: str, time: SearchTime | None = None) -> Reply:
        """Returns the reply to a request that only reads: any but 429 and 5xx, after which it is repeated."""
        deadline = self._clock.monotonic() + READ_RETRY_TIME
        delay, windows = FIRST_RETRY_DELAY, 0
        time = time or self.limit_search(f"{method} {path}")
        while True:
            self._limiter.wait()
            result = self._transport.exchange(method, path, body, version)
            self._limiter.learn(result.headers if isinstance(result, Reply) else {})
            if isinstance(result, Reply):
                if result.status == HTTPStatus.TOO_MANY_REQUESTS:
                    windows += 1
                    if windows >= MAX_THROTTLED_WINDOWS:
                        raise RateExhausted("the rate limit left no room for ten windows in a row", "try again later")
                    self._pause(result.headers, time)
                    deadline = self._clock.monotonic() + READ_RETRY_TIME
                    continue
                if result.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                    return result
            elif result.is_too_large:
                raise AnswerTooLarge(f"{method} {path}: {result.reason}")
            elif result.fix:
                raise RunStopped(f"{method} {path}: {result.reason}", result.fix)
            if self._clock.monotonic() + delay > deadline:
                message = f"{method} {path}: {self._describe_failure(result)}"
                is_silent = isinstance(result, NoReply)
                raise RunStopped(message, "check the network, and try again" if is_silent else "try again later")
            self._on_retry(describe_retry(self._describe_failure(result), READ_RETRY_TIME))
            self._clock.sleep(delay)
            delay = next_retry_delay(delay)

    def _pause(self, headers: dict[str, str], time: SearchTime) -> None:
        self._limiter.pause(headers)
        pause = self._limiter.pause_left
        time.check(pause)
        if pause > WINDOW:
            end = self._clock.now() + timedelta(seconds=pause)
            self._on_retry(f"{self.access.host} asks to wait {pause:.0f} s, until {end:%H:%M:%S} UTC")

    def _describe_failure(self, result: Reply | NoReply) -> str:
        return result.reason if isinstance(result, NoReply) else f"{self.access.host} gave HTTP status {result.status}"

    def _parse_reply(self, reply: Reply, method: str, path: str, none_if: Container[int]) -> Any:
        if reply.status == HTTPStatus.OK:
            try:
                return orjson.loads(reply.body)
            except orjson.JSONDecodeError as error:
                raise RunStopped(f"{method} {path}: the answer is not JSON") from error
        code, message, request_id = parse_error(reply)
        if code == "admin_not_found":
            raise _NoAdmin(f"{method} {path}: {code}", no_admin_hint(path.rpartition("/")[2]))
        if reply.status in none_if:
            return None
        hint, is_forbidden = account_hint(reply, self.access), reply.status == HTTPStatus.FORBIDDEN
        refused = "Intercom does not accept the access token: " if hint == self.access.hint else ""
        if path.startswith("/contacts") and (hint == PERMISSION_HINT or (is_forbidden and not hint)):
            hint = f'{PERMISSION_HINT}, "{CONTACTS_PERMISSION}"'
        hint = hint or (self.access.hint if reply.status in _DENIED else f"request id {request_id}")
        detail = f"{refused}{method} {path}: HTTP status {reply.status}, {code}: " + mark_private_values(message, ())
        raise (QueryRejected if reply.status in _REJECTED else RunStopped)(detail, hint)


class QueryRejected(RunStopped):
    """Intercom answered that the request is invalid."""


class _NoAdmin(RunStopped):
    """Intercom does not know the admin."""


def describe_retry(failure: str, seconds: float) -> str:
    """Returns what the user reads when a request failed and is tried again."""
    return f"{failure}; trying again for up to {seconds:.0f} s"
