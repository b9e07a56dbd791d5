"""The command completion: a script for the shell."""

import click

from runner.cli.options import EXIT, command
from runner.errors import UsageMistake


@command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print the completion script of a shell.

    For example: eval "$(msgrun completion bash)"
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415  # only here

    completing = get_completion_class(shell)
    root = click.get_current_context().find_root().command
    if completing is None:
        raise UsageMistake(f"no completion for {shell}")
    click.echo(completing(root, {}, "msgrun", "_MSGRUN_COMPLETE").source())
    return EXIT.done
