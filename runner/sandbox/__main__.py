"""`python -m runner.sandbox`: runs one sandbox until SIGINT or SIGTERM."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from runner.sandbox.rate_limit import WINDOW
from runner.sandbox.replies import Replies
from runner.sandbox.server import Sandbox
from runner.sandbox.trouble_kinds import TROUBLE_KINDS
from runner.sandbox.trouble_schedule import Trouble
from runner.sandbox.workspace import SANDBOX_WORKSPACE_ID

_USAGE_ERROR = 64


def main(arguments: list[str] | None = None) -> int:
    """Runs a sandbox and returns the exit code. Prints one line to stdout: its address."""
    options = _build_parser().parse_args(arguments)
    try:
        sandbox = Sandbox(
            port=options.port,
            state=options.state,
            log=options.log,
            workspace=options.workspace,
            region=options.region,
            rate_limit=options.rate_limit,
            window=options.window,
            latency=options.latency,
            trouble=Trouble.from_specs(options.trouble, options.seed),
            accept_any_admin=not options.strict_admins,
            fresh_seconds=options.fresh_seconds,
            search_lag=options.search_lag,
            population=options.population,
            replies=Replies(options.reply),
        )
    except (OSError, OverflowError) as error:
        print(f"sandbox: error: {error}", file=sys.stderr)  # noqa: T201 - this is a command
        return 1
    except ValueError as error:
        print(f"sandbox: error: {error}", file=sys.stderr)  # noqa: T201 - as above
        return _USAGE_ERROR
    stop = threading.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: stop.set())
    with sandbox:
        print(f"sandbox on {sandbox.url}", flush=True)  # noqa: T201 - as above
        stop.wait()
    return 0


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m runner.sandbox",
        description="An Intercom of one's own on 127.0.0.1.",
        epilog=f"Kinds of trouble: {', '.join(TROUBLE_KINDS)}.",
    )
    add = parser.add_argument
    add("--port", type=int, default=0, help="0 takes a free one")
    add("--state", type=Path, metavar="FILE", help="messages made, as JSON lines; they survive a restart")
    add("--log", type=Path, metavar="FILE", help="requests received, as JSON lines")
    add("--workspace", default=SANDBOX_WORKSPACE_ID, metavar="ID", help="app.id_code of GET /me")
    add("--region", default="us", choices=("us", "eu", "au"), help="its region")
    add("--rate-limit", type=int, default=1000, metavar="N", help="calls a window")
    add("--window", type=float, default=WINDOW, metavar="S", help="length of a window in seconds")
    add("--latency", type=float, default=0.0, metavar="S", help="seconds before every answer")
    add("--trouble", action="append", default=[], metavar="SPEC", help="next=KIND,… share=KIND:0.02 for=ID:KIND")
    add("--seed", type=int, default=0, metavar="N", help="decides which requests a share strikes")
    add("--reply", action="append", default=[], metavar="ID", help="a contact that replies to messages; all: everybody")
    add("--fresh-seconds", type=float, default=2.0, metavar="S", help="how long a fresh contact cannot be sent to")
    add("--search-lag", type=float, default=0.0, metavar="S", help="how late conversations can be searched for")
    add("--population", type=int, default=12, metavar="N", help="contacts that exist without being asked for")
    add("--strict-admins", action="store_true", help="only the listed admins exist")
    return parser


if __name__ == "__main__":
    sys.exit(main())
