"""What init asks on a terminal. With an access token it lists the admins, so that no id has to be looked up."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from runner.characters import show_on_one_line
from runner.cli import prompts
from runner.cli.connection import has_token, open_workspace
from runner.cli.output import Output
from runner.cli.prompts import WrongAnswer, quote
from runner.cli.scaffold import EXAMPLE_SENDER, Answers
from runner.declare import schema
from runner.declare.sender import Sender, parse_sender
from runner.errors import Cancelled, MsgrunError
from runner.intercom.admins import Admin
from runner.shown_command import shown_command

_REGIONS = {name: name for name in ("us", "eu", "au")}
_SYSTEMS: Mapping[str, Sequence[str]] = {"1": (), "2": ("github",), "3": ("gitlab",)}
Value = TypeVar("Value")
_MAX_LISTED = 30  # admins


def ask(output: Output) -> Answers:
    """Asks for the region and for who sends. If Intercom lists no admins, the user types the id, or adds it later."""
    region = _ask(output, "Region of your Intercom workspace: us, eu or au", "us", partial(_pick, _REGIONS))
    workspace, admins = _read_workspace(region, output) if has_token() else ("", ())
    if admins:
        return Answers(region, workspace, _choose(output, workspace, admins))
    output.message(
        "Who sends? In Intercom that is an admin: a member of your team. With INTERCOM_ACCESS_TOKEN set, init "
        f"lists them, and so does {shown_command('admins')}."
    )
    output.message(f"Enter takes {EXAMPLE_SENDER}, an admin of the sandbox. You can change it in msgrun.yaml later.")
    return Answers(
        region, workspace, _ask(output, "Email address of the admin, or the id", EXAMPLE_SENDER, _read_sender)
    )


def _ask(output: Output, question: str, default: str, parse: Callable[[str], Value | WrongAnswer]) -> Value:
    """Asks a question, in which Enter takes the default. Raises Cancelled without a right answer."""
    value = prompts.ask(output, f"{question} [{default}]:", lambda answer: parse(answer or default))
    if value is None:
        raise Cancelled("Cancelled. Nothing was written.")
    return value


def _pick(choices: Mapping[str, Value], answer: str) -> Value | WrongAnswer:
    return choices[answer] if answer in choices else WrongAnswer(f"{quote(answer)} is none of {', '.join(choices)}.")


def _read_sender(answer: str) -> Sender | WrongAnswer:
    kind = "email" if "@" in answer else "id"
    if schema.validator("project").is_valid({"from": {"type": "admin", kind: answer}}):
        return parse_sender({kind: answer})
    return WrongAnswer(f"{quote(answer)} is not an id (digits) or an email address.")


def ask_system(output: Output) -> list[str]:
    """Asks where messages will be sent from. Returns the CI systems whose workflow is written."""
    for line in (
        "Where will apply run?",
        "  1  on a machine like this",
        "  2  in GitHub Actions",
        "  3  in GitLab CI",
    ):
        output.message(line)
    return list(_ask(output, "Number", "1", partial(_pick, _SYSTEMS)))


def _read_workspace(region: str, output: Output) -> tuple[str, Sequence[Admin]]:
    """Returns the workspace of the token, and its admins; empty if they cannot be read."""
    try:
        workspace = open_workspace(region, output)
        return workspace.identity().id_code, workspace.admins() or ()
    except MsgrunError as error:
        output.failure(error)
        return "", ()


def _choose(output: Output, workspace: str, admins: Sequence[Admin]) -> Sender:
    output.message(f"Workspace {workspace}. Who sends?")
    listed = admins[:_MAX_LISTED]
    for number, admin in enumerate(listed, 1):
        seat = ", no inbox seat" if admin.has_seat is False else ""
        output.message(f"  {number:>2}  {show_on_one_line(admin.name)}  ({admin.id}{seat})")
    if len(admins) > len(listed):
        output.message(f"  and {len(admins) - len(listed)} more")
    return _ask(output, "Number", "1", partial(_find_admin, listed))


def _find_admin(listed: Sequence[Admin], answer: str) -> Sender | WrongAnswer:
    """Returns the admin whose number, name or id an answer is."""
    for number, admin in enumerate(listed, 1):
        if answer.casefold() in {str(number), admin.id, admin.name.casefold()}:
            return Sender("id", admin.id)
    return WrongAnswer(f"{quote(answer)} is not a number from 1 to {len(listed)}, nor the name of one of these.")
