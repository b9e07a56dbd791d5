"""Which recipients of an audience are declared: filters between reading the rows and rendering.

Each filter has its count. They are applied in this order: `where`, `only` of the environment, the project's `suppress`,
`exclude`, `unique_by`, `split`, `duplicates`. So of several rows that are the same by `unique_by`, the first that
passes the filters before it is kept, and all parts of a split keep the same one.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from runner.current_work import CURRENT_WORK
from runner.declare.audience import odd_cells
from runner.declare.audience.audience import InlineAudience, TableAudience
from runner.declare.audience.recipient import IDENTIFIER_KINDS, IdentifierKind, Recipient, normalise_identifier
from runner.declare.audience.suppression import SuppressionList
from runner.declare.recipient_rules import AllowList
from runner.declare.template.condition import Condition
from runner.declare.template.language import TemplateFault
from runner.errors import Problem
from runner.key_table import KeyTable

if TYPE_CHECKING:  # few audiences are split, and importing it would delay the start of every command
    from fractions import Fraction

# Why a recipient is left out, in the order of the filters, and how that reads after "left out".
FILTER_REASONS = {
    "where": "by where",
    "only": "by only of the environment",
    "suppressed": "by suppress in msgrun.yaml",
    "exclude": "by exclude in the message",
    "unique_by": "by unique_by",
    "split": "in other parts of the split",
    "duplicates": "as duplicates",
}
ProblemFactory = Callable[[TemplateFault, str], Problem]  # makes a problem of a fault and the recipient's label


class Tally:
    """What one pass over an audience counts and reports.

    `left_out` has the number of recipients that were left out, by reason. `on_warning` gets each warning, and
    `on_left_out` each recipient that is left out, with the reason.
    """

    def __init__(
        self,
        left_out: Counter[str] | None = None,
        on_warning: Callable[[Problem], None] = lambda _: None,
        on_left_out: Callable[[Recipient, str], None] = lambda *_: None,
    ) -> None:
        self.left_out = Counter() if left_out is None else left_out
        self.on_warning = on_warning
        self.on_left_out = on_left_out


class Split(NamedTuple):
    """Part `part` (from 1) of the parts that `percent` makes. The last part may be smaller.

    The part of a recipient depends on the project's salt, on `draw` and on its identity alone. It does not depend on
    message, revision, order or the other recipients. So all parts together contain every recipient, and part 1 of a
    larger percentage contains part 1 of a smaller one. Another `draw` distributes the recipients differently.
    """

    percent: "Fraction"
    part: int
    draw: str = ""
    salt: str = ""

    def contains(self, kind: IdentifierKind, value: str) -> bool:
        """Returns whether the recipient is in this part."""
        digest = hashlib.sha256(
            orjson.dumps([self.salt, "split", self.draw, kind, normalise_identifier(kind, value)])
        ).digest()
        position = int.from_bytes(digest[:8])  # out of 2**64
        return position * 100 * self.percent.denominator // (self.percent.numerator << 64) == self.part - 1


class Selection(NamedTuple):
    """The filters of one declaration.

    `problem_factories` maps the name of a filter to what makes a problem of a fault in it. `used_variables` are the
    variables that the declaration's texts may use, or None if that is not known.
    """

    where: Condition | None = None
    allow_list: AllowList | None = None
    suppression_list: SuppressionList | None = None
    exclusion_list: SuppressionList | None = None
    unique_by: str = ""
    split: Split | None = None
    drops_duplicates: bool = False
    problem_factories: Mapping[str, ProblemFactory] = {}
    used_variables: frozenset[str] | None = None

    def select(
        self,
        audience: InlineAudience | TableAudience,
        recipients: Iterable[Recipient | Problem],
        values: Mapping[str, Any],
        tally: Tally,
    ) -> Iterator[Recipient | Problem]:
        """Yields the recipients of an audience that are declared, in order.

        A Problem stands for a row that has one, or on which a filter fails. `tally` counts those that are left out,
        and gets the warnings about odd cells.
        """
        source = audience.source if isinstance(audience, TableAudience) else None
        filter_pass = _FilterPass(self, audience, values) if self.is_filtering else None
        current_row = CURRENT_WORK.rows(f"row 0 of {source.title} or the next" if source else audience.label(0))
        for recipient in recipients:
            if isinstance(recipient, Problem):
                CURRENT_WORK.step()
                yield recipient
                continue
            current_row[0] = recipient.number
            if filter_pass:
                reason = filter_pass.reason(recipient)
                if isinstance(reason, Problem):
                    yield reason
                    continue
                if reason:
                    tally.left_out[reason] += 1
                    tally.on_left_out(recipient, reason)
                    continue
            if source and odd_cells.may_be_odd(recipient.vars, self.used_variables, is_text=source.is_text):
                for warning in odd_cells.find_odd_cells(
                    recipient.vars, self.used_variables, source.place(recipient.number)
                ):
                    tally.on_warning(warning)
            yield recipient

    @property
    def needs_order(self) -> bool:
        """Whether leaving out a recipient depends on the recipients before it."""
        return bool(self.unique_by) or self.drops_duplicates

    @property
    def is_filtering(self) -> bool:
        """Whether a recipient may be left out."""
        lists = (self.allow_list, self.suppression_list, self.exclusion_list)
        return any((self.where, *lists, self.unique_by, self.split, self.drops_duplicates))


class _FilterPass:
    """One pass of a selection over an audience, with the keys of the recipients so far."""

    def __init__(
        self, selection: Selection, audience: InlineAudience | TableAudience, values: Mapping[str, Any]
    ) -> None:
        self._selection = selection
        self._audience = audience
        self._values = values
        self._unique_keys = KeyTable()
        self._recipient_keys = KeyTable()

    def reason(self, recipient: Recipient) -> str | Problem:
        """Returns why the recipient is left out; empty if it is not."""
        selection = self._selection
        values = recipient.merge_variables(self._values)
        if selection.where:
            try:
                if not selection.where.evaluate(values):
                    return "where"
            except TemplateFault as fault:
                return selection.problem_factories["where"](fault, self._audience.label(recipient.number))
        value = recipient.render_identifier(values)
        if selection.allow_list and value and not selection.allow_list.allows(recipient.kind, value):
            return "only"
        if (selection.suppression_list or selection.exclusion_list) and (
            list_name := self._find_list(recipient, value)
        ):
            return list_name
        if selection.unique_by and (repetition := self._check_unique(recipient)):
            return repetition
        if not value:
            return ""  # rendering the delivery reports the fault
        if selection.split and not selection.split.contains(recipient.kind, value):
            return "split"
        if selection.drops_duplicates and not self._recipient_keys.add_if_new(
            _digest(normalise_identifier(recipient.kind, value))
        ):
            return "duplicates"
        return ""

    def _find_list(self, recipient: Recipient, value: str) -> str:
        own: dict[IdentifierKind, str] = {
            kind: str(recipient.vars[kind]) for kind in IDENTIFIER_KINDS if kind in recipient.vars
        }
        identifiers = list(own.items())
        if value:
            identifiers.append((recipient.kind, value))
        for suppression in (self._selection.suppression_list, self._selection.exclusion_list):
            if suppression and suppression.matches(identifiers):
                return suppression.name
        return ""

    def _check_unique(self, recipient: Recipient) -> str | Problem:
        name = self._selection.unique_by
        value = recipient.vars.get(name)
        if value is None:
            fault = TemplateFault("unique-blank", f"{name} has no value, and unique_by compares it", name=name)
            fault.hint = f'where: "{{{{ {name} is defined }}}}" leaves such rows out'
            return self._selection.problem_factories["unique_by"](fault, self._audience.label(recipient.number))
        text = str(value)
        normalised = normalise_identifier("email" if "@" in text else "id", text)
        return "" if self._unique_keys.add_if_new(_digest(normalised)) else "unique_by"


def format_left_out(counts: Mapping[str, int]) -> str:
    """Returns the number of recipients that each filter left out, in one line."""
    return ", ".join(f"{number:,} {FILTER_REASONS.get(reason, reason)}" for reason, number in counts.items() if number)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()[:16]
