"""The command admins: lists who may send."""

from runner.cli.context import open_context
from runner.cli.options import EXIT, command, format_option
from runner.errors import RunStopped
from runner.report.admins_text import format_admins as admins_text
from runner.report.admins_text import format_admins_json


@command("admins")
@format_option("text", "json")
def admins() -> int:
    """List the admins of the workspace: who may send.

    `from:` takes the id, the email address or the name of one. Intercom does not document whether an
    admin without an inbox seat may send.
    """
    from runner.cli.connection import connect  # noqa: PLC0415  # requests takes 130 ms, which --help saves

    with open_context() as context, connect(context) as connection:
        connection.verify_workspace()
        items = connection.workspace.admins()
        if items is None:
            hint = "give the app the permission to read admins: Developer Hub, your app, Authentication, Edit"
            raise RunStopped("the token may not list admins", hint)
        if context.output.output_format == "json":
            context.output.document(format_admins_json(items))
        else:
            context.output.result(admins_text(items, context.output.width))
        return EXIT.done
