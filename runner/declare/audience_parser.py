"""Parses the `to` of a declaration: its recipients, and the filters that leave some of them out."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runner.current_work import CURRENT_WORK
from runner.declare.audience.audience import Audience, InlineAudience, TableAudience
from runner.declare.audience.recipient import IDENTIFIER_KINDS, IdentifierKind, Recipient, parse_role, without_nulls
from runner.declare.audience.selection import Selection, Split
from runner.declare.audience.sources import SOURCE_KEYS, read_source, read_suppression_files
from runner.declare.audience.suppression import SuppressionList, parse_contact_files
from runner.declare.column_hints import column_hint
from runner.declare.declaration import TemplateOrigin
from runner.declare.parse_context import ParseContext
from runner.declare.similar_names import list_first
from runner.declare.template.condition import Condition, compile_condition
from runner.declare.template.language import TemplateFault
from runner.declare.template.template import Template, used_variables
from runner.declare.tree import NotReadable
from runner.declare.yaml.document import YamlPath
from runner.errors import Severity


def read_audience(context: ParseContext) -> Audience | None:
    """Returns the audience that `to` declares. None if it cannot be used; its problems are added to the context."""
    to = context.value["to"]
    if isinstance(to, dict) and any(key in to for key in SOURCE_KEYS):
        return _read_table(context, to)
    if isinstance(to, dict) and "intercom" in to:
        from runner.declare.workspace_audience import read_workspace_audience  # noqa: PLC0415  # saves 2 ms where no audience is in the workspace

        return read_workspace_audience(context, to)
    is_single = isinstance(to, dict)
    members = [
        _read_member(context, member, ("to",) if is_single else ("to", index), index + 1)
        for index, member in enumerate([to] if is_single else to)
    ]
    recipients = tuple(member for member in members if member)
    return InlineAudience(recipients, is_single) if len(recipients) == len(members) else None


def read_selection(context: ParseContext, audience: Audience, texts: list[Template]) -> Selection:
    """Returns the filters on an audience. A filter with a problem is reported and left out."""
    suppression_list = context.project_context.suppression_list
    if suppression_list:
        _report_unmatchable(context, suppression_list, audience, ("to",), is_own=False)
    to, allow_list = context.value["to"], context.project_context.settings.only
    if isinstance(audience, InlineAudience):
        return Selection(allow_list=allow_list, suppression_list=suppression_list)
    exclusion_list = _read_exclusion_list(context, to, audience)
    unique_by = to.get("unique_by", "")
    if unique_by and audience.source.has_fixed_columns and unique_by not in audience.variables:
        context.add_error(
            "unknown-column",
            ("to", "unique_by"),
            f"there is no column {unique_by}",
            _suggest_column(unique_by, audience),
        )
        unique_by = ""
    split = to.get("split")
    names = ("where", "unique_by")
    return Selection(
        where=_read_where(context, to, audience),
        allow_list=allow_list,
        suppression_list=suppression_list,
        exclusion_list=exclusion_list,
        unique_by=unique_by,
        split=_read_split(context, split) if split else None,
        drops_duplicates=to.get("duplicates") == "first",
        problem_factories={
            name: TemplateOrigin(context.document, ("to", name)).problem for name in names if name in to
        },
        used_variables=used_variables(texts),
    )


def _read_member(context: ParseContext, member: dict[str, Any], path: YamlPath, number: int) -> Recipient | None:
    CURRENT_WORK.step()
    kind = _identifier_kind(member)
    identifier = context.compile_value(TemplateOrigin(context.document, (*path, kind)), member[kind])
    variables = member.get("vars", {})
    context.check_vars((*path, "vars"), variables)
    blank_variables = tuple(name for name, value in variables.items() if value is None)
    if identifier is None:
        return None
    return Recipient(parse_role(member["type"]), kind, identifier, without_nulls(variables), blank_variables, number)


def _read_table(context: ParseContext, to: dict[str, Any]) -> TableAudience | None:
    kind = _identifier_kind(to)
    key = next(key for key in SOURCE_KEYS if key in to)
    identifier = context.compile_value(TemplateOrigin(context.document, ("to", kind)), to[kind])
    document = context.document
    try:
        source, problems = read_source(
            context.project_context.tree, to, document.source.path, document.place(("to", key))
        )
    except NotReadable as error:
        context.add_unreadable(error, ("to", "columns" if error.code.startswith("columns-") else key))
        return None
    context.problems.extend(problems)
    return TableAudience(source, parse_role(to["type"]), kind, identifier) if source and identifier else None


def _read_where(context: ParseContext, to: dict[str, Any], audience: TableAudience) -> Condition | None:
    if "where" not in to:
        return None
    path = ("to", "where")
    origin = TemplateOrigin(context.document, path)
    try:
        condition = compile_condition(to["where"], context.project_context.monitor)
    except TemplateFault as fault:
        context.problems.append(origin.problem(fault))
        return None
    source = audience.source
    common_vars = {**context.project_context.settings.vars, **context.value.get("vars", {})}
    known_names = audience.variables | common_vars.keys()
    faults = [
        TemplateFault("unknown-column", f"there is no column {name}", _suggest_column(name, audience), name=name)
        for name in sorted(condition.variables - known_names if source.has_fixed_columns else ())
    ]
    faults += [
        _text_comparison_fault(name, condition.number_comparisons[name])
        for name in sorted(condition.number_comparisons.keys() & audience.variables if source.is_text else ())
    ]
    context.problems.extend(origin.problem(fault) for fault in faults)
    return None if faults else condition


def _text_comparison_fault(name: str, number: float) -> TemplateFault:
    expected, hint = "number", f"write {name} | int"
    if isinstance(number, bool):
        expected, hint = "true or false", f'compare it with the word in the file: {name} == "TRUE"'
    message = f"{name} is text, as every cell of a CSV file: no {expected} equals it"
    return TemplateFault("text-compared", message, hint, name=name)


def _read_exclusion_list(context: ParseContext, to: dict[str, Any], audience: TableAudience) -> SuppressionList | None:
    if "exclude" not in to:
        return None
    path = ("to", "exclude")
    files = parse_contact_files(to["exclude"])
    document = context.document
    try:
        exclusion_list, problems = read_suppression_files(
            context.project_context.tree, "exclude", files, document.source.path, document.place(path)
        )
    except NotReadable as error:
        context.add_unreadable(error, path)
        return None
    context.problems.extend(problems)
    if exclusion_list:
        _report_unmatchable(context, exclusion_list, audience, path, is_own=True)
    return exclusion_list


def _report_unmatchable(
    context: ParseContext, contacts: SuppressionList, audience: Audience, path: YamlPath, *, is_own: bool
) -> None:
    """Reports the contacts of a suppression list that can match no recipient of the audience.

    Such a contact is known by kinds of identifier that the recipients lack, so it would get the message although it is
    on the list. That is an error if no contact of the declaration's own `exclude` can match, else a warning.
    """
    unmatchable, total = contacts.count_unmatchable(audience.identifier_kinds)
    if not unmatchable:
        return
    list_name = "exclude" if is_own else "suppress of msgrun.yaml"
    message = f"{unmatchable:,} of the {total:,} contacts of {list_name} cannot be recognised here"
    hint = "the recipients lack the id, user_id or email that these are known by: add it as a column"
    problem = context.document.problem("blind-exclusion", path, message, hint)
    is_error = is_own and unmatchable == total
    context.problems.append(problem if is_error else replace(problem, severity=Severity.WARNING))


def _read_split(context: ParseContext, split: dict[str, Any]) -> Split | None:
    from fractions import Fraction  # noqa: PLC0415  # saves 3 ms: few audiences are split

    percent = Fraction(str(split["percent"]))
    parts = -(-100 // percent)
    if split["part"] > parts:
        message = f"{split['percent']} % makes {parts} parts, so there is no part {split['part']}"
        context.add_error("split-part", ("to", "split", "part"), message)
        return None
    return Split(percent, split["part"], split.get("draw", ""), context.project_context.settings.salt)


def _suggest_column(name: str, audience: TableAudience) -> str:
    return column_hint(name, audience.variables) or f"the columns are {list_first(audience.source.columns)}"


def _identifier_kind(value: Mapping[str, Any]) -> IdentifierKind:
    return next(kind for kind in IDENTIFIER_KINDS if kind in value)
