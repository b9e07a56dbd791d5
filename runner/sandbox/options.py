"""The settings of a sandbox."""

from __future__ import annotations

from dataclasses import dataclass, field

from runner.sandbox.groups import Groups, make_groups
from runner.sandbox.rate_limit import WINDOW
from runner.sandbox.workspace import SANDBOX_WORKSPACE_ID


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """The settings of a sandbox. Times are in seconds, the rate limit in calls a window.

    `admins` are names or email addresses: each is that of an admin, beside the three that there always are.
    """

    workspace: str = SANDBOX_WORKSPACE_ID
    region: str = "us"
    rate_limit: int = 1000
    window: float = WINDOW
    latency: float = 0.0
    fresh_seconds: float = 2.0
    search_lag: float = 0.0
    accept_any_admin: bool = True
    admins: tuple[str, ...] = ()
    groups: Groups = field(default_factory=make_groups)
    population: int = 12
