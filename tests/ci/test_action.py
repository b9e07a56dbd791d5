"""The composite action's steps, executed as a runner does: in bash, with files for output, summary and path."""

import json

import pytest

from tests.support.clones import Clone, message, tip
from tests.support.github_runner import Job
from tests.support.project import ROOT


@pytest.fixture
def run(author, origin, tmp_path, job):
    """Runs the action in a checkout of the newest commit."""
    runs = []

    def act(event="push", comments=None, event_data=None, **inputs):
        number = str(len(runs) + 1)
        known = {"event_name": event, "repository": "acme/mail", "token": "github-token", "event": event_data or {}}
        known |= {"job": inputs["command"], "run_attempt": "1"}
        env, artifacts = {"INTERCOM_BASE_URL": author.intercom.url}, tmp_path / "artifacts"
        made = Job(tmp_path / f"run-{number}", None, known, env=env, comments=comments, artifacts=artifacts)
        made.work = job(f"work-{number}", tip(origin))
        runs.append(made)
        return made.act({name.replace("_", "-"): value for name, value in inputs.items()})

    return act


def test_plan_gives_outputs_a_summary_and_the_plan_that_apply_is_bound_to(run, author, origin, tmp_path):
    saved = tmp_path / "saved.json"
    planned = run(command="plan", plan=str(saved))
    assert not planned.failed
    assert planned.outputs == {
        **planned.outputs,
        "has_changes": "true",
        "recipients": "3",
        "unknown": "0",
        "exitcode": "0",
    }
    assert planned.outputs["digest"].startswith("sha256:")
    assert "**3 to send" in planned.summary
    assert json.loads(saved.read_text())["digest"] == planned.outputs["digest"]
    applied = run(command="apply", plan=str(saved), intercom_access_token="secret-token")
    assert not applied.failed
    assert applied.outputs["exitcode"] == "0"
    assert len(author.sent()) == 3
    assert "secret-token" not in applied.log + applied.summary
    assert tip(origin) == author.git("rev-parse", "HEAD")
    assert run(command="plan").outputs["has_changes"] == "false"


def test_apply_keeps_outcomes_that_could_not_be_pushed_as_an_artifact(run, author, origin, tmp_path):
    saved, hook = tmp_path / "saved.json", origin / "hooks" / "update"
    run(command="plan", plan=str(saved))
    hook.write_text("#!/bin/sh\ngit show $3:messages.lock | grep -q sent || exit 0\nexit 1\n")
    hook.chmod(0o755)
    applied = run(command="apply", plan=str(saved), intercom_access_token="secret-token")
    assert (applied.outputs["exitcode"], len(author.sent())) == ("6", 3)
    hook.unlink()
    (kept,) = (tmp_path / "artifacts").glob("msgrun-rescue-apply-0-1/**/*.rescue")
    assert author.msgrun("lock", "import", str(kept), "--yes").code == 0
    planned = run(command="plan")
    assert (planned.outputs["has_changes"], planned.outputs["unknown"]) == ("false", "0")


@pytest.mark.parametrize("ledger", ["lockfile"], indirect=True)
def test_apply_refuses_a_lockfile_which_would_be_lost_with_the_job(run, author, tmp_path):
    saved = tmp_path / "saved.json"
    assert not run(command="plan", plan=str(saved)).failed
    applied = run(command="apply", plan=str(saved), intercom_access_token="secret-token")
    assert (applied.outputs["exitcode"], "lock move git+origin" in applied.log) == ("5", True)
    assert author.sent() == []


def test_it_installs_the_msgrun_of_its_own_commit(run):
    planned = run(command="plan")
    installed = (planned.home / "pip.log").read_text()
    assert f"--require-hashes --requirement {ROOT}/requirements-action.txt\n" in installed
    assert installed.endswith(f"--no-deps --no-build-isolation {ROOT}\n")


def test_a_pull_request_gets_a_comment(run, tmp_path, author):
    comments = tmp_path / "comments.json"
    comments.write_text("[]")
    author.write("messages/third.yaml", message("third", "ccc1"))
    author.commit()
    author.git("push", "--quiet")
    data = {"event_data": {"pull_request": {"number": 7}}, "comments": comments}
    shallow = run(event="pull_request", command="plan", **data)
    assert (shallow.failed, "fetch-depth: 2" in shallow.log) == (True, True)
    (comment,) = json.loads(comments.read_text())
    assert comment["body"].startswith("<!-- msgrun plan: default -->")


def test_problems_fail_the_step_and_stand_at_their_lines(run, author):
    author.write("messages/third.yaml", message("third", "ccc1", body='"{{ nobody }}"'))
    author.commit()
    author.git("push", "--quiet")
    planned = run(command="plan")
    assert planned.failed
    assert planned.outputs["exitcode"] == "1"
    assert "::error file=messages/third.yaml,line=3," in planned.log


@pytest.mark.parametrize("inputs", [{"command": "aply"}, {"command": "apply"}, {"command": "plan; touch hacked"}])
def test_inputs_that_make_no_sense_are_said_before_anything_runs(run, inputs):
    done = run(**inputs)
    assert done.failed
    assert "::error title=msgrun::" in done.log
    assert not (done.work.path / "hacked").exists()


def test_inputs_are_never_part_of_a_script(run):
    done = run(command="plan", environment="$(touch hacked)", directory=".")
    assert done.failed
    assert "declares no environment $(touch hacked)" in done.log
    assert not list(done.home.rglob("hacked"))
    assert not (done.work.path / "hacked").exists()


def test_a_project_in_a_folder_is_planned_there(run, author: Clone):
    (author.path / "ops").mkdir()
    for name in ("msgrun.yaml", "messages"):
        author.git("mv", name, f"ops/{name}")
    author.commit()
    author.git("push", "--quiet")
    assert run(command="plan", directory="ops").outputs["recipients"] == "3"
