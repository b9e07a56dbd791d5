"""What stands above a plan, a status and a question of the environment in use."""

from dataclasses import replace

from runner.cli.context import Context
from runner.declare.hold_file import read_hold
from runner.privacy import AnyText
from runner.report.notices import list_notices


def current_notices(context: Context) -> list[AnyText]:
    """Returns the notices: what is redirected, on hold or quiet."""
    settings = replace(context.settings, quiet_hours=context.quiet_hours)
    return list_notices(settings, read_hold(context.tree.root))
