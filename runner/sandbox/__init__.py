"""An embedded Intercom, to try everything out where nobody is written to; it imports nothing else of the product."""

from runner.sandbox.server import Sandbox
from runner.sandbox.trouble_schedule import Trouble
from runner.sandbox.workspace import WORKSPACE

__all__ = ["WORKSPACE", "Sandbox", "Trouble"]
