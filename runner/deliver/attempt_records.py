"""Creates the records of one run: claims and their outcomes."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from runner.clock import Clock, format_timestamp
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery
from runner.declare.keys_and_digests import text_hash
from runner.declare.sender import Sender
from runner.deliver.attempt import Outcome
from runner.intercom.contact import Contact
from runner.ledger.record import NO_ORIGIN, Record, RunOrigin

# Most records of a round have the same time, and formatting it is slow.
_format_second = lru_cache(maxsize=1)(format_timestamp)


class RecordFactory:
    """Creates the records of one run.

    `run_id` begins the names of its attempts. `plan` is the digest of the plan that the run sends. `sender_ids` are the
    ids of senders that were looked up. `origin` is written into the first claim and the first outcome: another run may
    win the claim, and a run that is killed has no outcome.
    """

    def __init__(
        self,
        run_id: str,
        plan: str,
        salt: str,
        clock: Clock,
        sender_ids: Mapping[Sender, str],
        origin: RunOrigin,
    ) -> None:
        self._run_id = run_id
        self._plan = plan
        self._sender_ids = sender_ids
        self._salt = salt
        self._clock = clock
        self._origin = origin
        self._has_outcome = False
        self._attempts = 0

    def new_claim(self, declaration: Declaration, delivery: Delivery, contact: Contact | None) -> Record:
        """Returns the claim of a new attempt. `contact` is the one to send to; None if the delivery is refused."""
        self._attempts += 1
        kind, value = delivery.address
        origin = self._origin if self._attempts == 1 else NO_ORIGIN
        return Record(
            key=delivery.key,
            attempt=f"{self._run_id}-{self._attempts}",
            status="claimed",
            message=declaration.name,
            revision=declaration.revision,
            to=delivery.display_name,
            contact=contact.id if contact else value if kind == "id" else "",
            digest=delivery.digest,
            content=declaration.content,
            text=text_hash(delivery.payload, self._salt),
            plan=self._plan,
            at=self.timestamp(),
            sender=declaration.sender.admin_id(self._sender_ids),
            opens_conversation=declaration.opens_conversation,
            redirected=declaration.redirect is not None,
            actor=origin.actor,
            run_url=origin.run_url,
            commit=origin.commit,
        )

    def new_outcome(self, claim: Record, outcome: Outcome) -> Record:
        """Returns the record of the outcome of a claim."""
        # Only reconcile needs sender and opens_conversation, and it looks for open attempts alone.
        is_open = outcome.status == "unknown"
        record = replace(
            claim,
            status=outcome.status,
            id=outcome.id,
            conversation=outcome.conversation,
            code=outcome.code,
            request_id=outcome.request_id,
            by="run" if outcome.status == "released" else "",
            at=self.timestamp(),
            sender=claim.sender if is_open else "",
            opens_conversation=claim.opens_conversation and is_open,
        )
        if self._has_outcome:
            return record
        self._has_outcome = True
        return record.signed(self._origin)

    def timestamp(self) -> str:
        """Returns the current time as records have it: UTC, in seconds."""
        return _format_second(self._clock.now().replace(microsecond=0))
