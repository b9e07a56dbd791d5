"""The command completion: prints a script that completes msgrun's commands in a shell."""

import click
from click.shell_completion import get_completion_class

from runner.cli.options import EXIT, command
from runner.completion import VARIABLE


@command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print the completion script of a shell.

    zsh takes the line of bash, with zsh in place of bash, in ~/.zshrc below compinit.
    """
    completion_class = get_completion_class(shell)
    root = click.get_current_context().find_root().command
    assert completion_class is not None  # click has all of the shells above
    click.echo(completion_class(root, {}, "msgrun", VARIABLE).source())
    return EXIT.done
