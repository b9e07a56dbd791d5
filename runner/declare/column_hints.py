"""Hints for a variable without a value: the column that was meant, and what to do where an identifier needs it."""

from runner.declare.audience.audience import InlineAudience, TableAudience
from runner.declare.audience.recipient import Recipient
from runner.declare.similar_names import did_you_mean, list_first
from runner.declare.template.language import TemplateFault


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


def column_hint(name: str, known: frozenset[str]) -> str:
    """Returns a hint that names the known column, or variable, that an unknown name is near to; empty if none is.

    If that column's name cannot be used in a template, the hint says how to rename the column.
    """
    suggestion = did_you_mean(name, sorted(known))
    same_letters = next(
        (column for column in sorted(known) if _simplify(column) == _simplify(name) and column != name), ""
    )
    meant_column = same_letters or suggestion.removeprefix("did you mean ").removesuffix("?")
    if meant_column and not meant_column.isidentifier():
        return f'the column is named {meant_column}: say columns: {{"{meant_column}": {name}}} beside the file'
    return f"did you mean {meant_column}?" if meant_column else ""


def _simplify(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())
