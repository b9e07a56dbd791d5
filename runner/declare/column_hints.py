"""Hints for a variable without a value, or with one that must not be sent: the column, and what to do about the row."""

import re

from runner.declare import schema
from runner.declare.audience.audience import InlineAudience, TableAudience
from runner.declare.audience.recipient import Recipient
from runner.declare.declaration import Declaration
from runner.declare.similar_names import closest_match, list_first
from runner.declare.template.language import TemplateFault
from runner.declare.template.template import Template


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
    if any("@" in column for column in columns):
        fault.message = f"no column is named {name}: the first line holds an address instead of the columns' names"
        fault.hint = f"write a first line that names the columns, one of them {name}"
    else:
        fault.message = f"no column is named {name}; there is {list_first(columns)}"
        fault.hint = column_hint(name, frozenset(columns)) or (
            f'name the column that holds the {recipient.kind}: {recipient.kind}: "{{{{ … }}}}"'
        )


def explain_wrong_identifier(fault: TemplateFault, kind: str, audience: InlineAudience | TableAudience) -> None:
    """Sets the hint of a fault, if it has none: an identifier has not the form of its kind."""
    if not fault.hint and isinstance(audience, TableAudience):
        fault.hint = f"correct this recipient in {audience.source.title}, or leave it out"
    elif not fault.hint and kind == "email":
        fault.hint = "write one address, of the form name@host"


def explain_leftover(fault: TemplateFault, text: Template, recipient: Recipient, declaration: Declaration) -> None:
    """Changes a fault if a value brings `{{` or `{%` into a rendered text: names the variable, and says what to do.

    Such a value is an error although the author of the message did not write it: no check can tell a customer's odd
    name from a placeholder of another tool in the data.
    """
    rules, own = schema.load_schema("payload")["properties"]["body"]["allOf"], recipient.vars
    pattern = next(rule["not"]["pattern"] for rule in rules if rule["x-code"] == "leftover-template")
    values = {name: own.get(name, declaration.variables.get(name)) for name in text.variables}
    if name := next((name for name, value in values.items() if re.search(pattern, str(value))), ""):
        fault.message += f": {name} brings it"
        fault.hint = f"a value is sent as it stands: write what {name} says into the text itself"
        if name in own:
            fault.hint = f"correct {name} of this recipient, or remove the recipient"


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
