"""Decides the action of a delivery, by what the ledger knows of it and by the time."""

from collections.abc import Callable
from datetime import datetime

from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery
from runner.ledger.facts import Facts
from runner.ledger.key_state import State
from runner.plan.deliveries import BEING_SENT, Action

# Reasons that other modules look for: of edited deliveries, and how that of a refused one begins.
EDITED = "edited since it was sent"
WHETHER_SENT = "whether it was sent is not known"
REDIRECT_CHANGED = "sent before redirect was turned on or off"
REFUSED_BEFORE = "refused before: "


class ActionRules:
    """The rules for the deliveries of one message, at the time `now`.

    `is_being_sent` returns whether a delivery is unknown only because another run is sending it now.
    """

    def __init__(
        self, declaration: Declaration, facts: Facts, now: datetime, is_being_sent: Callable[[State], bool],
        *, retry_refused: bool,
    ) -> None:  # fmt: skip
        self._content = declaration.content
        self._is_redirected = declaration.redirect is not None
        self._facts = facts
        self._is_being_sent = is_being_sent
        self._retry_refused = retry_refused
        self._exclusion_reason = _find_exclusion_reason(declaration, now)
        self.is_expired = declaration.is_expired(now)

    def decide(self, delivery: Delivery) -> tuple[Action, str]:
        """Returns the action, and the reason for it; empty if there is nothing to explain."""
        status = self._facts.status(delivery.raw_key)
        if status == "sent":
            if self.is_expired or self._is_sent_as_declared(delivery):
                return "sent", ""
            state = self._facts.state(delivery.key)
            is_other = state is not None and state.record.redirected != self._is_redirected
            return "edited", REDIRECT_CHANGED if is_other else EDITED
        if status == "unknown":
            state = self._facts.state(delivery.key)
            is_being_sent = state is not None and self._is_being_sent(state)
            return "unknown", BEING_SENT if is_being_sent else WHETHER_SENT
        if self._exclusion_reason:
            return "excluded", self._exclusion_reason
        if status == "refused" and not self._retry_refused:
            state = self._facts.state(delivery.key)
            if state and state.was_refused_as(delivery.digest):
                return "refused", REFUSED_BEFORE + (state.record.code or "no code")
            if state and state.was_not_found_as(delivery.digest):
                return "send", "looked up again: no contact was found before"
        return "send", ""

    def _is_sent_as_declared(self, delivery: Delivery) -> bool:
        if self._facts.was_sent_with(delivery.raw_key, self._content):
            return True
        state = self._facts.state(delivery.key)
        return state is not None and state.was_sent_as(self._content, delivery.digest)


def _find_exclusion_reason(declaration: Declaration, now: datetime) -> str:
    """Returns why nothing of the message is sent at the time `now`; empty if it may be sent."""
    if declaration.is_expired(now):
        return f"expired on {declaration.written('expires')}"
    if declaration.not_before is not None and now < declaration.not_before:
        if declaration.is_draft:
            return "a draft, until its line not_before is deleted"
        return f"not before {declaration.written('not_before')}"
    return ""
