"""Checks the values of each delivery: what a program put there by mistake, and what breaks the link that prints it.

A million deliveries must take only seconds. So the values are searched for a few texts, and only the links that print a
variable alone or in a query are checked one by one.
"""

import html
from collections.abc import Callable
from dataclasses import dataclass, field

from runner.declare.delivery import Delivery
from runner.lint import text_checks
from runner.lint.findings import MessageFindings
from runner.lint.links import check_anchor_url, check_query_value, check_url
from runner.lint.static_checks import MessageText, check_value
from runner.lint.template_layout import Slot
from runner.lint.text_checks import Fault
from runner.privacy import mark_private

# A value that contains one of these is checked in full.
_SUSPICIOUS_TEXTS = (*text_checks.NULL_WORDS, "http://", "javascript:", *"{[%«", "*|", "<<")
_GARBLED_TEXTS = ("Ã", "Â", "â", "Ä", "Å", "Ð", "Ñ", "ð", "\ufffd")
_MAX_REMEMBERED = 10_000
_BROKEN_LINK_CODES = frozenset({"empty-link", "malformed-link", "relative-link"})

_PrintedVariable = tuple[str, MessageText, Slot]


@dataclass(slots=True)
class ValueChecks:
    """Checks the values of deliveries. `name_recipient` returns how a finding names the recipient of a delivery.

    `first_slots` maps each variable to the text and the slot where it is printed first. The other slots are variables
    that are printed as the host of a URL, as a whole link, and in a query without `urlencode`.
    """

    findings: MessageFindings
    name_recipient: Callable[[Delivery], str]
    first_slots: dict[str, tuple[MessageText, Slot]]
    host_slots: list[_PrintedVariable]
    link_slots: list[_PrintedVariable]
    query_slots: list[_PrintedVariable]
    _checked_hosts: set[str] = field(default_factory=set)

    def check(self, delivery: Delivery) -> None:
        """Adds the findings about the values of one delivery."""
        if not self.first_slots:
            return
        try:
            joined = "\n".join(delivery.vars.values())
        except TypeError:  # a value is a number or a list, which only a list of recipients can hold
            joined = "\n".join(text_checks.iter_strings(list(delivery.vars.values())))
        if "https://" in joined or self.host_slots:
            self._check_link_hosts(delivery)
        if self.link_slots or self.query_slots:
            self._check_links(delivery)
        for suspicious in _SUSPICIOUS_TEXTS:
            if suspicious in joined:
                self._check_suspicious_values(delivery)
                return
        if ("&" in joined or not joined.isascii()) and _may_be_garbled(joined):
            self._check_suspicious_values(delivery)

    def _check_suspicious_values(self, delivery: Delivery) -> None:
        for name, value in delivery.vars.items():
            if name in self.first_slots:
                for text in text_checks.iter_strings(value):
                    self._check_suspicious_text(name, text, delivery)

    def _check_suspicious_text(self, name: str, text: str, delivery: Delivery) -> None:
        message_text, slot = self.first_slots[name]
        subject, body = delivery.payload.get("subject", ""), delivery.payload["body"]
        tag = message_text.find_enclosing_tag(slot)
        for fault, part in check_value(name, text, tag, mark_private):
            is_part_of_word = fault.code == "mojibake" and (part in body or part in subject)
            if is_part_of_word or _is_printed(part, delivery):
                self._add(message_text, slot, fault, delivery)
        for _, entity in text_checks.find_entities(text) if "&" in text else ():
            # Where a value is not escaped, as with `| safe`, an entity is what the reader does not see.
            if html.escape(entity) in body or entity in subject:
                message = f"this shows {entity}: the value of {name} is HTML, and it is printed as text"
                fault = Fault("entity-shown", message, f"put plain text into {name}: the character itself")
                self._add(message_text, slot, fault, delivery)

    def _check_link_hosts(self, delivery: Delivery) -> None:
        """Checks the hosts of links in values, each host once: most are the same for all recipients."""
        for name, value in delivery.vars.items():
            if type(value) is str and value.startswith("https://") and name in self.first_slots:
                host = value[8:].partition("/")[0]
                if host not in self._checked_hosts:
                    self._check_host(value, host, *self.first_slots[name], delivery)
        for name, message_text, slot in self.host_slots:
            value = delivery.vars.get(name)
            if isinstance(value, str) and value not in self._checked_hosts:
                self._check_host(f"https://{value}", value, message_text, slot, delivery)

    def _check_host(self, url: str, host: str, message_text: MessageText, slot: Slot, delivery: Delivery) -> None:
        if fault := check_url(url, mark_private):
            self._add(message_text, slot, fault, delivery)
        elif len(self._checked_hosts) < _MAX_REMEMBERED:
            self._checked_hosts.add(host)

    def _check_links(self, delivery: Delivery) -> None:
        values = delivery.vars
        for name, message_text, slot in self.link_slots:
            value = values.get(name)
            if type(value) is str and not value.startswith("https://"):
                fault = check_anchor_url(value, mark_private)
                if fault and fault.code in _BROKEN_LINK_CODES:
                    self._add(message_text, slot, fault, delivery)
        for name, message_text, slot in self.query_slots:
            value = values.get(name)
            if type(value) is str and not value.isalnum() and (fault := check_query_value(value, name, mark_private)):
                self._add(message_text, slot, fault, delivery)

    def _add(self, message_text: MessageText, slot: Slot, fault: Fault, delivery: Delivery) -> None:
        self.findings.add_at_offset(message_text.layout, slot.start, fault, self.name_recipient(delivery))


def make_value_checks(
    texts: list[MessageText], findings: MessageFindings, name_recipient: Callable[[Delivery], str]
) -> ValueChecks:
    """Returns the checks for the values that some texts print."""
    printed = [(text, slot) for text in texts for slot in text.layout.slots if not slot.is_branch]
    return ValueChecks(
        findings,
        name_recipient,
        first_slots=_find_first_slots(texts),
        host_slots=[
            (name, text, slot)
            for text in texts
            for slot in text.layout.slots
            if text.layout.text.endswith("https://", 0, slot.start)
            for name in slot.variables
        ],
        link_slots=[(slot.sole_variable, text, slot) for text, slot in printed if text.is_whole_link(slot)],
        query_slots=[
            (name, text, slot) for text, slot in printed if text.is_in_query(slot) for name in sorted(slot.variables)
        ],
    )


def _find_first_slots(texts: list[MessageText]) -> dict[str, tuple[MessageText, Slot]]:
    first_slots: dict[str, tuple[MessageText, Slot]] = {}
    for is_branch in (False, True):
        for message_text in texts:
            for slot in message_text.layout.slots:
                for name in slot.variables:
                    if slot.is_branch is is_branch:
                        first_slots.setdefault(name, (message_text, slot))
    return first_slots


def _may_be_garbled(joined: str) -> bool:
    """Returns whether values may be in a wrong encoding, or hold an HTML entity."""
    return any(text in joined for text in _GARBLED_TEXTS) or any(text_checks.find_entities(joined))


def _is_printed(text: str, delivery: Delivery) -> bool:
    """Returns whether the rendered texts contain `text`: a template may only test a value, or print part of it."""
    rendered = f"{delivery.payload.get('subject', '')}\n{delivery.payload['body']}".lower()
    return any(text_checks.has_word(rendered, form.lower()) for form in (text, html.escape(text)))
