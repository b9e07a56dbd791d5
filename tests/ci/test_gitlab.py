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
from tests.support.forked import program
from tests.support.github_runner import _PYTHON
from tests.support.project import PACKAGE

PIPELINE = yaml.safe_load(scaffold.workflow("gitlab", "main", ".", PACKAGE))
# GitLab's API for the notes of one merge request, as curl sees it: they are kept in the file that NOTES names.
_CURL = """\
#!{python}
import json, os, sys
from pathlib import Path
args, file = sys.argv[1:], Path(os.environ["NOTES"])
notes, root = json.loads(file.read_text()), "https://gitlab.example/api/v4/projects/1/merge_requests/7/notes"
assert args[args.index("--header") + 1] == "PRIVATE-TOKEN: note-token"
if args[-1] == "https://gitlab.example/api/v4/user":
    print(json.dumps({{"id": 3}}))
    sys.exit()
(url,) = [found for found in args if found.startswith(root)]
if "--request" not in args:
    start = (int(url.rpartition("=")[2]) - 1) * 100
    print(json.dumps(notes[start : start + 100]))
    sys.exit()
name, _, path = args[args.index("--data-urlencode") + 1].partition("@")
body = Path(path).read_text()
if args[args.index("--request") + 1] == "PUT":
    (note,) = [found for found in notes if url == f"{{root}}/{{found['id']}}"]
    if note["author"]["id"] != 3 or os.environ.get("REFUSE"):
        sys.exit("curl: (22) The requested URL returned error: 403")
    note["body"] = body
else:
    notes.append({{"id": len(notes) + 10, "body": body, "author": {{"id": 3}}}})
file.write_text(json.dumps(notes))
"""


@pytest.fixture
def run(tmp_path, job, author):
    """Runs a job of the pipeline in a checkout of a commit: gives its exit code, what it said, and its clone."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in {"python3": _PYTHON, "curl": _CURL}.items():
        (tools / name).write_text(text.format(python=sys.executable, log=tmp_path / "pip.log", msgrun=program()))
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
    assert "/artifacts/browse/msgrun-preview/): open index.html" in note["body"]
    assert (clone.path / "msgrun-preview/index.html").exists()


def forged(number: int, body: str = "Looks good") -> dict[str, object]:
    return {"id": number, "body": body, "author": {"id": 4}}


def test_a_note_that_another_user_wrote_is_never_taken_for_the_plan(run, job, author, tmp_path):
    token = {"MSGRUN_NOTE_TOKEN": "note-token"}
    fake = forged(1000, "<!-- msgrun plan: default -->\nNothing to send.")
    (tmp_path / "notes.json").write_text(json.dumps([fake, *map(forged, range(2000, 2250))]))
    for number, ids in enumerate((["ccc1"], ["ccc1", "ccc2"])):
        base, commit = change(author, third=message("third", *ids))
        clone = deep(job(f"review-{number}", commit, system="gitlab"))
        code, _, _ = run("msgrun-review", commit, clone, CI_MERGE_REQUEST_DIFF_BASE_SHA=base, **token)
        assert code == 0
    notes = json.loads((tmp_path / "notes.json").read_text())
    assert notes[0] == fake
    (own,) = [note for note in notes if note["author"]["id"] == 3]
    assert "third</code>: 2 to send" in own["body"]


def test_a_note_that_may_not_be_changed_is_followed_by_a_new_one(run, job, author, tmp_path):
    old = {"id": 1, "body": "<!-- msgrun plan: default -->\nold", "author": {"id": 3}}
    (tmp_path / "notes.json").write_text(json.dumps([old]))
    base, commit = change(author, third=message("third", "ccc1"))
    clone = deep(job("review", commit, system="gitlab"))
    variables = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base, "MSGRUN_NOTE_TOKEN": "note-token", "REFUSE": "1"}
    assert run("msgrun-review", commit, clone, **variables)[0] == 0
    assert len(json.loads((tmp_path / "notes.json").read_text())) == 2


def test_without_a_token_the_plan_is_in_the_log_and_the_artifact(run, job, author, tmp_path):
    base, commit = change(author, third=message("third", "ccc1"))
    code, said, clone = run(
        "msgrun-review", commit, deep(job("review", commit, system="gitlab")), CI_MERGE_REQUEST_DIFF_BASE_SHA=base
    )
    assert code == 0
    assert "  + third   inapp" in said
    assert "third</code>: 1 to send" in (clone.path / "msgrun-plan.md").read_text()
    assert json.loads((tmp_path / "notes.json").read_text()) == []


@pytest.mark.parametrize(("body", "target"), [("Hi", "secret.txt"), ("{{ nobody }}", "new.pth")])
def test_a_link_of_the_branch_is_neither_written_nor_read(run, job, author, tmp_path, body, target):
    (tmp_path / "secret.txt").write_text("evil\nsecret")
    base, commit = change(author, third=message("third", "ccc1", body=json.dumps(body)))
    clone = deep(job("review", commit, system="gitlab"))
    link = clone.path / "msgrun-plan.md"
    link.symlink_to(tmp_path / target)
    run("msgrun-review", commit, clone, CI_MERGE_REQUEST_DIFF_BASE_SHA=base, MSGRUN_NOTE_TOKEN="note-token")
    assert not link.is_symlink()
    assert (tmp_path / "secret.txt").read_text() == "evil\nsecret"
    assert not (tmp_path / "new.pth").exists()
    assert "secret" not in (tmp_path / "notes.json").read_text()


def test_a_mistake_fails_the_job(run, job, author):
    base, commit = change(author, third=message("third", "ccc1", body='"{{ nobody }}"'))
    clone = deep(job("review", commit, system="gitlab"))
    assert run("msgrun-review", commit, clone, CI_MERGE_REQUEST_DIFF_BASE_SHA=base)[0] == 1


def applied(run, job, commit, number, saved: Path, **variables):
    clone = job(f"apply-{number}", commit, system="gitlab")
    (clone.path / "msgrun-plan.json").write_bytes(saved.read_bytes())
    return run("msgrun-apply", commit, clone, **variables)


def test_plan_apply_and_an_old_pipeline_again(run, job, author, origin):
    commit = tip(origin)
    code, _, planner = run("msgrun-plan", commit)
    assert code == 0
    saved = planner.path / "msgrun-plan.json"
    token = {"INTERCOM_ACCESS_TOKEN": "secret-token"}
    code, said, _ = applied(run, job, commit, 1, saved, **token)
    assert code == 0, said
    assert tip(origin) == commit
    link = "https://gitlab.example/apply-1"
    assert git_output(origin, "log", "-1", "--format=%b", "msgrun-ledger") == link
    code, said, _ = applied(run, job, commit, 2, saved, **token)
    assert (code, "nothing to do" in said) == (0, True)
    assert len(author.sent()) == 3


@pytest.mark.parametrize("is_tracked_before", [False, True])
def test_no_file_of_a_later_commit_takes_the_place_of_the_approved_plan(run, job, author, origin, is_tracked_before):
    author.write(".gitignore", "msgrun-plan.json\n")
    author.write("msgrun-plan.json", "{}")
    author.git("add", ".gitignore", *(["--force", "msgrun-plan.json"] if is_tracked_before else []))
    approved = author.commit()
    author.git("push", "--quiet", "origin", "main")
    saved = run("msgrun-plan", approved)[2].path / "msgrun-plan.json"
    author.write("messages/evil.yaml", message("evil", "eee1", body="Never approved"))
    author.git("add", "messages")
    author.msgrun("plan", "--out", "msgrun-plan.json")
    author.git("add", "--force", "msgrun-plan.json")
    author.commit()
    author.git("push", "--quiet", "origin", "main")
    assert applied(run, job, approved, 1, saved, INTERCOM_ACCESS_TOKEN="secret-token")[0] == 0
    assert len(author.sent()) == 3
    assert "evil" not in git_output(origin, "show", "msgrun-ledger:messages.lock")


@pytest.mark.parametrize("name", ["msgrun-plan", "msgrun-apply"])
def test_no_folder_of_a_commit_is_the_repository_that_the_jobs_fetch(run, job, author, origin, tmp_path, name):
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\nenv > {tmp_path}/ran\n")
    program.chmod(0o755)
    config = f'[core]\n\tbare = false\n\tworktree = .\n[remote "origin"]\n\turl = {origin}\n\tuploadpack = {program}\n'
    for path, text in {
        "HEAD": "ref: refs/heads/main\n",
        "config": config,
        "objects/.keep": "",
        "refs/.keep": "",
    }.items():
        author.write(f"mail/{path}", text)
    author.write("mail/msgrun.yaml", (author.path / "msgrun.yaml").read_text())
    author.write("mail/messages/one.yaml", message("one", "aaa1"))
    commit = author.commit()
    author.git("push", "--quiet", "origin", "main")
    clone = job("later", commit, system="gitlab")
    (clone.path / "msgrun-plan.json").write_text("{}")
    run(name, commit, clone, MSGRUN_DIRECTORY="mail", INTERCOM_ACCESS_TOKEN="secret-token")
    assert not (tmp_path / "ran").exists()
    assert clone.git("rev-parse", "HEAD") == commit


def test_a_push_to_the_ledger_starts_no_pipeline(run, job, origin, tmp_path):
    hook = origin / "hooks" / "pre-receive"
    hook.write_text(f'#!/bin/sh\necho "$GIT_PUSH_OPTION_COUNT $GIT_PUSH_OPTION_0" >> {tmp_path}/options\n')
    hook.chmod(0o755)
    commit = tip(origin)
    saved = run("msgrun-plan", commit)[2].path / "msgrun-plan.json"
    assert applied(run, job, commit, 1, saved, INTERCOM_ACCESS_TOKEN="secret-token")[0] == 0
    assert set((tmp_path / "options").read_text().splitlines()) == {"1 ci.skip"}


def test_outcomes_that_cannot_be_pushed_are_among_the_artifacts(run, job, author, origin, clone):
    hook = origin / "hooks" / "update"
    commit = tip(origin)
    saved = run("msgrun-plan", commit)[2].path / "msgrun-plan.json"
    hook.write_text("#!/bin/sh\ngit show $3:messages.lock | grep -q sent || exit 0\nexit 1\n")
    hook.chmod(0o755)
    code, _, runner = applied(run, job, commit, 1, saved, INTERCOM_ACCESS_TOKEN="secret-token")
    assert code == 6
    hook.unlink()
    artifacts = PIPELINE["msgrun-apply"]["artifacts"]
    (kept,) = (path for pattern in artifacts["paths"] for path in runner.path.glob(pattern))
    person = clone("person")
    assert person.msgrun("lock", "import", str(kept)).code == 5
    assert person.msgrun("lock", "import", str(kept), "--yes").code == 0
    code, said, _ = applied(run, job, commit, 2, saved, INTERCOM_ACCESS_TOKEN="secret-token")
    assert (code, "nothing to do" in said) == (0, True)
    assert len(author.sent()) == 3


@pytest.mark.proof
def test_an_apply_that_fails_half_way_pushes_what_it_sent_and_fails(run, job, author, origin, intercom):
    commit = tip(origin)
    _, _, planner = run("msgrun-plan", commit)
    intercom.trouble.replace({"next": ["ok", "500_after", "ok"]})
    code, _, _ = applied(run, job, commit, 1, planner.path / "msgrun-plan.json", INTERCOM_ACCESS_TOKEN="secret-token")
    assert code == 4
    lines = git_output(origin, "show", "msgrun-ledger:messages.lock").splitlines()
    sent = [json.loads(line).get("status") for line in lines]
    assert (sent.count("sent"), sent.count("unknown")) == (2, 1)
    assert len(author.sent()) == 3
