"""The command lock push: commits the lockfile to its branch on the git remote."""

from runner.cli.context import Context, open_context
from runner.cli.options import EXIT, command
from runner.cli.upload_target import branch_option, upload_target, uses_shared_ledger
from runner.ledger.kinds import location_of
from runner.ledger.lockfile.location import open_lockfile
from runner.ledger.lockfile.remote_hold import release_hold
from runner.ledger.lockfile.upload import back_off, push_lockfile
from runner.ledger.opening import open_ledger
from runner.ledger.rescue_file import rescue_path_for


@command("push")
@branch_option
def push(branch: str | None) -> int:
    """Commit the lockfile to its branch on the git remote.

    One commit with nothing else in it, on top of whatever the branch has by then, and tried again if somebody was
    faster. Ends the hold of this clone. Works on a detached HEAD, in a shallow clone and in a dirty work tree.
    To a ledger elsewhere it brings what apply could not: the lines of the rescue file in .git/msgrun.
    """
    with open_context() as context:
        if uses_shared_ledger(context):
            return _push_rescue_file(context)
        repository, target = upload_target(context, branch)
        with open_lockfile(context, "lock push", new_lock=False, no_fetch=True) as ledger:
            upload = push_lockfile(repository, target, ledger, back_off)
            if upload is None:
                context.output.result(f"{target} has all of {target.path}")
            else:
                context.output.result(
                    f"pushed {upload.line_count:,} lines of {target.path} to {target} as {upload.commit[:10]}"
                )
            release_hold(repository, target, back_off)
            return EXIT.guard if ledger.facts.duplicates() else EXIT.done


def _push_rescue_file(context: Context) -> int:
    """Appends the records of the rescue file to a ledger that is not a lockfile. Returns the exit code."""
    display_name = location_of(context).display_name
    path = rescue_path_for(context, f"{context.settings.plan_file.removesuffix('.plan')}.lock")
    if not path.exists():
        context.output.result(f"{display_name} has all that was sent from here")
        return EXIT.done
    with open_ledger(context, "lock push", new_lock=False, no_fetch=False) as ledger:
        context.output.result(f"{display_name} has all of {path.name} now")
        return EXIT.guard if ledger.facts.duplicates() else EXIT.done
