"""Sends what was planned: for each delivery a claim on disk, one POST, the outcome on disk."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery, deliveries, text_hash
from runner.declare.project import Settings
from runner.deliver.recipient import NoContact, chosen
from runner.deliver.sending import Outcome, Sender
from runner.deliver.summary import Stop, Summary, Told
from runner.errors import LedgerUnavailable, RateExhausted, RunStopped
from runner.intercom.dialect import Contact, needs_lookup, wire
from runner.intercom.pace import Clock
from runner.intercom.workspace import BATCH, Workspace
from runner.ledger import Ledger
from runner.ledger.record import Record
from runner.plan import Plan, PlannedMessage
from runner.privacy import concealed

Contacts = dict[tuple[str, str], list[Contact]]  # by kind and value of the address


@dataclass(frozen=True, slots=True)
class Halt:
    """Asked before every POST: a signal's number (0 for none), and whether there is a stop file."""

    signal: Callable[[], int]
    stop_file: Callable[[], bool]

    def reason(self) -> Stop | None:
        """Why nothing more may be started, if so."""
        if number := self.signal():
            return Stop("signal", f"stopped by signal {number}", "run the same command again to go on", number)
        if self.stop_file():
            return Stop("later", "stopped by the stop file .msgrun/stop", "remove it to go on")
        return None


class Run:
    """One apply of one plan. `run_id` names its attempts; `progress` is told after every delivery."""

    def __init__(
        self,
        plan: Plan,
        settings: Settings,
        ledger: Ledger,
        workspace: Workspace,
        sender: Sender,
        clock: Clock,
        halt: Halt,
        run_id: str,
        progress: Callable[[Summary], None],
    ) -> None:
        self._plan = plan
        self._settings = settings
        self._ledger = ledger
        self._workspace = workspace
        self._sender = sender
        self._clock = clock
        self._halt = halt
        self._run_id = run_id
        self._progress = progress
        self._attempts = 0
        self._unknown_in_a_row = 0
        self.summary = Summary(planned=plan.to_send)

    def deliver(self) -> Summary:
        """Sends every planned delivery, in order, up to the plan's limit; returns what came of it."""
        for message in self._plan.messages:
            count = self._plan.sends()[message.name]
            try:
                self._message(message, count)
            except LedgerUnavailable as error:
                self.summary.stop = Stop("ledger", error.message, error.hint)
            except RateExhausted as error:
                self.summary.stop = Stop("later", error.message, error.hint)
            except RunStopped as error:
                self.summary.stop = Stop("error", error.message, error.hint)
            if self.summary.stop:
                break
        return self.summary

    def _message(self, message: PlannedMessage, count: int) -> None:
        declaration = message.declaration
        due = islice(self._due(message), count)
        left = count
        while (batch := list(islice(due, BATCH))) and not self.summary.stop:
            contacts = self._contacts(batch)
            for delivery in batch:
                if self._is_over(declaration):
                    self.summary.skipped += left
                    self.summary.warnings.append(f"{declaration.name} expired while it was sent: {left} were left out")
                    return
                self._delivery(declaration, delivery, contacts)
                left -= 1
                self._progress(self.summary)
                self._check_breakers()
                if self.summary.stop:
                    return

    def _due(self, message: PlannedMessage) -> Iterator[Delivery]:
        """The deliveries to send, rendered again; whatever differs from the plan stops the run."""
        rendered = deliveries(message.declaration, self._settings.salt)
        for planned in message.deliveries:
            delivery = next(rendered, None)
            if not isinstance(delivery, Delivery) or (delivery.key, delivery.digest) != (planned.key, planned.digest):
                self.summary.stop = Stop(
                    "guard",
                    f"{message.name} is not rendered as it was planned: a file changed meanwhile",
                    "run the command again to plan anew",
                )
                return
            if planned.action == "send":
                yield delivery

    def _contacts(self, batch: list[Delivery]) -> Contacts:
        """Who the recipients of a batch are, where the API version wants it known before."""
        wanted = [delivery for delivery in batch if needs_lookup(delivery.payload, self._settings.api_version)]
        found: Contacts = {}
        for kind in sorted({delivery.kind for delivery in wanted}):
            values = [delivery.value for delivery in wanted if delivery.kind == kind]
            found |= {(kind, value): who for value, who in self._workspace.contacts(kind, values).items()}
        return found

    def _delivery(self, declaration: Declaration, delivery: Delivery, contacts: Contacts) -> None:
        claim = self._claim(declaration, delivery)
        contact = None
        if needs_lookup(delivery.payload, self._settings.api_version):
            found = chosen(delivery, contacts.get((delivery.kind, delivery.value), []))
            if isinstance(found, NoContact):
                self._refuse(claim, found.code, found.message)
                return
            contact = found.contact
            self.summary.warnings.extend(found.warnings)
            claim = replace(claim, contact=contact.id)
        if claim.contact and self._ledger.facts.reached(claim.message, claim.revision, claim.contact, but=claim.key):
            self._refuse(claim, "same_contact", "this contact was sent this revision already, under another address")
            return
        if stop := self._halt.reason():
            self.summary.stop = stop
            return
        self._ledger.append(claim)
        body = wire(delivery.payload, self._settings.api_version, contact)
        outcome = self._sender.send(body, claim, lambda: self._halt.reason() or self._expiry(declaration))
        self._settle(claim, outcome, delivery)

    def _claim(self, declaration: Declaration, delivery: Delivery) -> Record:
        self._attempts += 1
        return Record(
            key=delivery.key,
            attempt=f"{self._run_id}-{self._attempts}",
            status="claimed",
            message=declaration.name,
            revision=declaration.revision,
            to=delivery.shown,
            contact=delivery.value if delivery.kind == "id" else "",
            digest=delivery.digest,
            content=declaration.content,
            text=text_hash(delivery.payload, self._settings.salt),
            plan=self._plan.digest,
            at=_time(self._clock.now()),
            sender=declaration.sender,
            conversation=declaration.opens_conversation,
        )

    def _refuse(self, claim: Record, code: str, message: str) -> None:
        """Refuses without a claim: nothing was ever about to be sent."""
        record = replace(claim, status="refused", code=code, sender="", conversation=False)
        self._ledger.append(record)
        self.summary.refused.append(Told(record, message))

    def _settle(self, claim: Record, outcome: Outcome, delivery: Delivery) -> None:
        summary = self.summary
        record = replace(
            claim,
            status=outcome.status,
            id=outcome.id,
            code=outcome.code,
            request_id=outcome.request_id,
            by="run" if outcome.status == "released" else "",
            at=_time(self._clock.now()),
        )
        if outcome.status != "unknown":  # what reconcile needs of a claim is needed only as long as it is open
            record = replace(record, sender="", conversation=False)
        told = Told(record, concealed(outcome.said, delivery.values))
        match outcome.status:
            case "sent":
                summary.sent += 1
                if outcome.said:
                    summary.warnings.append(f"{record.message} {record.to}: {told.said}")
            case "refused":
                summary.refused.append(told)
            case "unknown":
                summary.unknown.append(told)
            case "released":
                summary.released += 1
        self._unknown_in_a_row = self._unknown_in_a_row + 1 if outcome.status == "unknown" else 0
        if outcome.stop and outcome.stop.kind == "expired":
            summary.skipped += 1
        elif outcome.stop:
            summary.stop = replace(outcome.stop, message=concealed(outcome.stop.message, delivery.values))
        try:
            self._ledger.append(record)
        except LedgerUnavailable:
            summary.unwritten.append(record)
            raise

    def _check_breakers(self) -> None:
        summary, breakers = self.summary, self._settings.breakers
        if summary.stop:
            return
        if self._unknown_in_a_row >= breakers.unknown:
            message = f"{self._unknown_in_a_row} unknown outcomes in a row"
            summary.stop = Stop("error", message, "see what Intercom says; abort_if.unknown sets how many stop a run")
        elif summary.refused and summary.tried >= breakers.after and self._refused_share() >= breakers.refused:
            message = f"{len(summary.refused)} of {summary.tried} deliveries were refused"
            summary.stop = Stop("error", message, "see the codes; abort_if.refused sets the share that stops a run")

    def _refused_share(self) -> float:
        return len(self.summary.refused) / self.summary.tried

    def _is_over(self, declaration: Declaration) -> bool:
        return declaration.expires is not None and self._clock.now() >= declaration.expires

    def _expiry(self, declaration: Declaration) -> Stop | None:
        if self._is_over(declaration):
            return Stop("expired", f"{declaration.name} expired while it was sent", "raise expires, if that is meant")
        return None


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
