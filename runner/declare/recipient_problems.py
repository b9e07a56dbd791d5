"""Checks every recipient of a declaration in one pass, and summarises the problems of many recipients."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from runner.current_work import CURRENT_WORK
from runner.declare.audience.audience import InlineAudience
from runner.declare.audience.selection import Tally, format_left_out
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery, render_deliveries
from runner.errors import Problem
from runner.key_table import KeyTable
from runner.shown_command import shown_command, shown_path

MAX_REPORTED = 20
MAX_FAULTY = 20_000  # recipients with a problem, after which no more are checked: so many have one cause
_MAX_GROUPS = 50  # of a code; most have one or two, but messages that quote values make one for each recipient


def find_recipient_problems(
    declaration: Declaration, salt: str, on_delivery: Callable[[Delivery], None],
    tally: Tally | None = None, keys: KeyTable | None = None,
) -> list[Problem]:  # fmt: skip
    """Renders every delivery of a declaration and returns the summarised problems.

    Each delivery without a problem is passed to `on_delivery`, in order; its key is in `keys` by then. The number of
    recipients is checked too; the `tally` counts those that are left out. If the audience was not read, only the texts
    are checked.
    """
    if declaration.audience.is_unread:
        return list(declaration.unknown_variables)
    tally = tally or Tally()
    keys = KeyTable.with_room_for(declaration.audience.estimated_count) if keys is None else keys

    def check_each() -> Iterator[Problem | int]:
        for result in render_deliveries(declaration, salt, tally, keys):
            if isinstance(result, Problem):
                yield result
            else:
                on_delivery(result)
        yield len(keys)

    with CURRENT_WORK.on_file(declaration.document.source.path):
        return summarise_problems(declaration, check_each(), tally)


def summarise_problems(declaration: Declaration, results: Iterable[Problem | int], tally: Tally) -> list[Problem]:
    """Returns the problems to report about the recipients of a declaration, and about their number.

    `results` are, in any mixture, the problems of recipients and the numbers of recipients that have none. Warnings
    that are passed to the tally's `on_warning` while `results` are read are summarised as well. After MAX_FAULTY
    recipients with a problem no more results are read.
    """
    is_complete = True
    count, problems, warnings = 0, _ProblemCollector(), _ProblemCollector()
    tally.on_warning = warnings.add
    for result in results:
        if isinstance(result, Problem):
            problems.add(result)
        else:
            count += result
        if problems.recipients > MAX_FAULTY:
            is_complete = False
            break
    audience = declaration.audience
    total = count + problems.recipients
    if isinstance(audience, InlineAudience):
        total = len(audience.members) - tally.left_out.total()
    shared_by = total if is_complete else 0  # a problem that all recipients have is reported once
    reported = _merge_unknown_variables(
        [*problems.summarise(shared_by), *warnings.summarise(shared_by)], declaration.unknown_variables
    )
    if not is_complete:
        message = f"{MAX_FAULTY:,} recipients have a problem, and those after them were not checked"
        reported.append(declaration.document.problem("recipients-unchecked", ("to",), message))
    document, maximum = declaration.document, declaration.max_recipients
    if maximum is not None and total > maximum:
        message = f"{total} recipients are declared, and max_recipients is {maximum}"
        reported.append(
            document.problem("too-many-recipients", ("max_recipients",), message, "raise it to send to all of them")
        )
    if not total:
        left_out = tally.left_out.total()
        message, hint = "the audience is empty", ""
        if left_out:
            which = f"all {left_out:,} recipients are" if left_out > 1 else "the only recipient is"
            message = f"{which} left out ({format_left_out(tally.left_out)})"
            hint = f"{shown_command('plan', shown_path(document.source.path), '--recipients')} lists them"
        reported.append(document.warning("no-recipients", ("to",), f"{message}: this is sent to no one", hint))
    return reported


def _merge_unknown_variables(problems: list[Problem], unknown_variables: tuple[Problem, ...]) -> list[Problem]:
    """Returns the problems, followed by the warnings of unknown variables.

    If both are about one place, only the error is returned. An undefined variable then gets the hint of the warning.
    """
    warnings = {warning.place: warning for warning in unknown_variables}
    reported = [
        replace(problem, hint=warnings[problem.place].hint or problem.hint)
        if problem.code == "undefined-variable" and problem.place in warnings
        else problem
        for problem in problems
    ]
    errors = {problem.place for problem in problems}
    return [*reported, *(warning for warning in unknown_variables if warning.place not in errors)]


class _ProblemGroup:
    """Problems of one code that differ in their recipient alone, or all those for which there is no group of their own.

    `count` is their number. `first` are the first of them, at most MAX_REPORTED + 1.
    """

    def __init__(self) -> None:
        self.count = 0
        self.first: list[Problem] = []


class _ProblemCollector:
    """Collects any number of problems in bounded memory: the first ones, and how many there are of each code.

    `recipients` is the number of recipients with a problem. The problems of one recipient must be added one right after
    the other.
    """

    def __init__(self) -> None:
        self.recipients = 0
        self._last_recipient: object = None
        self._groups_by_code: dict[str, dict[Problem | None, _ProblemGroup]] = {}

    def add(self, problem: Problem) -> None:
        recipient = problem.recipient or problem.place
        if recipient != self._last_recipient:
            self.recipients, self._last_recipient = self.recipients + 1, recipient
        groups = self._groups_by_code.setdefault(problem.code, {})
        common = replace(problem, recipient="") if problem.recipient else problem
        key = common if common in groups or len(groups) < _MAX_GROUPS else None
        group = groups.setdefault(key, _ProblemGroup())
        group.count += 1
        if len(group.first) <= MAX_REPORTED:
            group.first.append(problem)

    def summarise(self, total: int) -> list[Problem]:
        """Returns the problems to report.

        A problem that all `total` recipients have comes first, and once. Then follow the first MAX_REPORTED problems of
        each code, and how many more recipients have a problem of that code.
        """
        shared: list[Problem] = []
        individual: list[Problem] = []
        for groups in self._groups_by_code.values():
            rest: list[_ProblemGroup] = []
            for common, group in groups.items():
                if common is not None and group.count == total > 1:
                    shared.append(replace(common, recipient=f"all {total} recipients"))
                else:
                    rest.append(group)
            individual += _limit_kind(
                sum(group.count for group in rest), [problem for group in rest for problem in group.first]
            )
        return [*shared, *individual]


def _limit_kind(count: int, first: list[Problem]) -> list[Problem]:
    """Returns the problems of one code to show, then a last one that says how many more there are of `count`."""
    shown = first[:MAX_REPORTED]
    if count == len(shown):
        return shown
    rest_count = count - len(shown)
    rest = f"and {rest_count:,} more {'recipient' if rest_count == 1 else 'recipients'} with a problem of this kind"
    return [*shown, replace(first[MAX_REPORTED], message=rest, hint="", recipient="", excerpt="")]
