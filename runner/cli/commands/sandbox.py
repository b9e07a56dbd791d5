"""The command sandbox: runs an embedded Intercom until it is stopped, or deletes its state."""

import contextlib
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runner.cli.context import Context, open_context
from runner.cli.options import EXIT, command
from runner.cli.output import current_output
from runner.declare.project_root import NoProject
from runner.errors import LedgerUnavailable, UsageMistake
from runner.managed_path import user_path
from runner.report.problem_text import pluralize
from runner.shown_command import shown_command

if TYPE_CHECKING:
    from runner.sandbox import Sandbox

_OTHER_PORT = "choose another port: --port N"


@command("sandbox")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="The port; without it, a free one.")
@click.option(
    "--log", "log", type=click.Path(path_type=Path), metavar="FILE", help="Write what it receives, as JSON lines."
)
@click.option("--workspace", metavar="ID", help="The id of the workspace; by default the sandbox's own.")
@click.option(
    "--trouble",
    multiple=True,
    metavar="SPEC",
    help="Answers that fail or are late, e.g. next=500_after,ok, share=429:0.1 or share=slow:2:1.",
)
@click.option("--reset", is_flag=True, help="Empty the project's sandbox: its messages and its ledger.")
def sandbox(port: int, log: Path | None, workspace: str | None, trouble: tuple[str, ...], *, reset: bool) -> int:
    """Run a fake Intercom on 127.0.0.1 until it is stopped.

    It is for programs of your own: commands with --sandbox start one by themselves. A page shows what it was sent.
    Outside a project it forgets its messages when it stops.

    To see what can go wrong, send to addresses that begin with lost-, missing- or unsubscribed-. docs/sandbox.md of
    msgrun has a recipe, and all kinds of trouble.
    """
    from runner.sandbox import SANDBOX_WORKSPACE_ID, Sandbox, Trouble  # noqa: PLC0415  # saves --help 37 ms
    from runner.sandbox.message_store import FIRST_ID  # noqa: PLC0415  # likewise
    from runner.sandbox.trouble_kinds import SettingError  # noqa: PLC0415  # likewise

    with contextlib.ExitStack() as stack:
        context = _open_context(stack, is_required=reset)
        if context is not None and reset:
            return _reset(context.sandbox_folder)
        if log:
            log = context.user_path(log) if context else user_path(Path.cwd(), Path.cwd() / log)
        try:
            spec = Trouble.from_specs(list(trouble))
        except SettingError as error:
            raise UsageMistake(str(error)) from error
        if context is not None:
            context.sandbox_folder.mkdir(parents=True, exist_ok=True)
        with _stop_signals() as stopped:
            try:
                with Sandbox(
                    port=port,
                    state=None if context is None else context.sandbox_state,
                    log=log,
                    workspace=workspace or SANDBOX_WORKSPACE_ID,
                    region=context.settings.region if context else "us",
                    trouble=spec,
                    # Without a state file, no restart repeats an id: a ledger has it as that of an earlier message.
                    first_id=FIRST_ID if context else int(1000 * time.time()),
                ) as server:
                    _serve(server, trouble, stopped, "" if workspace else " (msgrun itself takes --sandbox)")
            except OSError as error:
                raise LedgerUnavailable(f"the sandbox cannot run: {error.strerror}", _OTHER_PORT) from error
        return EXIT.done


def _open_context(stack: contextlib.ExitStack, *, is_required: bool) -> Context | None:
    """Opens the context until `stack` closes. None outside a project; raises NoProject there if it `is_required`."""
    try:
        return stack.enter_context(open_context())
    except NoProject:
        if is_required:
            raise
        return None


def _serve(server: "Sandbox", trouble: Sequence[str], stopped: threading.Event, remark: str) -> None:
    """Prints the addresses of the sandbox and of its inbox, serves the inbox until it stops, and prints the counts.

    `remark` is on the variables for another program.
    """
    from runner.preview.inbox import Inbox  # noqa: PLC0415  # Jinja and a server: --help saves 270 ms
    from runner.preview.page_server import PageServer  # noqa: PLC0415  # likewise

    url, messages_before = server.url, server.counts[2]
    with contextlib.closing(PageServer(service=Inbox(url, shown_command("apply", sandbox=True)))) as pages:
        click.echo(f"sandbox on {url}, until Ctrl-C")
        click.echo("\n  ".join(["trouble:", *(trouble or ["none; --trouble SPEC makes answers fail, or late"])]))
        click.echo(f"what it was sent:\n  {pages.url}")
        click.echo(f"for another program{remark}:")
        click.echo(f"  export INTERCOM_BASE_URL={url}\n  export INTERCOM_ACCESS_TOKEN=sandbox")
        stopped.wait()
    received, troubled, messages = server.counts
    counts = f"{pluralize(received, 'request')}, {pluralize(messages - messages_before, 'new message')}"
    current_output().urgent(f"Stopped: {counts}, trouble with {troubled:,}.")


@contextlib.contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """Sets the event on SIGINT and SIGTERM, instead of what they do otherwise."""
    stopped = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)
    previous_handlers = [signal.signal(number, lambda *_: stopped.set()) for number in numbers]
    try:
        yield stopped
    finally:
        for number, handler in zip(numbers, previous_handlers, strict=True):
            signal.signal(number, handler)


def _reset(folder: Path) -> int:
    """Deletes the sandbox's messages and its ledger. Returns the exit code."""
    if folder.exists():
        shutil.rmtree(folder)
    click.echo("the sandbox is empty")
    return EXIT.done
