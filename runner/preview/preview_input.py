"""What a preview is built of."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from runner.compare.comparison import Comparison
from runner.declare.settings import Settings
from runner.errors import Problem
from runner.plan.plan import Plan
from runner.preview.sent_history import SentHistory
from runner.privacy import AnyText


@dataclass(frozen=True, slots=True)
class PreviewInput:
    """What a preview is built of. `warnings` are problems of the files that stop nothing; `notes` are about the ledger.

    `recipient_count` is the number of recipients that each message shows; None shows those that differ. `project` is
    the name of the project's folder.
    """

    plan: Plan
    settings: Settings
    project: str
    warnings: Sequence[Problem] = ()
    notes: Sequence[AnyText] = ()
    history: SentHistory = field(default_factory=SentHistory)
    comparison: Comparison | None = None
    recipient_count: int | None = None
    show_values: bool = False
    is_sandbox: bool = False
    is_live: bool = False
