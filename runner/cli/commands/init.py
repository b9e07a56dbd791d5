"""The command init: writes the files of a new project, or the CI workflow of an existing one."""

import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from shlex import join, quote

import click

from runner.cli import scaffold
from runner.cli.ci_packages import HashesUnknown, find_requirement, pin_requirements
from runner.cli.commit_steps import commit_workflow
from runner.cli.init_ledger import configure_branch_ledger, create_begin_step, find_remote_name
from runner.cli.options import EXIT, command, current_options
from runner.cli.output import Output, current_output
from runner.clock import new_run_id
from runner.current_work import CURRENT_WORK
from runner.declare import schema
from runner.declare.message_files import list_message_files
from runner.declare.project_root import SETTINGS_FILE
from runner.declare.settings import DEFAULT_ENVIRONMENT, environment_names, load_chosen_settings
from runner.declare.tree import Tree
from runner.errors import UsageMistake
from runner.git.repository import Repository, find_repository
from runner.ledger.record import Header, salt_check
from runner.managed_path import managed_path
from runner.report.next_steps import NextStep, format_next_steps
from runner.shown_command import show_default_environment, shown_command, shown_git


@command("init")
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--github", is_flag=True, help="Also write a workflow for GitHub Actions.")
@click.option("--gitlab", is_flag=True, help="Also write a pipeline for GitLab.")
@click.option(
    "--from",
    "source",
    metavar="PACKAGE",
    help="What the CI jobs install, e.g. git+https://HOST/PATH@COMMIT; by default the msgrun that runs now.",
)
def init(folder: Path | None, *, github: bool, gitlab: bool, source: str | None) -> int:
    """Begin a project, or add a CI workflow to one.

    Writes msgrun.yaml, an empty ledger and, if there is no message, an example. On a terminal it asks who sends, and
    with a token in INTERCOM_ACCESS_TOKEN it lists your admins. It changes no file that exists, and only adds lines to
    .gitattributes and .gitignore.

    With --github or --gitlab it also writes the workflow. Without a ledger so far, the project then gets one on a
    branch of the git remote. -e NAME writes the workflow of an environment.
    """
    options, output = current_options(), current_output()
    if options.supervisor:
        options.supervisor.raise_failure()
    root = (options.directory or Path()) / (folder or Path())
    systems = [name for name, is_wanted in (("github", github), ("gitlab", gitlab)) if is_wanted]
    try:
        package = _find_package(source, folder, systems)  # before anything is written
        if systems and (root / SETTINGS_FILE).exists():
            _add_ci(root, systems, package, output, options.environment)
            return EXIT.done
        _refuse_environment(options.environment, root)
        missing_lines = {path: scaffold.find_missing_lines(Tree(root), path) for path in scaffold.REQUIRED_LINES}
        answers = scaffold.Answers()
        if output.is_interactive and not (root / SETTINGS_FILE).exists():
            from runner.cli.init_questions import ask  # noqa: PLC0415  # requests takes 130 ms

            answers = ask(output)
            if not systems:
                systems, package = _ask_system(source, folder, output)
        remote = find_remote_name(root) if systems else ""
        for path, text in _project_files(root, remote, answers).items():
            scaffold.write_new_file(root, path, text, output)
        for path, lines in missing_lines.items():
            output.result(f"{scaffold.extend_file(managed_path(root, path), lines):<8} {path}")
        steps = [*_next_steps(remote, _add_workflows(root, systems, package, output), systems, folder, root)]
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageMistake(f"{error.filename} cannot be written: {error.strerror}") from error
    if not output.quiet:
        output.error(format_next_steps(steps, output.width))
    return EXIT.done


def _find_package(source: str | None, folder: Path | None, systems: list[str]) -> str:
    """Returns what the jobs of CI install; empty without any."""
    words = [*([str(folder)] if folder else []), *(f"--{name}" for name in systems)]
    return find_requirement(source, shown_command("init", *words)) if systems else ""


def _ask_system(source: str | None, folder: Path | None, output: Output) -> tuple[list[str], str]:
    """Asks where apply will run. Returns the CI systems, and what their jobs install.

    Where that is not known, it says so and asks again, so that no answer is lost.
    """
    from runner.cli.init_questions import ask_system  # noqa: PLC0415  # as above

    while True:
        systems = ask_system(output)
        try:
            return systems, _find_package(source, folder, systems)
        except UsageMistake as error:
            output.failure(error)


def _add_ci(root: Path, systems: list[str], package: str, output: Output, environment: str | None) -> None:
    """Adds the workflows of CI to a project, and moves the address of its ledger to a branch if it has none yet."""
    steps = [
        *_add_workflows(root, systems, package, output, environment),
        *configure_branch_ledger(root, output, environment),
    ]
    steps += commit_workflow(root, [path for system in systems for path in scaffold.CI_PATHS[system]])
    if steps and not output.quiet:
        output.error(format_next_steps(steps, output.width))


def _refuse_environment(environment: str | None, root: Path) -> None:
    """Raises UsageMistake if an environment is named and no workflow of it is asked for, or none can be made yet."""
    if environment:
        what = "init -e adds the workflow of an environment, and needs --github or --gitlab in a project with"
        begin = f"begin the project first: {shown_command('init', environment='')}"
        is_project = (root / SETTINGS_FILE).exists()
        raise UsageMistake(f"{what} {SETTINGS_FILE}", shown_command("init", "--github") if is_project else begin)


def _next_steps(
    remote: str, workflow_steps: Iterable[NextStep], systems: Sequence[str], folder: Path | None, root: Path
) -> Iterator[NextStep]:
    """Yields what to do in a new project, whose ledger is a branch of `remote`, or a lockfile if that is empty."""
    if folder and folder.resolve() != Path.cwd().resolve():
        yield NextStep("Go into the project", (f"cd {quote(str(folder))}",))
    yield from workflow_steps  # before the push, which starts the first jobs
    repository = find_repository(root.resolve())
    top = repository.toplevel if repository else root.resolve()
    outside = [] if top == root.resolve() else [top / path for system in systems for path in scaffold.CI_PATHS[system]]
    paths = [os.path.relpath(path, root.resolve()) for path in outside]
    git = (lambda *words: join(["git", *words])) if folder else shown_git  # after the step that goes into the folder
    commit = f"{'' if repository else git('init') + ' && '}{git('add', '.', *paths)} && {git('commit', '-m', 'Begin')}"
    if remote:
        # Before the ledger: a host makes the first branch that is pushed the default branch.
        add_remote = "" if repository and repository.main_remote else f"{git('remote', 'add', remote, 'URL')} && "
        push = f"{add_remote}{git('push', '-u', remote, 'HEAD')}"
        yield NextStep("Put it under version control, and push it", (commit, push))
        yield create_begin_step(remote)
    elif repository is None or not repository.try_git("ls-files", "--", f":(literal){root.resolve() / SETTINGS_FILE}"):
        yield NextStep("Put it under version control", (commit,))
    example = root / scaffold.EXAMPLE
    has_example = example.exists() and example.read_text("utf-8") == scaffold.example_files()[scaffold.EXAMPLE]
    write = f"Edit the example, {scaffold.EXAMPLE}, or write a message" if has_example else "Write a message"
    yield NextStep(write, (shown_command("new", "NAME"),))
    see = "Delete the line not_before of a message that is ready, and see what would be sent, and to whom"
    yield NextStep(see, (shown_command("plan"),))
    yield NextStep("Try it on this machine, without a token", (shown_command("apply", sandbox=True),))


def _project_files(root: Path, remote: str, answers: scaffold.Answers) -> dict[str, str]:
    """Returns the files of a new project. Its ledger is a branch of `remote`, or a lockfile if that is empty."""
    salt, ledger_id = secrets.token_hex(16), new_run_id()
    lock_line = scaffold.BRANCH_LOCK_LINE.format(remote=remote) if remote else scaffold.LEDGER_LINE.format(id=ledger_id)
    files = {
        **scaffold.project_files(salt, lock_line, answers),
        **({} if list_message_files(root).declarations else scaffold.example_files()),
        **{
            f"schema/{kind}.schema.json": schema.schema_path(kind).read_text(encoding="utf-8")
            for kind in schema.SCHEMA_NAMES[:2]
        },
    }
    if remote or (root / "msgrun.yaml").exists():
        # The salt of existing settings is not known here, and the lockfile's header needs it: lock begin writes it.
        files.pop("messages.lock")
    else:
        files["messages.lock"] = Header("", salt_check(salt), ledger_id).to_line().decode()
    return files


def _add_workflows(
    root: Path, systems: list[str], package: str, output: Output, environment: str | None = None
) -> Iterator[NextStep]:
    """Writes workflows to the top of the project's repository, where CI systems look for them. Yields what to do next.

    Raises UsageMistake if msgrun.yaml does not declare the environment.
    """
    if not systems:
        return
    with CURRENT_WORK.on_file(SETTINGS_FILE):
        settings = load_chosen_settings(Tree(root), environment)
    show_default_environment(settings.default_environment)
    environment = settings.environment_name
    others = [name for name in environment_names(Tree(root)) if name != environment]
    repository = find_repository(root.resolve())
    top = repository.toplevel if repository else root.resolve()
    branch = _default_branch(repository)
    for system in systems:
        path = scaffold.workflow_path(system, environment)
        directory = root.resolve().relative_to(top).as_posix()
        file = managed_path(top, path)
        if scaffold.write_new_file(top, path, scaffold.workflow(system, branch, directory, package, settings), output):
            output.note(f"Its jobs install {package}, and apply what is merged into {branch}.")
        _add_requirements(top, system, package, output)
        if package.encode() not in file.read_bytes():
            output.note(f"{path} does not install {package}. To renew it, remove both files and run this again.")
        pipelines = [scaffold.workflow_path(system, name) for name in (environment, *others)]
        yield from scaffold.workflow_next_steps(system, [one for one in pipelines if managed_path(top, one).exists()])
        for name in others:
            if not managed_path(top, scaffold.workflow_path(system, name)).exists():
                own = shown_command("init", f"--{system}", environment=name or "")
                yield NextStep(f"Write a workflow of its own for the environment {name or DEFAULT_ENVIRONMENT}", (own,))


def _default_branch(repository: Repository | None) -> str:
    """Returns the branch that is applied: the remote's default branch, else main if it exists, else the current one."""
    if repository is None:
        return "main"
    if head := repository.try_git("symbolic-ref", "--short", "refs/remotes/origin/HEAD"):
        return head.partition("/")[2]
    has_main = repository.try_git("for-each-ref", "refs/heads/main", "refs/remotes/origin/main")
    return "main" if has_main else repository.try_git("symbolic-ref", "--short", "HEAD") or "main"


def _add_requirements(top: Path, system: str, package: str, output: Output) -> None:
    """Writes the packages that the jobs install with their hashes, unless the file exists.

    Without the file every job fails, so the workflow never installs anything else.
    """
    path = f"{scaffold.CI_FOLDERS[system]}/msgrun-requirements.txt"
    if managed_path(top, path).exists():
        output.result(f"kept     {path}")
        return
    try:
        with output.waiting("Asking the package index for the hashes …"):
            text = pin_requirements(package, system)
    except HashesUnknown as error:
        output.note(f"{path} is not written, and the jobs fail without it: {error.message}")
        again = shown_command("init", f"--{system}", "--from", package)
        output.note(f"  Where pip reaches the package index, run this again: {again}")
    else:
        scaffold.write_new_file(top, path, text, output)
