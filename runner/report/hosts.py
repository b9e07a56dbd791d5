"""Hosts in addresses and texts that have letters beyond ASCII: some of these look like Latin ones."""

import re

from runner.characters import name_in_dns
from runner.privacy import MASK
from runner.report.private_html import VALUE_WORD

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
# The host of a web address. A browser takes any number of slashes, and a backslash for one.
_WEB_HOST = re.compile(r"(?:https?:|ftp:)?[/\\]*(?:[^/\\?#]*@)?([^/\\?#:]*)", re.IGNORECASE)
_MAIL_HOST = re.compile(r"@([^@?,;&>\s]+)")
# What a mail client makes a link of: a host with a scheme, with www., behind an @, or with an ending of letters.
_HOST_IN_TEXT = re.compile(r"(?:\w[\w-]*\.)+[a-z]{2,}(?![\w-])|xn--[\w-]+", re.IGNORECASE)
_MAX_HOST = 253
# A value may end the host, or go on with it.
_VALUE_IN_HOST = re.compile(
    rf"\s*(?:(?:https?|ftp):[/\\]*|[/\\]{{2,}})[^/\\?#]*(?:{VALUE_WORD}|{re.escape(MASK)})", re.IGNORECASE
)


def describe_hosts(address: str) -> str:
    """Returns the names that an address's hosts beyond ASCII have in the DNS, to follow the address; else nothing.

    A host that a masked value is a part of is not known.
    """
    if _VALUE_IN_HOST.match(address):
        return ", whose host depends on a recipient's value"
    if address.isascii():
        return ""
    plain = re.sub(r"[\t\r\n]", "", address).strip()
    scheme = _SCHEME.match(plain)
    is_web = scheme is None or scheme[0].lower() in {"http:", "https:", "ftp:"}
    found = [match[1]] if is_web and (match := _WEB_HOST.match(plain)) else _MAIL_HOST.findall(plain)
    if scheme is None and not plain.startswith(("//", "\\\\", "/\\", "\\/")):
        return ""  # a path
    return "".join(f", {_describe(host)}" for host in found if not host.isascii())


def describe_hosts_in_text(text: str) -> str:
    """Returns the text with the name in the DNS behind each host beyond ASCII that a mail client may link."""
    if text.isascii():
        return text
    return _HOST_IN_TEXT.sub(
        lambda match: match[0] if match[0].isascii() else f"{match[0]} [{_describe(match[0])}]", text
    )


def _describe(host: str) -> str:
    name = name_in_dns(host[:_MAX_HOST])
    return f"which is {name}" if name else "whose host browsers read as another one"
