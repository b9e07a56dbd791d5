"""Annotations for GitHub's workflow log. Source: GitHub's documentation of workflow commands."""

from runner.errors import Problem
from runner.privacy import revealed


def annotation(problem: Problem, *, show: bool) -> str:
    """A problem as a workflow command, which GitHub shows at its line of the pull request."""
    place = problem.place
    who = f" ({problem.recipient})" if problem.recipient else ""
    hint = f"\nhint: {problem.hint}" if problem.hint else ""
    message = _escaped(revealed(f"{problem.message}{who}{hint}", show=show))
    path = _escaped(place.path).replace(":", "%3A").replace(",", "%2C")
    at = f"file={path},line={place.line},col={place.column},title={problem.code}"
    return f"::{problem.severity} {at}::{message}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
