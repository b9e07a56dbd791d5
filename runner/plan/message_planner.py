"""Plans one message: decides what becomes of each of its deliveries, in one process or in several."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

from runner.current_work import CURRENT_WORK
from runner.declare.audience.audience import TableAudience
from runner.declare.audience.csv_files import CsvFiles
from runner.declare.audience.json_lines import JsonLines
from runner.declare.audience.recipient import Row
from runner.declare.audience.selection import FILTER_REASONS, Tally
from runner.declare.authorship import Authorship
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery, DeliveryRenderer
from runner.declare.keys_and_digests import delivery_key
from runner.declare.recipient_problems import find_recipient_problems, summarise_problems
from runner.declare.template.language import TOO_SLOW
from runner.errors import Problem
from runner.key_table import KeyList, KeyTable
from runner.ledger.facts import Facts
from runner.ledger.history import sent_revisions
from runner.ledger.key_state import State
from runner.plan import guards
from runner.plan.actions import EDITED, REDIRECT_CHANGED, ActionRules
from runner.plan.deliveries import PlannedDeliveries, PlannedMessage
from runner.plan.guards import Guard
from runner.plan.partial_plan import SAMPLE_SIZE, BlockResult, PartialPlan
from runner.plan.plan_file import PlanFile
from runner.plan.saved_plan import SavedPlan, SavedPlanMessage

# Bytes of an audience: about 10,000 recipients, which take longer to render than processes take to start.
PARALLEL_MIN_SIZE = 1 << 20
_PROGRESS_INTERVAL = 1024  # deliveries between two reports; more than a block has, so worker processes never report
T = TypeVar("T")
Progress = Callable[[str, int], None]  # gets a message's name and the number of its deliveries that are planned so far


class WorkerPool(Protocol):
    """Several processes that do the same work, each for its own part of the input."""

    def __call__(self, work: Callable[[int, int], Iterator[T]], /) -> Iterator[T]:
        """Yields what `work(worker_index, worker_count)` yields in each process, until all have ended.

        The order is round robin: the first value of every process in order of its index, then the second of every one.
        """
        ...


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the user allows or asks for. `limit` is the maximum number of deliveries of the whole run.

    With `sandbox`, the ledger belongs to the workspace of the sandbox, whatever msgrun.yaml names. `paths` are the
    files and folders that the user selected, as they were typed; empty if they select everything. `expect` is the
    digest that the plan must have. `confirm_recipients` is the largest number of recipients that the run may have.
    `plan_file` and `saved_plan` are what the reviewer agreed to. `is_being_sent` returns whether a delivery is unknown
    only because another run is sending it now.
    """

    limit: int | None = None
    retry_refused: bool = False
    allow_repeat: bool = False
    allow_readdress: bool = False
    expect: str | None = None
    confirm_recipients: int | None = None
    sandbox: bool = False
    paths: tuple[str, ...] = ()
    plan_file: PlanFile | None = None
    saved_plan: SavedPlan | None = None
    is_being_sent: Callable[[State], bool] = lambda _: False


class _SameRecipientError(Exception):
    """One recipient is declared twice. Only planning in a single process knows in which rows."""


class MessagePlanner:
    """Plans one message: reads its deliveries once, as a stream, and keeps of each only what a plan needs.

    Call `plan` first; the other methods return what it found. A `worker_pool` renders a large audience in several
    processes. `progress` is called with the number of deliveries that are planned so far.
    """

    def __init__(
        self, declaration: Declaration, salt: str, facts: Facts, now: datetime, options: PlanOptions,
        worker_pool: WorkerPool | None, progress: Progress,
    ) -> None:  # fmt: skip
        self._declaration = declaration
        self._salt = salt
        self._facts = facts
        self._options = options
        self._worker_pool = worker_pool
        self._progress = progress
        self._actions = ActionRules(declaration, facts, now, options.is_being_sent, retry_refused=options.retry_refused)
        self.saved_message = SavedPlanMessage.find(options.saved_plan, declaration)
        self._same_content: list[tuple[str, int]] = []  # other messages, as (name, revision), sent with this content
        self._other_revisions: list[int] = []  # of this message, that were sent

    def plan(self) -> list[Problem]:
        """Plans all deliveries. Returns their problems; of an audience that was not read, those of its variables."""
        name, own_revision = self._declaration.name, self._declaration.revision
        sent_with_content = self._facts.revisions_with(self._declaration.content)
        self._same_content = [sent for sent in sent_with_content if sent[0] != name]
        self._other_revisions = sorted(
            revision for other, revision in sent_revisions(self._facts) if other == name and revision != own_revision
        )
        with CURRENT_WORK.on_file(self._declaration.document.source.path):
            self._authorship = Authorship(self._declaration)
            self._reset()
            pool, source = self._worker_pool, self._find_parallel_source()
            return self._plan_in_parallel(pool, source) if pool and source else self._plan_in_order()

    def _reset(self) -> None:
        self._keys, self._tally = KeyTable.with_room_for(self._declaration.audience.estimated_count), Tally()
        self._partial_plan = PartialPlan(PlannedDeliveries(self._keys))

    def _find_parallel_source(self) -> CsvFiles | JsonLines | None:
        """Returns the source if several processes may read it, and it is large enough to start them for it."""
        audience = self._declaration.audience
        if not isinstance(audience, TableAudience) or self.saved_message or self._declaration.selection.needs_order:
            return None
        source = audience.source
        return source if isinstance(source, CsvFiles | JsonLines) and source.size >= PARALLEL_MIN_SIZE else None

    def _plan_in_order(self) -> list[Problem]:
        plan_delivery = partial(self._plan_delivery, self._partial_plan)
        return find_recipient_problems(self._declaration, self._salt, plan_delivery, self._tally, self._keys)

    def _plan_in_parallel(self, worker_pool: WorkerPool, source: CsvFiles | JsonLines) -> list[Problem]:
        results = self._join_blocks(worker_pool(partial(self._plan_blocks, source)))
        try:
            return summarise_problems(self._declaration, results, self._tally)
        except _SameRecipientError:
            self._reset()
            return self._plan_in_order()  # one process reads both rows, and names them in the problem

    def _join_blocks(self, results: Iterator[BlockResult]) -> Iterator[Problem | int]:
        """Adds up the results of the worker processes, in order.

        Yields their problems, and after each block the number of its deliveries that have no problem. Raises
        _SameRecipientError.
        """
        for result in results:
            self._tally.left_out.update(result.left_out)
            for notice in result.notices:
                self._tally.on_warning(notice)
            yield from result.problems
            if not self._keys.extend_if_new(result.partial_plan.deliveries.keys):
                raise _SameRecipientError
            self._partial_plan.join(result.partial_plan)
            yield len(result.partial_plan.deliveries)
            self._progress(self._declaration.name, len(self._partial_plan.deliveries))
            if any(problem.code == TOO_SLOW for problem in result.problems):
                return

    def _plan_blocks(self, source: CsvFiles | JsonLines, worker_index: int, worker_count: int) -> Iterator[BlockResult]:
        """Yields the results of one worker process, block by block."""
        renderer = DeliveryRenderer(self._declaration, self._salt)
        with CURRENT_WORK.on_file(self._declaration.document.source.path):
            for rows in source.blocks(worker_index, worker_count):
                yield self._plan_block(renderer, rows)

    def _plan_block(self, renderer: DeliveryRenderer, rows: list[Row | Problem]) -> BlockResult:
        keys = KeyList()
        result = BlockResult(PartialPlan(PlannedDeliveries(keys)))
        recipients = self._declaration.recipients(Tally(result.left_out, result.notices.append), rows)
        for delivery in renderer.render(recipients):
            if isinstance(delivery, Problem):
                result.problems.append(delivery)
            else:
                keys.add(delivery.raw_key)
                self._plan_delivery(result.partial_plan, delivery)
        return result

    def planned_message(self) -> PlannedMessage:
        """Returns the message as planned."""
        planned = self._partial_plan
        return PlannedMessage(
            declaration=self._declaration,
            authorship=self._authorship,
            digest=planned.message_digest(self._declaration),
            deliveries=planned.deliveries,
            counts=planned.deliveries.counts(),
            first_recipients=tuple(planned.first_recipients),
            first_recipients_by_reason=planned.first_by_reason,
            variants=planned.variants,
            is_expired=self._actions.is_expired,
            undeclared_count=self.saved_message.count_undeclared(self._facts) if self.saved_message else 0,
            left_out={reason: count for reason in FILTER_REASONS if (count := self._tally.left_out[reason])},
            resends=dict(planned.resends),
            warnings=tuple(self._find_warnings()),
        )

    def _find_warnings(self) -> Iterator[str]:
        """Yields warnings about effects of the sending that the author may not intend. No guard stops them."""
        sends = self._partial_plan.deliveries.counts()["send"]
        if not sends:
            return
        for revision, count in sorted(self._partial_plan.resends.items()):
            yield guards.format_resend(revision, count, sends)
        if self._partial_plan.repeats and self._options.allow_repeat:
            yield guards.format_repeat(self._partial_plan.repeats)
        if self._options.allow_readdress and (kinds := self._find_readdressed_kinds()):
            yield guards.format_readdress(kinds)
        yield from guards.format_exceptions(self._declaration)

    def guards(self, other_files: Sequence[str] = ()) -> Iterable[Guard]:
        """Yields the guards that stop a run because of this message. `other_files` can be sent without it."""
        name = self._declaration.name
        reasons = self._partial_plan.deliveries.reasons()
        if count := reasons["edited", REDIRECT_CHANGED]:
            yield guards.redirect_guard(name, count, is_redirected=self._declaration.redirect is not None)
        if count := reasons["edited", EDITED]:
            yield guards.edited_guard(self._declaration, count, other_files)
        if self._partial_plan.repeats and not self._options.allow_repeat:
            yield guards.repeat_guard(self._declaration, self._partial_plan.repeats)
        if not self._options.allow_readdress and (kinds := self._find_readdressed_kinds()):
            yield guards.readdress_guard(name, kinds)

    def _plan_delivery(self, partial_plan: PartialPlan, delivery: Delivery) -> None:
        partial_plan.digest.add(delivery.raw_key, delivery.raw_digest)
        action, reason = self._actions.decide(delivery)
        if self.saved_message:
            is_sent = action in {"sent", "edited"}
            exclusion_reason = self.saved_message.exclusion_reason(delivery.key, delivery.digest, is_sent=is_sent)
            if exclusion_reason and action == "send":
                action, reason = "excluded", exclusion_reason
        if action == "send":
            if len(partial_plan.first_recipients) < SAMPLE_SIZE:
                partial_plan.first_recipients.append(delivery.label)
            if self._same_content or self._other_revisions:
                self._count_earlier(partial_plan, delivery)
        elif action != "sent":
            names = partial_plan.first_by_reason.setdefault((action, reason), [])
            names += [delivery.label] if len(names) < SAMPLE_SIZE else []
        if action != "sent":
            text = self._authorship.comparable_text(delivery)
            partial_plan.variants.add(text, delivery, is_sent_now=action == "send")
        partial_plan.deliveries.add(delivery, action, reason)
        if partial_plan.digest.count % _PROGRESS_INTERVAL == 0:
            self._progress(self._declaration.name, partial_plan.digest.count)

    def _count_earlier(self, partial_plan: PartialPlan, delivery: Delivery) -> None:
        """Counts what a recipient to send to got already: the same text under another name, and other revisions."""
        for name, revision in self._same_content:
            if _was_sent_as(self._facts, self._salt, delivery, name, revision):
                partial_plan.repeats[name] += 1
        for revision in self._other_revisions:
            if _was_sent_as(self._facts, self._salt, delivery, self._declaration.name, revision):
                partial_plan.resends[revision] += 1

    def _find_readdressed_kinds(self) -> str:
        """Returns the kinds of address of deliveries that were sent and are no longer declared, joined by "and".

        Empty unless a recipient to send to has another kind of address than these.
        """
        new_kinds = self._partial_plan.deliveries.kinds("send")
        if not new_kinds:
            return ""
        sent_keys = self._facts.sent_keys_of(self._declaration.name, self._declaration.revision)
        undeclared_keys = (key for key in sent_keys if key not in self._keys)
        states = (state for key in undeclared_keys if (state := self._facts.state(key.hex())))
        old_kinds = {state.record.to.split(":", 1)[0] for state in states}
        return " and ".join(sorted(old_kinds)) if old_kinds and new_kinds - old_kinds else ""


def _was_sent_as(facts: Facts, salt: str, delivery: Delivery, name: str, revision: int) -> bool:
    """Returns whether the recipient of a delivery got the message with this name and revision."""
    key = delivery_key(salt, name, revision, delivery.kind, delivery.value)
    if facts.status(bytes.fromhex(key)) == "sent":
        return True
    return delivery.kind == "id" and facts.has_reached(name, revision, delivery.value)
