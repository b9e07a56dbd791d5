"""Commands on a ledger that is a branch: what they say where it is not, or cannot be reached, and what they decide."""

import json

import pytest

from tests.support.clones import Clone, git_output

pytestmark = pytest.mark.parametrize("ledger", ["branch"], indirect=True)
FILE = "origin#msgrun-ledger:messages.lock"


def test_resolve_tells_the_branch_what_was_decided(author: Clone, intercom, origin):
    intercom.trouble.replace({"next": ["500_after", "500_before"]})
    assert author.msgrun("apply", "--yes").code == 4
    unknown = [found for found in json.loads(author.msgrun("status", "--format", "json").out)["deliveries"]
               if found["status"] == "unknown"]  # fmt: skip
    made = {found["payload"]["to"]["id"]: found["id"] for found in intercom.messages}
    for record in unknown:
        if record["contact"] in made:
            ran = author.msgrun("resolve", record["key"], "--sent", made[record["contact"]], "--yes")
            assert (ran.code, "may still be alive" in ran.err) == (0, False)
        else:
            asked = author.msgrun("resolve", record["key"], "--not-sent")
            assert (asked.code, "pass --yes" in asked.err) == (5, True)
            ran = author.msgrun("resolve", record["key"], "--not-sent", "--yes")
            assert ran.code == 0
            assert "may still be alive" not in ran.err, "an answer is recorded"
    assert git_output(origin, "log", "-1", "--format=%s", "msgrun-ledger").startswith("resolve on ")
    assert author.msgrun("apply", "--yes").code == 0
    assert len(author.sent()) == 3


def test_each_environment_has_a_file_of_its_own_on_the_branch(author: Clone, origin, clone):
    settings = (author.path / "msgrun.yaml").read_text()
    author.write("msgrun.yaml", settings + "environments: {staging: {vars: {name: x}}}\n")
    author.commit()
    author.git("push", "--quiet")
    assert author.msgrun("-e", "staging", "apply", "--yes").code == 5
    started, written = author.msgrun("-e", "staging", "lock", "begin").out.splitlines()
    assert started == "started origin#msgrun-ledger:messages.staging.lock"
    setting = written.removeprefix("wrote ").removesuffix(" to msgrun.yaml")
    assert f"staging: {{vars: {{name: x}}, {setting}}}" in (author.path / "msgrun.yaml").read_text()
    author.commit()
    author.git("push", "--quiet")
    assert author.msgrun("-e", "staging", "apply", "--yes", "--limit", "2").code == 0
    fresh = clone("fresh", "--depth=1")
    assert "\nPlan: 3 to send." in fresh.msgrun("plan").out
    assert "\nPlan: 1 to send, 2 already sent." in fresh.msgrun("-e", "staging", "plan").out
    assert fresh.msgrun("apply", "--yes").code == 0
    names = git_output(origin, "ls-tree", "--name-only", "msgrun-ledger").split()
    assert names == ["messages.lock", "messages.staging.lock"]
    files = [git_output(origin, "show", f"msgrun-ledger:{name}") for name in names]
    assert [text.count('"sent"') for text in files] == [3, 2]


def test_a_clone_that_never_read_the_ledger_says_so_when_the_remote_is_away(author: Clone, clone, origin, tmp_path):
    fresh = clone("fresh")
    origin.rename(tmp_path / "away")
    unread, unasked = f"the ledger {FILE} cannot be read", "origin cannot be asked whether the ledger moved"
    for args, said in (
        (("plan",), unread),
        (("status",), unread),
        (("apply", "--yes"), unasked),
        (("apply", "--yes", "--no-fetch"), unasked),
    ):
        ran = fresh.msgrun(*args)
        assert (ran.code, said in ran.err) == (6, True)
        assert "--no-fetch" not in ran.err
    told_by = author.msgrun("plan")
    assert (told_by.code, f"{FILE} does not answer, so it is shown as of" in told_by.err) == (0, True)


def test_a_plan_before_the_branch_began_or_without_its_remote_says_what_to_do(clone, origin):
    git_output(origin, "update-ref", "-d", "refs/heads/msgrun-ledger")
    fresh = clone("fresh", "--depth=1")
    gone = fresh.msgrun("plan")  # msgrun.yaml names its id, so it was begun
    assert (gone.code, f"there is no ledger {FILE}, and msgrun.yaml names one" in gone.out) == (5, True)
    fresh.remove_settings("ledger")
    ran = fresh.msgrun("plan")
    assert ran.code == 0
    assert f"there is no ledger {FILE} yet; if nothing was sent before, start it: msgrun lock begin" in ran.err
    fresh.git("remote", "rename", "origin", "upstream")
    ran = fresh.msgrun("plan")
    assert (ran.code, "git knows no remote origin: git remote add origin URL" in ran.err) == (0, True)
    assert fresh.msgrun("apply", "--yes", "--new-lock").code == 6


def test_a_branch_that_was_deleted_is_never_taken_for_one_that_was_not_begun_by_a_clone_that_knew_it(
    author: Clone, clone, origin
):
    assert author.msgrun("apply", "--yes").code == 0
    git_output(origin, "update-ref", "-d", "refs/heads/msgrun-ledger")
    for args in (("apply", "--yes", "--new-lock"), ("lock", "begin")):
        ran = author.msgrun(*args)
        assert (ran.code, f"there is no ledger {FILE}, and msgrun.yaml names one" in ran.err) == (5, True)
    command = ran.err.split("restore it: ")[1].split("; ")[0].split()
    assert command[:3] == ["git", "push", "origin"]
    author.git(*command[1:])
    fresh = clone("fresh", "--depth=1")
    assert fresh.msgrun("apply", "--yes").out.splitlines()[-1] == "nothing to do"
    assert len(author.sent()) == 3


def test_a_mistyped_remote_leads_to_the_one_that_is_meant(author: Clone) -> None:
    ran = author.msgrun("lock", "move", "--yes", "git+orign")
    assert ran.code == 6
    assert "git knows no remote orign\n  hint: did you mean git+origin?\n" in ran.err


def test_where_nothing_is_unknown_resolve_warns_of_no_other_run(author: Clone) -> None:
    assert author.msgrun("apply", "--yes").code == 0
    ran = author.msgrun("resolve", "--message", "first", "--all", "--not-sent", "--yes")
    assert (ran.code, ran.out, ran.err) == (0, "nothing to do: nothing of first is unknown\n", "")


def test_the_hints_after_a_remote_that_is_gone_lead_from_one_to_the_next_until_apply_works(
    author: Clone, origin, tmp_path
):
    assert author.msgrun("apply", "--yes").code == 0
    origin.rename(tmp_path / "away")
    refused = author.msgrun("apply", "--yes")
    assert refused.code == 6
    assert refused.err.splitlines()[1].endswith(
        "; if the repository moved, or another takes its place: correct remote: in msgrun.yaml, then: git remote"
        " set-url origin URL"
    )
    author.git("remote", "remove", "origin")  # what a person may try
    author.remove_settings("remote")
    for command in ("plan", "status", "audit", "doctor", "apply", "lock begin", "lock move messages.lock"):
        ran = author.msgrun(*command.split())
        said = ran.out + ran.err
        assert ("git knows no remote origin" in said, "git remote add origin URL\n" in said) == (True, True)
    new = tmp_path / "new.git"
    git_output(tmp_path, "init", "--quiet", "--bare", str(new))
    author.git("remote", "add", "origin", new.as_uri())
    asked = [author.msgrun(command) for command in ("status", "audit", "doctor", "plan", "apply")]
    assert {ran.code for ran in asked} == {5}
    assert not any("nothing was sent" in ran.out.lower() for ran in asked[:2])
    (restore,) = {(ran.out + ran.err).split("restore it: ")[1].split("; ")[0] for ran in asked}
    author.git(*restore.split()[1:])
    assert author.msgrun("apply", "--yes").out.splitlines()[-1] == "nothing to do"
    assert author.msgrun("status").code == 0


def test_nothing_that_a_user_reads_calls_the_branch_a_lockfile(author: Clone, intercom):
    intercom.trouble.replace({"next": ["422", "500_after"]})
    said = ""
    for args in (
        ("plan",), ("apply", "--yes"), ("status",), ("lock", "verify"), ("lock", "compact"), ("lock", "begin"),
        ("reconcile", "--yes", "--wait", "0"), ("plan", "--format", "markdown"), ("plan", "--against", "HEAD"),
    ):  # fmt: skip
        ran = author.msgrun(*args)
        said += ran.out + ran.err
    assert "1 unknown" in said
    assert "lockfile" not in said
