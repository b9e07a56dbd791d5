"""A warning about a file as one sentence: it stands in the message's block of the plan and in the question."""

from runner.errors import Problem
from runner.privacy import mark_private_values, reveal_or_mask


def format_file_warning(problem: Problem, *, show_values: bool) -> str:
    """Returns a warning about a file as one sentence, with its code."""
    recipient = f" ({reveal_or_mask(problem.recipient, show_values=show_values)})" if problem.recipient else ""
    message = mark_private_values(problem.message, ()) if "@" in str(problem.message) else problem.message
    return f"{reveal_or_mask(message, show_values=show_values)}{recipient} [{problem.code}]"
