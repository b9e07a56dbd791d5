"""What a delivery is known by, and the digests of what it says: keys, digests of payloads, messages and plans.

They are a contract with the lockfiles in people's git: change nothing here without a new digest version.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Any

import orjson

from runner.declare.audience.recipient import IdentifierKind, normalise_identifier
from runner.key_table import KEY_SIZE

DIGEST_VERSION = "v1:"
_BLOCK = 64  # bytes that SHA-256 takes at once
_SPACE = re.compile(r"\s+")
_TAG = re.compile(r"<[^>]*>")

Payload = dict[str, Any]


def delivery_key(salt: str, name: str, revision: int, kind: IdentifierKind, value: str) -> str:
    """The identity of a delivery: 32 hex digits. Neither its content nor the recipient's role is part of it."""
    return hashlib.sha256(orjson.dumps([salt, name, revision, kind, normalise_identifier(kind, value)])).hexdigest()[
        :32
    ]


def key_hasher(salt: str, name: str, revision: int, kind: IdentifierKind) -> Callable[[str], bytes]:
    """`key` of many recipients, as 16 bytes: what comes before their address is hashed once."""
    before = orjson.dumps([salt, name, revision, kind, ""])
    common = hashlib.sha256(before[: -len('""]')])

    def keyed(value: str) -> bytes:
        found = common.copy()
        found.update(orjson.dumps(normalise_identifier(kind, value)) + b"]")
        return found.digest()[:KEY_SIZE]

    return keyed


def payload_digest(payload: Payload, salt: str) -> str:
    """The hash of what a payload means, as `v1:` and 32 hex digits."""
    return DIGEST_VERSION + payload_hasher(salt)(payload).hex()


def payload_hasher(salt: str) -> Callable[[Payload], bytes]:
    """`digest` of many payloads, as 16 bytes: the salt is hashed once."""
    # HMAC of RFC 2104, as hmac.new() would do it, without its Python around the two hashes of every payload.
    padded = (salt.encode() if len(salt.encode()) <= _BLOCK else hashlib.sha256(salt.encode()).digest()).ljust(
        _BLOCK, b"\0"
    )
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def digested(payload: Payload) -> bytes:
        found, closing = inner.copy(), outer.copy()
        found.update(orjson.dumps(payload, option=orjson.OPT_SORT_KEYS))
        closing.update(found.digest())
        return closing.digest()[:KEY_SIZE]

    return digested


def text_hash(payload: Payload, salt: str) -> str:
    """The salted hash of subject and body as a reader sees them (no tags, entities or spacing): 32 hex digits.

    Intercom gives a sent text back wrapped in tags, so this is what reconcile can compare.
    """
    text = "\n".join(_visible(payload.get(part, "")) for part in ("subject", "body"))
    import hmac  # noqa: PLC0415  # imported where used

    return hmac.digest(salt.encode(), text.encode(), "sha256").hex()[:32]


class MessageDigest:
    """Sums up all deliveries of a message, in any order, to its digest."""

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0

    def add(self, raw_key: bytes, raw_digest: bytes) -> None:
        """Counts one delivery in, by the 16 bytes of its key and of its digest."""
        text = f"{raw_key.hex()} {DIGEST_VERSION}{raw_digest.hex()}"
        self.count += 1
        self.sum += int.from_bytes(hashlib.sha256(text.encode()).digest())

    def merge(self, other: "MessageDigest") -> None:
        """Counts in what another has."""
        self.count += other.count
        self.sum += other.sum

    def value(self, name: str, revision: int) -> str:
        """The digest of the message."""
        return _sha256([name, revision, self.count, f"{self.sum % (1 << 256):064x}"])


def plan_digest(environment: str, workspace: str, messages: list[tuple[str, int, str]]) -> str:
    """The digest of a plan, from each unexpired message's name, revision and digest."""
    return _sha256([environment, workspace, sorted(messages)])


def _visible(text: str) -> str:
    import html  # noqa: PLC0415  # imported where used

    return _SPACE.sub(" ", html.unescape(_TAG.sub(" ", text))).strip()


def _sha256(value: Any) -> str:
    return "sha256:" + hashlib.sha256(orjson.dumps(value)).hexdigest()
