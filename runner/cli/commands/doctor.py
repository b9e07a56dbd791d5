"""The command doctor: looks whether everything is in place, and changes nothing."""

from runner.cli.checkup.project import (
    check_git,
    check_installation,
    check_ledger,
    check_pauses,
    check_project,
    check_reconcile,
    check_schemas,
)
from runner.cli.context import Context, open_context
from runner.cli.options import EXIT, command, format_option
from runner.report.checkup_text import Check, format_checkup, format_checkup_json


@command("doctor")
@format_option("text", "json")
def doctor() -> int:
    """Check that everything is in place, and say how to fix what is not.

    It looks at the installation, the project, git, the ledger, the token and the workspace. It only reads, and also
    works without a token. Exits with 5 if a check failed.
    """
    with open_context() as context:
        output, checks = context.output, _check_all(context)
        if output.output_format == "json":
            output.document(format_checkup_json(checks))
        else:
            output.result(format_checkup(_title(context), checks, output.width))
        return EXIT.guard if any(check.verdict == "fail" for check in checks) else EXIT.done


def _title(context: Context) -> str:
    environment = [context.settings.environment] if context.options.environment else []
    return " · ".join([str(context.tree.root), *environment, *(["sandbox"] if context.options.sandbox else [])])


def _check_all(context: Context) -> list[Check]:
    from runner.cli.checkup.workspace import check_workspace  # noqa: PLC0415  # requests takes 130 ms, which --help saves

    project = context.load_project()
    reading, ledger_checks = check_ledger(context)
    ledger_workspace = context.header_of(reading.facts).workspace if reading else ""
    declared = [declaration.sender for declaration in project.declarations]
    senders = sorted({*declared, *([context.settings.sender] if context.settings.sender else [])}, key=str)
    return [
        *check_installation(context.settings, project),
        check_project(context, project),
        check_pauses(context),
        check_schemas(context.tree.root),
        check_git(context.tree.root),
        *ledger_checks,
        *check_workspace(context, senders, ledger_workspace),
        check_reconcile(context, project),
    ]
