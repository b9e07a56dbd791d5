"""The command schema: prints a JSON Schema."""

import sys

import click

from runner.cli.options import EXIT, command
from runner.declare import rules


@command("schema")
# Versions of click disagree on how to show that the kind is optional.
@click.argument("kind", type=click.Choice(rules.KINDS), default="message", metavar=f"[{'|'.join(rules.KINDS)}]")
def schema(kind: str) -> int:
    """Print a JSON Schema.

    Of a message (a declaration), of the project's msgrun.yaml, or of a rendered payload.
    """
    sys.stdout.write(rules.schema_path(kind).read_text(encoding="utf-8"))
    return EXIT.done
