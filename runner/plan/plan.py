"""The plan: every delivery of the selection with its action, and the guards that stop the run.

Pure: made from the options, the declarations, the ledger's records and the given time. The digest depends on the
settings, the declarations and the time, because an expired message is not in it. It does not depend on the ledger.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from runner.declare.declaration import Declaration
from runner.declare.keys_and_digests import plan_digest
from runner.declare.project import Project
from runner.declare.sender import Sender
from runner.declare.settings import Settings
from runner.errors import Problem
from runner.ledger.facts import Facts
from runner.plan import guards
from runner.plan.deliveries import Action, PlannedMessage
from runner.plan.guards import Guard
from runner.plan.message_planner import MessagePlanner, PlanOptions, Progress, WorkerPool
from runner.plan.sending_rules import find_lifted_rules


@dataclass(frozen=True, slots=True)
class Plan:
    """Every message of the selection, by name. `workspace` is the declared one, else the ledger's, else empty.

    `sender_ids` are the ids of the senders that are declared by email or name, once they were looked up. `digest` is
    that of the saved plan, if one is applied; empty if the audience of a message was not read.
    """

    environment: str
    workspace: str
    digest: str
    messages: tuple[PlannedMessage, ...]
    counts: Counter[Action]
    guards: tuple[Guard, ...]
    limit: int | None
    sender_ids: Mapping[Sender, str] = field(default_factory=dict)

    @property
    def to_send(self) -> int:
        """The number of deliveries that this run would send."""
        return self.counts["send"] if self.limit is None else min(self.limit, self.counts["send"])

    @property
    def unsettled(self) -> int:
        """The number of unknown deliveries that no run is sending now: reconcile or a person settles them."""
        return self.counts["unknown"] - self.being_sent

    @property
    def being_sent(self) -> int:
        """The number of unknown deliveries that another run is sending now."""
        return sum(message.being_sent for message in self.messages)

    @property
    def sendable(self) -> list[Declaration]:
        """The declarations of the messages that have something to send."""
        return [message.declaration for message in self.messages if message.counts["send"]]

    @property
    def is_urgent(self) -> bool:
        """Whether a message with something to send ignores quiet hours."""
        return any(declaration.ignores_quiet_hours for declaration in self.sendable)

    @property
    def is_stale(self) -> bool:
        """Whether all guards are stale-plan guards, so that approving a newer plan is enough."""
        return bool(self.guards) and all(guard.code == guards.STALE_PLAN for guard in self.guards)

    @property
    def unread(self) -> list[str]:
        """The names of the messages whose audience was not read."""
        return [message.name for message in self.messages if message.is_unread]

    @property
    def to_refuse(self) -> int:
        """The number of deliveries that the check of the recipients refused, and that this run would record as refused.

        If the limit puts off a part of a message, its refused deliveries are left to the run that sends the last part.
        """
        sends = self.send_counts()
        return sum(
            message.deliveries.checked_counts("refused").total()
            for message in self.messages
            if message.counts["send"] == sends[message.name]
        )

    def senders(self) -> set[Sender]:
        """Returns who sends the messages that have something to send."""
        return {declaration.sender for declaration in self.sendable}

    def subscriptions(self) -> set[str]:
        """Returns the subscription types that messages with something to send require. Redirected ones need none."""
        return {each.require_subscription for each in self.sendable if not each.redirect} - {""}

    def warnings(self) -> list[str]:
        """Returns the warnings about the messages that this run sends, each after the message's name."""
        sends = self.send_counts()
        return [
            f"{message.name}: {warning}"
            for message in self.messages
            if sends[message.name]
            for warning in message.warnings
        ]

    def send_counts(self) -> dict[str, int]:
        """Returns the number of deliveries that this run would send of each message, in order and up to the limit."""
        remaining, counts = self.to_send, {}
        for message in self.messages:
            counts[message.name] = min(remaining, message.counts["send"])
            remaining -= counts[message.name]
        return counts


def make_plan(
    project: Project,
    facts: Facts,
    now: datetime,
    options: PlanOptions,
    worker_pool: WorkerPool | None = None,
    progress: Progress = lambda _, __: None,
) -> tuple[Plan, list[Problem]]:
    """Returns the plan of a project's selection, and the problems that rendering its recipients showed.

    A `worker_pool` renders large audiences in several processes, with the same result. `progress` is called with the
    name of a message and the number of its deliveries that are planned so far.
    """
    settings = project.settings
    planners = [
        MessagePlanner(declaration, settings.salt, facts, now, options, worker_pool, progress)
        for declaration in project.declarations
    ]
    problems = [problem for planner in planners for problem in planner.plan()]
    messages = tuple(planner.planned_message() for planner in planners)
    digest_rows = [
        (message.name, message.declaration.revision, message.digest) for message in messages if not message.is_expired
    ]
    is_read = not any(message.is_unread for message in messages)
    workspace, workspace_guards = _choose_workspace(settings, facts, options)
    plan = Plan(
        environment=settings.environment,
        workspace=workspace,
        digest=plan_digest(settings.environment, settings.workspace, digest_rows) if is_read else "",
        messages=messages,
        counts=sum((message.counts for message in messages), Counter[Action]()),
        guards=(),
        limit=options.limit,
    )
    sendable_files = _find_sendable_files(messages, planners)
    message_guards = (guard for planner in planners for guard in planner.guards(sendable_files))
    run_guards = (
        *_find_run_guards(plan, settings, options),
        *_find_agreement_guards(plan, planners, settings, facts, options),
    )
    digest = options.saved_plan.digest if options.saved_plan else plan.digest
    return replace(plan, digest=digest, guards=(*workspace_guards, *message_guards, *run_guards)), problems


def _find_sendable_files(messages: Sequence[PlannedMessage], planners: Sequence[MessagePlanner]) -> list[str]:
    """Returns the files whose messages can be sent although a guard stops those of other files."""
    paths = [message.declaration.document.source.path for message in messages]
    guarded = {path for path, planner in zip(paths, planners, strict=True) if any(planner.guards())}
    sends = dict.fromkeys(path for path, message in zip(paths, messages, strict=True) if message.counts["send"])
    return [path for path in sends if path not in guarded]


def _choose_workspace(settings: Settings, facts: Facts, options: PlanOptions) -> tuple[str, list[Guard]]:
    """Returns the workspace of the plan, and a guard if msgrun.yaml and the ledger name different ones."""
    declared, ledger_workspace = settings.workspace, facts.headers.merged(settings.salt).workspace
    if ledger_workspace and declared and ledger_workspace != declared and not options.sandbox:
        return declared, [guards.workspace_guard(declared, ledger_workspace)]
    return declared or ledger_workspace, []


def _find_run_guards(plan: Plan, settings: Settings, options: PlanOptions) -> Iterable[Guard]:
    yield from guards.limit_guards(plan.send_counts(), settings.limits, settings.environment)
    if options.expect not in {None, plan.digest}:
        paths = options.paths or (options.saved_plan.paths if options.saved_plan else ())
        yield guards.digest_guard(options.expect, paths)
    if options.confirm_recipients is not None and plan.to_send > options.confirm_recipients:
        yield guards.recipients_guard(plan.to_send, options.confirm_recipients)


def _find_agreement_guards(
    plan: Plan, planners: list[MessagePlanner], settings: Settings, facts: Facts, options: PlanOptions
) -> Iterable[Guard]:
    """Yields guards for what differs from the plan file or the saved plan that the reviewer agreed to."""
    if options.plan_file:
        sends = plan.send_counts()
        plan_file_guards = (
            options.plan_file.guard(message.plan_entry, sends[message.name])
            for message in plan.messages
            if not message.workspace_contacts  # the group changes by itself, so only a saved plan can be approved
        )
        yield from (guard for guard in plan_file_guards if guard)
    if saved := options.saved_plan:
        declared = {(message.name, message.declaration.revision) for message in plan.messages}
        for planner in planners:
            yield from planner.saved_message.guards(facts) if planner.saved_message else ()
        yield from saved.undeclared_guards(declared, facts, is_full_selection=not options.paths)
        yield from find_lifted_rules(saved.path, saved.rules, settings, plan.sendable, saved.new_plan_hint())
