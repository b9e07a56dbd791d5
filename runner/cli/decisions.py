"""What resolve, accept and adopt share: the plan of one message, and writing what a person decided."""

from runner.cli.context import Context
from runner.cli.options import EXIT
from runner.declare import schema
from runner.declare.project import Project
from runner.errors import GuardRefused, LedgerUnavailable, ProblemsFound, UsageMistake
from runner.ledger.ledger import Ledger
from runner.ledger.record import Record
from runner.plan import plan as planning
from runner.plan.deliveries import PlannedMessage
from runner.plan.message_planner import PlanOptions
from runner.plan.plan import Plan


def plan_one(context: Context, ledger: Ledger, name: str) -> tuple[PlannedMessage, Plan]:
    """One message as it stands against the ledger. Raises ProblemsFound, UsageMistake."""
    project = context.load_project()
    declaration = next((found for found in project.declarations if found.name == name), None)
    if declaration is None:
        if any(problem.is_error for problem in project.problems):
            raise ProblemsFound(list(project.problems))
        names = [found.name for found in project.declarations]
        raise UsageMistake(f"no message is named {name}", schema.did_you_mean(name, names))
    only = Project(project.tree, project.settings, (declaration,), ())
    made, problems = planning.make_plan(only, ledger.facts, context.now, PlanOptions(sandbox=context.options.sandbox))
    if any(problem.is_error for problem in problems):
        raise ProblemsFound(problems)
    return made.messages[0], made


def write_decision(context: Context, ledger: Ledger, records: list[Record], what: str, *, yes: bool) -> int:
    """Writes what a person decided, after asking, and returns the exit code. Raises GuardRefused, LedgerUnavailable."""
    if not records:
        context.output.result("nothing to do")
        return EXIT.guard if ledger.facts.duplicates() else EXIT.done
    try:
        context.confirm(f"{what[0].upper()}{what[1:]}?", yes=yes)
        ledger.append(*records)
    except GuardRefused:
        context.output.note(f"this would {what}")
        raise
    except LedgerUnavailable:
        context.output.error("nothing was decided: the ledger could not be written")
        raise
    context.output.result(f"done: {what}")
    return EXIT.guard if ledger.facts.duplicates() else EXIT.done
