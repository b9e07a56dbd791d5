"""The plan: every delivery of the selection and what would happen to it, and the guards that say no.

Pure: from the declarations, the ledger's facts and the time it is given. The digest depends on the declarations alone.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from runner.declare.identity import plan_digest
from runner.declare.project import Project
from runner.declare.settings import Settings
from runner.errors import Problem
from runner.ledger.facts import Facts
from runner.plan import guards
from runner.plan.deliveries import Action, PlannedMessage
from runner.plan.guards import Guard
from runner.plan.message_planner import MessagePlanner, PlanOptions, Progress, WorkerPool


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

    def send_counts(self) -> dict[str, int]:
        """How many deliveries of each message this run would send, in order and up to the limit."""
        left, found = self.to_send, {}
        for message in self.messages:
            found[message.name] = min(left, message.counts["send"])
            left -= found[message.name]
        return found


def make_plan(
    project: Project,
    facts: Facts,
    now: datetime,
    choices: PlanOptions,
    crew: WorkerPool | None = None,
    progress: Progress = lambda _, __: None,
) -> tuple[Plan, list[Problem]]:
    """The plan of a project's selection, and the problems that rendering its recipients showed.

    A `crew` renders large audiences in several processes; what comes out is the same. `progress` hears how far it is.
    """
    salt = project.settings.salt
    planners = [
        MessagePlanner(declaration, salt, facts, now, choices, crew, progress) for declaration in project.declarations
    ]
    problems = [problem for planner in planners for problem in planner.problems]
    messages = tuple(planner.planned_message() for planner in planners)
    settings = project.settings
    rows = [
        (message.name, message.declaration.revision, message.digest) for message in messages if not message.is_expired
    ]
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


def _workspace(settings: Settings, facts: Facts, choices: PlanOptions) -> tuple[str, list[Guard]]:
    declared, held = settings.workspace, facts.merged_header(settings.salt).workspace
    if held and declared and held != declared and not choices.sandbox:
        return declared, [guards.workspace_guard(declared, held)]
    return declared or held, []


def _of_the_run(plan: Plan, settings: Settings, choices: PlanOptions) -> Iterable[Guard]:
    yield from guards.limit_guards(plan.send_counts(), settings.limits)
    if choices.expect is not None and choices.expect != plan.digest:
        yield guards.digest_guard(plan.digest, choices.expect)
    if choices.confirm_recipients is not None and plan.to_send > choices.confirm_recipients:
        yield guards.recipients_guard(plan.to_send, choices.confirm_recipients)


def _agreed(
    plan: Plan, planners: list[MessagePlanner], settings: Settings, facts: Facts, choices: PlanOptions
) -> Iterable[Guard]:
    """What was agreed to in a plan file or a saved plan, and is declared otherwise."""
    if choices.plan_file:
        sends = plan.send_counts()
        found = (choices.plan_file.guard(message.plan_entry, sends[message.name]) for message in plan.messages)
        yield from (guard for guard in found if guard)
    if choices.saved_plan:
        declared = {(message.name, message.declaration.revision) for message in plan.messages}
        yield from choices.saved_plan.mismatches(settings.environment, plan.workspace, settings.salt) or [
            *(guard for planner in planners if planner.saved_message for guard in planner.saved_message.guards(facts)),
            *choices.saved_plan.undeclared_guards(declared, facts, is_full_selection=choices.is_full_selection),
        ]
