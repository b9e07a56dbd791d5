"""The scripts of the jobs that `init --gitlab` writes, run in bash as GitLab's runner does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from runner.cli import scaffold
from tests.support.clones import Clone, git_output, message, tip
from tests.support.github_runner import _PYTHON
from tests.support.proof import one_of

EITHER = pytest.mark.parametrize("ledger", one_of("branch", "lockfile"), indirect=True)
PIPELINE = yaml.safe_load(scaffold.workflow("gitlab", "main", "."))
# GitLab's API for the notes of one merge request, as curl sees it: they are kept in the file that NOTES names.
_CURL = """\
#!{python}
import json, os, sys
from pathlib import Path
from tests.support.proof import one_of
args, file = sys.argv[1:], Path(os.environ["NOTES"])
notes, root = json.loads(file.read_text()), "https://gitlab.example/api/v4/projects/1/merge_requests/7/notes"
assert args[args.index("--header") + 1] == "PRIVATE-TOKEN: note-token"
(url,) = [found for found in args if found.startswith(root)]
if "--request" not in args:
    print(json.dumps(notes))
    sys.exit()
name, _, path = args[args.index("--data-urlencode") + 1].partition("@")
body = Path(path).read_text()
if args[args.index("--request") + 1] == "PUT":
    (note,) = [found for found in notes if url == f"{{root}}/{{found['id']}}"]
    note["body"] = body
else:
    notes.append({{"id": len(notes) + 10, "body": body}})
file.write_text(json.dumps(notes))
"""


@pytest.fixture
def run(tmp_path, job, author):
    """Runs a job of the pipeline in a checkout of a commit: gives its exit code, what it said, and its clone."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in {"python3": _PYTHON, "curl": _CURL}.items():
        (tools / name).write_text(text.format(python=sys.executable, log=tmp_path / "pip.log"))
        (tools / name).chmod(0o755)
    (tmp_path / "notes.json").write_text("[]")
    count = iter(range(100))

    def act(name: str, commit: str, clone: Clone | None = None, **variables: str):
        clone = clone or job(f"job-{next(count)}", commit, system="gitlab")
        declared = {**PIPELINE[".msgrun"], **PIPELINE[name]}
        bin_folder = tmp_path / "venv"
        known = {
            **declared["variables"], **PIPELINE[".msgrun"]["variables"], "CI_PROJECT_DIR": str(clone.path),
            "CI_API_V4_URL": "https://gitlab.example/api/v4", "CI_PROJECT_ID": "1", "CI_MERGE_REQUEST_IID": "7",
            "NOTES": str(tmp_path / "notes.json"), "INTERCOM_BASE_URL": author.intercom.url, **variables,
        }  # fmt: skip
        env = {**os.environ, **clone.env, **known, "PATH": f"{tools}:{os.environ['PATH']}"}
        code, said = 0, ""
        for lines in ([*declared["before_script"], *declared["script"]], declared.get("after_script", [])):
            script = "\n".join(["set -eo pipefail", *lines]).replace("/tmp/msgrun", str(bin_folder))
            done = subprocess.run(
                ["bash", "-c", script],
                cwd=clone.path,
                env=env,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            code, said = code or done.returncode, said + done.stdout + done.stderr
        print(said)
        return code, said, clone

    return act


def change(author: Clone, **files: str) -> tuple[str, str]:
    """A branch with a change, pushed: where it began, and its newest commit."""
    base = author.git("rev-parse", "main")
    author.git("checkout", "--quiet", "-B", "change", "main")
    for name, text in files.items():
        author.write(f"messages/{name}.yaml", text)
    commit = author.commit()
    author.git("push", "--quiet", "--force", "origin", "change")
    author.git("checkout", "--quiet", "main")
    return base, commit


def deep(clone: Clone) -> Clone:
    """With GIT_DEPTH 0 the whole history is there."""
    clone.git("fetch", "--quiet", "--unshallow", "origin")
    return clone


def test_a_merge_request_gets_one_note_and_it_is_updated(run, job, author, tmp_path):
    token = {"MSGRUN_NOTE_TOKEN": "note-token"}
    for number, ids in enumerate((["ccc1"], ["ccc1", "ccc2"])):
        base, commit = change(author, third=message("third", *ids))
        clone = deep(job(f"review-{number}", commit, system="gitlab"))
        code, _, _ = run("msgrun-review", commit, clone, CI_MERGE_REQUEST_DIFF_BASE_SHA=base, **token)
        assert code == 0
    (note,) = json.loads((tmp_path / "notes.json").read_text())
    assert note["body"].startswith("<!-- msgrun plan: default -->")
    assert "third</code>: 2 to send" in note["body"]


def test_without_a_token_the_plan_is_in_the_log_and_the_artifact(run, job, author, tmp_path):
    base, commit = change(author, third=message("third", "ccc1"))
    code, said, clone = run(
        "msgrun-review", commit, deep(job("review", commit, system="gitlab")), CI_MERGE_REQUEST_DIFF_BASE_SHA=base
    )
    assert code == 0
    assert (clone.path / "msgrun-plan.md").read_text() in said
    assert json.loads((tmp_path / "notes.json").read_text()) == []


def test_a_mistake_fails_the_job(run, job, author):
    base, commit = change(author, third=message("third", "ccc1", body='"{{ nobody }}"'))
    clone = deep(job("review", commit, system="gitlab"))
    assert run("msgrun-review", commit, clone, CI_MERGE_REQUEST_DIFF_BASE_SHA=base)[0] == 1


def applied(run, job, commit, number, saved: Path, **variables):
    clone = job(f"apply-{number}", commit, system="gitlab")
    (clone.path / "msgrun-plan.json").write_bytes(saved.read_bytes())
    return run("msgrun-apply", commit, clone, **variables)


@EITHER
def test_plan_apply_and_the_ledger_back_and_an_old_pipeline_again(run, job, author, origin, ledger):
    commit = tip(origin)
    code, _, planner = run("msgrun-plan", commit)
    assert code == 0
    saved = planner.path / "msgrun-plan.json"
    token = {"INTERCOM_ACCESS_TOKEN": "secret-token"}
    code, said, _ = applied(run, job, commit, 1, saved, **token)
    assert code == 0, said
    assert git_output(origin, "diff", "--name-only", commit, "main") == (
        "messages.lock" if ledger == "lockfile" else ""
    )
    code, said, _ = applied(run, job, commit, 2, saved, **token)
    assert (code, "nothing to do" in said) == (0, True)
    assert len(author.sent()) == 3
    assert "held" not in git_output(origin, "for-each-ref")


@pytest.mark.proof
@EITHER
def test_an_apply_that_fails_half_way_pushes_what_it_sent_and_fails(run, job, author, origin, intercom, ledger):
    commit = tip(origin)
    _, _, planner = run("msgrun-plan", commit)
    intercom.trouble.replace({"next": ["ok", "500_after", "ok"]})
    code, _, _ = applied(run, job, commit, 1, planner.path / "msgrun-plan.json", INTERCOM_ACCESS_TOKEN="secret-token")
    assert code == 4
    where = "main" if ledger == "lockfile" else "msgrun-ledger"
    sent = [
        json.loads(line).get("status") for line in git_output(origin, "show", f"{where}:messages.lock").splitlines()
    ]
    assert (sent.count("sent"), sent.count("unknown")) == (2, 1)
    assert len(author.sent()) == 3
