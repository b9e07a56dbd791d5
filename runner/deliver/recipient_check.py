"""Checks the recipients of a plan before its first claim: each becomes a contact.

`recipients:` of msgrun.yaml decides about those whose contact has a fault.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from runner.declare.address_search import Address, list_addresses
from runner.declare.audience.recipient import contact_role
from runner.declare.audience.workspace_contacts import find_workspace_contacts
from runner.declare.recipient_rules import RecipientPolicy, Redirect
from runner.deliver.contact_choice import ALREADY_REACHED, SAME_CONTACT, ContactChoice, choose_contact
from runner.deliver.contact_lookup import ContactLookup
from runner.deliver.frequency_check import TOO_FREQUENT, FrequencyCheck
from runner.deliver.subscription_check import SubscriptionCheck
from runner.errors import GuardRefused, Place
from runner.intercom.contact import Contact, parse_contact
from runner.key_table import KeyTable, TextList
from runner.ledger.contact_index import hash_contact
from runner.ledger.facts import Facts
from runner.plan.deliveries import Action, Category, PlannedDeliveries, PlannedDelivery, PlannedMessage
from runner.plan.guards import Guard, unknown_redirect_guard
from runner.plan.partial_plan import SAMPLE_SIZE
from runner.plan.plan import Plan
from runner.privacy import AnyText, mark_private

_MAX_NAMED = 10  # recipients of each reason that a plan as text names


def find_redirect_guard(lookup: ContactLookup, redirect: Redirect, place: Place) -> Guard | None:
    """Returns a guard if `redirect`, at a place in msgrun.yaml, is not exactly one contact. Raises RunStopped."""
    address = Address(redirect.kind, redirect.value)
    _, contacts = next(lookup.find(iter([address]), lambda item: item, 1))
    choice = choose_contact(contact_role(redirect.role), redirect.kind, contacts, RecipientPolicy(), is_email=False)
    match choice.code:
        case "contact_not_found":
            message = choice.reason
            hint = "correct it, or create the contact in Intercom, whose search may lack a new one for minutes"
        case "contact_ambiguous":
            message = f"{choice.reason}: {choice.detail}"
            hint = f"name one by its id, as redirect: {{type: {redirect.role}, id: {contacts[0].id}}}"
        case _:
            return None
    return unknown_redirect_guard(str(place), message, hint)


class _Row(NamedTuple):
    """A delivery with its declared address, and the address and role to send to, which `redirect` may change."""

    planned: PlannedDelivery
    declared: Address
    target: Address
    role: str


class RecipientCheck:
    """Checks plans against one workspace. `progress` is called with the number of recipients that were checked."""

    def __init__(
        self, lookup: ContactLookup, subscriptions: SubscriptionCheck, policy: RecipientPolicy, salt: str, facts: Facts,
        progress: Callable[[int], None], frequency: FrequencyCheck | None,
    ) -> None:  # fmt: skip
        self._lookup = lookup
        self._subscriptions = subscriptions
        self._policy = policy
        self._salt = salt
        self._facts = facts
        self._progress = progress
        self._frequency = frequency
        self._checked = 0

    def check(self, plan: Plan) -> Plan:
        """Returns the plan with the action of every delivery that it would send, and with the contacts to send to.

        Deliveries beyond its limit are not checked. Raises RunStopped, and GuardRefused if a file changed meanwhile.
        """
        messages, left = [], plan.to_send
        for message in plan.messages:
            checked = self._check_message(message, left) if left and message.counts["send"] else message
            messages.append(checked)
            left -= min(left, checked.counts["send"])
        counts = sum((message.counts for message in messages), Counter[Action]())
        return replace(plan, messages=tuple(messages), counts=counts)

    def _check_message(self, message: PlannedMessage, limit: int) -> PlannedMessage:
        """Returns a message with up to `limit` deliveries checked. The rest keep their action."""
        result = _CheckedMessage(message, self._facts, self._frequency)
        is_email = message.declaration.message_type == "email"
        read_faults = _find_read_faults(message)

        # Rows are read ahead of the one that is added, so each step looks again whether the limit is reached.
        def find_target(row: _Row) -> Address | None:
            return row.target if row.planned.action == "send" and result.sends < limit else None

        def choose_contacts() -> Iterator[tuple[_Row, ContactChoice | None]]:
            for row, contacts in self._lookup.find(self._list_rows(message), find_target, limit):
                if find_target(row) is None:
                    yield row, None
                    continue
                if read_faults:
                    contacts = [_add_faults(contact, read_faults) for contact in contacts]  # noqa: PLW2901
                yield row, choose_contact(row.role, row.target.kind, contacts, self._policy, is_email=is_email)

        # With redirect the recipients get nothing, so their subscriptions do not matter.
        required = "" if message.declaration.redirect else message.declaration.require_subscription
        for row, choice in self._subscriptions.filter(choose_contacts(), required, limit):
            if choice is None or find_target(row) is None:
                result.keep(row.planned, row.declared)
            else:
                result.add(row.planned, row.declared, choice)
                self._checked += 1
                self._progress(self._checked)
        return result.planned_message()

    def _list_rows(self, message: PlannedMessage) -> Iterator[_Row]:
        """Yields the deliveries of a message with their addresses."""
        redirect = message.declaration.redirect
        addresses = list_addresses(message.declaration, self._salt)
        for planned in message.deliveries:
            key, address, role = next(addresses, (b"", None, ""))
            if address is None or key.hex() != planned.key:
                what = f"the recipients of {message.name}"
                raise GuardRefused(f"{what} changed after the plan was made", "run the command again")
            if redirect:
                yield _Row(planned, address, Address(redirect.kind, redirect.value), contact_role(redirect.role))
            else:
                yield _Row(planned, address, address, role)


def _add_faults(contact: Contact, faults: Mapping[str, frozenset[str]]) -> Contact:
    return replace(contact, faults=contact.faults | faults.get(contact.id, frozenset()))


def _find_read_faults(message: PlannedMessage) -> dict[str, frozenset[str]]:
    """Returns the faults of contacts by id, from an audience in the workspace that was read for this run.

    The contacts in the cache are up to an hour old: one may have unsubscribed since.
    """
    source = find_workspace_contacts(message.declaration.audience)
    if source is None or source.reading is None:
        return {}
    contacts = map(parse_contact, source.reading.contacts())
    return {contact.id: contact.faults for contact in contacts if contact.faults}


class _CheckedMessage:
    """A message whose recipients are checked one after the other. `sends` is how many of them are sent to so far."""

    def __init__(self, message: PlannedMessage, facts: Facts, frequency: FrequencyCheck | None) -> None:
        self.sends = 0
        self._message = message
        self._facts = facts
        self._frequency = frequency
        self._deliveries = PlannedDeliveries(message.deliveries.keys)
        self._contacts = KeyTable()
        self._first_names = TextList()  # of each contact: the recipient that is sent to
        self._sample: list[AnyText] = []
        self._named = {key: list(names) for key, names in message.first_recipients_by_reason.items()}

    def keep(self, planned: PlannedDelivery, address: Address) -> None:
        """Adds a delivery with the action that it had."""
        category = Category(planned.action, planned.reason, address.kind, planned.code)
        self._deliveries.add_checked(category, planned, address.value, "")

    def add(self, planned: PlannedDelivery, address: Address, choice: ContactChoice) -> None:
        """Adds a delivery that was to be sent, with what becomes of it."""
        if choice.contact and not self._message.declaration.redirect:
            choice = self._find_same(planned, choice.contact.id) or self._limit_frequency(choice.contact.id) or choice
        detail, reason = choice.detail, choice.reason
        name = address.value if address.kind == "id" else mark_private(address.value, planned.display_name)
        if choice.contact:
            self.sends += 1
            detail, reason = f"{choice.contact.role}:{choice.contact.id}", reason or planned.reason
            if len(self._sample) < SAMPLE_SIZE:
                self._sample.append(name)
        if choice.code:
            named = self._named.setdefault((choice.action, choice.reason), [])
            if len(named) < _MAX_NAMED:
                named.append(name + f" ({choice.detail})" if choice.detail else name)
        category = Category(choice.action, reason, address.kind, choice.code)
        self._deliveries.add_checked(category, planned, address.value, detail)

    def planned_message(self) -> PlannedMessage:
        """Returns the message as checked."""
        deliveries, message = self._deliveries, self._message
        counts = deliveries.counts()
        sample = tuple(self._sample) or (message.first_recipients if counts["send"] else ())
        return replace(
            message,
            deliveries=deliveries,
            counts=counts,
            first_recipients=sample,
            first_recipients_by_reason=self._named,
        )

    def _find_same(self, planned: PlannedDelivery, contact: str) -> ContactChoice | None:
        """Returns another choice if the contact gets, or got, this revision under another address."""
        row = self._contacts.add(hash_contact(contact))
        if row < len(self._first_names):
            reason = "the same contact as another recipient"
            return ContactChoice("excluded", None, SAME_CONTACT, reason, self._first_names[row])
        self._first_names.add(planned.display_name)
        revision = self._message.name, self._message.declaration.revision
        if self._facts.has_reached(*revision, contact, except_key=planned.key):
            return ContactChoice("excluded", None, SAME_CONTACT, ALREADY_REACHED)
        return None

    def _limit_frequency(self, contact: str) -> ContactChoice | None:
        """Returns another choice if the contact has had all messages that `frequency` allows; else counts this one."""
        if self._frequency is None:
            return None
        if not self._message.declaration.ignores_frequency and (excess := self._frequency.find_excess(contact)):
            return ContactChoice("excluded", None, TOO_FREQUENT, f"more than {self._frequency.limit}", excess)
        self._frequency.add(contact, self._message.name)
        return None
