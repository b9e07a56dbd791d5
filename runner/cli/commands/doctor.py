"""The command doctor: looks whether everything is in place, and changes nothing."""

import contextlib

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
from runner.cli.options import EXIT, GlobalOptions, command, current_options, format_option
from runner.cli.output import current_output
from runner.declare.project_root import NoProject
from runner.errors import ProblemsFound
from runner.report.checkup_text import Check, format_checkup, format_checkup_json
from runner.shown_command import shown_command

_SKIPPED = ("sending", "schemas", "git", "ledger", "ledger write", "reconcile")  # what is only looked at in a project


@command("doctor")
@format_option("text", "json")
def doctor() -> int:
    """Check that everything is in place, and say how to fix what is not.

    It looks at the installation, the project, git, the ledger, the token and the workspace. It only reads, and also
    works outside of a project and without a token. Exits with 5 if a check failed.
    """
    options = current_options()
    if options.supervisor:
        options.supervisor.raise_failure()
    with contextlib.ExitStack() as stack:
        try:
            context = stack.enter_context(open_context())
        except NoProject as error:
            output, title = current_output(), "no project"
            checks = _check_without_project(
                Check("project", "warn", str(error.message), shown_command("init")), options
            )
        except ProblemsFound as error:
            output, title = current_output(), "settings that cannot be read"
            first = next(problem for problem in error.problems if problem.is_error)
            detail = f"msgrun.yaml cannot be read: {first.place} {first.code}"
            failure = Check("project", "fail", detail, shown_command("validate"))
            checks = _check_without_project(failure, options, reads_intercom=False)
        else:
            output, title = context.output, _title(context)
            checks = _check_all(context)
    if output.output_format == "json":
        output.document(format_checkup_json(checks))
    else:
        output.result(format_checkup(title, checks, output.width))
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
        *check_workspace(context, senders, ledger_workspace, is_sandbox=context.options.sandbox),
        check_reconcile(context, project),
    ]


def _check_without_project(project: Check, options: GlobalOptions, *, reads_intercom: bool = True) -> list[Check]:
    from runner.cli.checkup.workspace import check_workspace, skip_workspace  # noqa: PLC0415  # as above

    workspace = (
        check_workspace(None, (), "", is_sandbox=options.sandbox)
        if reads_intercom
        else skip_workspace("msgrun.yaml cannot be read, so the region is not known")
    )
    skipped = [Check(name, "skip", "only in a project that can be read") for name in _SKIPPED]
    return [*check_installation(None, None), project, *skipped, *workspace]
