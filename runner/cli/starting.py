"""Commands for the first minutes: init, and completion for the shell."""

import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from runner.cli import scaffold
from runner.cli.options import EXIT, Globals, command
from runner.cli.screen import Screen, remember
from runner.declare import rules
from runner.errors import UsageMistake
from runner.ledger.record import Header, salt_check

_SOON = timedelta(days=90)


@command("init")
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--github", is_flag=True, help="Also a workflow for GitHub.")
@click.option("--gitlab", is_flag=True, help="Also a pipeline for GitLab.")
def init(folder: Path | None, *, github: bool, gitlab: bool) -> int:
    """Scaffold a project.

    Settings with a salt, an example message, an empty lockfile. Changes no file that exists, but for two lines
    that .gitattributes and .gitignore need. Where there is a project, --github and --gitlab write theirs alone.
    """
    options = click.get_current_context().ensure_object(Globals)
    remember(options)
    screen = Screen.of(options, os.environ)
    root = (options.directory or Path()) / (folder or Path())
    systems = [name for name, wanted in (("github", github), ("gitlab", gitlab)) if wanted]
    if systems and (root / "msgrun.yaml").exists():
        _add_workflows(root, systems, screen)
        return EXIT.done
    salt = secrets.token_hex(16)
    files = {
        **scaffold.files(salt, datetime.now(UTC).date() + _SOON),
        **{
            f"schema/{kind}.schema.json": rules.schema_path(kind).read_text(encoding="utf-8")
            for kind in rules.KINDS[:2]
        },
    }
    kept_settings = (root / "msgrun.yaml").exists()
    if kept_settings:
        files.pop("messages.lock")  # its salt is not known here; apply --new-lock starts one
    else:
        files["messages.lock"] = Header("", salt_check(salt)).line().decode()
    try:
        for path, text in files.items():
            screen.result(f"{_write(root / path, text):<8} {path}")
        for path, lines in scaffold.LINES.items():
            screen.result(f"{_extend(root / path, lines):<8} {path}")
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageMistake(f"{error.filename} cannot be written: {error.strerror}") from error
    _add_workflows(root, systems, screen)
    screen.note(scaffold.NEXT)
    return EXIT.done


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


def _add_workflows(root: Path, systems: list[str], screen: Screen) -> None:
    """Writes workflows to the top of the repository around the project, which is where CI systems look for them."""
    if not systems:
        return
    from runner.ledger import git  # noqa: PLC0415  # imported where used

    repository = git.repository(root.resolve())
    top = repository.top if repository else root.resolve()
    head = repository.attempted("symbolic-ref", "--short", "refs/remotes/origin/HEAD") if repository else None
    branch = head.partition("/")[2] if head else "main"
    for system in systems:
        path, then = scaffold.WORKFLOWS[system]
        text = scaffold.workflow(system, branch, root.resolve().relative_to(top).as_posix())
        try:
            screen.result(f"{_write(top / path, text):<8} {path}")
        except OSError as error:
            raise UsageMistake(f"{error.filename} cannot be written: {error.strerror}") from error
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
