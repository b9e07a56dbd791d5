"""Plans one message: goes through its deliveries once, and keeps of each only what a plan needs."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

from runner.declare import identity
from runner.declare.audience.audience import TableAudience
from runner.declare.audience.csv_files import CsvFiles
from runner.declare.audience.json_lines import JsonLines
from runner.declare.audience.selection import FILTER_REASONS, Tally
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery, delivery_renderer
from runner.declare.identity import MessageDigest
from runner.declare.recipient_problems import check_recipients, summarise_problems
from runner.declare.template.language import TOO_SLOW
from runner.errors import Problem
from runner.key_table import KeyList, KeyTable
from runner.ledger.facts import Facts
from runner.plan import guards
from runner.plan.deliveries import Action, PlannedDeliveries, PlannedMessage
from runner.plan.guards import Guard
from runner.plan.plan_file import PlanFile
from runner.plan.saved_plan import SavedPlan, SavedPlanMessage
from runner.privacy import mark_private

SAMPLE_SIZE = 3


PARALLEL_MIN_SIZE = (
    1 << 20
)  # bytes of an audience: rendering some 10,000 recipients takes longer than starting processes


_TOLD_EVERY = 1024  # deliveries; more than a block has, of which one process alone tells


T = TypeVar("T")


Progress = Callable[[str, int], None]  # hears a message's name and how many deliveries of it are planned


class WorkerPool(Protocol):
    """Several processes that do the same work, each what falls to its turn."""

    def __call__(self, work: Callable[[int, int], Iterator[T]], /) -> Iterator[T]:
        """What `work(turn, turns)` yields in each of them, turn by turn, until all have ended."""
        ...


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the caller allows or asks for. `limit` is a number of deliveries for the whole run.

    In the `sandbox` the ledger belongs to the sandbox's workspace, whatever msgrun.yaml names. Unless `whole`, only
    some messages were selected. `plan_file` and `saved` are what was agreed to.
    """

    limit: int | None = None
    retry_refused: bool = False
    allow_repeat: bool = False
    allow_readdress: bool = False
    expect: str | None = None
    confirm_recipients: int | None = None
    sandbox: bool = False
    is_full_selection: bool = True
    plan_file: PlanFile | None = None
    saved_plan: SavedPlan | None = None


@dataclass(slots=True)
class Draft:
    """What planning gathers of a message, or of a part of it."""

    deliveries: PlannedDeliveries
    digest: MessageDigest = field(default_factory=MessageDigest)
    sample: list[str] = field(default_factory=list)
    repeats: Counter[str] = field(default_factory=Counter)

    def join(self, other: "Draft") -> None:
        """Adds what comes behind."""
        self.digest.merge(other.digest)
        self.sample = [*self.sample, *other.sample][:SAMPLE_SIZE]
        self.repeats.update(other.repeats)
        self.deliveries.extend(other.deliveries)


@dataclass(frozen=True, slots=True)
class BlockResult:
    """What one of a crew brings of a block: `keys` are those of the draft's deliveries, of whom one may come twice.

    `notices` are warnings, `left_out` counts whom the filters left out.
    """

    keys: KeyList
    draft: Draft
    problems: list[Problem] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


class _SameRecipientError(Exception):
    """One recipient came twice: this process alone knows in which rows."""


class MessagePlanner:
    """Plans one message: streams its deliveries once and keeps of each only what a plan needs."""

    def __init__(
        self,
        declaration: Declaration,
        salt: str,
        facts: Facts,
        now: datetime,
        choices: PlanOptions,
        crew: WorkerPool | None = None,
        progress: Progress = lambda _, __: None,
    ) -> None:
        self._declaration = declaration
        self._salt = salt
        self._facts = facts
        self._choices = choices
        self._progress = progress
        self.saved_message = (
            SavedPlanMessage(choices.saved_plan, declaration.name, declaration.revision) if choices.saved_plan else None
        )
        self._closed = _closed(declaration, now)
        self.is_expired = declaration.expires is not None and now >= declaration.expires
        mine = (declaration.name, declaration.revision)
        self._others = [other for other in facts.revisions_with(declaration.content) if other[0] != mine[0]]
        self._begin()
        source = self._shared() if crew else None
        self.problems = self._rendered_by(crew, source) if crew and source else self._rendered()

    def _begin(self) -> None:
        self._keys, self._tally = KeyTable(self._declaration.audience.estimated_count), Tally()
        self._draft = Draft(PlannedDeliveries(self._keys))

    def _shared(self) -> CsvFiles | JsonLines | None:
        """The source, if several processes may read it, and it is large enough to be worth their start."""
        audience = self._declaration.audience
        if not isinstance(audience, TableAudience) or self.saved_message or self._declaration.selection.needs_order:
            return None
        source = audience.source
        return source if isinstance(source, CsvFiles | JsonLines) and source.size >= PARALLEL_MIN_SIZE else None

    def _rendered(self) -> list[Problem]:
        take = partial(self._take, self._draft)
        return check_recipients(self._declaration, self._salt, take, self._tally, self._keys)

    def _rendered_by(self, crew: WorkerPool, source: CsvFiles | JsonLines) -> list[Problem]:
        found = self._joined(crew(partial(self._parts, source)))
        try:
            return summarise_problems(self._declaration, found, self._tally)
        except _SameRecipientError:
            self._begin()
            return self._rendered()  # which knows the rows, and says what is wrong with them

    def _joined(self, parts: Iterator["BlockResult"]) -> Iterator[Problem | int]:
        """Adds up what the crew brings, in order; its problems, and how many deliveries are good."""
        for part in parts:
            self._tally.left_out.update(part.left_out)
            for notice in part.notices:
                self._tally.on_warning(notice)
            yield from part.problems
            if not self._keys.extend_if_new(part.keys):
                raise _SameRecipientError
            self._draft.join(part.draft)
            yield len(part.draft.deliveries)
            self._progress(self._declaration.name, len(self._draft.deliveries))
            if any(problem.code == TOO_SLOW for problem in part.problems):
                return

    def _parts(self, source: CsvFiles | JsonLines, turn: int, turns: int) -> Iterator["BlockResult"]:
        """What falls to one of the crew, block by block."""
        render = delivery_renderer(self._declaration, self._salt)
        for rows in source.blocks(turn, turns):
            keys = KeyList()
            part = BlockResult(keys, Draft(PlannedDeliveries(keys)))
            for found in render(self._declaration.recipients(Tally(part.left_out, part.notices.append), rows)):
                if isinstance(found, Problem):
                    part.problems.append(found)
                else:
                    keys.add(found.raw_key)
                    self._take(part.draft, found)
            yield part

    def planned_message(self) -> PlannedMessage:
        """The message as planned."""
        return PlannedMessage(
            declaration=self._declaration,
            digest=self._draft.digest.value(self._declaration.name, self._declaration.revision),
            deliveries=self._draft.deliveries,
            counts=self._draft.deliveries.counts(),
            sample=tuple(self._draft.sample),
            is_expired=self.is_expired,
            undeclared_count=self.saved_message.count_undeclared(self._facts) if self.saved_message else 0,
            left_out={
                reason: self._tally.left_out[reason] for reason in FILTER_REASONS if self._tally.left_out[reason]
            },
        )

    def guards(self) -> Iterable[Guard]:
        """What stops a run for this message's sake."""
        name = self._declaration.name
        if count := self._draft.deliveries.counts()["edited"]:
            yield guards.edited_guard(name, count)
        if self._draft.repeats and not self._choices.allow_repeat:
            yield guards.repeat_guard(name, self._draft.repeats)
        if not self._choices.allow_readdress and (kinds := self._readdressed()):
            yield guards.readdress_guard(name, kinds)

    def _take(self, draft: Draft, delivery: Delivery) -> None:
        draft.digest.add(delivery.raw_key, delivery.raw_digest)
        action, reason = self._action(delivery)
        if self.saved_message:
            left_out = self.saved_message.exclusion_reason(
                delivery.key, delivery.digest, is_sent=action in {"sent", "edited"}
            )
            action, reason = ("excluded", left_out) if left_out and action == "send" else (action, reason)
        if action == "send":
            if len(draft.sample) < SAMPLE_SIZE:
                draft.sample.append(
                    delivery.value if delivery.kind == "id" else mark_private(delivery.value, delivery.display_name)
                )
            for name, revision in self._others:
                if self._was_sent_as(delivery, name, revision):
                    draft.repeats[name] += 1
        draft.deliveries.add(delivery, action, reason)
        if len(draft.deliveries) % _TOLD_EVERY == 0:
            self._progress(self._declaration.name, len(draft.deliveries))

    def _action(self, delivery: Delivery) -> tuple[Action, str]:
        status = self._facts.status(delivery.raw_key)
        if status == "sent":
            if self.is_expired or self._is_sent_as_declared(delivery):
                return "sent", ""
            return "edited", "edited since it was sent"
        if status == "unknown":
            return "unknown", "whether it was sent is not known"
        if self._closed:
            return "excluded", self._closed
        if status == "refused" and not self._choices.retry_refused:
            state = self._facts.state(delivery.key)
            if state and state.was_refused_as(delivery.digest):
                return "refused", f"refused before: {state.record.code or 'no code'}"
            if state and state.was_not_found_as(delivery.digest):
                return "send", "looked up again: no contact was found before"
        return "send", ""

    def _is_sent_as_declared(self, delivery: Delivery) -> bool:
        if self._facts.was_sent_with(delivery.raw_key, self._declaration.content):
            return True
        state = self._facts.state(delivery.key)
        return state is not None and state.was_sent_as(self._declaration.content, delivery.digest)

    def _was_sent_as(self, delivery: Delivery, name: str, revision: int) -> bool:
        key = identity.delivery_key(self._salt, name, revision, delivery.kind, delivery.value)
        if self._facts.status(bytes.fromhex(key)) == "sent":
            return True
        return delivery.kind == "id" and self._facts.has_reached(name, revision, delivery.value)

    def _readdressed(self) -> str:
        """The kinds of address that sent, no longer declared deliveries had, if others are sent to by another kind."""
        sending = self._draft.deliveries.kinds("send")
        mine = self._declaration.name, self._declaration.revision
        if not sending:
            return ""
        gone = (key for key in self._facts.sent_keys_of(*mine) if key not in self._keys)
        states = (state for key in gone if (state := self._facts.state(key.hex())))
        kinds = {state.record.to.split(":", 1)[0] for state in states}
        return " and ".join(sorted(kinds)) if kinds and sending - kinds else ""


def _closed(declaration: Declaration, now: datetime) -> str:
    if declaration.expires is not None and now >= declaration.expires:
        return f"expired at {declaration.expires:%Y-%m-%dT%H:%M:%SZ}"
    if declaration.not_before is not None and now < declaration.not_before:
        return f"not before {declaration.not_before:%Y-%m-%dT%H:%M:%SZ}"
    return ""
