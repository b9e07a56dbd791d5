"""A fake Intercom, to try everything out without sending to people. It imports nothing else of the product."""

from runner.sandbox.server import Sandbox
from runner.sandbox.trouble_schedule import Trouble
from runner.sandbox.workspace import SANDBOX_WORKSPACE_ID

__all__ = ["SANDBOX_WORKSPACE_ID", "Sandbox", "Trouble"]
