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
# How people hide an address from programs: bo(at)example.com, bo [at] example [dot] com.
_HIDDEN_AT = re.compile(r"\s*(?:[(\[{<_]\s*(?:at|@|ät)\s*[)\]}>_]|\s(?:at|ät)\s)\s*", re.IGNORECASE)
_HIDDEN_DOT = re.compile(
    r"\s*(?:[(\[{<_]\s*(?:dot|punkt|point|punto|\.)\s*[)\]}>_]|\s(?:dot|punkt)\s)\s*", re.IGNORECASE
)
_DOUBLED = re.compile(r"//|(?:mailto|tel|sms|https?):", re.IGNORECASE)
_TRUNK_PREFIX = re.compile(r"(\+\d{1,3}[\s.-]*)\(0\)")
_MIN_DIGITS = 2  # 110 and *21# are numbers, too


def check_contact_link(url: str, scheme: str, format_value: ValueFormatter = str) -> Fault | None:
    """Returns the fault of a link with one of CONTACT_SCHEMES; None if it has none.

    `format_value` returns a part of the URL as the message may show it. A hint shows no recipient's value.
    """
    rest = url.strip()[len(scheme) + 1 :].strip()
    example = "mailto:help@example.com" if scheme == "mailto" else f"{scheme}:+4930123456"
    what = "address" if scheme == "mailto" else "number"
    if not rest.strip("/"):
        return Fault(
            "malformed-link", f"no {what} stands after {scheme}:", f"write it, as in {example}, or remove the link"
        )
    if doubled := _DOUBLED.match(rest):
        written = format_value(f"{scheme}:{doubled[0]}")
        hint = f"remove {doubled[0] if doubled[0] == '//' else f'the first {scheme}:'}"
        return Fault("malformed-link", "this link begins with " + written + ", which is misspelt", hint)
    if VALUE_CHAR in rest or RAW_VALUE_CHAR in rest:
        return None
    target, _, query = rest.partition("?")
    fault = _check_addresses(target, query) if scheme == "mailto" else _check_number(target, scheme)
    if fault is None:
        return None
    message, hint = fault
    shown = format_value(target)
    return Fault("malformed-link", shown + message, hint if format_value is str else f"write it as in {example}")


def _check_addresses(target: str, query: str) -> tuple[str, str] | None:
    """Returns what is wrong with the addresses of a mailto: link, and the hint; None if they are right.

    Without an address but with a query, the reader chooses whom to write to.
    """
    if "&" in target and "=" in target and not query:
        return " has no ? before its first &", "write ? in place of the first &"
    for written in re.split("[,;]", unquote(target)) if target else ():
        address = written.strip()
        if address and not _ADDRESS.fullmatch(address):
            plain = _HIDDEN_DOT.sub(".", _HIDDEN_AT.sub("@", address))
            meant = _ADDRESS.search(plain)
            hint = f"write mailto:{meant[0]}" if meant else "write an address, as in mailto:help@example.com"
            return " is not an email address", hint
    return None


def _check_number(target: str, scheme: str) -> tuple[str, str] | None:
    if not target:
        return None  # sms:?body=… : the reader chooses whom to write to
    if sum(character.isdigit() for character in unquote(target)) < _MIN_DIGITS:
        return " is not a telephone number", f"write it as in {scheme}:+4930123456"
    if _TRUNK_PREFIX.search(unquote(target)):
        number = re.sub(r"[^\d+]", "", _TRUNK_PREFIX.sub(r"\1", unquote(target)))
        return " is dialled with the 0 in brackets, which is wrong after the country's code", f"write {scheme}:{number}"
    return None
