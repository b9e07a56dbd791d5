"""Pages of a search answer: `pagination` in the body asks, `pages.next.starting_after` tells how to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.sandbox.answer import ApiError

if TYPE_CHECKING:
    from collections.abc import Sequence


_MOST = 150


_USUAL = 50


_CURSOR = "after-"  # opaque to a client, so it must not look like a number to count with


def paginate(items: Sequence[dict[str, object]], wish: object, *, list_type: str, items_key: str) -> dict[str, object]:
    """Cut one page out of everything that matched; `next` is absent on the last one."""
    asked = wish if isinstance(wish, dict) else {}
    size = asked.get("per_page", _USUAL)
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= _MOST:
        raise ApiError(400, "parameter_invalid", f"per_page must be between 1 and {_MOST}")
    start = _offset(asked.get("starting_after"))
    number = start // size + 1
    pages: dict[str, object] = {
        "type": "pages",
        "page": number,
        "per_page": size,
        "total_pages": -(-len(items) // size),
    }
    if start + size < len(items):
        pages["next"] = {"page": number + 1, "starting_after": f"{_CURSOR}{start + size:x}"}
    return {"type": list_type, items_key: list(items[start : start + size]), "total_count": len(items), "pages": pages}


def _offset(cursor: object) -> int:
    if cursor is None:
        return 0
    try:
        return int(str(cursor).removeprefix(_CURSOR), 16)
    except ValueError as error:
        raise ApiError(400, "parameter_invalid", "starting_after is no cursor of ours") from error
