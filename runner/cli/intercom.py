"""Builds what talks to Intercom. Imported only by commands that talk, because `requests` is slow to import."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from runner.cli.session import Session
from runner.cli.watching import Signals
from runner.deliver.apply import Halt, Run
from runner.deliver.sending import Sender
from runner.deliver.summary import Summary
from runner.errors import GuardRefused
from runner.intercom import Transport
from runner.intercom.pace import Clock, Pace
from runner.intercom.workspace import Workspace
from runner.ledger import Ledger
from runner.plan import Plan
from runner.sandbox import WORKSPACE

CLOCK = Clock(now=lambda: datetime.now(UTC), monotonic=time.monotonic, sleep=time.sleep)


@dataclass(frozen=True, slots=True)
class Connection:
    """The parts that talk to one workspace."""

    here: Session
    transport: Transport
    pace: Pace
    workspace: Workspace

    def identified(self) -> str:
        """The workspace behind the token. Raises GuardRefused if it is not the one that is declared."""
        id_code = self.workspace.id_code()
        if self.here.options.sandbox:
            return id_code
        if id_code == WORKSPACE:
            raise GuardRefused("this is a sandbox's workspace", "use --sandbox, or take INTERCOM_BASE_URL away")
        declared = self.here.settings.workspace
        if declared and declared != id_code:
            hint = "use the other workspace's token, or another environment (-e)"
            raise GuardRefused(f"the token is of workspace {id_code}, and msgrun.yaml names {declared}", hint)
        return id_code

    def run(
        self, plan: Plan, ledger: Ledger, signals: Signals, run_id: str, progress: Callable[[Summary], None]
    ) -> Run:
        """An apply of a plan."""
        settings = self.here.settings
        stop_file = self.here.tree.root / ".msgrun" / "stop"
        return Run(
            plan=plan,
            settings=settings,
            ledger=ledger,
            workspace=self.workspace,
            sender=Sender(self.transport, self.workspace, self.pace, CLOCK, settings.api_version),
            clock=CLOCK,
            halt=Halt(signal=lambda: signals.number, stop_file=stop_file.exists),
            run_id=run_id,
            progress=progress,
        )


def connected(here: Session, transport: Transport) -> Connection:
    """The parts that talk to the workspace behind a transport. In the sandbox the whole rate limit is ours."""
    settings = here.settings
    pace = Pace(CLOCK, 1.0 if here.options.sandbox else settings.share, settings.max_per_window)
    return Connection(here, transport, pace, Workspace(transport, pace, CLOCK))
