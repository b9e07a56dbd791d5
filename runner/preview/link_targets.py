"""Where a link leads: its address in parts, so that the host is seen at once."""

import re

from runner.characters import show_on_one_line

_IGNORED = re.compile(r"[\t\n\r]")  # a browser drops them wherever they stand
# A browser takes any number of slashes after the scheme, a backslash for a slash, and the last @ for the end of a name.
_WEB_ADDRESS = re.compile(r"((?:https?:[/\\]*|[/\\]{2,})(?:[^/\\?#]*@)?)([^/\\?#:]*)(.*)", re.IGNORECASE | re.DOTALL)
_TRIMMED = "".join(map(chr, range(33)))
_MAX_START, _MAX_REST = 40, 44  # characters that are shown before and after a host; a host is never shortened


def split_address(address: str) -> tuple[str, str, str]:
    """Returns what stands before the host of an address, the host, and what follows. The host is empty if it has none.

    What is long is shortened in its middle. A host beyond ASCII has its name in the DNS behind it.
    """
    plain = _IGNORED.sub("", address).strip(_TRIMMED)
    match = _WEB_ADDRESS.fullmatch(plain)
    if match is None or not match[2]:
        return "", "", _shorten(plain, _MAX_START + _MAX_REST)
    host = show_on_one_line(_name_in_dns(match[2]))
    return _shorten(match[1], _MAX_START), host, _shorten(match[3], _MAX_REST)


def _name_in_dns(host: str) -> str:
    if host.isascii():
        return host
    try:
        return f"{host} ({host.encode('idna').decode()})"
    except ValueError:
        return f"{host} (no name of a host)"


def _shorten(text: str, room: int) -> str:
    """Returns the text, or its beginning and its end with a mark between them."""
    text = show_on_one_line(text)
    if len(text) <= room:
        return text
    end = room // 2 - 1
    return f"{text[: room - 1 - end]}…{text[-end:]}"
