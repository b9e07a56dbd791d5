"""What a reviewer sees, whatever the format: a plan, the warnings about it, and what it changes against a commit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from runner.compare.comparison import Comparison, MessageChange
from runner.declare.sample import Sample
from runner.errors import Problem
from runner.plan.deliveries import PlannedMessage
from runner.plan.file_problems import assign_problems
from runner.plan.guards import format_exceptions
from runner.plan.plan import Plan
from runner.privacy import AnyText


def _get_no_sample(_: PlannedMessage) -> Sample | None:
    return None


@dataclass(frozen=True, slots=True)
class Review:
    """The content of a review: a plan, warnings about its files, notes on the ledger, and the comparison, if any.

    `other_environments` are those that msgrun.yaml declares and the plan does not cover.
    `notices` concern all deliveries, e.g. that everything is redirected. `sample` renders a sample of a message.
    `sandbox`: messages go to the sandbox, not to Intercom. `lint_errors` are in the texts to send, by message name.
    `lockfile` is the path of the ledger, if that is a file of the repository.
    """

    plan: Plan
    warnings: Sequence[Problem] = ()
    notes: Sequence[str] = ()
    sample: Callable[[PlannedMessage], Sample | None] = field(default=_get_no_sample)
    sandbox: bool = False
    comparison: Comparison | None = None
    other_environments: Sequence[str] = ()
    notices: Sequence[AnyText] = ()
    lint_errors: Mapping[str, Sequence[Problem]] = field(default_factory=dict)
    lockfile: str = ""

    def extra_warnings(self) -> list[str]:
        """Returns the warnings that are neither guards nor problems: about the ledger, changes, and ignored rules."""
        exceptions = [
            f"{message.name}: {text}"
            for message in self.plan.messages
            if message.counts["send"] or not (message.counts["sent"] or message.is_expired)
            for text in format_exceptions(message.declaration)
        ]
        return [*self.notes, *(self.comparison.warnings() if self.comparison else ()), *exceptions]

    def file_warnings(self) -> dict[str, list[Problem]]:
        """Returns the warnings in the files of each message, by its name."""
        return assign_problems(self.plan.messages, self.warnings)

    def change_kind(self, message: PlannedMessage) -> str:
        """Returns the kind of a message's change since the compared commit; empty if it is not compared."""
        return change.kind if (change := self.change(message)) else ""

    def change(self, message: PlannedMessage) -> MessageChange | None:
        """Returns the change of a message; None if the plan was not compared, or the comparison does not have it."""
        return self.comparison.find_change(message.name) if self.comparison else None
