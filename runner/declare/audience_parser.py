"""The `to` of a declaration: who gets it, and who of them is left out."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runner.declare import schema
from runner.declare.audience import KINDS, Audience, Kind, Listed, Recipient, Role, Table
from runner.declare.audience.selection import Selection, Split
from runner.declare.audience.sources import KEYS, read_exclusion, read_source
from runner.declare.audience.suppression import Suppression
from runner.declare.declaration import Origin
from runner.declare.parse_context import Reading, without_nulls
from runner.declare.template.condition import Condition, condition
from runner.declare.template.language import TemplateFault
from runner.declare.template.template import Text
from runner.declare.tree import NotReadable
from runner.declare.yaml.document import Path
from runner.errors import Severity


def read_audience(reading: Reading) -> Audience | None:
    """The audience that `to` declares; None where no recipient can be looked at."""
    to = reading.value["to"]
    if isinstance(to, dict) and any(key in to for key in KEYS):
        return _table(reading, to)
    alone = isinstance(to, dict)
    members = [
        _listed(reading, member, ("to",) if alone else ("to", index), index + 1)
        for index, member in enumerate([to] if alone else to)
    ]
    found = tuple(member for member in members if member)
    return Listed(found, alone) if len(found) == len(members) else None


def read_selection(reading: Reading, audience: Audience, texts: list[Text]) -> Selection:
    """The filters on an audience. What is wrong with one is told, and the filter left out."""
    suppressed = reading.around.suppressed
    if suppressed:
        _tell_blind(reading, suppressed, audience, ("to",), is_own=False)
    to = reading.value["to"]
    if isinstance(audience, Listed):
        return Selection(suppressed=suppressed)
    excluded = _exclusion(reading, to, audience)
    unique_by = to.get("unique_by", "")
    if unique_by and audience.source.is_complete and unique_by not in audience.names:
        reading.error(
            "unknown-column", ("to", "unique_by"), f"there is no column {unique_by}", _near(unique_by, audience)
        )
        unique_by = ""
    split = to.get("split")
    used = None if any(text.parts for text in texts) else frozenset(name for text in texts for name in text.names)
    names = ("where", "unique_by")
    return Selection(
        where=_where(reading, to, audience),
        suppressed=suppressed,
        excluded=excluded,
        unique_by=unique_by,
        split=_split(reading, split) if split else None,
        first=to.get("duplicates") == "first",
        told={name: Origin(reading.document, ("to", name)).problem for name in names if name in to},
        used=used,
    )


def _listed(reading: Reading, member: dict[str, Any], path: Path, number: int) -> Recipient | None:
    kind = _kind(member)
    identifier = reading.text(Origin(reading.document, (*path, kind)), member[kind], html=False)
    reading.check_vars((*path, "vars"))
    own = member.get("vars", {})
    blank = tuple(name for name, value in own.items() if value is None)
    if identifier is None:
        return None
    return Recipient(_role(member), kind, identifier, without_nulls(own), blank, number)


def _table(reading: Reading, to: dict[str, Any]) -> Table | None:
    kind = _kind(to)
    key = next(key for key in KEYS if key in to)
    identifier = reading.text(Origin(reading.document, ("to", kind)), to[kind], html=False)
    document = reading.document
    try:
        source, problems = read_source(reading.around.tree, to, document.source.path, document.place(("to", key)))
    except NotReadable as error:
        reading.refused(error, ("to", "columns" if error.code.startswith("columns-") else key))
        return None
    reading.problems.extend(problems)
    return Table(source, _role(to), kind, identifier) if source and identifier else None


def _where(reading: Reading, to: dict[str, Any], audience: Table) -> Condition | None:
    if "where" not in to:
        return None
    path = ("to", "where")
    origin = Origin(reading.document, path)
    try:
        found = condition(to["where"], reading.around.watch)
    except TemplateFault as fault:
        reading.problems.append(origin.problem(fault))
        return None
    source = audience.source
    known = audience.names | reading.value.get("vars", {}).keys() | reading.around.vars.keys()
    faults = [
        TemplateFault("unknown-column", f"there is no column {name}", _near(name, audience), name=name)
        for name in sorted(found.names - known if source.is_complete else ())
    ]
    faults += [
        _text_compared(name, found.numbers[name])
        for name in sorted(found.numbers.keys() & audience.names if source.is_text else ())
    ]
    reading.problems.extend(origin.problem(fault) for fault in faults)
    return None if faults else found


def _text_compared(name: str, number: float) -> TemplateFault:
    what, hint = "number", f"write {name} | int"
    if isinstance(number, bool):
        what, hint = "true or false", f'compare it with the word in the file: {name} == "TRUE"'
    message = f"{name} is text, as every cell of a CSV file: no {what} equals it"
    return TemplateFault("text-compared", message, hint, name=name)


def _exclusion(reading: Reading, to: dict[str, Any], audience: Table) -> Suppression | None:
    if "exclude" not in to:
        return None
    path = ("to", "exclude")
    named = to["exclude"] if isinstance(to["exclude"], list) else [to["exclude"]]
    document = reading.document
    try:
        found, problems = read_exclusion(
            reading.around.tree, "exclude", named, document.source.path, document.place(path)
        )
    except NotReadable as error:
        reading.refused(error, path)
        return None
    reading.problems.extend(problems)
    if found:
        _tell_blind(reading, found, audience, path, is_own=True)
    return found


def _tell_blind(reading: Reading, found: Suppression, audience: Audience, path: Path, *, is_own: bool) -> None:
    """A list that cannot recognise the recipients would leave nobody out, and nobody would notice."""
    blind, total = found.blind(audience.kinds)
    if not blind:
        return
    which = "exclude" if is_own else "suppress of msgrun.yaml"
    message = f"{blind:,} of the {total:,} contacts of {which} cannot be recognised here"
    hint = "the recipients lack the id, user_id or email that these are known by: add it as a column"
    problem = reading.document.problem("blind-exclusion", path, message, hint)
    severe = is_own and blind == total
    reading.problems.append(problem if severe else replace(problem, severity=Severity.WARNING))


def _split(reading: Reading, split: dict[str, Any]) -> Split | None:
    from fractions import Fraction  # noqa: PLC0415  # imported where used

    percent = Fraction(str(split["percent"]))
    parts = -(-100 // percent)
    if split["part"] > parts:
        message = f"{split['percent']} % makes {parts} parts, so there is no part {split['part']}"
        reading.error("split-part", ("to", "split", "part"), message)
        return None
    return Split(percent, split["part"], split.get("draw", ""), reading.around.salt)


def _near(name: str, audience: Table) -> str:
    return column_hint(name, audience.names) or f"the columns are {', '.join(audience.source.columns)}"


def column_hint(name: str, known: frozenset[str]) -> str:
    """What a variable's name may mean; a column whose name no template can use is mapped to one that it can."""
    near = schema.did_you_mean(name, sorted(known))
    same = next((column for column in sorted(known) if _plain(column) == _plain(name) and column != name), "")
    found = same or near.removeprefix("did you mean ").removesuffix("?")
    if found and not found.isidentifier():
        return f'the column is named {found}: say columns: {{"{found}": {name}}} beside the file'
    return f"did you mean {found}?" if found else ""


def _plain(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())


def _kind(value: Mapping[str, Any]) -> Kind:
    return next(kind for kind in KINDS if kind in value)


def _role(value: Mapping[str, Any]) -> Role:
    return "user" if value["type"] == "user" else "contact"
