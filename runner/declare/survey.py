"""Goes through the deliveries of a declaration once: hands on the good ones, sums up what is wrong with the rest."""

from collections.abc import Callable
from dataclasses import replace

from runner.declare.audience import Listed
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery, deliveries
from runner.errors import Problem

MAX_TOLD = 20


def survey(declaration: Declaration, salt: str, take: Callable[[Delivery], None]) -> list[Problem]:
    """Hands every delivery to `take`, in order, and returns the problems of the recipients and of their number."""
    count, problems = 0, []
    for found in deliveries(declaration, salt):
        if isinstance(found, Problem):
            problems.append(found)
        else:
            take(found)
            count += 1
    audience = declaration.audience
    faulty = {problem.recipient or problem.place for problem in problems}
    total = len(audience.members) if isinstance(audience, Listed) else count + len(faulty)
    told = _with_unknown(_summarised(problems, total), declaration.unknown)
    document, most = declaration.document, declaration.max_recipients
    if most is not None and total > most:
        message = f"{total} recipients are declared, and max_recipients is {most}"
        told.append(document.problem("too-many-recipients", ("max_recipients",), message, "raise it, if that is meant"))
    if not count and not problems:
        told.append(document.warning("no-recipients", ("to",), "the audience is empty: nobody gets this"))
    return told


def _with_unknown(problems: list[Problem], unknown: tuple[Problem, ...]) -> list[Problem]:
    """The problems and the warnings of unknown variables; where both are about one place, the error with the hint."""
    warnings = {warning.place: warning for warning in unknown}
    told = [
        replace(problem, hint=warnings[problem.place].hint or problem.hint)
        if problem.code == "undefined-variable" and problem.place in warnings
        else problem
        for problem in problems
    ]
    errors = {problem.place for problem in problems}
    return [*told, *(warning for warning in unknown if warning.place not in errors)]


def _summarised(problems: list[Problem], total: int) -> list[Problem]:
    """The problems of one declaration's recipients: what all of them show once, and of each kind the first 20.

    `total` counts the declaration's recipients.
    """
    groups: dict[Problem, list[Problem]] = {}
    for problem in problems:
        same = replace(problem, recipient="") if problem.recipient else problem
        groups.setdefault(same, []).append(problem)
    told: list[Problem] = []
    for same, members in groups.items():
        if len(members) == total and total > 1:
            told.append(replace(same, recipient=f"all {total} recipients"))
        else:
            told.extend(members)
    return _first_of_each_code(told)


def _first_of_each_code(problems: list[Problem]) -> list[Problem]:
    by_code: dict[str, list[Problem]] = {}
    for problem in problems:
        by_code.setdefault(problem.code, []).append(problem)
    told = []
    for members in by_code.values():
        told.extend(members[:MAX_TOLD])
        if len(members) > MAX_TOLD:
            rest = f"and {len(members) - MAX_TOLD} more recipients with a problem of this kind"
            told.append(replace(members[MAX_TOLD], message=rest, recipient="", excerpt=""))
    return told
