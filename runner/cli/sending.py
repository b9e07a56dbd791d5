"""plan and apply: what would be sent, and sending it."""

import contextlib
import functools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from runner import plan as planning
from runner.agreement.plan_file import PlanFile
from runner.cli import binding, reviewing
from runner.cli.holding import held, known, places
from runner.cli.options import EXIT, Duration, command, format_option, writes_ledger
from runner.cli.session import Session, session
from runner.declare.project import Project
from runner.deliver.summary import Summary
from runner.errors import GuardRefused, LedgerUnavailable, Problem, ProblemsFound, RunStopped, UsageMistake
from runner.ledger.lockfile import Lockfile
from runner.ledger.record import Facts
from runner.plan import Choices, Plan
from runner.report import text


def _choices(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that plan and apply share, handed over as one Choices."""

    @functools.wraps(function)
    def wrapped(**kwargs: Any) -> Any:
        names = ("limit", "retry_refused", "allow_repeat", "allow_readdress", "expect", "confirm_recipients")
        chosen = Choices(**{name: kwargs.pop(name) for name in names})
        return function(choices=chosen, **kwargs)

    for option in (
        click.option(
            "--allow-readdress", is_flag=True, help="Allow another kind of address for a message that was sent."
        ),
        click.option("--allow-repeat", is_flag=True, help="Allow a text that its recipients got under another name."),
        click.option("--retry-refused", is_flag=True, help="Send again what Intercom refused."),
        click.option(
            "--confirm-recipients", type=click.IntRange(0), metavar="N", help="Refuse to send to more than N."
        ),
        click.option("--expect", metavar="DIGEST", help="Refuse unless this is the plan's digest."),
        click.option(
            "--limit", type=click.IntRange(1), metavar="N", help="Send the first N, and leave the rest for next time."
        ),
    ):
        wrapped = option(wrapped)
    return wrapped


@command("plan")
@click.argument("paths", nargs=-1)
@format_option("text", "json", "markdown", "github")
@click.option("--against", metavar="REF", help="Also show what changes against a git ref, as origin/main.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if there is something to send.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Save the plan, for apply --plan.")
@click.option("--write", is_flag=True, help="Write the plan file (messages.plan), to be reviewed and committed.")
@click.option("--check", is_flag=True, help="Exit with 2 if the plan file is out of date.")
@_choices
def plan(
    paths: tuple[str, ...],
    form: str,
    against: str | None,
    choices: Choices,
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
    with session() as here:
        project = here.valid_project(paths)
        facts = known(here)
        # Written as a whole it follows from the declarations, so a damaged one is simply replaced.
        is_replaced = write and here.is_whole(paths)
        file = PlanFile(here.settings.plan_file, {}) if is_replaced else binding.committed(here)
        agreed = binding.bound(here, choices, paths, file)
        made, warnings = _made(here, project, facts, replace(agreed, plan_file=None) if write or check else agreed)
        notes = [text.duplicate(state) for state in facts.duplicates()]
        if not places(here, tolerant=True).exists and not here.options.sandbox:
            note = f"there is no lockfile {here.settings.lock} yet: msgrun init or apply --new-lock starts one"
            here.screen.note(note)
            notes.append(note)
        outdated = binding.outdated(made, file, whole=agreed.whole) if check else ""
        notes.extend([outdated] if outdated else [])
        seen = reviewing.review(here, made, warnings, notes)
        if against is not None:
            from runner.cli.comparing import compared  # noqa: PLC0415  # imported where used

            seen = replace(seen, comparison=compared(here, against, seen, facts, project, paths))
        reviewing.show(here, seen, form)
        if write:
            binding.write(here, made, file, whole=agreed.whole)
        if check:
            here.screen.aside(outdated or f"{here.settings.plan_file} is up to date")
        if out:
            binding.save(here, made, out)
        if made.guards or facts.duplicates():
            return EXIT.guard
        return EXIT.changes if outdated or (detailed_exitcode and made.to_send) else EXIT.done


@dataclass(frozen=True, slots=True)
class _How:
    """How apply goes about it. `deadline` is a time of the monotonic clock."""

    choices: Choices
    yes: bool
    canary: int | None
    deadline: float | None
    log_file: Path | None


@command("apply")
@click.argument("paths", nargs=-1)
@click.option(
    "--plan", "plan_path", type=click.Path(path_type=Path), metavar="FILE", help="Send what a saved plan sends."
)
@_choices
@click.option("--canary", type=click.IntRange(1), metavar="N", help="Send N, stop, and ask before the rest.")
@click.option("--deadline", type=Duration(), metavar="TIME", help="Stop in order after so long, as 20m.")
@click.option("--log-file", type=click.Path(path_type=Path), metavar="FILE", help="Add a JSON line for every record.")
@writes_ledger
def apply(
    paths: tuple[str, ...],
    choices: Choices,
    plan_path: Path | None,
    canary: int | None,
    deadline: float | None,
    log_file: Path | None,
    *,
    yes: bool,
    new_lock: bool,
    no_fetch: bool,
) -> int:
    """Send what is planned, each at most once.

    A delivery is claimed on disk, POSTed, and its outcome written down.

    PATHS are files or folders below messages/; without any, everything is sent.
    """
    until = None if deadline is None else time.monotonic() + deadline
    with session() as here:
        project = here.valid_project(paths)  # before the ledger: a mistake in a file needs no network to be told
        saved = binding.saved(here, plan_path) if plan_path else None
        with held(here, "apply", new_lock=new_lock, no_fetch=no_fetch) as ledger:
            agreed = binding.bound(here, replace(choices, saved=saved), paths, binding.committed(here))
            how = _How(agreed, yes, canary, until, log_file)
            made, warnings = _made(here, project, ledger.facts, agreed)
            reviewing.show(here, reviewing.review(here, made, warnings, binding.gone(made)), "text")
            if made.guards:
                return EXIT.unknown if made.counts["unknown"] else EXIT.guard
            if not made.to_send:
                here.screen.result("nothing to do")
                return _code(Summary(), made, ledger.facts)
            try:
                done = _sent(here, made, ledger, project, how)
            except (GuardRefused, LedgerUnavailable, RunStopped) as error:
                if not made.counts["unknown"]:
                    raise
                here.screen.failure(error)
                return EXIT.unknown
            if done.planned:
                _tell(here, ledger, done)
            return _code(done, made, ledger.facts)


def _made(here: Session, project: Project, facts: Facts, choices: Choices) -> tuple[Plan, list[Problem]]:
    """The plan and the warnings of its files; problems of recipients end the command. Raises ProblemsFound."""
    made, problems = planning.make(project, facts, here.now, replace(choices, sandbox=here.options.sandbox))
    every = [*project.problems, *problems]
    if any(problem.is_error for problem in every):
        raise ProblemsFound(every)
    return made, every


def _sent(here: Session, made: Plan, ledger: Lockfile, project: Project, how: "_How") -> Summary:
    """Sends a plan, or its canary first and then, if a person says so, the rest."""
    from runner.cli.intercom import connected  # noqa: PLC0415  # requests is heavy

    if not how.yes and not here.screen.interactive:
        here.confirmed("", yes=False)
    with connected(here) as parts:
        id_code = parts.identified()
        binding.same_workspace(here, how.choices, id_code)
        noun = "message" if made.to_send == 1 else "messages"
        here.confirmed(f"Send {made.to_send:,} {noun} in workspace {id_code}?", yes=how.yes, count=made.to_send)
        ledger.pin(id_code)
        is_canary = how.canary is not None and how.canary < made.to_send
        done = parts.delivered(
            replace(made, limit=how.canary) if is_canary else made, ledger, how.log_file, how.deadline
        )
        if not is_canary or done.stop or done.unknown or done.refused:
            return done
        _tell(here, ledger, done)
        rest = made.to_send - done.sent
        if not here.screen.interactive:
            here.screen.note(
                f"the canary is sent; look at it in Intercom, then send the other {rest:,}: msgrun apply --yes"
            )
            return Summary()
        question = f"The canary is sent: look at it in Intercom. Send the other {rest:,}?"
        here.confirmed(question, yes=False, count=rest, otherwise="the canary is sent and remembered, and nothing else")
        ledger.refresh()
        limit = None if made.limit is None else made.limit - done.sent
        again, _ = _made(here, project, ledger.facts, replace(how.choices, limit=limit))
        if again.digest != made.digest or again.guards:
            raise GuardRefused("what is declared changed since the canary", "run the command again to plan anew")
        return parts.delivered(again, ledger, how.log_file, how.deadline)


def _tell(here: Session, ledger: Lockfile, done: Summary) -> None:
    """Rescues what the ledger did not take, then tells of the run: its output may be on the disk that is full."""
    lines = [f"the ledger did not take: {record.line().decode().rstrip()}" for record in done.unwritten]
    if done.unwritten:
        try:
            lines.append(f"these lines are in {ledger.save(done.unwritten)}, which the next run picks up; keep it")
        except LedgerUnavailable as error:
            lines.append(f"nor can a rescue file be written ({error.message}): add these lines to the lockfile by hand")
    for tell, words in ((here.screen.result, text.summary(done)), *((here.screen.error, line) for line in lines)):
        with contextlib.suppress(OSError):  # what cannot be printed changes nothing of what was sent
            tell(words)
    reviewing.tell(here, done)


def _code(done: Summary, made: Plan, facts: Facts) -> int:
    """The exit code of an apply: the first that fits, from the top of the table."""
    stop = done.stop.kind if done.stop else ""
    if done.stop and stop == "signal":
        return 128 + done.stop.signal
    if done.unknown or made.counts["unknown"]:
        return EXIT.unknown
    rules = [
        (stop == "ledger", EXIT.ledger),
        (stop == "guard" or bool(facts.duplicates()), EXIT.guard),
        (stop == "error", EXIT.problems),
        (bool(done.refused), EXIT.refused),
        (stop == "later", EXIT.later),
    ]
    return next((code for fits, code in rules if fits), EXIT.done)
