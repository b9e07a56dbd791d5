"""The command schema: prints a JSON Schema."""

import sys

import click

from runner.cli.options import EXIT, command
from runner.declare.schema import SCHEMA_NAMES, schema_path


@command("schema")
# Versions of click disagree on how to show that the kind is optional.
@click.argument("kind", type=click.Choice(SCHEMA_NAMES), default="message", metavar=f"[{'|'.join(SCHEMA_NAMES)}]")
def schema(kind: str) -> int:
    """Print a JSON Schema.

    It is that of a declaration (message, the default), of msgrun.yaml (project), or of a rendered payload.
    """
    sys.stdout.write(schema_path(kind).read_text(encoding="utf-8"))
    return EXIT.done
