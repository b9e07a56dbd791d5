"""The files of a new project, and the workflows that plan and apply it in CI."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.cli.output import Output
from runner.declare.sender import Sender
from runner.declare.settings import Settings
from runner.declare.tree import Tree
from runner.errors import UsageMistake
from runner.managed_path import managed_path
from runner.report.next_steps import NextStep

REQUIRED_LINES = {
    ".gitattributes": ("messages.lock -text merge=union", "messages.*.lock -text merge=union"),
    ".gitignore": (".msgrun/",),
}
_MAX_LINES_FILE = 1 << 20  # bytes of a file with lines of git's

# For machines whose files are lost after a job, as those of CI systems.
BRANCH_LOCK_LINE = "lock: git+{remote}   # the ledger is the branch msgrun-ledger of this git remote\n"
LEDGER_LINE = "ledger: {id}   # the id of the ledger: no other one is used\n"
DRAFT_LINES = """\
not_before: 2099-01-01   # a draft: delete this line when the message is ready
expires: 2100-01-01   # choose it: from this day on nothing is sent, not even by an old job
"""
_SENDER_LINE = "from: {{type: admin, {kind}: {value}}}   # who sends: an admin's id, email or name\n"
_FINDABLE_LINE = "create_conversation_without_contact_reply: true   # so that reconcile can find it\n"


EXAMPLE_SENDER = "394051"  # an admin of the sandbox, and of the API reference's examples
EXAMPLE = "messages/welcome.yaml"
_EXAMPLE_ADMIN = Sender("id", EXAMPLE_SENDER)


@dataclass(frozen=True, slots=True)
class Answers:
    """What init asks on a terminal, with the answers of a project that is made without a question."""

    region: str = ""
    workspace: str = ""
    sender: Sender = _EXAMPLE_ADMIN


def project_files(salt: str, lock: str, answers: Answers) -> dict[str, str]:
    """Returns the texts of a new project's files by path.

    `lock` is the line of msgrun.yaml that names the ledger. The salt keeps a reader of keys and digests from guessing
    recipients' addresses. It must never change.
    """
    return {"msgrun.yaml": _settings_text(salt, lock, answers), "messages.lock": ""}


def example_files() -> dict[str, str]:
    """Returns the texts of the example message's files by path, the declaration last: with it, there is a message."""
    return {
        "messages/welcome.html.j2": """\
<p>Hi {{ first_name }},</p>
<p>good to have you{% if plan %} on the {{ plan }} plan{% endif %}.
Reply to this email whenever {{ product }} puzzles you.</p>
{% include "partials/footer.html.j2" %}
""",
        "messages/partials/footer.html.j2": """\
<p>The {{ product }} team</p>
""",
        "audiences/welcome.csv": """\
email,first_name,plan
ann@example.com,Ann,pro
bo@example.com,Bo,
""",
        EXAMPLE: f"""\
# yaml-language-server: $schema=../schema/message.schema.json
name: welcome   # never changes once it was sent: the ledger remembers it
message_type: email
subject: "Welcome to {{{{ product }}}}, {{{{ first_name }}}}"
body_file: welcome.html.j2
template: personal
to: {{csv: ../audiences/welcome.csv, type: user, email: "{{{{ email }}}}"}}
{DRAFT_LINES}{_FINDABLE_LINE}""",
    }


def write_new_file(root: Path, path: str, text: str, output: Output) -> bool:
    """Writes a file below the root unless it exists, prints which of the two, and returns whether it wrote it.

    Raises OSError, GuardRefused.
    """
    file = managed_path(root, path)
    is_there = file.exists()
    if not is_there:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    output.result(f"{'kept' if is_there else 'wrote':<8} {path}")
    return not is_there


def extend_file(path: Path, missing: Sequence[str]) -> str:
    """Appends the lines that a file lacks. Returns what was done: kept, extended, or wrote."""
    if not missing:
        return "kept"
    with path.open("a+b") as file:
        size = file.tell()
        file.seek(max(0, size - 1))
        separator = "" if file.read() in {b"", b"\n"} else "\n"
        file.write((separator + "".join(f"{line}\n" for line in missing)).encode())
    return "extended" if size else "wrote"


def find_missing_lines(tree: Tree, path: str) -> list[str]:
    """Returns the lines that a file of REQUIRED_LINES lacks. Raises UsageMistake if it is too large."""
    data = tree.peek(path, _MAX_LINES_FILE + 1)
    if len(data) > _MAX_LINES_FILE:
        raise UsageMistake(f"{path} is larger than {_MAX_LINES_FILE >> 20} MiB", f"remove what {path} does not need")
    lines = set(data.decode(errors="replace").splitlines())
    return [line for line in REQUIRED_LINES[path] if line not in lines]


def _settings_text(salt: str, lock: str, answers: Answers) -> str:
    workspace = (
        f"workspace: {answers.workspace}   # the app's id_code: no other workspace is sent to\n"
        if answers.workspace
        else "# workspace: ab12cd34   # the app's id_code; else the first apply finds it out\n"
    )
    region = (
        f"region: {answers.region}\n" if answers.region else "# region: eu            # us, eu or au; without it us\n"
    )
    return f"""\
# yaml-language-server: $schema=schema/project.schema.json
# An editor that reads this schema explains every key; so does docs/declarations.md of msgrun.

{workspace}{region}salt: "{salt}"   # never change it
{lock}{_SENDER_LINE.format(kind=answers.sender.kind, value=_quote(answers.sender.value))}vars:
  product: Ponies
"""


def new_message(name: str, *, in_app: bool, has_audience: bool) -> dict[str, str]:
    """Returns the texts of a new message's files by path. It is a draft, which no plan sends before it is edited."""
    up = "../" * (name.count("/") + 1)
    fields = (
        'message_type: inapp\nbody: "Hi {{ first_name }}, text goes here"\n'
        if in_app
        else "message_type: email\n"
        'subject: "Hello {{ first_name }}"\n'
        "body: |\n  <p>Hi {{ first_name }},</p>\n  <p>Text goes here.</p>\n"
        "template: personal   # as a colleague writes; plain has no picture and no signature\n"
    )
    recipients = (
        f'to: {{csv: {up}audiences/{name}.csv, type: user, email: "{{{{ email }}}}"}}   # a row each\n'
        if has_audience
        else "to:\n  - {type: user, email: ann@example.com, vars: {first_name: Ann}}\n"
    )
    files = {
        f"messages/{name}.yaml": f"# yaml-language-server: $schema={up}schema/message.schema.json\n"
        f"name: {name}\n{fields}{recipients}{DRAFT_LINES}{_FINDABLE_LINE}"
    }
    if has_audience:
        files[f"audiences/{name}.csv"] = "email,first_name\nann@example.com,Ann\n"
    return files


# The folder of each CI system's files, from the repository's top.
CI_FOLDERS = {"github": ".github", "gitlab": ".gitlab"}
CI_PATHS = {"github": (".github",), "gitlab": (".gitlab", ".gitlab-ci.yml")}  # what is committed

_UNNAMED = Settings()


def workflow_path(system: str, environment: str | None) -> str:
    """Returns the path of a workflow, from the repository's top. Each environment has its own."""
    name = f"msgrun.{environment}.yml" if environment else "msgrun.yml"
    return f"{CI_FOLDERS[system]}/{'workflows/' if system == 'github' else ''}{name}"


def workflow_next_steps(system: str, paths: Sequence[str]) -> Iterator[NextStep]:
    """Yields what the user has to do once a workflow is written: the first of `paths`, which has those of a system."""
    place = "repository on GitHub" if system == "github" else "project on GitLab"
    if system == "gitlab":
        lines = ("include:", *(f"  - local: {path}" for path in paths))
        yield NextStep("Include the pipeline in .gitlab-ci.yml", lines)
    yield NextStep(f"Set up the {place}, once, as the first lines of {paths[0]} say", ())


def workflow(system: str, branch: str, directory: str, package: str, settings: Settings = _UNNAMED) -> str:
    """Returns the workflow for a project in a directory of the repository (`.` is its top) with this default branch.

    `package` is what pip installs in its jobs. They plan and apply the environment of `settings`.

    Raises UsageMistake if a name contains `${{`: GitHub would read it as an expression, and has no way to escape it.
    """
    for name in (branch, directory):
        if "${{" in name:
            hint = "GitHub takes ${{ for an expression: rename it"
            raise UsageMistake(f"{name} cannot be written into a workflow", hint)
    text = (Path(__file__).parent / "workflows" / f"{system}.yml").read_text(encoding="utf-8")
    if settings.token_env:
        text = text.replace("INTERCOM_ACCESS_TOKEN", settings.token_env)
    ref = "refs/heads/" + branch.replace("'", "''")
    environment, option = settings.environment_name, ""
    if environment or settings.default_environment:
        option = f" -e {settings.environment}"
    values = {
        '"__PACKAGE__"': _quote(package),
        "__MSGRUN__": f"msgrun{option}",
        "__SUFFIX__": f"-{environment}" if environment else "",
        "__BRANCH__": branch,
        # Source: GitHub's documentation of workflow syntax, "Filter pattern cheat sheet".
        '"__FILTER__"': _quote(re.sub(r"([*?+!\[\\])", r"\\\1", branch)),
        '"__IF__"': _quote(f"github.event_name != 'pull_request' && github.ref == '{ref}'"),
        # GitLab expands variables in the values of variables; $$ stands for one dollar sign.
        '"__DIRECTORY__"': _quote(directory.replace("$", "$$") if system == "gitlab" else directory),
    }
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


def _quote(value: str) -> str:
    """Returns a text in double quotes for YAML. JSON escapes it in the same way."""
    return json.dumps(value, ensure_ascii=False)
