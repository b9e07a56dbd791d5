"""What init asks on a terminal. With an access token it lists the admins, so that no id has to be looked up."""

from collections.abc import Sequence
from functools import partial

import click

from runner.characters import show_on_one_line
from runner.cli.connection import has_token, open_workspace
from runner.cli.output import Output
from runner.cli.scaffold import EXAMPLE_SENDER, Answers
from runner.declare import schema
from runner.declare.sender import Sender, parse_sender
from runner.errors import MsgrunError
from runner.intercom.admins import Admin
from runner.shown_command import shown_command

_SYSTEMS = {"1": (), "2": ("github",), "3": ("gitlab",)}
_MAX_LISTED = 30  # admins


def ask(output: Output) -> Answers:
    """Asks for the region and for who sends. If Intercom lists no admins, the user types the id, or adds it later."""
    region = click.prompt(
        "Region of your Intercom workspace", type=click.Choice(["us", "eu", "au"]), default="us", err=True
    )
    workspace, admins = _read_workspace(region, output) if has_token() else ("", ())
    if admins:
        return Answers(region, workspace, _choose(workspace, admins))
    output.message(
        "Who sends? In Intercom that is an admin: a member of your team. With INTERCOM_ACCESS_TOKEN set, init "
        f"lists them, and so does {shown_command('admins')}."
    )
    output.message(f"Enter takes {EXAMPLE_SENDER}, an admin of the sandbox. You can change it in msgrun.yaml later.")
    sender = click.prompt(
        "Email address of the admin, or the id",
        value_proc=_read_sender,
        default=EXAMPLE_SENDER,
        show_default=False,
        err=True,
    )
    return Answers(region, workspace, sender)


def _read_sender(text: str) -> Sender:
    """Returns the sender that an answer names. Raises click.UsageError, after which the question is asked again."""
    kind = "email" if "@" in text else "id"
    if schema.validator("project").is_valid({"from": {"type": "admin", kind: text.strip()}}):
        return parse_sender({kind: text.strip()})
    raise click.UsageError(f"'{text}' is not an id (digits) or an email address")


def ask_system() -> list[str]:
    """Asks where messages will be sent from. Returns the CI systems whose workflow is written."""
    for line in (
        "Where will apply run?",
        "  1  on a machine like this",
        "  2  in GitHub Actions",
        "  3  in GitLab CI",
    ):
        click.echo(line, err=True)
    return list(
        _SYSTEMS[click.prompt("Number", type=click.Choice([*_SYSTEMS]), default="1", show_choices=False, err=True)]
    )


def _read_workspace(region: str, output: Output) -> tuple[str, Sequence[Admin]]:
    """Returns the workspace of the token, and its admins; empty if they cannot be read."""
    try:
        workspace = open_workspace(region, output)
        return workspace.identity().id_code, workspace.admins() or ()
    except MsgrunError as error:
        output.failure(error)
        return "", ()


def _choose(workspace: str, admins: Sequence[Admin]) -> Sender:
    click.echo(f"Workspace {workspace}. Who sends?", err=True)
    listed = admins[:_MAX_LISTED]
    for number, admin in enumerate(listed, 1):
        seat = ", no inbox seat" if admin.has_seat is False else ""
        click.echo(f"  {number:>2}  {show_on_one_line(admin.name)}  ({admin.id}{seat})", err=True)
    if len(admins) > len(listed):
        click.echo(f"  and {len(admins) - len(listed)} more", err=True)
    return click.prompt("Number", value_proc=partial(_find_admin, listed), default="1", err=True)


def _find_admin(listed: Sequence[Admin], text: str) -> Sender:
    """Returns the admin whose number, name or id an answer is. Raises click.UsageError: the question is asked again."""
    answer = text.strip().casefold()
    for number, admin in enumerate(listed, 1):
        if answer in {str(number), admin.id, admin.name.casefold()}:
            return Sender("id", admin.id)
    raise click.UsageError(f"'{text}' is not a number from 1 to {len(listed)}, nor the name of one of these")
