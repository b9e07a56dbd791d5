"""The command lock hold: locks the lockfile on the git remote for one run, until lock push."""

import os
import socket

from runner.cli.context import open_context
from runner.cli.options import EXIT, command
from runner.cli.upload_target import branch_option, upload_target, uses_shared_ledger
from runner.clock import format_timestamp
from runner.git.pushing import ci_job_url
from runner.ledger.kinds import location_of
from runner.ledger.lockfile.remote_hold import acquire_hold


@command("hold")
@branch_option
def hold(branch: str | None) -> int:
    """Hold the ledger on the git remote, until lock push.

    Before a run in CI: if its machine is lost, so is what it knew; then the next run stops here instead of sending
    that again. Only a lockfile needs it.
    """
    with open_context() as context:
        if uses_shared_ledger(context):
            context.output.result(
                f"{location_of(context).display_name} needs no hold: it has every claim before anything is sent"
            )
            return EXIT.done
        repository, target = upload_target(context, branch)
        owner = ci_job_url(os.environ) or f"process {os.getpid()} on {socket.gethostname()}"
        acquire_hold(repository, target, f"{owner}, since {format_timestamp(context.now)}")
        context.output.result(f"{target.path} is held on {target.remote} until msgrun lock push")
        return EXIT.done
