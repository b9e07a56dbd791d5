"""The files of a new project, and the workflows that plan and apply it in CI."""

import json
import re
from datetime import date
from pathlib import Path

from runner import __version__
from runner.errors import UsageMistake

REQUIRED_LINES = {
    ".gitattributes": ("messages.lock -text merge=union", "messages.*.lock -text merge=union"),
    ".gitignore": (".msgrun/",),
}

NEXT_STEPS = """
Next:
  msgrun plan                     what would be sent, and to whom
  msgrun --sandbox apply --yes    send it to an embedded Intercom; nothing leaves this machine
Then put your admin's id into msgrun.yaml, write messages, and commit all of it, messages.lock too."""

# For machines whose files are lost after a job, as those of CI systems.
BRANCH_LOCK_LINE = "lock: git+{remote}   # what was sent is remembered on a branch of this git remote, msgrun-ledger\n"
LEDGER_LINE = "ledger: {id}   # the id of the ledger, so that no other one is used by accident\n"
NEXT_STEPS_ON_BRANCH = """
Next:
  msgrun plan                     what would be sent, and to whom
  msgrun --sandbox apply --yes    send it to an embedded Intercom; nothing leaves this machine
  msgrun lock begin               start the ledger, once: pushes the branch msgrun-ledger to the git remote {remote}
Then put your admin's id into msgrun.yaml, write messages, and commit all of it."""


def project_files(salt: str, expires: date, lock: str) -> dict[str, str]:
    """Returns the texts of a new project's files by path.

    `expires` is the day on which the example message expires. `lock` is the line of msgrun.yaml that names the ledger.
    The salt keeps a reader of keys and digests from guessing recipients' addresses. It must never change.
    """
    return {
        "msgrun.yaml": f"""\
# yaml-language-server: $schema=schema/project.schema.json
# Every key is explained by: msgrun schema project

# workspace: ab12cd34   # the app's id_code; the first apply finds it out and writes it to the ledger
# region: eu            # us, eu or au
salt: "{salt}"   # keep it: with another one nothing that was sent is recognised
{lock}from: {{type: admin, id: "394051"}}   # who sends, unless a message says otherwise: an admin of your workspace
vars:
  product: Ponies
""",
        "messages/welcome.yaml": f"""\
# yaml-language-server: $schema=../schema/message.schema.json
name: welcome   # the message's identity: what was sent is remembered under it
message_type: email
subject: "Welcome to {{{{ product }}}}, {{{{ first_name }}}}"
body_file: welcome.html.j2
template: personal
to: {{csv: ../audiences/welcome.csv, type: user, email: "{{{{ email }}}}"}}
expires: {expires}   # after this date nothing is sent, even if an old job is run again
create_conversation_without_contact_reply: true   # makes the message findable, should an answer get lost
""",
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
        "messages.lock": "",
    }


# The path of each CI system's workflow, from the repository's top, and what the user has to do next.
WORKFLOWS = {
    "github": (".github/workflows/msgrun.yml", "its first lines say what to set up in the repository's settings, once"),
    "gitlab": (".gitlab/msgrun.yml", "include it in .gitlab-ci.yml, as `include: [local: .gitlab/msgrun.yml]`"),
}


def workflow(system: str, branch: str, directory: str) -> str:
    """Returns the workflow for a project in a directory of the repository (`.` is its top) with this default branch.

    Raises UsageMistake if a name contains `${{`: GitHub would read it as an expression, and has no way to escape it.
    """
    for name in (branch, directory):
        if "${{" in name:
            hint = "GitHub takes ${{ for an expression: rename it"
            raise UsageMistake(f"{name} cannot be written into a workflow", hint)
    text = (Path(__file__).parent / "workflows" / f"{system}.yml").read_text(encoding="utf-8")
    ref = "refs/heads/" + branch.replace("'", "''")
    values = {
        "__VERSION__": __version__,
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
