"""Hints for a variable without a value, or with one that must not be sent: the column, and what to do about the row."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from runner.declare import schema
from runner.declare.audience.audience import InlineAudience, TableAudience
from runner.declare.audience.recipient import Recipient
from runner.declare.declaration import Declaration
from runner.declare.similar_names import closest_match, list_first
from runner.declare.template.language import TemplateFault
from runner.declare.template.template import Template

_MAX_LEFTOVER = 12  # characters of what a hint compares with; an encoded brace may have any number of zeros
_CONDITION = re.compile(r'\s*\{\{\s*([^"]+?)\s*\}\}\s*')  # in double quotes it holds none


def explain_missing_identifier(
    fault: TemplateFault, recipient: Recipient, audience: InlineAudience | TableAudience
) -> None:
    """Changes the message and the hint of a fault: an identifier prints a variable without a value.

    A default text, which is the usual hint, is never an address.
    """
    name = fault.name
    if isinstance(audience, InlineAudience):
        fault.hint = f"write the {recipient.kind} itself, or give this recipient vars: {{{name}: …}}"
        return
    columns = audience.source.columns
    if name in columns:
        fault.message = f"{name} is blank, so there is no recipient to send this to"
        fault.hint = f'fill it in, remove the row, or leave such rows out with where: "{{{{ {name} is defined }}}}"'
        return
    same = next((column for column in columns if _simplify(column) == _simplify(name)), "")
    if same:
        fault.message = f"no column is named {name}, but one is named {same}"
        fault.hint = (
            f'write {recipient.kind}: "{{{{ {same} }}}}"'
            if same.isidentifier()
            else column_hint(name, frozenset(columns))
        )
    elif any("@" in column for column in columns):
        fault.message = f"no column is named {name}: the first line holds an address instead of the columns' names"
        fault.hint = f"write a first line that names the columns, one of them {name}"
    else:
        fault.message = f"no column is named {name}; there is {list_first(columns)}"
        fault.hint = column_hint(name, frozenset(columns)) or (
            f'name the column that holds the {recipient.kind}: {recipient.kind}: "{{{{ … }}}}"'
        )


def explain_leftover(fault: TemplateFault, text: Template, recipient: Recipient, declaration: Declaration) -> None:
    """Changes a fault if a value brings `{{` or `{%` into a rendered text: names the variable, and says what to do.

    Such a value is an error although the author of the message did not write it: no check can tell a customer's odd
    name from a placeholder of another tool in the data.
    """
    pattern, own = _leftover_pattern(), recipient.vars
    texts = [
        (name, leftover[0])
        for name, value in _list_texts({name: own[name] for name in text.variables if name in own})
        if (leftover := pattern.search(value))
    ]
    if not texts:
        shared = {name: declaration.variables.get(name) for name in text.variables if name not in own}
        if name := next((name for name, value in _list_texts(shared) if pattern.search(value)), ""):
            fault.message += f": {name} brings it"
            fault.hint = f"a value is sent as it stands: write what {name} says into the text itself"
        return
    name, leftover_text = min(texts, key=lambda entry: entry[0].rpartition(".")[2] not in text.source)
    fault.message += f": {name} brings it"
    fault.hint = f"correct {name} of this recipient, or remove the recipient"
    if isinstance(declaration.audience, TableAudience) and len(leftover_text) <= _MAX_LEFTOVER:
        where = declaration.document.value["to"].get("where", "")
        condition = f"'{leftover_text}' not in ({name} | default(''))"
        if others := _CONDITION.fullmatch(where):
            condition = f"({others[1]}) and {condition}"
        fault.hint = f'correct {name}; or leave such rows out with where: "{{{{ {condition} }}}}"'


def column_hint(name: str, known: frozenset[str]) -> str:
    """Returns a hint that names the known column, or variable, that an unknown name is near to; empty if none is.

    If that column's name cannot be used in a template, the hint says how to rename the column.
    """
    same_letters = next(
        (column for column in sorted(known) if _simplify(column) == _simplify(name) and column != name), ""
    )
    meant_column = same_letters or closest_match(name, sorted(known))
    if meant_column and not meant_column.isidentifier():
        return f'the column is named {meant_column}: say columns: {{"{meant_column}": {name}}} beside the file'
    return f"did you mean {meant_column}?" if meant_column else ""


def _simplify(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())


@cache
def _leftover_pattern() -> re.Pattern[str]:
    """Returns the pattern of the schema for what a rendered text must not hold."""
    rules = schema.load_schema("payload")["properties"]["body"]["allOf"]
    return re.compile(next(rule["not"]["pattern"] for rule in rules if rule["x-code"] == "leftover-template"))


def _list_texts(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yields each text of some variables, with the name that a template has for it: `name`, `contact.name`."""
    for name, value in values.items():
        if isinstance(value, str):
            yield f"{prefix}{name}", value
        elif isinstance(value, Mapping) and f"{name}".isidentifier():
            yield from _list_texts(value, f"{prefix}{name}.")
