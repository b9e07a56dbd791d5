"""The contacts that were looked up, kept for an hour, so that apply need not ask again for what plan --online read.

An address is stored as a keyed hash. The key comes from the access token, so no address can be tested against the file
without it. A file that a pull request brings is not trusted: its last line is a hash with the same key over the rest.
"""

import hashlib
import hmac
import re
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

from runner.atomic_write import write_atomically
from runner.declare.audience.recipient import IdentifierKind, normalise_identifier
from runner.declare.recipient_rules import CONTACT_FAULTS
from runner.intercom.contact import Contact
from runner.key_table import KEY_SIZE, KeyTable, TextList

MAX_AGE = 3600  # seconds
_MAX_FILE_SIZE = 256 << 20  # bytes; a million contacts take some 80 MiB
_MAX_LINE = 2048  # bytes
_LETTERS = {fault: letter for letter, fault in zip("abcdefghij", CONTACT_FAULTS, strict=False)}
_FAULTS = {letter: fault for fault, letter in _LETTERS.items()}
_ROLES = {"u": "user", "l": "lead"}
_CONTACT = r"[ul][a-j]{0,6}:[A-Za-z0-9_-]{1,128}"
_CHOICES = r"=(?:[A-Za-z0-9_-]{1,128},)*"
_LINE = re.compile(rf"([0-9a-f]{{32}}) ([0-9]{{1,12}}) ({_CONTACT}(?:,{_CONTACT}){{0,9}}|{_CHOICES})")
_SEAL = b"seal "


class ContactCache:
    """Contacts by address, without anything personal: ids, roles and faults. Only found contacts are kept.

    Of a contact's subscriptions it keeps the ids of the types that the contact chose or left.

    `secret` is known to those alone who have the access token. `now` is in Unix seconds. `path` is the file, if any.
    """

    def __init__(self, secret: bytes, path: Path | None, now: int) -> None:
        self._key = hashlib.sha256(b"msgrun contacts\n" + secret).digest()
        self._path = path
        self._now = now
        self._has_new = False
        self._clear()

    def _clear(self) -> None:
        self._keys, self._times, self._entries = KeyTable(), array("Q"), TextList()

    def get(self, kind: IdentifierKind, value: str) -> tuple[Contact, ...]:
        """Returns the contacts with an address; empty if they are not known."""
        row = self._keys.row_of(self._hash(_join_address(kind, value)))
        return () if row is None else tuple(map(_parse_contact, self._entries[row].split(",")))

    def add(self, kind: IdentifierKind, value: str, contacts: Iterable[Contact]) -> None:
        """Adds the contacts with an address, which was not known. Without contacts it stays unknown."""
        entry = ",".join(map(_format_contact, contacts))
        if entry and len(entry) < _MAX_LINE // 2:
            self._has_new = self._add(self._hash(_join_address(kind, value)), self._now, entry) or self._has_new

    def get_choices(self, contact_id: str) -> frozenset[str] | None:
        """Returns the subscription types that a contact chose or left; None if they are not known."""
        row = self._keys.row_of(self._hash(f"subscriptions:{contact_id}"))
        return None if row is None else frozenset(self._entries[row].removeprefix("=").split(",")) - {""}

    def add_choices(self, contact_id: str, choices: Iterable[str]) -> None:
        """Adds the subscription types that a contact chose or left, which were not known."""
        entry = "=" + "".join(f"{choice}," for choice in sorted(choices))
        if len(entry) < _MAX_LINE // 2:
            self._has_new = self._add(self._hash(f"subscriptions:{contact_id}"), self._now, entry) or self._has_new

    def load(self) -> None:
        """Reads the file. One that was not written with this token, or is damaged, is left unread."""
        try:
            is_valid = self._path is not None and self._load(self._path)
        except (OSError, ValueError):
            is_valid = False
        if not is_valid:
            self._clear()

    def save(self) -> None:
        """Writes the file, if there is something new. A disk that takes no file changes nothing else."""
        if self._path is None or not self._has_new:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path, self._list_lines())
            self._has_new = False
        except OSError:
            return

    def _load(self, path: Path) -> bool:
        """Reads the file, and returns whether its seal is right. If it is wrong, what was read does not count."""
        if not path.is_file() or path.stat().st_size > _MAX_FILE_SIZE:
            return False
        seal = hmac.new(self._key, digestmod=hashlib.sha256)
        with path.open("rb") as handle:
            while line := handle.readline(_MAX_LINE):
                if line.startswith(_SEAL):
                    return hmac.compare_digest(line, self._seal_line(seal)) and not handle.read(1)
                seal.update(line)
                match = _LINE.fullmatch(line.removesuffix(b"\n").decode("ascii"))
                if match is None:
                    return False
                if self._now - MAX_AGE < int(match[2]) <= self._now:
                    self._add(bytes.fromhex(match[1]), int(match[2]), match[3])
        return False

    def _list_lines(self) -> Iterator[bytes]:
        seal = hmac.new(self._key, digestmod=hashlib.sha256)
        for key, time, entry in zip(self._keys, self._times, self._entries, strict=True):
            line = f"{key.hex()} {time} {entry}\n".encode()
            seal.update(line)
            yield line
        yield self._seal_line(seal)

    def _seal_line(self, seal: hmac.HMAC) -> bytes:
        return _SEAL + seal.hexdigest().encode() + b"\n"

    def _add(self, key: bytes, time: int, entry: str) -> bool:
        is_new = self._keys.add_if_new(key)
        if is_new:
            self._times.append(time)
            self._entries.add(entry)
        return is_new

    def _hash(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode(), key=self._key, digest_size=KEY_SIZE).digest()


def _join_address(kind: IdentifierKind, value: str) -> str:
    return f"{kind}:{normalise_identifier(kind, value)}"


def _format_contact(contact: Contact) -> str:
    letters = "".join(sorted(_LETTERS[fault] for fault in contact.faults))
    return f"{contact.role[0]}{letters}:{contact.id}"


def _parse_contact(text: str) -> Contact:
    head, _, contact_id = text.partition(":")
    return Contact(contact_id, _ROLES[head[0]], faults=frozenset(_FAULTS[letter] for letter in head[1:]))
