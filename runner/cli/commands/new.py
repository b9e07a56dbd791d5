"""The command new: writes a message to begin with."""

import re

import click

from runner.cli import scaffold
from runner.cli.options import EXIT, command, current_options
from runner.cli.output import current_output
from runner.declare import schema
from runner.declare.message_files import find_names
from runner.declare.project_root import find_root
from runner.declare.tree import Tree
from runner.errors import UsageMistake
from runner.managed_path import managed_path
from runner.report.next_steps import NextStep, format_next_steps
from runner.shown_command import shown_command


@command("new")
@click.argument("new_name", metavar="NAME")  # completion suggests no name of a message here
@click.option("--in-app", is_flag=True, help="An in-app message instead of an email.")
@click.option("--audience", is_flag=True, help="To the rows of a new CSV file, audiences/NAME.csv.")
def new(new_name: str, *, in_app: bool, audience: bool) -> int:
    """Write a message to begin with.

    It goes to messages/NAME.yaml, and is a draft: no plan sends it before its line not_before: is removed.
    """
    output, name = current_output(), new_name
    pattern = schema.load_schema("message")["properties"]["name"]["pattern"]
    if not re.search(pattern, name) or "//" in name or name.endswith("/") or ".." in name:
        hint = "letters, digits, dots, dashes and underscores, in folders if you like: spring/news"
        raise UsageMistake(f"{name} cannot be the name of a message", hint)
    root = find_root(current_options().start_folder)
    if path := find_names(Tree(root)).get(name):
        raise UsageMistake(f"{name} is the name of the message in {path}", "choose another name, or edit that file")
    files = scaffold.new_message(name, in_app=in_app, has_audience=audience)
    for path in files:
        if managed_path(root, path).exists():
            raise UsageMistake(f"{path} exists already", "choose another name, or edit that file")
    for path, text in files.items():
        scaffold.write_new_file(root, path, text, output)
    if not output.quiet:
        steps = (
            NextStep(f"Edit messages/{name}.yaml, and delete its line not_before when it is ready", ()),
            NextStep("See what would be sent, and to whom", (shown_command("plan"),)),
        )
        output.error(format_next_steps(steps, output.width))
    return EXIT.done
