"""What a preview is built of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from runner.compare.comparison import Comparison
from runner.declare.settings import Settings
from runner.errors import Problem
from runner.plan.plan import Plan
from runner.preview.sent_history import SentHistory
from runner.preview.views import MessageView
from runner.privacy import AnyText

KeptViews: TypeAlias = dict[str, tuple[tuple[object, ...], MessageView]]  # by name, with what each was made of


@dataclass(frozen=True, slots=True)
class PreviewInput:
    """What a preview is built of. `warnings` are problems of the files that stop nothing; `notes` are about the ledger.

    `recipient_count` is the number of recipients that each message shows; None shows those that differ. `project` is
    the name of the project's folder. `kept_views` are those of the pages that `--serve` shows; None without it.
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
    kept_views: KeptViews | None = None
