"""Goes through the deliveries of a declaration once: hands on the good ones, sums up what is wrong with the rest."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from runner.declare.audience import InlineAudience
from runner.declare.audience.selection import Tally
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery, render_deliveries
from runner.errors import Problem
from runner.key_table import KeyTable

MAX_REPORTED = 20


_MAX_GROUPS = 50  # of problems that differ in their recipient alone; a kind has one or two, or one for each recipient


def check_recipients(
    declaration: Declaration,
    salt: str,
    take: Callable[[Delivery], None],
    tally: Tally | None = None,
    seen: KeyTable | None = None,
) -> list[Problem]:
    """Hands every delivery to `take`, in order, and returns the problems of the recipients and of their number.

    The `tally` counts those who are left out; `seen` takes the keys of the good ones.
    """
    tally = tally or Tally()

    def found() -> Iterator[Problem | int]:
        good = 0
        for each in render_deliveries(
            declaration, salt, tally, KeyTable(declaration.audience.estimated_count) if seen is None else seen
        ):
            if isinstance(each, Problem):
                yield each
            else:
                take(each)
                good += 1
        yield good

    return summarise_problems(declaration, found(), tally)


def summarise_problems(declaration: Declaration, found: Iterable[Problem | int], tally: Tally) -> list[Problem]:
    """The problems to tell of a declaration's recipients: `found` are theirs, and numbers of those that have none.

    What is given to the tally's `notice` meanwhile is told as well.
    """
    count, problems, warnings = 0, _Gathering(), _Gathering()
    tally.on_warning = warnings.add
    for each in found:
        if isinstance(each, Problem):
            problems.add(each)
        else:
            count += each
    audience = declaration.audience
    total = count + problems.recipients
    if isinstance(audience, InlineAudience):
        total = len(audience.members) - tally.left_out.total()
    told = _with_unknown([*problems.told(total), *warnings.told(total)], declaration.unknown_variables)
    document, most = declaration.document, declaration.max_recipients
    if most is not None and total > most:
        message = f"{total} recipients are declared, and max_recipients is {most}"
        told.append(document.problem("too-many-recipients", ("max_recipients",), message, "raise it, if that is meant"))
    if not total:
        out = tally.left_out.total()
        message = f"all {out:,} recipients are left out" if out else "the audience is empty"
        told.append(document.warning("no-recipients", ("to",), f"{message}: nobody gets this"))
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


@dataclass(slots=True)
class _Group:
    """Problems that are the same but for the recipient: their number, and the first of them with their positions."""

    count: int = 0
    first: list[tuple[int, Problem]] = field(default_factory=list)

    def add(self, position: int, problem: Problem) -> None:
        self.count += 1
        if len(self.first) <= MAX_REPORTED:
            self.first.append((position, problem))


class _Gathering:
    """Problems of any number, of which it keeps some: the first, and how many there are of each kind.

    `recipients` counts who has one; what a recipient has comes one after the other.
    """

    def __init__(self) -> None:
        self.recipients = 0
        self._position = 0
        self._last: object = None
        self._kinds: dict[str, dict[Problem | None, _Group]] = {}

    def add(self, problem: Problem) -> None:
        self._position += 1
        who = problem.recipient or problem.place
        if who != self._last:
            self.recipients, self._last = self.recipients + 1, who
        groups = self._kinds.setdefault(problem.code, {})
        same = replace(problem, recipient="") if problem.recipient else problem
        key = same if same in groups or len(groups) < _MAX_GROUPS else None
        groups.setdefault(key, _Group()).add(self._position, problem)

    def told(self, total: int) -> list[Problem]:
        """What all `total` recipients show once; then the first 20; then of each kind how many more there are."""
        told: list[Problem] = []
        kinds: list[tuple[int, list[tuple[int, Problem]]]] = []
        for groups in self._kinds.values():
            single: list[tuple[int, Problem]] = []
            count = 0
            for same, group in groups.items():
                if same is not None and group.count == total > 1:
                    told.append(replace(same, recipient=f"all {total} recipients"))
                else:
                    count += group.count
                    single.extend(group.first)
            if single:
                kinds.append((count, sorted(single, key=lambda item: item[0])))
        positions = sorted(position for _, single in kinds for position, _ in single)
        end = positions[MAX_REPORTED - 1] if len(positions) > MAX_REPORTED else self._position
        for count, single in kinds:
            told.extend(_first(count, [problem for position, problem in single if position <= end], single))
        return told


def _first(count: int, shown: list[Problem], single: list[tuple[int, Problem]]) -> list[Problem]:
    """The problems of one kind to show, at least one, and how many there are beyond."""
    shown = shown or [single[0][1]]
    if count == len(shown):
        return shown
    rest = f"and {count - len(shown):,} more recipients with a problem of this kind"
    after = single[len(shown)][1] if len(shown) < len(single) else shown[-1]
    return [*shown, replace(after, message=rest, hint="", recipient="", excerpt="")]
