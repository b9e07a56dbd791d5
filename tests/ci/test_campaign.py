"""A campaign whose ledger moves: file, git branch, PostgreSQL, file. Every one exports the same, and nobody is lost."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from runner.sandbox import Sandbox
from tests.support.clones import HEADER, Clone, git_output
from tests.support.moving_ledger import BREAKERS, MESSAGE, PEOPLE, TROUBLE, MovingLedger
from tests.support.postgres import Server

pytestmark = pytest.mark.parametrize("ledger", ["lockfile"], indirect=True)


@pytest.fixture
def campaign(author: Clone, intercom: Sandbox, tmp_path: Path) -> MovingLedger:
    author.git("rm", "-q", "messages/first.yaml", "messages/second.yaml")
    author.write("messages/news.yaml", MESSAGE)
    author.write("people.csv", "who\n" + "".join(f"{who}\n" for who in PEOPLE))
    author.write("msgrun.yaml", BREAKERS + (author.path / "msgrun.yaml").read_text())
    intercom.trouble.replace({"for": TROUBLE})
    made = MovingLedger(author, tmp_path / "exports")
    made.folder.mkdir()
    made.share()
    return made


@pytest.mark.proof
def test_a_campaign_moves_from_file_to_git_to_postgresql_to_file_and_everybody_gets_it_once_or_is_told(
    campaign: MovingLedger, server: Server, origin: Path, intercom: Sandbox
) -> None:
    campaign.send(30)
    campaign.decide()
    campaign.move("git+origin")
    campaign.send(30)
    campaign.decide()
    assert git_output(origin, "show", "msgrun-ledger:messages.lock").count('"status":"sent"') > 45
    campaign.move(server.lock)
    campaign.send(30)
    campaign.decide()
    campaign.move("messages.lock")
    # The server is not in msgrun.yaml any more, so it is asked for late outcomes only as the hint says.
    refused = campaign.run(5, "resolve", "--message", "news", "--all", "--not-sent", "--yes")
    assert f"MSGRUN_LOCK={server.lock} msgrun lock export late.lock; then: msgrun lock import late.lock" in refused
    campaign.clone.env["MSGRUN_LOCK"] = server.lock
    campaign.run(0, "lock", "export", "late.lock")
    del campaign.clone.env["MSGRUN_LOCK"]
    campaign.run(0, "lock", "import", "late.lock")
    campaign.decide("--no-fetch")
    campaign.run(4, "apply", "--yes")
    campaign.run(0, "lock", "compact")
    status = json.loads(campaign.run(0, "status", "--format", "json"))
    made = Counter(found["payload"]["to"]["id"] for found in intercom.messages)
    assert set(made.values()) == {1}
    held = {record["contact"]: record["status"].replace("claimed", "unknown") for record in status["deliveries"]}
    assert Counter(held.values()) == Counter(status["counts"]) - Counter(free=status["counts"]["free"])
    assert {who for who, now in held.items() if now == "sent"} <= made.keys()
    assert {who for who in made if held[who] != "sent"} == {who for who in made if held[who] == "unknown"}
    assert {who for who, what in TROUBLE.items() if what == "422"} == {
        who for who, now in held.items() if now == "refused"
    }
    assert held.keys() == set(PEOPLE)


def test_a_fresh_clone_of_a_moved_project_knows_all(campaign: MovingLedger, clone) -> None:
    campaign.send(30)
    campaign.move("git+origin")
    campaign.clone.git("rm", "-q", "messages.lock")
    campaign.share()
    fresh = clone("fresh", "--depth=1")
    assert "\nPlan: 90 to send, 26 already sent, 3 unknown, 1 refused." in fresh.msgrun("plan").out


@pytest.mark.proof
def test_the_ledgers_that_were_left_say_where_it_went_and_take_nothing(campaign: MovingLedger, server: Server) -> None:
    campaign.send(30)
    campaign.move("git+origin")
    campaign.send(30)
    campaign.move(server.lock)
    campaign.send(30)
    sent = len(campaign.clone.intercom.messages)
    for left, now in (("messages.lock", "git+origin"), ("git+origin", "postgresql:")):
        campaign.settings(left)
        assert f"the ledger {left} moved to {now}" in campaign.run(5, "apply", "--yes")
        plan, _ = json.JSONDecoder().raw_decode(campaign.run(5, "plan", "--format", "json"))
        assert [guard["code"] for guard in plan["guards"]] == ["ledger-moved"]
        for command in (["resolve", "--message", "news", "--all", "--not-sent", "--yes"], ["accept", "news", "--yes"]):
            campaign.run(5, *command)
        for command in (["status"], ["lock", "show"], ["lock", "export"]):
            assert f"the ledger {left} moved to" in campaign.run(0, *command)
    assert len(campaign.clone.intercom.messages) == sent
    campaign.settings(server.lock)
    campaign.send(30)
    assert campaign.recipients() == {1}


def test_before_a_move_is_merged_nothing_is_sent(campaign: MovingLedger, clone) -> None:
    campaign.send(30)
    campaign.share()
    campaign.run(0, "lock", "move", "--yes", "git+origin")
    said = campaign.run(5, "apply", "--yes", "--limit", "3")
    assert "the default branch of origin names messages.lock" in said
    assert "moved to git+origin" in clone("other").msgrun("apply", "--yes", "--limit", "3").err
    assert len(campaign.clone.intercom.messages) == 30 - 3
    campaign.share()
    campaign.run(4, "apply", "--yes", "--limit", "3")


@pytest.mark.proof
def test_a_refused_start_leaves_no_empty_lockfile_that_the_next_run_would_take_for_the_ledger(
    campaign: MovingLedger, clone
) -> None:
    campaign.send(30)
    campaign.move("git+origin")
    campaign.settings("other.lock")
    for command in (["apply", "--yes", "--new-lock"], ["lock", "begin"], ["apply", "--yes", "--no-fetch"]):
        campaign.run(5, *command)
        assert not (campaign.clone.path / "other.lock").exists()
    # Nor where msgrun.yaml says nothing: the remote does.
    fresh = clone("fresh", "--depth=1")
    fresh.remove_settings("lock", "ledger", "remote")
    fresh.git("rm", "-q", "messages.lock")
    for command in (["apply", "--yes", "--new-lock"], ["lock", "begin"]):
        ran = fresh.msgrun(*command)
        assert (ran.code, "this project's ledger moved to git+origin, says origin" in ran.err) == (5, True)
        assert not (fresh.path / "messages.lock").exists()


@pytest.mark.proof
def test_a_lockfile_without_an_id_still_keeps_another_ledger_from_being_started(
    campaign: MovingLedger, server: Server, origin: Path
) -> None:
    """A project of before ids."""
    author = campaign.clone
    author.remove_settings("ledger", "remote")
    author.write("messages.lock", HEADER % json.loads((author.path / "messages.lock").read_text())["salt_check"])
    shutil.rmtree(author.path / ".git/msgrun")
    campaign.share()
    campaign.send(30)
    lockfile = author.path / "messages.lock"
    for address in ("git+origin", f"{server.lock}#beside", "other.lock"):
        campaign.settings(address)
        author.env["MSGRUN_LOCK"] = address
        assert "messages.lock has records of 30 deliveries" in campaign.run(5, "lock", "begin")
        assert "messages.lock has records of 30 deliveries" in campaign.run(5, "apply", "--yes", "--new-lock")
    del author.env["MSGRUN_LOCK"]
    # Its journal alone knows of them, too.
    text = lockfile.read_bytes()
    lockfile.unlink()
    campaign.settings("other.lock")
    assert "messages.lock has records of 30 deliveries" in campaign.run(5, "lock", "begin")
    lockfile.write_bytes(text)
    campaign.settings("")
    campaign.move("git+origin")
    campaign.send(30)
    assert campaign.recipients() == {1}
    assert "refs/msgrun/moved/" in git_output(origin, "for-each-ref")


def test_a_lockfile_that_git_alone_still_has_is_taken_back_from_git(campaign: MovingLedger, clone) -> None:
    campaign.send(30)
    campaign.share()
    campaign.settings("git+origin")
    campaign.clone.git("rm", "-q", "messages.lock")
    campaign.share()
    fresh = clone("fresh")
    for command in (["apply", "--yes"], ["apply", "--yes", "--new-lock"], ["lock", "begin"]):
        refused = fresh.msgrun(*command)
        assert (refused.code, "lock move git+origin" in refused.err) == (5, True)
    fresh.git("checkout", "--quiet", "HEAD^", "--", "messages.lock")
    fresh.env["MSGRUN_LOCK"] = "messages.lock"
    assert fresh.msgrun("lock", "move", "--yes", "git+origin").code == 0
    del fresh.env["MSGRUN_LOCK"]
    assert fresh.msgrun("apply", "--yes", "--limit", "3").code == 4
    assert campaign.recipients() == {1}


@pytest.mark.proof
def test_a_ledger_whose_successor_is_lost_is_used_again_once_a_person_says_so(
    campaign: MovingLedger, own_server: Server
) -> None:
    campaign.send(30)
    campaign.move("git+origin")
    campaign.send(30)
    campaign.move(f"{own_server.lock}#lost")
    campaign.send(30)
    own_server.kill()
    assert campaign.clone.msgrun("apply", "--yes").code == 6
    campaign.settings("git+origin")
    campaign.share()
    assert "if it is lost: msgrun explain ledger-moved" in campaign.run(5, "apply", "--yes")
    assert "--yes" in campaign.run(5, "lock", "begin", "--abandon-previous")
    campaign.run(0, "lock", "begin", "--abandon-previous", "--yes")
    campaign.share()
    # From here on its records alone count: whoever was sent to by the lost one gets it again.
    campaign.run(0, "lock", "verify")
    campaign.run(4, "apply", "--yes", "--limit", "3")
    assert campaign.clone.intercom.messages[-1]["payload"]["to"]["id"] in {"p060", "p061", "p062"}


@pytest.mark.proof
def test_a_lockfile_is_the_ledger_again_in_every_clone_once_its_successor_was_given_up(
    campaign: MovingLedger, clone
) -> None:
    campaign.send(30)
    campaign.share()
    other = clone("other")
    campaign.move("git+origin#gone")
    fresh = clone("fresh", "--depth=1")
    fresh.remove_settings("lock")
    assert "moved to git+origin#gone" in fresh.msgrun("apply", "--yes").err
    assert fresh.msgrun("lock", "begin", "--abandon-previous", "--yes").code == 0
    fresh.commit()
    fresh.git("push", "--quiet")
    assert fresh.msgrun("apply", "--yes", "--limit", "3").code == 4
    fresh.commit()
    fresh.git("push", "--quiet")
    other.git("pull", "--quiet", "--ff-only")
    assert other.msgrun("apply", "--yes", "--limit", "3").code == 4
    assert "the ledger here is git+origin#gone" in campaign.run(5, "apply", "--yes")
    assert campaign.recipients() == {1}


@pytest.mark.proof
@pytest.mark.parametrize("kind", ["git", "sql"])
def test_another_spelling_of_the_same_place_is_the_same_ledger(
    campaign: MovingLedger, server: Server, origin: Path, clone, kind: str
) -> None:
    one, other = f"{server.lock}#same", f"{server.lock.replace('msgrun@', '')}?user=msgrun#same"
    if kind == "git":
        one, other = "git+origin#same", f"git+{origin.as_uri()}#same"
    campaign.clone.intercom.trouble.replace({})
    campaign.move(one)
    campaign.run(0, "apply", "--yes", "--limit", "10")
    fresh = clone("fresh", "--depth=1")
    for address in (one, other, one):
        fresh.env["MSGRUN_LOCK"] = address
        assert fresh.msgrun("apply", "--yes", "--limit", "2").code == 0
    campaign.settings(other)
    campaign.share()
    campaign.run(0, "apply", "--yes", "--limit", "3")
    campaign.run(0, "lock", "move", one, "--yes")
    campaign.share()
    campaign.run(0, "apply", "--yes", "--limit", "1")
    assert len(campaign.clone.intercom.messages) == 10 + 6 + 3 + 1
    assert campaign.recipients() == {1}


@pytest.mark.proof
def test_outcomes_that_the_old_ledger_did_not_take_reach_the_one_it_moved_to(campaign: MovingLedger, clone) -> None:
    campaign.clone.intercom.trouble.replace({})
    campaign.move("git+origin")
    runner = clone("runner")
    hook = Path(campaign.clone.git("remote", "get-url", "origin").removeprefix("file://")) / "hooks" / "update"
    hook.write_text("#!/bin/sh\ngit show $3:messages.lock | grep -q sent || exit 0\nexit 1\n")
    hook.chmod(0o755)
    assert runner.msgrun("apply", "--yes", "--limit", "5").code == 6
    hook.unlink()
    campaign.move("git+origin#second")
    assert json.loads(campaign.run(0, "status", "--format", "json"))["counts"]["unknown"] == 5
    # The clone that has the rescue file brings it to the ledger that is current now.
    runner.git("pull", "--quiet", "--ff-only")
    assert runner.msgrun("apply", "--yes", "--limit", "3").code == 0
    assert json.loads(campaign.run(0, "status", "--format", "json"))["counts"]["sent"] == 8
    assert not list((runner.path / ".git/msgrun").glob("*.rescue"))
    assert campaign.recipients() == {1}
