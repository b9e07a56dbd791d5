"""Pages of a search answer.

A request asks for a page with `pagination`. `pages.next.starting_after` in the answer is the cursor of the next page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.sandbox.answer import ApiError

if TYPE_CHECKING:
    from collections.abc import Sequence


_MAX_PER_PAGE = 150
_DEFAULT_PER_PAGE = 50
_CURSOR_PREFIX = "after-"  # a plain number would tempt clients to compute cursors, which are opaque


def paginate(
    items: Sequence[dict[str, object]], pagination: object, *, list_type: str, items_key: str
) -> dict[str, object]:
    """Returns one page of the items that matched. `pages.next` is absent on the last page.

    `pagination` is as in the request. Raises ApiError 400 if it is invalid.
    """
    options = pagination if isinstance(pagination, dict) else {}
    size = options.get("per_page", _DEFAULT_PER_PAGE)
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= _MAX_PER_PAGE:
        raise ApiError(400, "parameter_invalid", f"per_page must be between 1 and {_MAX_PER_PAGE}")
    start = _parse_cursor(options.get("starting_after"))
    page_number = start // size + 1
    pages: dict[str, object] = {
        "type": "pages",
        "page": page_number,
        "per_page": size,
        "total_pages": -(-len(items) // size),
    }
    if start + size < len(items):
        pages["next"] = {"page": page_number + 1, "starting_after": f"{_CURSOR_PREFIX}{start + size:x}"}
    return {"type": list_type, items_key: list(items[start : start + size]), "total_count": len(items), "pages": pages}


def _parse_cursor(cursor: object) -> int:
    if cursor is None:
        return 0
    try:
        return int(str(cursor).removeprefix(_CURSOR_PREFIX), 16)
    except ValueError as error:
        raise ApiError(400, "parameter_invalid", "starting_after is no cursor of ours") from error
