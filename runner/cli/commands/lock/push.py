"""The command lock push: commits the lockfile to its branch on the git remote."""

from runner.cli.context import Context, open_context
from runner.cli.options import EXIT, command
from runner.cli.upload_target import branch_option, is_elsewhere_here, upload_target
from runner.ledger.kinds import location_of
from runner.ledger.lockfile.location import open_lockfile
from runner.ledger.lockfile.remote_hold import release_hold
from runner.ledger.lockfile.upload import back_off, push_lockfile
from runner.ledger.opening import open_ledger
from runner.ledger.rescue_file import rescue_path_here


@command("push")
@branch_option
def push(branch: str | None) -> int:
    """Commit the lockfile to its branch on the git remote.

    One commit with nothing else in it, on top of whatever the branch has by then, and tried again if somebody was
    faster. Ends the hold of this clone. Works on a detached HEAD, in a shallow clone and in a dirty work tree.
    To a ledger elsewhere it brings what apply could not: the lines of the rescue file in .git/msgrun.
    """
    with open_context() as context:
        if is_elsewhere_here(context):
            return _brought_home(context)
        repository, to = upload_target(context, branch)
        with open_lockfile(context, "lock push", new_lock=False, no_fetch=True) as ledger:
            done = push_lockfile(repository, to, ledger, back_off)
            if done is None:
                context.output.result(f"{to} has all of {to.path}")
            else:
                context.output.result(f"pushed {done.line_count:,} lines of {to.path} to {to} as {done.commit[:10]}")
            release_hold(repository, to, back_off)
            return EXIT.guard if ledger.facts.duplicates() else EXIT.done


def _brought_home(context: Context) -> int:
    """Brings the lines of the rescue file to a ledger that is not in a file of the project."""
    shown = location_of(context).display_name
    path = rescue_path_here(context, f"{context.settings.plan_file.removesuffix('.plan')}.lock")
    if not path.exists():
        context.output.result(f"{shown} has all that was sent from here")
        return EXIT.done
    with open_ledger(context, "lock push", new_lock=False, no_fetch=False) as ledger:
        context.output.result(f"{shown} has all of {path.name} now")
        return EXIT.guard if ledger.facts.duplicates() else EXIT.done
