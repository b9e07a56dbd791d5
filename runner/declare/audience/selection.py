"""Which of an audience's recipients are declared: filters between the rows and the rendering, each with its count.

In this order: `where`, the project's `suppress`, `exclude`, `unique_by`, `split`, `duplicates`. So of several rows that
are the same by `unique_by` the first that is wanted is kept, and all waves of a split keep the same one.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from runner.declare.audience import broken_cells
from runner.declare.audience.audience import InlineAudience, TableAudience
from runner.declare.audience.recipient import IDENTIFIER_KINDS, IdentifierKind, Recipient, normalise_identifier
from runner.declare.audience.suppression import SuppressionList
from runner.declare.template.condition import Condition
from runner.declare.template.language import TemplateFault
from runner.errors import Problem
from runner.key_table import KeyTable

if TYPE_CHECKING:  # few audiences are split, and every command pays for its start
    from fractions import Fraction

FILTER_REASONS = ("where", "suppressed", "exclude", "unique_by", "split", "duplicates")
ProblemFactory = Callable[[TemplateFault, str], Problem]  # a fault, and whose it is, as a problem at its place


def _ignored(_: Problem) -> None:
    pass


@dataclass(slots=True)
class Tally:
    """What one pass over an audience leaves behind: how many were left out, by reason; warnings go to `notice`."""

    left_out: Counter[str] = field(default_factory=Counter)
    on_warning: Callable[[Problem], None] = _ignored


@dataclass(frozen=True, slots=True)
class Split:
    """Part `part` (from 1) of those that `percent` makes; the last may be smaller. `draw` shuffles anew.

    Where a recipient falls depends on the project's salt, `draw` and its identity alone: not on message, revision,
    order or the other recipients. So all parts together are everybody, and the part 1 of a larger percentage holds that
    of a smaller one.
    """

    percent: "Fraction"
    part: int
    draw: str = ""
    salt: str = ""

    def contains(self, kind: IdentifierKind, value: str) -> bool:
        """Whether the recipient is in this part."""
        digest = hashlib.sha256(
            orjson.dumps([self.salt, "split", self.draw, kind, normalise_identifier(kind, value)])
        ).digest()
        place = int.from_bytes(digest[:8])  # out of 2**64
        return place * 100 * self.percent.denominator // (self.percent.numerator << 64) == self.part - 1


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The filters of one declaration. `told` makes a problem of a fault in the filter of that name.

    `used` are the variables that its texts may use; None if that is not known.
    """

    where: Condition | None = None
    suppression_list: SuppressionList | None = None
    exclusion_list: SuppressionList | None = None
    unique_by: str = ""
    split: Split | None = None
    drops_duplicates: bool = False
    problem_factories: Mapping[str, ProblemFactory] = field(default_factory=dict)
    used_variables: frozenset[str] | None = None

    def select(
        self,
        audience: InlineAudience | TableAudience,
        recipients: Iterable[Recipient | Problem],
        values: Mapping[str, Any],
        tally: Tally,
    ) -> Iterator[Recipient | Problem]:
        """Which of an audience's recipients are declared, in order; a Problem where a row, or a filter on it, fails."""
        source = audience.source if isinstance(audience, TableAudience) else None
        sieve = _Sieve(self, audience, values) if self.is_filtering else None
        for recipient in recipients:
            if isinstance(recipient, Problem):
                yield recipient
                continue
            if sieve:
                reason = sieve.reason(recipient)
                if isinstance(reason, Problem):
                    yield reason
                    continue
                if reason:
                    tally.left_out[reason] += 1
                    continue
            if source and broken_cells.may_be_odd(recipient.vars, self.used_variables, is_text=source.is_text):
                for warning in broken_cells.find_odd_cells(
                    recipient.vars, self.used_variables, source.place(recipient.number)
                ):
                    tally.on_warning(warning)
            yield recipient

    @property
    def needs_order(self) -> bool:
        """Whether it depends on those that come before whether somebody is left out."""
        return bool(self.unique_by) or self.drops_duplicates

    @property
    def is_filtering(self) -> bool:
        """Whether somebody may be left out."""
        filters = (
            self.where,
            self.suppression_list,
            self.exclusion_list,
            self.unique_by,
            self.split,
            self.drops_duplicates,
        )
        return any(filters)


class _Sieve:
    """One pass of a selection, with what it has seen so far."""

    def __init__(
        self, selection: Selection, audience: InlineAudience | TableAudience, values: Mapping[str, Any]
    ) -> None:
        self._selection = selection
        self._audience = audience
        self._values = values
        self._unique = KeyTable()
        self._first = KeyTable()

    def reason(self, recipient: Recipient) -> str | Problem:
        """Why the recipient is left out; empty if it is not."""
        chosen = self._selection
        values = {**self._values, **recipient.vars}
        for name in recipient.blank_variables:
            values.pop(name, None)
        if chosen.where:
            try:
                if not chosen.where.evaluate(values):
                    return "where"
            except TemplateFault as fault:
                return chosen.problem_factories["where"](fault, self._audience.label(recipient.number))
        value = _identifier(recipient, values)
        if (chosen.suppression_list or chosen.exclusion_list) and (listed := self._listed(recipient, value)):
            return listed
        if chosen.unique_by and (found := self._repeated(recipient)):
            return found
        if value is None:
            return ""  # its rendering will say what is wrong
        if chosen.split and not chosen.split.contains(recipient.kind, value):
            return "split"
        if chosen.drops_duplicates and not self._first.add_if_new(_digest(normalise_identifier(recipient.kind, value))):
            return "duplicates"
        return ""

    def _listed(self, recipient: Recipient, value: str | None) -> str:
        known: dict[IdentifierKind, str] = {
            kind: str(recipient.vars[kind]) for kind in IDENTIFIER_KINDS if kind in recipient.vars
        }
        identifiers = list(known.items())
        if value is not None:
            identifiers.append((recipient.kind, value))
        for suppression in (self._selection.suppression_list, self._selection.exclusion_list):
            if suppression and suppression.matches(identifiers):
                return suppression.name
        return ""

    def _repeated(self, recipient: Recipient) -> str | Problem:
        name = self._selection.unique_by
        value = recipient.vars.get(name)
        if value is None:
            fault = TemplateFault("unique-blank", f"{name} has no value, and unique_by compares it", name=name)
            fault.hint = f'where: "{{{{ {name} is defined }}}}" leaves such rows out'
            return self._selection.problem_factories["unique_by"](fault, self._audience.label(recipient.number))
        text = str(value)
        known = normalise_identifier("email" if "@" in text else "id", text)
        return "" if self._unique.add_if_new(_digest(known)) else "unique_by"


def _identifier(recipient: Recipient, values: dict[str, Any]) -> str | None:
    try:
        return recipient.identifier.render(values).strip() or None
    except TemplateFault:
        return None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()[:16]
