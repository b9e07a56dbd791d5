"""Addresses: as a user types one, and those that belong to the keys of a ledger, which has only the keys."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from runner.current_work import CURRENT_WORK
from runner.declare.audience.recipient import IDENTIFIER_KINDS, IdentifierKind, Recipient, contact_role
from runner.declare.audience.selection import FILTER_REASONS, Tally
from runner.declare.declaration import Declaration
from runner.declare.keys_and_digests import key_hasher
from runner.declare.similar_names import is_one_slip
from runner.errors import UsageMistake
from runner.privacy import mark_private
from runner.shown_command import shown_command

MAX_SEARCHED = 250_000  # recipients that are read for one command, which takes up to two seconds


class WantedKey(NamedTuple):
    """A delivery whose address is wanted. Its revision need not be the declared one."""

    message: str
    revision: int
    key: str


@dataclass(frozen=True, slots=True)
class Address:
    """A recipient's identifier in clear."""

    kind: IdentifierKind
    value: str

    @property
    def label(self) -> str:
        """The address as text: an email address stands alone; an id and a user_id have their kind before them."""
        return self.value if self.kind == "email" else f"{self.kind}:{self.value}"

    def matches(self, kind: IdentifierKind, value: str) -> bool:
        """Returns whether a recipient has this address, which a user may type in any case."""
        return (self.kind, self.value.casefold()) == (kind, value.casefold())


def is_address(text: str) -> bool:
    """Returns whether a text is meant as an address: no name of a message has one of these marks."""
    return "@" in text or ":" in text


def parse_recipient_address(text: str) -> Address:
    """Returns the address that the user typed: KIND:VALUE, or an email address alone. Raises UsageMistake."""
    kind, colon, value = text.partition(":")
    if colon and value.strip():
        for known_kind in IDENTIFIER_KINDS:
            if kind == known_kind:
                return Address(known_kind, value.strip())
    elif "@" in text.strip("@ "):
        return Address("email", text.strip())
    raise UsageMistake(
        mark_private(text) + " is not the address of a recipient",
        "write an email address, or KIND:VALUE, e.g. ann@example.com, user_id:25 or id:536e564f316c83104c000020",
    )


class FoundAddresses(NamedTuple):
    """Addresses by key, and the names of the messages whose recipients were all read, or enough of them."""

    by_key: Mapping[str, Address]
    read: frozenset[str]


def find_addresses(
    declarations: Iterable[Declaration], salt: str, wanted: Iterable[WantedKey], most: int = MAX_SEARCHED
) -> FoundAddresses:
    """Returns the addresses of those recipients that are still declared for their message.

    Only the audiences of the wanted messages are read, as streams and without their filters, because a recipient that
    unsubscribed since may have got the message. Reading ends once all keys are found or `most` recipients were read.
    """
    keys_by_message: dict[str, dict[int, set[bytes]]] = {}
    for message, revision, key in wanted:
        if len(raw_key := _parse_key(key)):
            keys_by_message.setdefault(message, {}).setdefault(revision, set()).add(raw_key)
    addresses: dict[str, Address] = {}
    read = set[str]()
    for declaration in declarations:
        if not declaration.audience.is_unread and (keys := keys_by_message.get(declaration.name)):
            with CURRENT_WORK.on_file(declaration.document.source.path):
                addresses_of_message, read_count = _search(declaration, salt, keys, most)
            addresses |= addresses_of_message
            read |= {declaration.name} if read_count < most else set()
            most -= read_count
    return FoundAddresses(addresses, frozenset(read))


def find_declared(
    declarations: Iterable[Declaration], wanted: Address, most: int = MAX_SEARCHED
) -> dict[str, Address | None]:
    """Returns by file the address of a recipient that is the wanted one, else one that may be meant by it.

    None stands for an audience that is in the workspace. At most `most` recipients are read, before any filter.
    """
    found: dict[str, Address | None] = {}
    for declaration in declarations:
        path = declaration.document.source.path
        if declaration.audience.is_unread:
            found.setdefault(path, None)
            continue
        with CURRENT_WORK.on_file(path):
            for recipient in islice(declaration.audience.recipients(), most):
                most -= 1
                if not isinstance(recipient, Recipient) or recipient.kind != wanted.kind:
                    continue
                value = recipient.render_identifier(recipient.merge_variables(declaration.variables)) or ""
                if wanted.matches(recipient.kind, value):
                    found[path] = Address(recipient.kind, value)
                    break
                if _may_mean(wanted.value.casefold(), value.casefold()) and not found.get(path):
                    found[path] = Address(recipient.kind, value)
    return found


def find_left_out(declaration: Declaration, wanted: Address) -> str:
    """Returns why a message leaves a recipient out, as words after "left out"; empty if it does not."""
    reasons = list[str]()

    def note(recipient: Recipient, reason: str) -> None:
        value = recipient.render_identifier(recipient.merge_variables(declaration.variables))
        if wanted.matches(recipient.kind, value):
            reasons.append(FILTER_REASONS[reason])

    if not declaration.audience.is_unread:
        with CURRENT_WORK.on_file(declaration.document.source.path):
            for _ in islice(declaration.recipients(Tally(on_left_out=note)), MAX_SEARCHED):
                if reasons:
                    break
    return reasons[0] if reasons else ""


def unknown_recipient(declaration: Declaration, wanted: Address, *, show_values: bool) -> UsageMistake:
    """Returns the error for an address that no delivery of a message goes to, with the one that may be meant."""
    meant = find_declared([declaration], wanted).get(declaration.document.source.path)
    hint = f"to see all: {shown_command('render', declaration.name, '--show-values')} | less"
    if meant and show_values and not wanted.matches(meant.kind, meant.value):
        hint = f"did you mean {meant.label}?"
    elif reason := find_left_out(declaration, wanted) if meant else "":
        hint = f"the message leaves this recipient out {reason}"
    return UsageMistake(f"{declaration.name} has no recipient " + mark_private(wanted.label), hint)


def _may_mean(written: str, declared: str) -> bool:
    """Returns whether a person who wrote one address may mean the other: one slip away, or not written to the end."""
    return is_one_slip(declared, written) or ("@" in written and declared.startswith(written))


def list_addresses(declaration: Declaration, salt: str) -> Iterator[tuple[bytes, Address, str]]:
    """Yields key, address and role (user or lead) of each recipient that passes the filters, in order."""
    hashers = {kind: key_hasher(salt, declaration.name, declaration.revision, kind) for kind in IDENTIFIER_KINDS}
    for recipient in declaration.recipients(Tally()):
        if isinstance(recipient, Recipient) and (
            value := recipient.render_identifier(recipient.merge_variables(declaration.variables))
        ):
            yield hashers[recipient.kind](value), Address(recipient.kind, value), contact_role(recipient.role)


def _search(
    declaration: Declaration, salt: str, keys: Mapping[int, set[bytes]], most: int
) -> tuple[dict[str, Address], int]:
    """Returns the addresses of one message's recipients by key, and the number of recipients that were read."""
    hashers = {
        kind: [(key_hasher(salt, declaration.name, revision, kind), wanted) for revision, wanted in keys.items()]
        for kind in IDENTIFIER_KINDS
    }
    wanted_count = sum(map(len, keys.values()))
    addresses: dict[str, Address] = {}
    read_count = 0
    for recipient in declaration.audience.recipients():
        if read_count == most or len(addresses) == wanted_count:
            break
        read_count += 1
        if not isinstance(recipient, Recipient) or not (
            value := recipient.render_identifier(recipient.merge_variables(declaration.variables))
        ):
            continue
        for hash_key, wanted_keys in hashers[recipient.kind]:
            if (raw_key := hash_key(value)) in wanted_keys:
                addresses[raw_key.hex()] = Address(recipient.kind, value)
    return addresses, read_count


def _parse_key(key: str) -> bytes:
    """Returns the bytes of a key; empty if it is not a key of this version."""
    try:
        return bytes.fromhex(key)
    except ValueError:
        return b""
