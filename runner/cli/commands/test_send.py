"""The command test-send: sends one rendered delivery to a contact of the own team, marked as a test."""

from functools import partial
from typing import assert_never

import click
import orjson

from runner.cli.context import Context, open_context
from runner.cli.ledger import read_ledger
from runner.cli.options import EXIT, command
from runner.clock import format_timestamp
from runner.current_work import CURRENT_WORK
from runner.declare.address_search import Address, parse_recipient_address, unknown_recipient
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery, render_deliveries
from runner.declare.similar_names import did_you_mean, suggest_or_list
from runner.errors import (
    GuardRefused,
    LedgerUnavailable,
    Problem,
    ProblemsFound,
    RateExhausted,
    RunStopped,
    UsageMistake,
)
from runner.intercom.reply_meaning import AccountDenied, Answer, Refused, Sent, Throttled, Unknown, Unreached
from runner.ledger.durable_append import append_lines
from runner.privacy import MASK, mark_private, mark_private_values, reveal_or_mask
from runner.report.recipients import contact_url
from runner.shown_command import shown_command

_SAME_ADDRESS = 0.85  # likeness from which one address is another one, mistyped


@command("test-send")
@click.argument("name")
@click.option("--to", "email", required=True, metavar="EMAIL", help="Who gets it: one of test_recipients.")
@click.option(
    "--as", "address", metavar="KIND:VALUE|EMAIL", help="As this recipient would get it; without it, as the first one."
)
def test_send(name: str, email: str, address: str | None) -> int:
    """Send one delivery of a message to yourself, marked as a test.

    The text is a recipient's. Its subject (in-app: its body) begins with [Test]. Who gets it has to be
    in test_recipients: of msgrun.yaml, and a contact of the workspace. expires: and not_before: do not hold it back.
    The ledger does not change; tests.jsonl in .msgrun/, or in .msgrun/sandbox/, has what became of it.
    """
    with open_context(check_in_child=partial(_render, name=name, address=address)) as context:
        email = _require_allowed(context, email, address)
        declaration, delivery = _render(context, name, address)
        return _send(context, declaration, delivery, email)


def _require_allowed(context: Context, email: str, address: str | None) -> str:
    """Returns the test recipient as msgrun.yaml has it. Raises GuardRefused if it is none."""
    allowed = context.settings.test_recipients
    for recipient in allowed:
        if recipient.casefold() == email.strip().casefold():
            return recipient
    if address and address.casefold() in map(str.casefold, allowed):
        hint = f"exchange them: --to {address} --as {email.strip()}"
    elif "@" not in email:
        hint = suggest_or_list(email, allowed)
    else:
        hint = did_you_mean(email.strip().casefold(), allowed, _SAME_ADDRESS) or (
            "--as names a recipient, whose text you get; if this one is of your own team, write into msgrun.yaml: "
            f"test_recipients: [{', '.join([*allowed, email.strip()])}]"
        )
    raise GuardRefused(f"{email.strip()} is not one of test_recipients: of msgrun.yaml; nothing was sent", hint)


def _render(context: Context, name: str, address: str | None) -> tuple[Declaration, Delivery]:
    """Returns the delivery of a message to send. Raises ProblemsFound, UsageMistake."""
    declaration = context.load_project().require(name)
    if declaration.audience.is_unread:
        look = shown_command("plan", "--online", "-v")
        raise UsageMistake(
            f"{name} goes to an audience in the workspace, which test-send does not read",
            f"to see it: {look}. To get it yourself, set to: to one contact for the test",
        )
    wanted = parse_recipient_address(address) if address else None
    problem: Problem | None = None
    with CURRENT_WORK.on_file(declaration.document.source.path):
        for result in render_deliveries(declaration, context.settings.salt):
            if isinstance(result, Problem):
                problem = problem or result
            elif wanted is None or wanted.matches(result.kind, result.value):
                return declaration, result
    if problem:
        raise ProblemsFound([problem])
    if wanted is None:
        raise UsageMistake(f"{name} has no recipient")
    raise unknown_recipient(declaration, wanted, show_values=context.output.show_values)


def _send(context: Context, declaration: Declaration, delivery: Delivery, email: str) -> int:
    """Sends a test, records it and reports. Returns the exit code. Raises GuardRefused, RunStopped."""
    from runner.cli.connection import CLOCK, connect  # noqa: PLC0415  # requests takes 130 ms, which --help saves
    from runner.deliver.prepared_test import prepare_test  # noqa: PLC0415  # likewise

    of_ledger = context.header_of(read_ledger(context).facts).workspace
    with connect(context, [declaration.sender]) as connection:
        id_code = connection.verify_workspace(of_ledger)
        test = prepare_test(declaration, delivery, email, connection.workspace, context.settings)
        record = {
            "at": format_timestamp(CLOCK.now()),
            "message": declaration.name,
            "revision": declaration.revision,
            "digest": delivery.digest,
            "contact": test.contact.id,
            "status": "claimed",
            "id": "",
        }
        path = context.kept_path("tests.jsonl")
        path.parent.mkdir(parents=True, exist_ok=True)
        append_lines([path], orjson.dumps(record) + b"\n")  # where this fails, nothing is sent
        connection.limiter.wait()
        answer, _ = connection.poster.post_body(test.body, test.sender_id)
        outcome = {"status": type(answer).__name__.lower(), "id": answer.id if isinstance(answer, Sent) else ""}
        try:
            append_lines([path], orjson.dumps({**record, "at": format_timestamp(CLOCK.now()), **outcome}) + b"\n")
        except LedgerUnavailable as error:
            context.output.note(f"{error.message}; what became of the test is not recorded")
    url = "" if context.options.sandbox else contact_url(test.contact.id, id_code, context.settings.region)
    return _report(context, declaration, delivery, answer, email, url)


def _report(
    context: Context, declaration: Declaration, delivery: Delivery, answer: Answer, email: str, url: str
) -> int:
    """Prints what became of a test. Returns the exit code. Raises RunStopped."""
    look = f"To look at it: {shown_command('sandbox', sandbox=False)}" if context.options.sandbox else url
    match answer:
        case Sent():
            label = Address(delivery.kind, delivery.value).label
            recipient = mark_private(label, delivery.display_name)
            name = reveal_or_mask(recipient, show_values=context.output.show_values)
            to = reveal_or_mask(mark_private(email, MASK), show_values=context.output.show_values)
            text = f"Sent a test of {declaration.name} to {to}, as {name} would get it: message {answer.id}."
            context.output.sentence("\n".join(filter(None, (text, look))))
            return EXIT.done
        case Refused():
            why = mark_private_values(answer.message, delivery.private_values)
            hint = f"what that means: {shown_command('explain', 'refused')}"
            context.output.failure(RunStopped(f"Intercom refused the test: {answer.code}: " + why, hint))
            return EXIT.refused
        case Unknown():
            context.output.failure(RunStopped(f"the test may have arrived: {answer.reason}", look))
            return EXIT.unknown
        case AccountDenied():
            message = mark_private_values(answer.message, delivery.private_values)
            raise RunStopped(f"Intercom said {answer.code}: " + message, answer.hint)
        case Throttled():
            raise RateExhausted("the rate limit left no room", "try again later")
        case Unreached():
            raise RunStopped(f"Intercom was not reached: {answer.reason}", answer.fix)
        case _:
            assert_never(answer)
