"""A project, a ledger and an embedded Intercom: apply as the command does it, with a clock that only sleeping moves."""

import json
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.clock import Clock
from runner.declare.hold_file import STOP_FILE, Hold
from runner.declare.project_reader import load_project
from runner.declare.settings import AbortConditions, Settings
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.tree import Tree
from runner.deliver.contact_cache import ContactCache
from runner.deliver.contact_lookup import ContactLookup
from runner.deliver.frequency_check import FrequencyCheck
from runner.deliver.post import MessagePoster
from runner.deliver.recipient_check import RecipientCheck
from runner.deliver.run import make_run
from runner.deliver.stop import StopConditions
from runner.deliver.subscription_check import SubscriptionCheck
from runner.deliver.summary import Summary
from runner.intercom.client import HttpTransport
from runner.intercom.rate_limit import RateLimiter
from runner.intercom.transport import Transport
from runner.intercom.workspace import Workspace
from runner.ledger.facts import Facts
from runner.ledger.lockfile.files import LockfilePaths, read_lockfile
from runner.ledger.lockfile.ledger import open_lockfile
from runner.ledger.record import Record, parse_entry
from runner.plan import plan as planning
from runner.plan.message_planner import PlanOptions
from runner.plan.plan import Plan
from runner.sandbox import Sandbox, Trouble


@dataclass
class SandboxProject:
    """Everything that one apply needs; what a test is about it changes."""

    root: Path
    sandbox: Sandbox
    settings: Settings = field(default_factory=lambda: Settings(abort_conditions=AbortConditions(unknown=1000)))
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    slept: list[float] = field(default_factory=list)
    retries: list[str] = field(default_factory=list)  # what was reported of tries that failed
    runs: int = 0
    signal: Callable[[], int] = lambda: 0
    stop_file: Callable[[], bool] = lambda: False
    progress: Callable[[Summary], None] = lambda _: None
    transport: Transport | None = None
    really_sleeps: bool = False
    threads: int = 1
    checked: Plan | None = None  # the plan of the last apply, with the contacts of its recipients

    @property
    def places(self) -> LockfilePaths:
        return LockfilePaths(self.root / "messages.lock", None, "messages.lock")

    @property
    def facts(self) -> Facts:
        return read_lockfile(self.places)

    @property
    def made(self) -> list[dict[str, Any]]:
        return self.sandbox.messages

    def change(self, **settings: Any) -> None:
        self.settings = self.settings._replace(**settings)

    def trouble(self, *kinds: str, **more: Any) -> None:
        self.sandbox.trouble.replace({"next": list(kinds), **more})

    def _find_hold(self) -> Hold | None:
        return Hold(STOP_FILE, "") if self.stop_file() else None

    def declare(self, to: str = "", name: str = "seed", **fields: str) -> None:
        """Writes a message to the recipients, a line of YAML each, or to aaa1."""
        whole = {
            "name": name,
            "message_type": "inapp",
            "body": "Ponies",
            "from": '{type: admin, id: "394051"}',
            **fields,
        }
        lines = [f"{key}: {value}" for key, value in whole.items()]
        people = textwrap.dedent(to).strip() or "- {type: user, id: aaa1}"
        lines.append("to:\n" + textwrap.indent(people, "  "))
        self.write(f"messages/{name}.yaml", "\n".join(lines) + "\n")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def clock(self) -> Clock:
        if self.really_sleeps:
            return Clock(lambda: datetime.now(UTC), time.monotonic, time.sleep)
        return Clock(
            lambda: self.began + timedelta(seconds=sum(self.slept)),
            lambda: sum(self.slept),
            self.slept.append,
        )

    def plan(self, facts: Facts | None = None, **choices: Any) -> Plan:
        loaded = load_project(Tree(self.root), self.settings, RenderMonitor())
        now = self.clock().now()
        made, problems = planning.make_plan(loaded, facts or self.facts, now, PlanOptions(**choices))
        assert [problem for problem in (*loaded.problems, *problems) if problem.is_error] == []
        return made

    def apply(self, meanwhile: Callable[[], None] = lambda: None, **choices: Any) -> Summary:
        """One apply; `meanwhile` happens between its plan and its first delivery."""
        self.runs += 1
        clock = self.clock()
        transport = self.transport or HttpTransport(self.sandbox.url, "token")
        pace = RateLimiter(clock, 1.0, self.settings.max_per_window)
        workspace = Workspace(transport, pace, clock)
        with open_lockfile(self.places, self.settings.salt, "apply", clock.now()) as ledger:
            ledger.recover()
            made = self.plan(ledger.facts, **choices)
            assert made.guards == ()
            cache = ContactCache(b"", None, 0)
            limit = self.settings.frequency
            check = RecipientCheck(
                ContactLookup(workspace, cache),
                SubscriptionCheck(workspace, cache, {}),
                self.settings.recipients,
                self.settings.salt,
                ledger.facts,
                lambda _: None,
                FrequencyCheck(limit, ledger.facts, clock.now()) if limit else None,
            )
            made = self.checked = check.check(made)
            meanwhile()
            run = make_run(
                plan=made,
                settings=self.settings,
                ledger=ledger,
                poster=MessagePoster(transport, workspace, pace, clock, self.settings.api_version, self.retries.append),
                limiter=pace,
                clock=clock,
                stop_conditions=StopConditions(self.signal, self._find_hold, quiet_hours=self.settings.quiet_hours),
                run_id=f"RUN{self.runs}",
                progress=self.progress,
                max_threads=self.threads,
            )
            return run.deliver()

    def statuses(self) -> list[str]:
        """What the ledger says of every delivery, by recipient."""
        facts = self.facts
        states = [state for key in facts if (state := facts.state(key))]
        return [state.status for state in sorted(states, key=lambda state: state.record.to)]

    def records(self) -> list[Record]:
        """Every record on a line of the lockfile, also those that later ones replace."""
        values = map(json.loads, self.places.lockfile.read_bytes().splitlines())
        found = [parse_entry(value, "messages.lock", 1) for value in values]
        return [one for one in found if isinstance(one, Record)]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[SandboxProject]:
    (tmp_path / "messages").mkdir()
    with Sandbox(rate_limit=1_000_000, trouble=Trouble(), fresh_seconds=0.5) as sandbox:
        yield SandboxProject(tmp_path, sandbox)
