"""Shared by resolve, accept and adopt: planning one message, and writing the user's decision to the ledger."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runner.cli import next_steps
from runner.cli.commit_steps import commit_ledger
from runner.cli.context import Context
from runner.cli.ledger import exit_code_of, find_run_origin
from runner.declare.project import Project
from runner.errors import LedgerUnavailable, ProblemsFound, UsageMistake
from runner.ledger.facts import Facts
from runner.ledger.ledger import Ledger
from runner.ledger.moves.previous_ledgers import write_to_previous
from runner.ledger.record import NO_ORIGIN, Record, RunOrigin
from runner.plan import plan as planning
from runner.plan.deliveries import PlannedMessage
from runner.plan.message_planner import PlanOptions
from runner.plan.plan import Plan
from runner.report.next_steps import NextStep
from runner.report.terminal_text import one_line


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision about deliveries, as a request without its question mark, and as the sentence that reports it.

    `if_empty` says why there is nothing to decide, where the command knows, and `ways_on` what to do then. `effect` is
    a sentence above the question: what follows from a yes. `next_step` comes after the ledger is committed, with
    `commit_message`, and together with the files of messages if it `is_of_files`.
    """

    request: str
    result: str
    if_empty: str = ""
    effect: str = ""
    next_step: NextStep | None = None
    ways_on: tuple[NextStep, ...] = ()
    commit_message: str = "Record a decision"
    is_of_files: bool = False


def check_one(context: Context, name: str) -> None:
    """Plans one message against no ledger. Its problems are left to the command, which opens the ledger first."""
    with contextlib.suppress(ProblemsFound, UsageMistake):
        plan_one(context, Facts(), name, is_check=True)


def plan_one(context: Context, facts: Facts, name: str, *, is_check: bool = False) -> tuple[PlannedMessage, Plan]:
    """Plans one message against a ledger, and reads its audience if that is in the workspace, unless `is_check`.

    Returns it and the plan. Raises ProblemsFound, UsageMistake, GuardRefused, RunStopped.
    """
    project = context.load_project()
    declaration = project.require(name)
    one_message = Project(project.tree, project.settings, (declaration,), ())
    if declaration.audience.is_unread and not is_check:
        from runner.cli.audiences import AudienceReader  # noqa: PLC0415  # requests takes 130 ms

        one_message = AudienceReader(context).read(one_message, lambda _: True)
    plan, problems = planning.make_plan(one_message, facts, context.now, PlanOptions(sandbox=context.options.sandbox))
    if any(problem.is_error for problem in problems):
        raise ProblemsFound(problems)
    return plan.messages[0], plan


def write_decision(
    context: Context, ledger: Ledger, records: list[Record], decision: Decision,
    write: Callable[..., None] | None = None,
) -> int:  # fmt: skip
    """Asks the user to confirm the decision, then writes its records. Returns the exit code.

    `write` writes them; None appends them to the ledger. Raises GuardRefused, LedgerUnavailable.
    """
    if not records:
        reason = one_line(f": {decision.if_empty}") if decision.if_empty else ""
        context.output.sentence(f"nothing to do{reason}")
        next_steps.print_steps(context, decision.ways_on)
        return exit_code_of(ledger.facts)
    try:
        if decision.effect and not context.options.yes:
            context.output.message(one_line(decision.effect))
        context.confirm(f"{decision.request}?")
        if write:
            write(*records)
        else:
            ledger.append(*_sign(records, find_run_origin(context.tree.root)))
    except LedgerUnavailable:
        context.output.error("Nothing was decided: the ledger could not be written.")
        raise
    context.output.sentence(one_line(decision.result))
    steps = commit_ledger(
        context, "every clone knows of it", message=decision.commit_message, with_sources=decision.is_of_files
    )
    next_steps.print_steps(context, [*steps, *([decision.next_step] if decision.next_step else [])])
    return exit_code_of(ledger.facts)


def _sign(records: Sequence[Record], origin: RunOrigin) -> list[Record]:
    """Returns the records of a decision. The first names who decided; none names who ran the attempt."""
    return [record.signed(NO_ORIGIN if number else origin) for number, record in enumerate(records)]


def make_writer(context: Context, ledger: Ledger) -> Callable[..., None]:
    """Returns a function that writes outcomes of open attempts: to the previous ledger first, if the ledger moved."""
    origin = find_run_origin(context.tree.root)

    def write(*decided: Record) -> None:
        records = _sign(decided, origin)
        if not context.options.no_fetch:
            write_to_previous(context.ledger, ledger.facts, records)
        ledger.append(*records)

    return write
