"""The command init: a new project, or the CI workflow of one."""

import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from runner.cli import init_ledger, scaffold
from runner.cli.options import EXIT, GlobalOptions, command
from runner.cli.output import Output, remember_options
from runner.declare import schema
from runner.errors import UsageMistake
from runner.git.repository import find_repository
from runner.ledger.record import Header, salt_check
from runner.managed_path import managed_path

_SOON = timedelta(days=90)


@command("init")
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--github", is_flag=True, help="Also a workflow for GitHub.")
@click.option("--gitlab", is_flag=True, help="Also a pipeline for GitLab.")
def init(folder: Path | None, *, github: bool, gitlab: bool) -> int:
    """Scaffold a project.

    Settings with a salt, an example message, an empty lockfile. Changes no file that exists, but for two lines
    that .gitattributes and .gitignore need.

    With --github or --gitlab the ledger is on a branch of the git remote. Where there is a project, they write their
    workflow, and that ledger into msgrun.yaml, unless another one is named or has records.
    """
    options = click.get_current_context().ensure_object(GlobalOptions)
    remember_options(options)
    screen = Output.from_options(options, os.environ)
    root = (options.directory or Path()) / (folder or Path())
    systems = [name for name, wanted in (("github", github), ("gitlab", gitlab)) if wanted]
    try:
        if systems and (root / "msgrun.yaml").exists():
            _add_workflows(root, systems, screen)
            init_ledger.configure_branch_ledger(root, screen)
            return EXIT.done
        remote = init_ledger.git_remote_name(root) if systems else ""
        for path, text in _files(root, remote).items():
            screen.result(f"{_write(managed_path(root, path), text):<8} {path}")
        for path, lines in scaffold.REQUIRED_LINES.items():
            screen.result(f"{_extend(managed_path(root, path), lines):<8} {path}")
        _add_workflows(root, systems, screen)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageMistake(f"{error.filename} cannot be written: {error.strerror}") from error
    screen.note(scaffold.NEXT_STEPS_ON_BRANCH.format(remote=remote) if remote else scaffold.NEXT_STEPS)
    return EXIT.done


def _files(root: Path, remote: str) -> dict[str, str]:
    """The files of a new project, whose ledger is on a branch of the remote, or in a lockfile if none is named."""
    salt = secrets.token_hex(16)
    files = {
        **scaffold.project_files(
            salt, datetime.now(UTC).date() + _SOON, scaffold.BRANCH_LOCK_LINE.format(remote=remote) if remote else ""
        ),
        **{
            f"schema/{kind}.schema.json": schema.schema_path(kind).read_text(encoding="utf-8")
            for kind in schema.SCHEMA_NAMES[:2]
        },
    }
    if remote or (root / "msgrun.yaml").exists():
        files.pop("messages.lock")  # where there are settings, their salt is not known here; lock begin starts one
    else:
        files["messages.lock"] = Header("", salt_check(salt)).to_line().decode()
    return files


def _add_workflows(root: Path, systems: list[str], screen: Output) -> None:
    """Writes workflows to the top of the repository around the project, which is where CI systems look for them."""
    if not systems:
        return

    repository = find_repository(root.resolve())
    top = repository.toplevel if repository else root.resolve()
    head = repository.try_git("symbolic-ref", "--short", "refs/remotes/origin/HEAD") if repository else None
    branch = head.partition("/")[2] if head else "main"
    for system in systems:
        path, then = scaffold.WORKFLOWS[system]
        text = scaffold.workflow(system, branch, root.resolve().relative_to(top).as_posix())
        screen.result(f"{_write(managed_path(top, path), text):<8} {path}")
        screen.note(f"  for the branch {branch}; {then}")


def _write(path: Path, text: str) -> str:
    if path.exists():
        return "kept"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return "wrote"


def _extend(path: Path, lines: tuple[str, ...]) -> str:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    missing = [line for line in lines if line not in text.splitlines()]
    if not missing:
        return "kept"
    gap = "" if not text or text.endswith("\n") else "\n"
    path.write_text(text + gap + "".join(f"{line}\n" for line in missing), encoding="utf-8", newline="\n")
    return "extended" if text else "wrote"
