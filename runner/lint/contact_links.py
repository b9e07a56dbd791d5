"""Checks links that write or call: mailto:, tel: and sms:.

Sources: RFC 6068 (mailto), RFC 3966 (tel), RFC 5724 (sms).
"""

import re
from urllib.parse import unquote

from runner.lint.html import VALUE_CHAR
from runner.lint.template_layout import RAW_VALUE_CHAR
from runner.lint.text_checks import Fault, ValueFormatter

CONTACT_SCHEMES = ("mailto", "tel", "sms")
_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"{}]+@[^\s@<>()\[\],;:\"{}.]+(?:\.[^\s@<>()\[\],;:\"{}.]+)+")
_DOUBLED = re.compile(r"//|(?:mailto|tel|sms|https?):", re.IGNORECASE)
_TRUNK_PREFIX = re.compile(r"\+\d{1,3}[\s.-]*\(0\)")
_NO_QUESTION_MARK = " has no ? before its first &"
_MIN_DIGITS = 2  # 110 and *21# are numbers, too


def check_contact_link(url: str, scheme: str, format_value: ValueFormatter = str) -> Fault | None:
    """Returns the fault of a link with one of CONTACT_SCHEMES; None if it has none.

    `format_value` returns a part of the URL as the message may show it.
    """
    rest = url.strip()[len(scheme) + 1 :].strip()
    hint = "write it as in " + ("mailto:help@example.com" if scheme == "mailto" else f"{scheme}:+4930123456")
    if not rest.strip("/"):
        what = "address" if scheme == "mailto" else "number"
        return Fault("malformed-link", f"no {what} stands after {scheme}:", f"{hint}, or remove the link")
    if doubled := _DOUBLED.match(rest):
        written = format_value(f"{scheme}:{doubled[0]}")
        hint = f"remove {doubled[0] if doubled[0] == '//' else f'the first {scheme}:'}"
        return Fault("malformed-link", "this link begins with " + written + ", which is misspelt", hint)
    if VALUE_CHAR in rest or RAW_VALUE_CHAR in rest:
        return None
    target, _, query = rest.partition("?")
    message = _check_addresses(target, query) if scheme == "mailto" else _check_number(unquote(target))
    if message == _NO_QUESTION_MARK:
        hint = "write ? in place of the first &"
    return Fault("malformed-link", format_value(target) + message, hint) if message else None


def _check_addresses(target: str, query: str) -> str:
    """Returns what is wrong with the addresses of a mailto: link; empty if they are right.

    Without an address but with a query, the reader chooses whom to write to.
    """
    if "&" in target and "=" in target and not query:
        return _NO_QUESTION_MARK
    addresses = [written.strip() for written in re.split("[,;]", unquote(target))]
    is_right = all(_ADDRESS.fullmatch(address) for address in addresses if address)
    return "" if is_right else " is not an email address"


def _check_number(target: str) -> str:
    """Returns what is wrong with a number; empty if it is right. Without one (sms:?body=…) the reader chooses."""
    if target and sum(character.isdigit() for character in target) < _MIN_DIGITS:
        return " is not a telephone number"
    is_wrong = _TRUNK_PREFIX.search(target)
    return " is dialled with the 0 in brackets, which is wrong after the country's code" if is_wrong else ""
