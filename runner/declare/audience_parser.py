"""The `to` of a declaration: who gets it, and who of them is left out."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runner.declare import schema
from runner.declare.audience import (
    IDENTIFIER_KINDS,
    Audience,
    IdentifierKind,
    InlineAudience,
    Recipient,
    Role,
    TableAudience,
)
from runner.declare.audience.selection import Selection, Split
from runner.declare.audience.sources import SOURCE_KEYS, read_source, read_suppression_files
from runner.declare.audience.suppression import SuppressionList
from runner.declare.declaration import TemplateOrigin
from runner.declare.parse_context import ParseContext, without_nulls
from runner.declare.template.condition import Condition, compile_condition
from runner.declare.template.language import TemplateFault
from runner.declare.template.template import Template
from runner.declare.tree import NotReadable
from runner.declare.yaml.document import YamlPath
from runner.errors import Severity


def read_audience(reading: ParseContext) -> Audience | None:
    """The audience that `to` declares; None where no recipient can be looked at."""
    to = reading.value["to"]
    if isinstance(to, dict) and any(key in to for key in SOURCE_KEYS):
        return _table(reading, to)
    alone = isinstance(to, dict)
    members = [
        _listed(reading, member, ("to",) if alone else ("to", index), index + 1)
        for index, member in enumerate([to] if alone else to)
    ]
    found = tuple(member for member in members if member)
    return InlineAudience(found, alone) if len(found) == len(members) else None


def read_selection(reading: ParseContext, audience: Audience, texts: list[Template]) -> Selection:
    """The filters on an audience. What is wrong with one is told, and the filter left out."""
    suppressed = reading.project_context.suppression_list
    if suppressed:
        _tell_blind(reading, suppressed, audience, ("to",), is_own=False)
    to = reading.value["to"]
    if isinstance(audience, InlineAudience):
        return Selection(suppression_list=suppressed)
    excluded = _exclusion(reading, to, audience)
    unique_by = to.get("unique_by", "")
    if unique_by and audience.source.has_fixed_columns and unique_by not in audience.variables:
        reading.add_error(
            "unknown-column", ("to", "unique_by"), f"there is no column {unique_by}", _near(unique_by, audience)
        )
        unique_by = ""
    split = to.get("split")
    used = (
        None if any(text.includes for text in texts) else frozenset(name for text in texts for name in text.variables)
    )
    names = ("where", "unique_by")
    return Selection(
        where=_where(reading, to, audience),
        suppression_list=suppressed,
        exclusion_list=excluded,
        unique_by=unique_by,
        split=_split(reading, split) if split else None,
        drops_duplicates=to.get("duplicates") == "first",
        problem_factories={
            name: TemplateOrigin(reading.document, ("to", name)).problem for name in names if name in to
        },
        used_variables=used,
    )


def _listed(reading: ParseContext, member: dict[str, Any], path: YamlPath, number: int) -> Recipient | None:
    kind = _kind(member)
    identifier = reading.compile(TemplateOrigin(reading.document, (*path, kind)), member[kind], html=False)
    reading.check_vars((*path, "vars"))
    own = member.get("vars", {})
    blank = tuple(name for name, value in own.items() if value is None)
    if identifier is None:
        return None
    return Recipient(_role(member), kind, identifier, without_nulls(own), blank, number)


def _table(reading: ParseContext, to: dict[str, Any]) -> TableAudience | None:
    kind = _kind(to)
    key = next(key for key in SOURCE_KEYS if key in to)
    identifier = reading.compile(TemplateOrigin(reading.document, ("to", kind)), to[kind], html=False)
    document = reading.document
    try:
        source, problems = read_source(
            reading.project_context.tree, to, document.source.path, document.place(("to", key))
        )
    except NotReadable as error:
        reading.add_unreadable(error, ("to", "columns" if error.code.startswith("columns-") else key))
        return None
    reading.problems.extend(problems)
    return TableAudience(source, _role(to), kind, identifier) if source and identifier else None


def _where(reading: ParseContext, to: dict[str, Any], audience: TableAudience) -> Condition | None:
    if "where" not in to:
        return None
    path = ("to", "where")
    origin = TemplateOrigin(reading.document, path)
    try:
        found = compile_condition(to["where"], reading.project_context.monitor)
    except TemplateFault as fault:
        reading.problems.append(origin.problem(fault))
        return None
    source = audience.source
    known = audience.variables | reading.value.get("vars", {}).keys() | reading.project_context.vars.keys()
    faults = [
        TemplateFault("unknown-column", f"there is no column {name}", _near(name, audience), name=name)
        for name in sorted(found.variables - known if source.has_fixed_columns else ())
    ]
    faults += [
        _text_compared(name, found.number_comparisons[name])
        for name in sorted(found.number_comparisons.keys() & audience.variables if source.is_text else ())
    ]
    reading.problems.extend(origin.problem(fault) for fault in faults)
    return None if faults else found


def _text_compared(name: str, number: float) -> TemplateFault:
    what, hint = "number", f"write {name} | int"
    if isinstance(number, bool):
        what, hint = "true or false", f'compare it with the word in the file: {name} == "TRUE"'
    message = f"{name} is text, as every cell of a CSV file: no {what} equals it"
    return TemplateFault("text-compared", message, hint, name=name)


def _exclusion(reading: ParseContext, to: dict[str, Any], audience: TableAudience) -> SuppressionList | None:
    if "exclude" not in to:
        return None
    path = ("to", "exclude")
    named = to["exclude"] if isinstance(to["exclude"], list) else [to["exclude"]]
    document = reading.document
    try:
        found, problems = read_suppression_files(
            reading.project_context.tree, "exclude", named, document.source.path, document.place(path)
        )
    except NotReadable as error:
        reading.add_unreadable(error, path)
        return None
    reading.problems.extend(problems)
    if found:
        _tell_blind(reading, found, audience, path, is_own=True)
    return found


def _tell_blind(
    reading: ParseContext, found: SuppressionList, audience: Audience, path: YamlPath, *, is_own: bool
) -> None:
    """A list that cannot recognise the recipients would leave nobody out, and nobody would notice."""
    blind, total = found.count_unmatchable(audience.identifier_kinds)
    if not blind:
        return
    which = "exclude" if is_own else "suppress of msgrun.yaml"
    message = f"{blind:,} of the {total:,} contacts of {which} cannot be recognised here"
    hint = "the recipients lack the id, user_id or email that these are known by: add it as a column"
    problem = reading.document.problem("blind-exclusion", path, message, hint)
    severe = is_own and blind == total
    reading.problems.append(problem if severe else replace(problem, severity=Severity.WARNING))


def _split(reading: ParseContext, split: dict[str, Any]) -> Split | None:
    from fractions import Fraction  # noqa: PLC0415  # imported where used

    percent = Fraction(str(split["percent"]))
    parts = -(-100 // percent)
    if split["part"] > parts:
        message = f"{split['percent']} % makes {parts} parts, so there is no part {split['part']}"
        reading.add_error("split-part", ("to", "split", "part"), message)
        return None
    return Split(percent, split["part"], split.get("draw", ""), reading.project_context.salt)


def _near(name: str, audience: TableAudience) -> str:
    return column_hint(name, audience.variables) or f"the columns are {', '.join(audience.source.columns)}"


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


def _kind(value: Mapping[str, Any]) -> IdentifierKind:
    return next(kind for kind in IDENTIFIER_KINDS if kind in value)


def _role(value: Mapping[str, Any]) -> Role:
    return "user" if value["type"] == "user" else "contact"
