"""The plan: every delivery of the selection and what would happen to it, and the guards that say no.

Pure: from the declarations, the ledger's facts and the time it is given. The digest depends on the declarations alone.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from runner import guards
from runner.agreement.plan_file import Line, PlanFile
from runner.agreement.saved_plan import SavedPlan, Share
from runner.declare import delivery as identity
from runner.declare.audience.selection import REASONS, Tally
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery, MessageDigest, plan_digest
from runner.declare.project import Project, Settings
from runner.declare.survey import survey
from runner.errors import Problem
from runner.guards import Guard
from runner.keys import Keys
from runner.ledger.facts import Facts
from runner.planned import Action, Deliveries
from runner.privacy import private

SAMPLE = 3


@dataclass(frozen=True, slots=True)
class Choices:
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
    whole: bool = True
    plan_file: PlanFile | None = None
    saved: SavedPlan | None = None


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """One message and its deliveries, in their order. `sample` are the first recipients to send to (private).

    `gone` counts what a saved plan would still send of it and is no longer declared.
    `left_out` counts, by reason, the rows that the audience's filters did not make recipients.
    """

    declaration: Declaration
    digest: str
    deliveries: Deliveries
    counts: Counter[Action]
    sample: tuple[str, ...]
    expired: bool
    gone: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The message's name."""
        return self.declaration.name

    @property
    def line(self) -> Line:
        """What a plan file has to say of it."""
        found = self.declaration
        return Line(found.name, found.revision, found.message_type, found.sender, len(self.deliveries), self.digest)


@dataclass(frozen=True, slots=True)
class Plan:
    """Every message of the selection, by name. `workspace` is the declared one, else the ledger's, else empty."""

    environment: str
    workspace: str
    digest: str
    messages: tuple[PlannedMessage, ...]
    counts: Counter[Action]
    guards: tuple[Guard, ...]
    limit: int | None

    @property
    def to_send(self) -> int:
        """How many deliveries this run would send."""
        return self.counts["send"] if self.limit is None else min(self.limit, self.counts["send"])

    def sends(self) -> dict[str, int]:
        """How many deliveries of each message this run would send, in order and up to the limit."""
        left, found = self.to_send, {}
        for message in self.messages:
            found[message.name] = min(left, message.counts["send"])
            left -= found[message.name]
        return found


def make(project: Project, facts: Facts, now: datetime, choices: Choices) -> tuple[Plan, list[Problem]]:
    """The plan of a project's selection, and the problems that rendering its recipients showed."""
    planners = [
        _Planner(declaration, project.settings.salt, facts, now, choices) for declaration in project.declarations
    ]
    problems = [problem for planner in planners for problem in planner.problems]
    messages = tuple(planner.planned() for planner in planners)
    settings = project.settings
    rows = [(message.name, message.declaration.revision, message.digest) for message in messages if not message.expired]
    counts: Counter[Action] = Counter()
    for message in messages:
        counts.update(message.counts)
    workspace, held = _workspace(settings, facts, choices)
    plan = Plan(
        environment=settings.environment,
        workspace=workspace,
        digest=plan_digest(settings.environment, settings.workspace, rows),
        messages=messages,
        counts=counts,
        guards=(),
        limit=choices.limit,
    )
    of_messages = (guard for planner in planners for guard in planner.guards())
    of_the_run = (*_of_the_run(plan, settings, choices), *_agreed(plan, planners, settings, facts, choices))
    return replace(plan, guards=(*held, *of_messages, *of_the_run)), problems


class _Planner:
    """Plans one message: streams its deliveries once and keeps of each only what a plan needs."""

    def __init__(self, declaration: Declaration, salt: str, facts: Facts, now: datetime, choices: Choices) -> None:
        self._declaration = declaration
        self._salt = salt
        self._facts = facts
        self._choices = choices
        self._digest = MessageDigest()
        self._keys = Keys()
        self._deliveries = Deliveries(self._keys)
        self._sample: list[str] = []
        self._repeats: Counter[str] = Counter()
        self.share = Share(choices.saved, declaration.name, declaration.revision) if choices.saved else None
        self._closed = _closed(declaration, now)
        self.expired = declaration.expires is not None and now >= declaration.expires
        mine = (declaration.name, declaration.revision)
        self._others = [other for other in facts.messages_with(declaration.content) if other[0] != mine[0]]
        self._tally = Tally()
        self.problems = survey(declaration, salt, self._take, self._tally, self._keys)

    def planned(self) -> PlannedMessage:
        return PlannedMessage(
            declaration=self._declaration,
            digest=self._digest.value(self._declaration.name, self._declaration.revision),
            deliveries=self._deliveries,
            counts=self._deliveries.counts(),
            sample=tuple(self._sample),
            expired=self.expired,
            gone=self.share.gone(self._facts) if self.share else 0,
            left_out={reason: self._tally.left_out[reason] for reason in REASONS if self._tally.left_out[reason]},
        )

    def guards(self) -> Iterable[Guard]:
        name = self._declaration.name
        if count := self._deliveries.counts()["edited"]:
            yield guards.edited(name, count)
        if self._repeats and not self._choices.allow_repeat:
            yield guards.repeat(name, self._repeats)
        if not self._choices.allow_readdress and (kinds := self._readdressed()):
            yield guards.readdress(name, kinds)

    def _take(self, delivery: Delivery) -> None:
        self._digest.add(delivery.key, delivery.digest)
        action, reason = self._action(delivery)
        if self.share:
            left_out = self.share.left_out(delivery.key, delivery.digest, sent=action in {"sent", "edited"})
            action, reason = ("excluded", left_out) if left_out and action == "send" else (action, reason)
        if action == "send":
            if len(self._sample) < SAMPLE:
                self._sample.append(
                    delivery.value if delivery.kind == "id" else private(delivery.value, delivery.shown)
                )
            for name, revision in self._others:
                if self._was_sent_as(delivery, name, revision):
                    self._repeats[name] += 1
        self._deliveries.add(delivery, action, reason)

    def _action(self, delivery: Delivery) -> tuple[Action, str]:
        status = self._facts.status(bytes.fromhex(delivery.key))
        if status == "sent":
            if self.expired or self._is_sent_as_declared(delivery):
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
        return "send", ""

    def _is_sent_as_declared(self, delivery: Delivery) -> bool:
        if self._facts.was_sent_with(bytes.fromhex(delivery.key), self._declaration.content):
            return True
        state = self._facts.state(delivery.key)
        return state is not None and state.was_sent_as(self._declaration.content, delivery.digest)

    def _was_sent_as(self, delivery: Delivery, name: str, revision: int) -> bool:
        key = identity.key(self._salt, name, revision, delivery.kind, delivery.value)
        if self._facts.status(bytes.fromhex(key)) == "sent":
            return True
        return delivery.kind == "id" and self._facts.reached(name, revision, delivery.value)

    def _readdressed(self) -> str:
        """The kinds of address that sent, no longer declared deliveries had, if others are sent to by another kind."""
        sending = self._deliveries.kinds("send")
        mine = self._declaration.name, self._declaration.revision
        if not sending:
            return ""
        gone = (key for key in self._facts.sent_of(*mine) if key not in self._keys)
        states = (state for key in gone if (state := self._facts.state(key.hex())))
        kinds = {state.record.to.split(":", 1)[0] for state in states}
        return " and ".join(sorted(kinds)) if kinds and sending - kinds else ""


def _closed(declaration: Declaration, now: datetime) -> str:
    if declaration.expires is not None and now >= declaration.expires:
        return f"expired at {declaration.expires:%Y-%m-%dT%H:%M:%SZ}"
    if declaration.not_before is not None and now < declaration.not_before:
        return f"not before {declaration.not_before:%Y-%m-%dT%H:%M:%SZ}"
    return ""


def _workspace(settings: Settings, facts: Facts, choices: Choices) -> tuple[str, list[Guard]]:
    declared, held = settings.workspace, facts.header(settings.salt).workspace
    if held and declared and held != declared and not choices.sandbox:
        return declared, [guards.workspace(declared, held)]
    return declared or held, []


def _of_the_run(plan: Plan, settings: Settings, choices: Choices) -> Iterable[Guard]:
    yield from guards.over_limits(plan.sends(), settings.limits)
    if choices.expect is not None and choices.expect != plan.digest:
        yield guards.digest(plan.digest, choices.expect)
    if choices.confirm_recipients is not None and plan.to_send > choices.confirm_recipients:
        yield guards.confirmed(plan.to_send, choices.confirm_recipients)


def _agreed(
    plan: Plan, planners: list[_Planner], settings: Settings, facts: Facts, choices: Choices
) -> Iterable[Guard]:
    """What was agreed to in a plan file or a saved plan, and is declared otherwise."""
    if choices.plan_file:
        sends = plan.sends()
        found = (choices.plan_file.guard(message.line, sends[message.name]) for message in plan.messages)
        yield from (guard for guard in found if guard)
    if choices.saved:
        declared = {(message.name, message.declaration.revision) for message in plan.messages}
        yield from choices.saved.mismatches(settings.environment, plan.workspace, settings.salt) or [
            *(guard for planner in planners if planner.share for guard in planner.share.guards(facts)),
            *choices.saved.undeclared(declared, facts, whole=choices.whole),
        ]
