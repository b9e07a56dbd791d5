"""Pages of a list.

A search asks for a page with `pagination` in its body, a list with the parameters `per_page`, `starting_after` and
`page`. `pages.next.starting_after` in the answer is the cursor of the next page.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from runner.sandbox.answer import raise_parameter_invalid

CONTACTS_PER_PAGE = 50
CONVERSATIONS_PER_PAGE = 20
COMPANIES_PER_PAGE = 15
T = TypeVar("T")
_MAX_PER_PAGE = 150
_CURSOR_PREFIX = "after-"  # a plain number would tempt clients to compute cursors, which are opaque


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The page that a request asks for: `size` items from the index `start` on."""

    start: int
    size: int

    @property
    def number(self) -> int:
        """The number of the page; the first is 1."""
        return self.start // self.size + 1

    def build_list(
        self,
        items: Sequence[T],
        build: Callable[[T], dict[str, object]],
        list_type: str = "list",
        key: str = "data",
    ) -> dict[str, object]:
        """Returns the document of this page of some items. `build` makes the document of one of them."""
        documents = [build(item) for item in items[self.start : self.start + self.size]]
        total = len(items)
        return {"type": list_type, key: documents, "total_count": total, "pages": self.describe(total)}

    def describe(self, total: int) -> dict[str, object]:
        """Returns `pages` of an answer about `total` items. `next` is absent on the last page."""
        pages: dict[str, object] = {
            "type": "pages",
            "page": self.number,
            "per_page": self.size,
            "total_pages": -(-total // self.size),
        }
        end = self.start + self.size
        if end < total:
            pages["next"] = {"per_page": self.size, "starting_after": encode_cursor(end)}
        return pages


def read_search_page(pagination: object, default_size: int) -> PageRequest:
    """Returns the page that the body of a search asks for. Raises ApiError 400 if there can be no such page."""
    options = pagination if isinstance(pagination, dict) else {}
    size = options.get("per_page")
    return PageRequest(parse_cursor(options.get("starting_after")), _check_size(default_size if size is None else size))


def read_list_page(query: Mapping[str, str], default_size: int) -> PageRequest:
    """Returns the page that the parameters of a list ask for. Raises ApiError 400 if there can be no such page.

    A cursor wins over the number of a page: the official SDKs send both.
    """
    size = _check_size(_parse_number(query, "per_page", default_size))
    if "starting_after" in query:
        return PageRequest(parse_cursor(query["starting_after"]), size)
    number = _parse_number(query, "page", 1)
    if number < 1:
        raise_parameter_invalid("page must be 1 or more")
    return PageRequest((number - 1) * size, size)


def encode_cursor(index: int) -> str:
    """Returns the cursor of the page that begins at an index."""
    return f"{_CURSOR_PREFIX}{index:x}"


def parse_cursor(cursor: object) -> int:
    """Returns the index that a cursor stands for; 0 for None. Raises ApiError 400 if it is not one of ours."""
    if cursor is None:
        return 0
    try:
        return max(0, int(str(cursor).removeprefix(_CURSOR_PREFIX), 16))
    except ValueError:
        raise_parameter_invalid("starting_after is not a cursor of this sandbox")


def _check_size(size: object) -> int:
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= _MAX_PER_PAGE:
        raise_parameter_invalid(f"per_page must be between 1 and {_MAX_PER_PAGE}")
    return size


def _parse_number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit()):
        raise_parameter_invalid(f"{name} must be a number")
    return int(text)
