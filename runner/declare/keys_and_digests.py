"""Keys of deliveries, and digests of payloads, messages and plans.

Lockfiles in users' git repositories store these values, so a change needs a new digest version.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Any

import orjson

from runner.characters import unescape_html
from runner.declare.audience.recipient import IdentifierKind, normalise_identifier
from runner.key_table import KEY_SIZE
from runner.privacy import AnyText, mark_private

DIGEST_VERSION = "v1:"
PLAN_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")  # of a plan or a message
_BLOCK = 64  # bytes of a block of SHA-256
_WHITE_SPACE = re.compile(r"\s+")
_TAG = re.compile(r"<[^>]*>")

Payload = dict[str, Any]


def delivery_key(salt: str, name: str, revision: int, kind: IdentifierKind, value: str) -> str:
    """Returns the identity of a delivery, 32 hex digits. Neither its content nor the recipient's role is part of it."""
    return key_hasher(salt, name, revision, kind)(value).hex()


def key_hasher(salt: str, name: str, revision: int, kind: IdentifierKind) -> Callable[[str], bytes]:
    """Returns a function that computes the key of a recipient, 16 bytes, from its identifier.

    The part of the hash that is the same for all recipients is computed once.
    """
    blank_array = orjson.dumps([salt, name, revision, kind, ""])
    common = hashlib.sha256(blank_array[: -len('""]')])

    def hash_key(value: str) -> bytes:
        hasher = common.copy()
        hasher.update(orjson.dumps(normalise_identifier(kind, value)) + b"]")
        return hasher.digest()[:KEY_SIZE]

    return hash_key


def format_recipient(kind: IdentifierKind, value: str, key: str) -> str:
    """Returns a recipient as lockfile and plan show it.

    An id is shown in clear. An email address or a user_id is not: its kind and the first 8 hex digits of the key
    replace it.
    """
    return f"id:{value}" if kind == "id" else f"{kind}:~{key[:8]}"


def label_recipient(kind: IdentifierKind, value: str, key: str) -> AnyText:
    """Returns a recipient as a plan lists it: a user_id with its kind, because a number may be anything."""
    label = f"user_id:{value}" if kind == "user_id" else value
    return label if kind == "id" else mark_private(label, format_recipient(kind, value, key))


def payload_hasher(salt: str) -> Callable[[Payload], bytes]:
    """Returns a function that computes the digest of a payload, 16 bytes. The salt is hashed once for all payloads."""
    # HMAC of RFC 2104. hmac.new() gives the same bytes, but runs more Python code for every payload.
    padded = (salt.encode() if len(salt.encode()) <= _BLOCK else hashlib.sha256(salt.encode()).digest()).ljust(
        _BLOCK, b"\0"
    )
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def hash_payload(payload: Payload) -> bytes:
        inner_hash, outer_hash = inner.copy(), outer.copy()
        inner_hash.update(orjson.dumps(payload, option=orjson.OPT_SORT_KEYS))
        outer_hash.update(inner_hash.digest())
        return outer_hash.digest()[:KEY_SIZE]

    return hash_payload


def text_hash(payload: Payload, salt: str) -> str:
    """Returns the salted hash of the visible subject and body, 32 hex digits.

    Tags are removed, entities are decoded, and white space counts as one space. Intercom returns a sent text wrapped in
    tags, so reconcile compares this hash and not the text.
    """
    text = "\n".join(visible_words(payload.get(part, "")) for part in ("subject", "body"))
    import hmac  # noqa: PLC0415  # needed for a text hash alone

    return hmac.digest(salt.encode(), text.encode(), "sha256").hex()[:32]


class MessageDigest:
    """The digest of a message, computed by adding its deliveries one by one. Their order does not matter."""

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0

    def add(self, raw_key: bytes, raw_digest: bytes) -> None:
        """Adds one delivery, by the 16 bytes of its key and the 16 bytes of its digest."""
        text = f"{raw_key.hex()} {DIGEST_VERSION}{raw_digest.hex()}"
        self.count += 1
        self.sum += int.from_bytes(hashlib.sha256(text.encode()).digest())

    def merge(self, other: "MessageDigest") -> None:
        """Adds all deliveries of another MessageDigest."""
        self.count += other.count
        self.sum += other.sum

    def value(self, name: str, revision: int) -> str:
        """Returns the digest of the deliveries added so far: `sha256:` and 64 hex digits."""
        return _hash_json([name, revision, self.count, f"{self.sum % (1 << 256):064x}"])


def plan_digest(environment: str, workspace: str, messages: list[tuple[str, int, str]]) -> str:
    """Returns the digest of a plan: `sha256:` and 64 hex digits.

    `messages` are the name, revision and digest of each unexpired message, in any order.
    """
    return _hash_json([environment, workspace, sorted(messages)])


def visible_words(text: str) -> str:
    """Returns a text or HTML without tags, on one line."""
    end = text.rfind(">") + 1  # after it no tag ends, and to look for one at each `<` would take quadratic time
    return _WHITE_SPACE.sub(" ", unescape_html(_TAG.sub(" ", text[:end]) + text[end:])).strip()


def _hash_json(value: Any) -> str:
    return "sha256:" + hashlib.sha256(orjson.dumps(value)).hexdigest()
