"""The form of what is kept of a reply: ids, codes and texts. What has another form is dropped.

A reply comes over a network, and its ids get into the ledger, into addresses and into what the user reads.
"""

import re
from typing import Any

# A contact's id is 24 hexadecimal digits; those of messages, conversations and admins are decimal. A workspace's
# id_code has letters and digits, also more than 40 of them. No document gives a form or a length, so this is wider.
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
# Codes and request ids are opaque. This form holds no address: the ledger must not contain one.
_LABEL = re.compile(r"[A-Za-z0-9_.:/+=-]{1,128}")
_MAX_TEXT = 500  # characters of an error's message or a name


def parse_id(value: Any) -> str:
    """Returns the id of a message, contact, conversation, admin or workspace as text; empty if it is none."""
    return _parse(value, _ID)


def parse_label(value: Any) -> str:
    """Returns an error code or a request id as text; empty if it is none."""
    return _parse(value, _LABEL)


def parse_text(value: Any) -> str:
    """Returns the first 500 characters of a text, e.g. of an error's message; empty if it is not a text."""
    return value[:_MAX_TEXT] if isinstance(value, str) else ""


def _parse(value: Any, form: re.Pattern[str]) -> str:
    is_scalar = isinstance(value, str | int) and not isinstance(value, bool)
    return text if is_scalar and form.fullmatch(text := str(value)) else ""
