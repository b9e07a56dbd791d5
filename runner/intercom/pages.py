"""A search, and the pages of its answer or of a list: their objects, the next page, and the time for all of them."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode

from runner.errors import RunStopped

READ_VERSION = "2.14"  # of the API, for every request but POST /messages
MAX_PAGES = 100  # of one search: 15,000 contacts with 50 addresses, or as many conversations of 15 contacts
PER_PAGE = 150  # objects of a page; Intercom gives no more
SEARCH_TIME = 300.0  # seconds for all pages of one search, or for another read
AUDIENCE_TIME = 7200.0  # seconds for those of an audience; a million contacts have 6,700
_MAX_CURSOR = 4096  # characters; no document gives a length


def any_of(terms: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the query for what meets one of some conditions."""
    return terms[0] if len(terms) == 1 else {"operator": "OR", "value": terms}


class SearchTime:
    """The time for all pages of a search, or for another read. It begins now. `monotonic` returns seconds."""

    def __init__(self, request: str, monotonic: Callable[[], float], seconds: float) -> None:
        self._request = request
        self._monotonic = monotonic
        self._seconds = seconds
        self._deadline = monotonic() + seconds

    def check(self, pause: float = 0.0) -> None:
        """Raises RunStopped if the time is over, or will be after a pause of so many seconds."""
        if self._monotonic() + pause > self._deadline:
            message = f"{self._request} took longer than {self._seconds:.0f} s with its pauses"
            raise RunStopped(message, "try again later")


class AnswerTooLarge(RunStopped):
    """The answer is larger than it may be."""


def read_pages(
    read: Callable[..., Any],
    path: str,
    key: str,
    query: dict[str, Any] | None = None,
    max_pages: int = MAX_PAGES,
    version: str = READ_VERSION,
    time: SearchTime | None = None,
) -> Iterator[dict[str, Any]]:
    """Yields the pages of a search, or of a list if there is no `query`. `read` is that of a workspace.

    `page[key]` is the list of objects in a page, PER_PAGE at most. `time` is checked before each further request.
    Raises RunStopped.
    """
    pagination: dict[str, Any] = {"per_page": PER_PAGE}
    request = f"GET {path}" if query is None else f"POST {path}"
    for _ in range(max_pages):
        try:
            if query is None:
                page = read("GET", f"{path}?{urlencode(pagination)}", version=version, time=time)
            else:
                body = {"query": query, "pagination": pagination}
                page = read("POST", path, body, version=version, time=time)
        except AnswerTooLarge:
            if pagination["per_page"] == 1 or "page" in pagination:  # smaller pages have other numbers
                raise
            pagination = {**pagination, "per_page": max(1, pagination["per_page"] // 4)}
            continue
        items = parse_page(page, key, request)
        yield {**page, key: items}
        cursor = _parse_cursor(page, request)
        if not cursor:
            return
        if cursor.items() <= pagination.items():
            raise RunStopped(f"{request} gives the same page for ever")
        pagination = {"per_page": pagination["per_page"], **cursor}
        if time:
            time.check()
    raise RunStopped(f"{request} has no last page: {max_pages} were read", "try again later")


def parse_page(page: Any, key: str, request: str) -> list[dict[str, Any]]:
    """Returns the objects of a page. Raises RunStopped if it is none, or has more of them than Intercom gives."""
    items = page.get(key) if isinstance(page, dict) else None
    if not isinstance(items, list):
        raise RunStopped(f"{request} answered something that is not documented")
    if len(items) > PER_PAGE:
        raise RunStopped(f"{request} answered a page of {len(items):,} objects; {PER_PAGE} were asked for")
    return [item for item in items if isinstance(item, dict)]


def _parse_cursor(page: dict[str, Any], request: str) -> dict[str, str | int] | None:
    """Returns what names the next page, by the name of its parameter; None on the last one.

    `pages.next` has it, or is an address with it as a parameter: only the parameter is used, never the address. Raises
    RunStopped if it has no known form.
    """
    pages = page.get("pages")
    following = pages.get("next") if isinstance(pages, dict) else None
    if isinstance(following, str):
        following = {
            name: values[-1] for name, values in parse_qs(following.partition("#")[0].partition("?")[2]).items()
        }
    for name in ("starting_after", "page"):
        if isinstance(following, dict) and (cursor := following.get(name)):
            if not isinstance(cursor, str | int) or len(str(cursor)) > _MAX_CURSOR:
                raise RunStopped(f"{request} answered something that is not documented")
            return {name: cursor}
    return None
