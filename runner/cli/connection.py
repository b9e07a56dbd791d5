"""The connection to Intercom. Only commands that need it import this module, because `requests` is slow to import."""

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from shlex import join
from urllib.parse import urlsplit

from runner.cli.context import Context
from runner.cli.ledger import find_run_origin
from runner.cli.options import current_options
from runner.cli.output import Output
from runner.cli.pauses import Signals, make_stop_conditions
from runner.cli.progress import RunProgress, open_record_log
from runner.clock import Clock, new_run_id
from runner.declare.project_root import SETTINGS_FILE
from runner.declare.sender import Sender
from runner.declare.settings import Settings
from runner.deliver.post import MessagePoster
from runner.deliver.run import make_run
from runner.deliver.stop import DRAIN_TIMEOUT, signal_name
from runner.deliver.summary import Summary
from runner.errors import GuardRefused, Refusal, RunStopped, UsageMistake
from runner.intercom.client import HOSTS, HttpTransport
from runner.intercom.rate_limit import RateLimiter
from runner.intercom.route import LOOPBACK
from runner.intercom.senders import look_up_senders
from runner.intercom.transport import Access
from runner.intercom.workspace import Workspace
from runner.ledger.ledger import Ledger
from runner.plan.guards import Guard
from runner.plan.plan import Plan
from runner.plan.saved_plan import SavedPlan
from runner.report import run_text
from runner.report.layout import wrap_lines
from runner.report.next_steps import NextStep, format_next_steps
from runner.sandbox import SANDBOX_WORKSPACE_ID, Sandbox
from runner.shown_command import shown_command

_TOKEN_VARIABLES = ("INTERCOM_ACCESS_TOKEN", "INTERCOM_TOKEN")  # the first that is set holds the token
_DEFAULTS = Settings()
SANDBOX_TOKEN = "sandbox"  # noqa: S105  # the sandbox takes any token
CLOCK = Clock(now=lambda: datetime.now(UTC), monotonic=time.monotonic, sleep=time.sleep)


@dataclass(frozen=True, slots=True)
class Connection:
    """The client of one workspace: its transport, rate limiter and endpoints."""

    context: Context
    transport: HttpTransport
    limiter: RateLimiter
    workspace: Workspace

    def verify_workspace(self, of_ledger: str = "") -> str:
        """Returns the id_code of the token's workspace. `of_ledger` is the one that the ledger belongs to, if any.

        Raises GuardRefused if msgrun.yaml names a different workspace or region, or the ledger another workspace.
        """
        with self.asking():
            identity = self.workspace.identity()
        if self.context.options.sandbox:
            return identity.id_code
        settings = self.context.settings
        fault = find_workspace_fault(identity.id_code, settings.workspace, of_ledger)
        if fault := fault or find_region_fault(identity.region, settings.region):
            raise GuardRefused(*fault)
        return identity.id_code

    def look_up_senders(self, plan: Plan, saved: SavedPlan | None) -> Plan:
        """Returns the plan with the ids of its senders, and with a guard for each that cannot send.

        `saved` is the saved plan that is applied. Prints who the senders are, or that the token may not list admins.
        Raises RunStopped.
        """
        with self.asking():
            lookup = look_up_senders(self.workspace, plan.senders())
        if not lookup.is_listed:
            self.context.output.note("the token may not list admins, so it is not checked that from: names one")
        for sender, admin in lookup.admins.items():
            declared = "" if sender.kind == "id" else f" {sender.value}"
            self.context.output.note(f"Sender{declared}: {admin.name}, admin {admin.id}")
        guards = [*(saved.sender_guards(lookup.ids) if saved else ()), *plan.guards]
        for fault in lookup.faults:
            names = [message.name for message in plan.messages if message.declaration.sender == fault.sender]
            guards.append(Guard("sender-unknown", fault.message, fault.hint, tuple(names)))
        return replace(plan, sender_ids=lookup.ids, guards=tuple(guards))

    def asking(self) -> contextlib.AbstractContextManager[None]:
        """Shows on a terminal that the command waits for Intercom."""
        return self.context.output.waiting("Asking Intercom …")

    @property
    def poster(self) -> MessagePoster:
        """What POSTs messages, in the project's API version."""
        return MessagePoster(
            self.transport,
            self.workspace,
            self.limiter,
            CLOCK,
            self.context.settings.api_version,
            on_retry=partial(_report_retry, self.context.output),
        )

    def deliver(
        self, plan: Plan, ledger: Ledger, log_file: Path | None, deadline: float | None, go_on: Sequence[NextStep]
    ) -> Summary:
        """Sends a plan and shows the progress. Returns its summary.

        `deadline` is a time of the monotonic clock, `go_on` are the steps after a second Ctrl-C: the last one sends
        what is left.
        """
        settings = self.context.settings
        self.context.options.may_have_sent = True
        progress = RunProgress(self.context.output, self.limiter)
        signals = Signals()
        log_path = self.context.user_path(log_file) if log_file else None
        with open_record_log(self.context.output, log_path) as log:
            run = make_run(
                plan=plan,
                settings=settings,
                ledger=ledger,
                poster=self.poster,
                limiter=self.limiter,
                clock=CLOCK,
                stop_conditions=make_stop_conditions(self.context, lambda: signals.number, deadline),
                run_id=new_run_id(),
                progress=progress,
                log=log,
                origin=find_run_origin(self.context.tree.root),
            )
            signals.report = _make_signal_report(self.context.output, run.summary, go_on)
            try:
                with signals:
                    return run.deliver()
            finally:
                progress.clear()


def _make_signal_report(output: Output, summary: Summary, go_on: Sequence[NextStep]) -> Callable[[int, bool], None]:
    """Returns what a signal handler prints at once: how many requests are in flight, or what the process leaves."""

    def report(number: int, is_first: bool) -> None:
        name = signal_name(number)
        if is_first:
            text = run_text.format_first_signal(name, summary.in_flight, DRAIN_TIMEOUT)
            output.urgent(wrap_lines(text, output.width))
        else:
            text = wrap_lines(run_text.format_second_signal(name, summary), output.width)
            steps = go_on if summary.remaining > summary.in_flight else go_on[:-1]
            output.urgent(f"{text}\n{format_next_steps(steps, output.width)}")

    return report


@contextlib.contextmanager
def connect(
    context: Context, senders: Iterable[Sender] = (), groups: Iterable[tuple[str, str]] = ()
) -> Iterator[Connection]:
    """Opens a connection to Intercom or, with --sandbox, to an embedded sandbox, whose whole rate limit may be used.

    The sandbox has an admin for each of `senders`, and the segments, tags, companies and subscription types of `groups`
    (kind and name), so that a project with any of them can be tried out. Raises RunStopped if there is no token,
    UsageMistake if the base URL is wrong or would send the token unencrypted.
    """
    with contextlib.ExitStack() as stack:
        if context.options.sandbox:
            context.sandbox_folder.mkdir(parents=True, exist_ok=True)
            admins = [sender.value for sender in senders if sender.kind != "id"]
            sandbox = Sandbox(state=context.sandbox_state, rate_limit=1_000_000, admins=admins, groups=groups)
            transport, share, access = HttpTransport(stack.enter_context(sandbox).url, SANDBOX_TOKEN), 1.0, Access()
        else:
            transport, access = open_transport(context.settings)
            share = context.settings.rate_share
        limiter = RateLimiter(CLOCK, share, context.settings.max_per_window)
        workspace = Workspace(transport, limiter, CLOCK, partial(_report_retry, context.output), access)
        yield Connection(context, transport, limiter, workspace)


def connect_for(context: Context, plan: Plan) -> contextlib.AbstractContextManager[Connection]:
    """Opens a connection for a plan: the sandbox has the senders and the subscription types that it names."""
    return connect(context, plan.senders(), [("subscription", name) for name in plan.subscriptions()])


def has_token(settings: Settings = _DEFAULTS) -> bool:
    """Returns whether the environment has an access token for these settings."""
    return bool(_find_token_variable(settings))


def _find_token_variable(settings: Settings) -> str:
    """Returns the variable that holds the token; empty if none is set. No other token replaces that of token_env."""
    names = (settings.token_env,) if settings.token_env else _TOKEN_VARIABLES
    return next((name for name in names if os.environ.get(name)), "")


def open_workspace(region: str, output: Output) -> Workspace:
    """Opens the workspace of the token, for reading, where there is no project yet. Raises RunStopped, UsageMistake."""
    transport, access = open_transport(Settings(region=region))
    limiter = RateLimiter(CLOCK, _DEFAULTS.rate_share, None)
    return Workspace(transport, limiter, CLOCK, partial(_report_retry, output), access)


def open_transport(settings: Settings) -> tuple[HttpTransport, Access]:
    """Returns the client with the token of the environment, and where token and host are from.

    Raises RunStopped if there is no token, UsageMistake if the base URL is wrong or would send the token unencrypted.
    """
    variable = _find_token_variable(settings)
    if not variable:
        missing = settings.token_env or _TOKEN_VARIABLES[0]
        raise RunStopped("there is no access token", f"set {missing}, or try it with --sandbox")
    base_url = os.environ.get("INTERCOM_BASE_URL")
    url = _require_safe_url(base_url or HOSTS[settings.region])
    access = Access(variable, urlsplit(url).netloc.rpartition("@")[2], "" if base_url else settings.region)
    return HttpTransport(url, os.environ[variable]), access


def _report_retry(output: Output, text: str) -> None:
    # A closed terminal must not end a run between a claim and its outcome.
    with contextlib.suppress(OSError):
        output.note(text)


def _require_safe_url(url: str) -> str:
    """Returns the base URL. Raises UsageMistake if it is not a URL, or if the token would be sent unencrypted."""
    try:
        parts = urlsplit(url)
        is_url = bool(parts.hostname and parts.scheme) and parts.port != 0 and not (parts.query or parts.fragment)
    except ValueError:
        is_url = False
    if not is_url:
        hint = "write it as https://api.eu.intercom.io, or as http://127.0.0.1:8765"
        raise UsageMistake("INTERCOM_BASE_URL has no scheme or no server", hint)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return url
    message = "INTERCOM_BASE_URL is neither https nor on this machine"
    raise UsageMistake(message, f"write https://{parts.hostname}: the access token would travel in clear")


def find_workspace_fault(id_code: str, declared: str, of_ledger: str) -> Refusal | None:
    """Compares the workspace with the declared one and with that of the ledger; each of these two may be empty."""
    if id_code == SANDBOX_WORKSPACE_ID:
        arguments = current_options().arguments
        message = "INTERCOM_BASE_URL is the address of a sandbox, not of Intercom"
        own = "to use this one, start it with --workspace, as docs/sandbox.md of msgrun shows"
        return Refusal(message, f"{own}; to use the embedded one: {join(['msgrun', '--sandbox', *arguments])}")
    if declared not in {"", id_code}:
        hint = "use the other workspace's token, or another environment (-e)"
        return Refusal(f"the token is of workspace {id_code}, and {SETTINGS_FILE} names {declared}", hint)
    if of_ledger not in {"", id_code}:
        hint = (
            f"use a token of {of_ledger}; or give {id_code} an environment of its own: below environments: in"
            f" {SETTINGS_FILE}, write trial: {{workspace: {id_code}}}, then:"
            f" {shown_command('plan', environment='trial')}"
        )
        return Refusal(f"the token is of workspace {id_code}, and the ledger belongs to {of_ledger}", hint)
    return None


def find_region_fault(region: str, declared: str) -> Refusal | None:
    """Compares the region of the workspace with the declared one. An unknown region is not a fault."""
    if region not in HOSTS or region == declared:
        return None
    hint = f"write region: {region} into {SETTINGS_FILE}, or use the other workspace's token"
    return Refusal(f"the workspace is in region {region}, and {SETTINGS_FILE} says {declared}", hint)
