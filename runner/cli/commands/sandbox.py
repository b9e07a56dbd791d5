"""The command sandbox: runs an embedded Intercom until it is stopped, or deletes its state."""

import shutil
import signal
import threading
from pathlib import Path

import click

from runner.cli.context import open_context
from runner.cli.options import EXIT, command
from runner.errors import LedgerUnavailable, UsageMistake


@command("sandbox")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; without it, a free one.")
@click.option(
    "--log", "log", type=click.Path(path_type=Path), metavar="FILE", help="Write what it receives, as JSON lines."
)
@click.option("--workspace", metavar="ID", help="The workspace it plays (one of its own unless told otherwise).")
@click.option(
    "--trouble", multiple=True, metavar="SPEC", help="Trouble to make, as next=500_after,ok or share=429:0.1."
)
@click.option("--reset", is_flag=True, help="Empty the project's sandbox: its messages and its ledger.")
def sandbox(port: int, log: Path | None, workspace: str | None, trouble: tuple[str, ...], *, reset: bool) -> int:
    """Keep an embedded Intercom running.

    On 127.0.0.1, until it is stopped. Commands with --sandbox start their own.
    """
    from runner.sandbox import SANDBOX_WORKSPACE_ID, Sandbox, Trouble  # noqa: PLC0415  # saves --help 37 ms
    from runner.sandbox.trouble_kinds import TroubleError  # noqa: PLC0415  # likewise

    with open_context() as context:
        if reset:
            return _reset(context.sandbox_folder)
        try:
            spec = Trouble.from_specs(list(trouble))
        except TroubleError as error:
            raise UsageMistake(str(error)) from error
        stopped = threading.Event()
        numbers = (signal.SIGINT, signal.SIGTERM)
        previous_handlers = [signal.signal(number, lambda *_: stopped.set()) for number in numbers]
        context.sandbox_folder.mkdir(parents=True, exist_ok=True)
        state = context.sandbox_state
        try:
            with Sandbox(
                port=port, state=state, log=log, workspace=workspace or SANDBOX_WORKSPACE_ID, trouble=spec
            ) as server:
                click.echo(f"sandbox on {server.url}")
                stopped.wait()
        except OSError as error:
            raise LedgerUnavailable(f"the sandbox cannot run: {error.strerror}", "another port?") from error
        finally:
            for number, handler in zip(numbers, previous_handlers, strict=True):
                signal.signal(number, handler)
        return EXIT.done


def _reset(folder: Path) -> int:
    """Deletes the sandbox's messages and its ledger. Returns the exit code."""
    if folder.exists():
        shutil.rmtree(folder)
    click.echo("the sandbox is empty")
    return EXIT.done
