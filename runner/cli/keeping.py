"""Commands about the ledger: status, resolve, accept, adopt, and the lockfile itself."""

from collections import Counter
from itertools import chain, islice
from pathlib import Path

import click

from runner import plan as planning
from runner.cli.holding import held, home, known, run_id, stamp
from runner.cli.options import EXIT, command, format_option, writes_ledger
from runner.cli.session import Session, session
from runner.cli.sharing import begin, free, hold, nothing_planted, push, unchanged
from runner.cli.weighing import stats
from runner.declare import rules
from runner.declare.project import Project
from runner.deliver import settlement
from runner.errors import GuardRefused, LedgerUnavailable, ProblemsFound, UsageMistake
from runner.ledger import Ledger
from runner.ledger.facts import Facts
from runner.ledger.record import Record
from runner.plan import Plan
from runner.planned import PlannedMessage
from runner.planner import Choices
from runner.report import machine, text

_SOME = 20_000  # records that are imported at once


@command("status")
@click.argument("name", required=False)
@format_option("text", "json")
def status(name: str | None, form: str) -> int:
    """Show what the ledger knows.

    Counts a message, and every delivery that somebody has to look at.
    """
    with session() as here:
        facts = known(here)
        counts = Counter({held: number for held, number in facts.counts().items() if name in (None, held.message)})
        if name is not None and not counts:
            names = sorted(facts.messages())
            raise UsageMistake(f"the ledger knows nothing of {name}", rules.did_you_mean(name, names))
        if form == "json":
            for part in machine.status(counts, facts.holding(*machine.STATUSES, message=name)):
                here.screen.result(part)
        else:
            told, unknown = facts.holding("unknown", "refused", message=name), facts.holding("unknown", message=name)
            here.screen.result(text.status(counts, told, unknown))
        return EXIT.guard if facts.duplicates() else EXIT.done


@command("resolve")
@click.argument("key", required=False)
@click.option("--message", metavar="NAME", help="Every unknown delivery of a message (with --all).")
@click.option("--all", "every", is_flag=True, help="All unknown deliveries of the message.")
@click.option("--sent", "sent_id", metavar="ID", help="It was sent, as the message with this id.")
@click.option("--not-sent", is_flag=True, help="It was not sent, and may be sent again.")
@writes_ledger
def resolve(
    key: str | None, message: str | None, sent_id: str | None,
    *, every: bool, not_sent: bool, yes: bool, new_lock: bool, no_fetch: bool,
) -> int:  # fmt: skip
    """Decide what became of an unknown delivery.

    Look into Intercom first. KEY is the start of its key, as status shows it.
    """
    if (key is None) == (message is None) or every != (message is not None):
        raise UsageMistake("which one?", "give a KEY, or --message NAME --all")
    if (sent_id is None) != not_sent or sent_id == "":
        raise UsageMistake("was it sent?", "say --sent ID or --not-sent")
    with session() as here, held(here, "resolve", new_lock=new_lock, no_fetch=no_fetch) as ledger:
        states = settlement.unknown_states(ledger.facts, key, message)
        records = settlement.resolved(states, sent_id, stamp(here.now))
        if ledger.batch > 1 and sent_id is None:
            newest = max((record.at for state in states for record in state.open), default="")
            here.screen.note(
                f"a run that claimed these (last at {newest}) may still be alive elsewhere, and send them after all:"
                " make sure that it is over"
            )
        outcome = "not sent, to be sent by the next apply" if sent_id is None else "sent"
        return _write(here, ledger, records, f"count {len(states)} unknown as {outcome}", yes=yes)


@command("accept")
@click.argument("name")
@writes_ledger
def accept(name: str, *, yes: bool, new_lock: bool, no_fetch: bool) -> int:
    """Keep an edit of a sent message, without sending."""
    with session() as here, held(here, "accept", new_lock=new_lock, no_fetch=no_fetch) as ledger:
        message, _ = _planned(here, ledger, name)
        records = settlement.accepted(message, ledger.facts, stamp(here.now))
        return _write(here, ledger, records, f"accept the edit of {name}, sent to {len(records)}", yes=yes)


@command("adopt")
@click.argument("name")
@writes_ledger
def adopt(name: str, *, yes: bool, new_lock: bool, no_fetch: bool) -> int:
    """Count a message's deliveries as sent, without sending.

    For what went out before msgrun came.
    """
    with session() as here, held(here, "adopt", new_lock=new_lock, no_fetch=no_fetch) as ledger:
        message, plan = _planned(here, ledger, name)
        records = settlement.adopted(message, run_id(), plan.digest, stamp(here.now))
        return _write(here, ledger, records, f"count {len(records)} deliveries of {name} as sent", yes=yes)


@click.group("lock")
def lock() -> None:
    """Look at the ledger itself, move it, and share it."""


@command("verify")
@click.option("--against", metavar="REF", help="Also that this branch changes nothing in it since it left REF.")
def verify(against: str | None) -> int:
    """Check that the ledger can be read.

    Tells torn lines (exit 1), duplicates and headers that contradict each other (exit 5). With --against, for pull
    requests: exit 5 if the commits since REF change the lockfile, because GitHub's merge button cannot merge it, or
    move the ledger elsewhere without its records. A file that git tracks where only msgrun writes is exit 5 too.
    """
    with session(against or "") as here:
        nothing_planted(here)
        if against is not None:
            unchanged(here, against)
        facts = known(here)
        here.screen.result(f"{home(here).shown}: {len(facts):,} deliveries, {len(facts.torn)} torn lines")
        if facts.duplicates():
            return EXIT.guard
        return EXIT.problems if facts.torn else EXIT.done


@command("compact")
@click.option("--yes", is_flag=True, help="Do not ask.", hidden=True)
def compact(*, yes: bool) -> int:
    """Rewrite the ledger, sorted and shorter.

    What later facts of the same attempt replace is left out.
    """
    del yes  # it changes no meaning, so it never asks; scripts may say it all the same
    with session() as here, held(here, "lock compact", new_lock=False, no_fetch=True) as ledger:
        before, after = ledger.compact()
        here.screen.result(f"{before:,} lines, now {after:,}")
        return EXIT.guard if ledger.facts.duplicates() else EXIT.done


@command("show")
@click.argument("key", required=False)
def show(key: str | None) -> int:
    """Print the facts, a line each.

    Of every key, or of those that begin with KEY.
    """
    with session() as here:
        facts = known(here)
        matching = home(here).history(key or "")
        for record in matching:
            here.screen.result(record.line().decode().rstrip("\n"))
        if key and not matching:
            raise UsageMistake(f"the ledger has no key that begins with {key}")
        return EXIT.guard if facts.duplicates() else EXIT.done


@command("export")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
def export(file: Path | None) -> int:
    """Print every fact, as a lockfile.

    Or write it to FILE. What lock import reads, into a ledger of any kind.
    """
    with session() as here:
        facts = known(here)
        if not len(facts) and not home(here).exists:
            raise GuardRefused(f"there is no ledger {home(here).shown}", "lock: names another one than before?")
        lines = chain([facts.header(here.settings.salt).line()], (record.line() for record in facts.ordered()))
        if file is None:
            for line in lines:
                here.screen.result(line.decode().rstrip("\n"))
        else:
            try:
                with here.file(file).open("xb") as handle:
                    handle.writelines(lines)
            except OSError as error:
                raise UsageMistake(f"{file} cannot be written: {error.strerror}", "name a file that is new") from error
            here.screen.result(f"wrote what {home(here).shown} knows of {len(facts):,} deliveries to {file}")
        return EXIT.guard if facts.duplicates() else EXIT.done


@command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@writes_ledger
def import_(file: Path, *, yes: bool, new_lock: bool, no_fetch: bool) -> int:
    """Add the facts of a lockfile to the ledger.

    FILE is a lockfile, or what lock export wrote. What the ledger knows already stays as it is. The ledger that lock:
    named before is told that it moved, and refuses to be used from then on.
    """
    del yes  # facts only add up, so it never asks; scripts may say it all the same
    from runner.cli.arriving import arrived, expected, nothing_hidden  # noqa: PLC0415  # imported where used

    with session() as here:
        here.known_hosts.add(here.settings.lock)  # a person moves the ledger, and so vouches for its host
        theirs, path = Facts(), here.file(file)
        if not path.is_file():
            raise UsageMistake(f"there is no file {file}")
        theirs.read_file(path, str(file))
        workspace = theirs.header(here.settings.salt).workspace
        for line in text.ledger_warnings(theirs):
            here.screen.error(line)
        asks = not (no_fetch or here.options.sandbox)
        if asks and new_lock and not home(here).exists:
            nothing_hidden(here)
        with held(here, "lock import", new_lock=new_lock, no_fetch=no_fetch) as ledger:
            if asks:
                expected(here, ledger)
            if workspace:
                ledger.pin(workspace)
            missing = (record for record in theirs.ordered() if record not in ledger.facts.of(record.key))
            count = 0
            while some := list(islice(missing, _SOME)):
                ledger.append(*some)
                count += len(some)
            here.screen.result(f"{count:,} records added to {home(here).shown}, of {len(theirs):,} deliveries")
            if asks:
                arrived(here, ledger)
            return EXIT.guard if ledger.facts.duplicates() else EXIT.done


def _planned(here: Session, ledger: Ledger, name: str) -> tuple[PlannedMessage, Plan]:
    """One message as it stands against the ledger. Raises ProblemsFound, UsageMistake."""
    project = here.project()
    declaration = next((found for found in project.declarations if found.name == name), None)
    if declaration is None:
        if any(problem.is_error for problem in project.problems):
            raise ProblemsFound(list(project.problems))
        names = [found.name for found in project.declarations]
        raise UsageMistake(f"no message is named {name}", rules.did_you_mean(name, names))
    only = Project(project.tree, project.settings, (declaration,), ())
    made, problems = planning.make(only, ledger.facts, here.now, Choices(sandbox=here.options.sandbox))
    if any(problem.is_error for problem in problems):
        raise ProblemsFound(problems)
    return made.messages[0], made


def _write(here: Session, ledger: Ledger, records: list[Record], what: str, *, yes: bool) -> int:
    if not records:
        here.screen.result("nothing to do")
        return EXIT.guard if ledger.facts.duplicates() else EXIT.done
    try:
        here.confirmed(f"{what[0].upper()}{what[1:]}?", yes=yes)
        ledger.append(*records)
    except GuardRefused:
        here.screen.note(f"this would {what}")
        raise
    except LedgerUnavailable:
        here.screen.error("nothing was decided: the ledger could not be written")
        raise
    here.screen.result(f"done: {what}")
    return EXIT.guard if ledger.facts.duplicates() else EXIT.done


for _command in (begin, verify, compact, stats, show, export, import_, hold, push, free):
    lock.add_command(_command)
