"""The command plan: what would be sent, shown; and kept, as the plan file or as a saved plan."""

from dataclasses import replace
from pathlib import Path

import click

from runner.cli import plan_files, plan_output
from runner.cli.context import Session, session
from runner.cli.ledger_size import outgrown
from runner.cli.options import EXIT, command, format_option
from runner.cli.planning import choosing, made_from
from runner.cli.process import steady_memory
from runner.errors import UsageMistake
from runner.ledger.facts import Facts
from runner.ledger.kinds import home
from runner.ledger.moves.check import behind
from runner.ledger.opening import known
from runner.plan.message_planner import PlanOptions
from runner.report import plain_text


@command("plan")
@click.argument("paths", nargs=-1)
@format_option("text", "json", "markdown", "github")
@click.option("--against", metavar="REF", help="Also show what changes against a git ref, as origin/main.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there is something to send.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Save the plan, for apply --plan.")
@click.option("--write", is_flag=True, help="Write the plan file (messages.plan), to be reviewed and committed.")
@click.option("--check", is_flag=True, help="Exit with 2 if the plan file is out of date.")
@choosing
def plan(
    paths: tuple[str, ...],
    form: str,
    against: str | None,
    choices: PlanOptions,
    out: Path | None,
    *,
    detailed_exitcode: bool,
    write: bool,
    check: bool,
) -> int:
    """Show what apply would send.

    Works offline and without a token.

    PATHS are files or folders below messages/; without any, everything is planned.
    """
    if write and check:
        raise UsageMistake("--write and --check exclude each other")
    if out and choices.limit:
        raise UsageMistake("a saved plan holds all that would be sent", "--limit is for apply --plan")
    steady_memory()
    with session(against or "") as here:
        project = here.valid_project(paths)
        facts = known(here)
        left = behind(here, facts)  # before the facts get what else is known
        notes = _notes(here, facts, against)
        file = plan_files.committed(here, replaced=write and here.is_whole(paths))
        bound = plan_files.bound(here, choices, paths, file)
        made, warnings = made_from(here, project, facts, replace(bound, plan_file=None) if write or check else bound)
        made = replace(made, guards=(*made.guards, left)) if left else made
        changes = (
            file.changes((message.plan_entry for message in made.messages), is_full_selection=bound.is_full_selection)
            if check
            else []
        )
        seen = plan_output.review(here, made, warnings, [*notes, *plain_text.out_of_date(file, changes)])
        if against is not None:
            from runner.cli.against import compared  # noqa: PLC0415  # imported where used

            seen = replace(seen, comparison=compared(here, against, seen, facts, project, paths))
        plan_output.show(here, seen, form)
        if write:
            plan_files.write(here, made, file, whole=bound.is_full_selection)
        if check:
            plan_files.tell(here, file, changes)
        if out:
            plan_files.save(here, made, out)
        if made.guards or facts.duplicates():
            return EXIT.guard
        return EXIT.changes if changes or (detailed_exitcode and made.to_send) else EXIT.done


def _notes(here: Session, facts: Facts, against: str | None) -> list[str]:
    """What a reviewer has to know of the ledger; the facts get what the lockfile of the ref `against` knows."""
    notes = []
    if against is not None:
        from runner.cli.ledger_changes import remembered  # noqa: PLC0415  # imported where used

        notes = remembered(here, against, facts)
    notes += [plain_text.duplicate(state) for state in facts.duplicates()]
    if not here.options.sandbox and not home(here).exists:
        note = f"there is no ledger {home(here).shown} yet: msgrun lock begin starts it, where nothing was sent before"
        here.screen.note(note)
        notes.append(note)
    if heavy := outgrown(here):
        here.screen.note(heavy)
        notes.append(heavy)
    return notes
