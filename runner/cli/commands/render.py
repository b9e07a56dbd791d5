"""The command render: prints the exact JSON that would be POSTed."""

import click
import orjson

from runner.cli.context import Context, open_context
from runner.cli.options import EXIT, command
from runner.current_work import CURRENT_WORK
from runner.declare.address_search import parse_recipient_address, unknown_recipient
from runner.declare.authorship import Authorship
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery, render_deliveries
from runner.errors import Problem, ProblemsFound
from runner.intercom.wire_format import build_body, needs_lookup
from runner.report.terminal_text import one_line, style
from runner.shown_command import shown_command

_MAX_ON_TERMINAL = 3  # deliveries; more would scroll away


@command("render")
@click.argument("name")
@click.option(
    "--to", "address", metavar="KIND:VALUE|EMAIL", help="Only one recipient, e.g. ann@example.com or user_id:25."
)
def render(name: str, address: str | None) -> int:
    """Print the exact JSON that would be POSTed.

    Each delivery is one line. On a terminal the first three are shown, indented below a line that names the recipient.
    Off a terminal recipients' values are masked; --show-values prints them.
    """
    with open_context() as context:
        declaration = context.load_project().require(name)
        wanted = parse_recipient_address(address) if address else None
        problems: list[Problem] = []
        matching = printed = looked_up = 0
        with CURRENT_WORK.on_file(declaration.document.source.path):
            authorship = None if context.output.show_values else Authorship(declaration)
            for result in render_deliveries(declaration, context.settings.salt):
                if isinstance(result, Problem):
                    problems.append(result)
                elif wanted is None or wanted.matches(result.kind, result.value):
                    matching += 1
                    if context.output.width_for_reading and matching > _MAX_ON_TERMINAL:
                        continue
                    looked_up += needs_lookup(result.payload, context.settings.api_version)
                    body = build_body(result.payload, context.settings.api_version)
                    text = _format_body(body, result, authorship, is_indented=bool(context.output.width_for_reading))
                    with CURRENT_WORK.waiting():  # for the reader of a pipe, perhaps
                        _print_body(context, result, text, is_first=not printed)
                    printed += 1
        if problems:
            raise ProblemsFound(problems)
        if wanted and not printed:
            raise unknown_recipient(declaration, wanted, show_values=context.output.show_values)
        _print_notes(context, declaration, printed, matching - printed, looked_up)
        return EXIT.done


def _print_notes(context: Context, declaration: Declaration, printed: int, hidden: int, looked_up: int) -> None:
    """Prints how many deliveries are hidden, and how the POSTed JSON will differ.

    `looked_up` is the number of printed recipients that apply sends by id instead.
    """
    if hidden:
        command_line = shown_command("render", declaration.name, "--show-values")
        context.output.note(f"and {hidden:,} more, a line each: {command_line} | less")
    if printed:
        context.output.note_masking()
    if declaration.sender.kind != "id":
        context.output.note(f"the sender is shown as declared; apply looks its id up, by {declaration.sender.kind}")
    if looked_up:
        context.output.note("recipients by email or user_id are shown as declared; apply looks them up and sends by id")


def _print_body(context: Context, delivery: Delivery, text: str, *, is_first: bool) -> None:
    """Prints the JSON of a delivery, on a terminal below a line that names the recipient."""
    if context.output.width_for_reading:
        kind = "" if delivery.kind == "email" else f"{delivery.kind} "
        heading = one_line(style(f"to {kind}{delivery.value}", "bold"))
        context.output.result(heading if is_first else f"\n{heading}")
    context.output.document(text)


def _format_body(
    body: dict[str, object], delivery: Delivery, authorship: Authorship | None, *, is_indented: bool
) -> str:
    """Returns the body as JSON, on one line unless `is_indented`.

    With `authorship`, what is the recipient's, except an id, is masked.
    """
    option = orjson.OPT_INDENT_2 if is_indented else 0
    shown = body if authorship is None else authorship.mask_fields(body, delivery)
    return orjson.dumps(shown, option=option).decode()
