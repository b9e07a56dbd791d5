"""Removes the access token from a reply that repeats it, as a debugging proxy may, before anything else reads it."""

import re

from runner.privacy import MASK

_MIN_LENGTH = 8  # a shorter one is not a token of Intercom's, and would take letters out of honest replies


class TokenMask:
    """Masks a token in texts and bytes, also with escapes of JSON, of addresses or of HTML."""

    def __init__(self, token: str) -> None:
        source = "".join(map(_spellings, token)) if len(token) >= _MIN_LENGTH else "(?!)"
        self._text = re.compile(source)
        self._bytes = re.compile(source.encode())

    def in_text(self, text: str) -> str:
        """Returns the text with the token masked."""
        return self._text.sub(MASK, text)

    def in_bytes(self, content: bytes) -> bytes:
        """Returns the content with the token masked."""
        return self._bytes.sub(MASK.encode(), content)


def _spellings(character: str) -> str:
    """Returns a pattern of the ways to write a character.

    Backslashes are counted from their first one only: an answer of a million of them would take hours otherwise, in C
    code that no signal ends.
    """
    code = ord(character)
    plain = re.escape(character) if character.isalnum() else rf"(?<!\\)\\*{re.escape(character)}"
    return rf"(?:{plain}|(?i:(?<!\\)\\+u00{code:02x}|%{code:02x}|&#0*{code};|&#x0*{code:x};))"
