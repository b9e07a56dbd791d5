"""A campaign whose ledger moves: file, git branch, PostgreSQL, file. Every one exports the same, and nobody is lost."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from runner.sandbox import Sandbox
from tests.support.clones import SETTINGS, Clone, git_output, tip
from tests.support.moving_ledger import BREAKERS, MESSAGE, PEOPLE, TROUBLE, MovingLedger
from tests.support.postgres import Server
from tests.support.proof import one_of


@pytest.fixture
def campaign(author: Clone, intercom: Sandbox, tmp_path: Path) -> MovingLedger:
    author.git("rm", "-q", "messages/first.yaml", "messages/second.yaml")
    author.write("messages/news.yaml", MESSAGE)
    author.write("people.csv", "who\n" + "".join(f"{who}\n" for who in PEOPLE))
    intercom.trouble.replace({"for": TROUBLE})
    made = MovingLedger(author, tmp_path / "exports")
    made.folder.mkdir()
    made.name("")
    author.commit()
    author.git("push", "--quiet")
    return made


def test_a_campaign_moves_from_file_to_git_to_postgresql_to_file_and_everybody_gets_it_once_or_is_told(
    campaign: MovingLedger, server: Server, origin: Path, intercom: Sandbox
) -> None:
    campaign.send(30)
    campaign.decide()
    campaign.run(0, "lock", "push")
    campaign.move("git+origin")
    campaign.send(30)
    campaign.decide()
    assert git_output(origin, "show", "msgrun-ledger:messages.lock").count('"status":"sent"') > 45
    campaign.move(server.lock)
    campaign.send(30)
    campaign.decide()
    campaign.move("")
    campaign.decide()
    campaign.run(4, "apply", "--yes")
    campaign.run(0, "lock", "compact")
    held = json.loads(campaign.run(0, "status", "--format", "json"))
    made = Counter(found["payload"]["to"]["id"] for found in intercom.messages)
    assert set(made.values()) == {1}
    status = {record["contact"]: record["status"].replace("claimed", "unknown") for record in held["deliveries"]}
    assert Counter(status.values()) == Counter(held["counts"]) - Counter(free=held["counts"]["free"])
    assert {who for who, now in status.items() if now == "sent"} <= made.keys()
    assert {who for who in made if status[who] != "sent"} == {who for who in made if status[who] == "unknown"}
    assert {who for who, what in TROUBLE.items() if what == "422"} == {
        who for who, now in status.items() if now == "refused"
    }
    assert status.keys() == set(PEOPLE)


@pytest.mark.parametrize("via", one_of("git", "postgresql"))
def test_a_move_back_that_forgets_what_was_sent_elsewhere_sends_nothing(
    campaign: MovingLedger, server: Server, via: str
) -> None:
    campaign.send(30)
    campaign.move("git+origin" if via == "git" else f"{server.lock}#forgetful")
    campaign.send(30)
    sent = len(campaign.clone.intercom.messages)
    campaign.name("" if via == "git" else "git+origin")
    if via == "git":
        # The lockfile of before is still there. It knows that it moved, and if it forgot, the remote and the branch do.
        assert "the ledger messages.lock moved to git+origin" in campaign.run(5, "apply", "--yes")
        (campaign.clone.path / ".git/msgrun/messages.lock.journal").unlink()
        campaign.clone.git("checkout", "--quiet", "messages.lock")
        assert "the ledger messages.lock moved to git+origin" in campaign.run(5, "apply", "--yes")
        campaign.clone.git("push", "--quiet", "origin", ":refs/msgrun/held/messages%2Elock")
        said = campaign.run(5, "apply", "--yes")
        assert "the branch origin#msgrun-ledger:messages.lock has " in said
        assert "MSGRUN_LOCK=git+origin msgrun lock export" in said
    else:
        assert "messages.lock has 30 records" in campaign.run(5, "apply", "--yes")
        assert "#forgetful, which lock: named before, has 60 records" in campaign.run(5, "apply", "--yes", "--new-lock")
    assert len(campaign.clone.intercom.messages) == sent


@pytest.mark.proof
def test_a_ledger_that_was_one_before_sends_nothing_until_it_has_what_was_sent_since(
    campaign: MovingLedger, server: Server
) -> None:
    campaign.send(30)
    campaign.move("git+origin")
    campaign.clone.git("rm", "-q", "--cached", "messages.lock")
    (campaign.clone.path / "messages.lock").unlink()
    campaign.move(f"{server.lock}#between")
    campaign.clone.commit()
    campaign.send(30)
    sent, all_of_it = len(campaign.clone.intercom.messages), str(campaign.folder / "all.lock")
    campaign.run(0, "lock", "export", all_of_it)
    campaign.name("git+origin")  # the branch is there, with what was sent until it moved
    for _ in range(3):
        assert "the ledger origin#msgrun-ledger:messages.lock moved to postgresql:" in campaign.run(5, "apply", "--yes")
        campaign.clone.git("commit", "--quiet", "--all", "--allow-empty", "--message", "any")
    assert len(campaign.clone.intercom.messages) == sent
    campaign.run(0, "lock", "import", all_of_it)
    campaign.send(30)
    assert set(Counter(found["payload"]["to"]["id"] for found in campaign.clone.intercom.messages).values()) == {1}


def test_a_refused_start_leaves_no_empty_lockfile_that_the_next_run_would_take_for_the_ledger(
    campaign: MovingLedger,
) -> None:
    campaign.send(30)
    campaign.move("git+origin")
    campaign.clone.commit()
    campaign.name("other.lock")
    campaign.run(5, "apply", "--yes", "--new-lock")
    assert not (campaign.clone.path / "other.lock").exists()
    assert "there is no lockfile" in campaign.run(5, "apply", "--yes", "--no-fetch")


def test_a_new_ledger_is_not_begun_beside_one_that_has_records(campaign: MovingLedger, server: Server) -> None:
    campaign.run(4, "apply", "--yes", "--limit", "30")
    campaign.name("git+origin")
    assert "messages.lock, which lock: named before, has 30 records" in campaign.run(5, "lock", "begin")
    assert "there is no ledger" in campaign.run(5, "plan")
    campaign.run(0, "lock", "import", "messages.lock", "--new-lock")
    # A clone in which nothing ran yet has no note of the ledger.
    (campaign.clone.path / ".git/msgrun/.msgrun%2Fmessages.ledger").unlink()
    for lock in (f"{server.lock}#beside", "other.lock"):
        campaign.name(lock)
        assert "has 30 records that the ledger" in campaign.run(5, "lock", "begin")
        assert "has 30 records that the ledger" in campaign.run(5, "apply", "--yes", "--new-lock")
    # Without the lockfile its journal knows of them, and without that the branch alone.
    (campaign.clone.path / "messages.lock").unlink()
    campaign.name(f"{server.lock}#alone")
    assert "is not asked" in campaign.run(5, "apply", "--yes")
    assert "messages.lock.journal has 30 records" in campaign.run(5, "apply", "--yes", "--new-lock")
    (campaign.clone.path / ".git/msgrun/messages.lock.journal").unlink()
    assert "the branch origin#msgrun-ledger:messages.lock has " in campaign.run(5, "apply", "--yes", "--new-lock")
    assert "is not asked" in campaign.run(5, "apply", "--yes")


def test_a_fresh_clone_of_a_moved_project_knows_all(campaign: MovingLedger, clone, origin: Path) -> None:
    campaign.send(30)
    campaign.move("git+origin")
    campaign.clone.git("rm", "-q", "--cached", "messages.lock")
    (campaign.clone.path / "messages.lock").unlink()
    campaign.clone.commit()
    campaign.clone.git("push", "--quiet")
    assert tip(origin) == campaign.clone.git("rev-parse", "HEAD")
    fresh = clone("fresh", "--depth=1")
    assert "\n90 to send, 26 sent, 3 unknown, 1 refused" in fresh.msgrun("plan").out


def test_a_plan_says_what_this_machine_knows_that_the_ledger_lacks(campaign: MovingLedger, server: Server) -> None:
    campaign.send(30)
    for lock in ("git+origin#other", f"{server.lock}#other"):
        campaign.name(lock)
        campaign.clone.commit()
        campaign.clone.git("push", "--quiet")
        assert "messages.lock has 30 records that the ledger" in campaign.run(5, "plan")
        (guard,) = json.loads(campaign.run(5, "plan", "--format", "json").partition("\nthere is")[0])["guards"]
        assert guard["code"] == "ledger-behind"
    campaign.name("")
    campaign.move("git+origin")
    campaign.clone.commit()
    campaign.clone.git("rm", "-q", "--cached", "messages.lock")
    (campaign.clone.path / "messages.lock").unlink()
    (campaign.clone.path / ".git/msgrun/messages.lock.journal").unlink()
    campaign.run(0, "plan")
    campaign.name("other.lock")
    assert "the branch origin#msgrun-ledger:messages.lock has 30 records" in campaign.run(5, "plan")
    campaign.run(0, "--sandbox", "plan")


def test_a_former_ledger_that_cannot_be_read_stops_the_run_and_says_what_to_do_if_it_never_was_one(
    campaign: MovingLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign.name(f"git+file://{campaign.folder}/misspelt.git")
    campaign.clone.commit()
    campaign.name("git+origin")
    said = campaign.run(6, "apply", "--yes", "--new-lock")
    assert "lock: named another ledger before (HEAD), and what it knows is needed" in said
    assert "if nothing was ever sent with it, name the ledger yourself: MSGRUN_LOCK=git+origin" in said
    said = campaign.run(6, "lock", "import", "messages.lock", "--new-lock")
    assert "misspelt.git has to know that the ledger moved to git+origin" in said
    assert "if it is lost for ever: MSGRUN_LOCK=git+origin" in said
    assert campaign.clone.intercom.messages == []
    monkeypatch.setenv("MSGRUN_LOCK", "git+origin")
    campaign.run(0, "apply", "--yes", "--new-lock", "--limit", "3")
    assert len(campaign.clone.intercom.messages) == 3


def _away_and_back(campaign: MovingLedger, first: str, second: str) -> str:
    """Sends with one ledger, moves, sends with the other one, and goes back without a thought; what it had exported."""
    campaign.name(first)
    if first:
        campaign.run(0, "lock", "begin")
        campaign.clone.commit()
    campaign.send(30)
    if not first:
        campaign.run(0, "lock", "push")
    campaign.move(second)
    if not first:
        campaign.clone.git("rm", "-q", "messages.lock")
    campaign.clone.commit()
    old = str(campaign.folder / f"{campaign.count}.lock")
    campaign.send(30)
    if first:
        campaign.name(first)
        campaign.clone.commit()
    else:
        campaign.clone.git("revert", "--no-edit", "HEAD")
    for number in range(3):
        campaign.clone.git("commit", "--quiet", "--allow-empty", "--message", f"later {number}")
    campaign.clone.git("push", "--quiet")
    return old


@pytest.mark.proof
@pytest.mark.parametrize(("first", "second"), [("", "git"), ("git", "sql"), ("sql", "git"), ("", "sql")])
def test_a_ledger_that_was_left_is_not_used_again_however_little_a_clone_knows(
    campaign: MovingLedger, server: Server, clone, tmp_path: Path, first: str, second: str
) -> None:
    names = {"git": f"git+origin#at-{first}-{second}", "sql": f"{server.lock}#at_{first}_{second}", "": ""}
    old = _away_and_back(campaign, names[first], names[second])
    sent = len(campaign.clone.intercom.messages)
    for depth in (["--depth=1"], []):
        fresh = clone(f"fresh{len(depth)}", *depth)
        for options in ([], ["--new-lock"]):
            ran = fresh.msgrun("apply", "--yes", "--limit", "3", *options)
            assert (ran.code, f"moved to {names[second]}" in ran.err) == (5, True)
        fresh.msgrun("lock", "import", old)  # without what was sent since
        assert fresh.msgrun("apply", "--yes", "--limit", "3").code == 5
        assert fresh.msgrun("lock", "free").code == 5  # it asks
        if first:
            assert "moved to" in fresh.msgrun("status").err
            (guard,) = json.loads(fresh.msgrun("plan", "--format", "json").out)["guards"]
            assert guard["code"] == "ledger-moved"
            assert fresh.msgrun("resolve", "--message", "news", "--all", "--not-sent", "--yes").code == 5
    assert len(campaign.clone.intercom.messages) == sent
    # The way that the hint tells.
    fresh.env["MSGRUN_LOCK"] = names[second]
    assert fresh.msgrun("lock", "export", str(tmp_path / "sent.lock")).code == 0
    del fresh.env["MSGRUN_LOCK"]
    assert "is the ledger now" in fresh.msgrun("lock", "import", str(tmp_path / "sent.lock")).out
    if not first:
        fresh.msgrun("lock", "push")
    assert clone("last", "--depth=1").msgrun("apply", "--yes", "--limit", "3").code == 4
    assert len(campaign.clone.intercom.messages) == sent + 3
    assert set(Counter(found["payload"]["to"]["id"] for found in campaign.clone.intercom.messages).values()) == {1}
    fresh.env["MSGRUN_LOCK"] = names[second]
    assert "moved to" in fresh.msgrun("apply", "--yes").err


@pytest.mark.proof
def test_a_ledger_whose_successor_is_lost_is_used_again_once_a_person_says_so(
    campaign: MovingLedger, own_server: Server
) -> None:
    _away_and_back(campaign, "git+origin#lost", f"{own_server.lock}#lost")
    own_server.kill()
    assert "is lost for ever, msgrun lock free" in campaign.run(5, "apply", "--yes")
    said = campaign.run(6, "lock", "import", str(campaign.folder / "1.lock"))
    assert "has to know that the ledger moved to git+origin#lost" in said
    assert "lost for ever: msgrun lock free" in said
    assert "--yes says yes" in campaign.run(5, "lock", "free")
    campaign.run(5, "accept", "news", "--no-fetch", "--yes")
    campaign.clone.write("messages/lost.yaml", MESSAGE.replace("news", "lost").replace("Ponies", "Lost ponies"))
    campaign.run(0, "adopt", "lost", "--no-fetch", "--yes")  # what Intercom shows of the lost one
    assert "origin#lost:messages.lock is the ledger again" in campaign.run(0, "lock", "free", "--yes")
    assert "needs no hold" in campaign.run(0, "lock", "free", "--yes")
    # From here on its records alone count: whoever was sent to by the lost one gets it again.
    campaign.run(0, "lock", "verify")
    campaign.clone.env["MSGRUN_LOCK"] = "git+origin#lost"
    campaign.run(4, "apply", "--yes", "--limit", "3")
    assert campaign.clone.intercom.messages[-1]["payload"]["body"].startswith("Ponies for p03")


@pytest.mark.proof
def test_a_lockfile_is_the_ledger_again_after_lock_free_in_every_clone(campaign: MovingLedger, clone) -> None:
    _away_and_back(campaign, "", "git+origin#gone")
    fresh = clone("fresh", "--depth=1")
    assert "messages.lock moved to git+origin#gone" in fresh.msgrun("apply", "--yes").err
    assert fresh.msgrun("lock", "hold").code == 5
    assert fresh.msgrun("lock", "free", "--yes").out == "messages.lock is the ledger again\n"
    assert fresh.msgrun("lock", "hold").code == 0
    assert "held on origin by" in campaign.run(6, "lock", "import", str(campaign.folder / "1.lock"))
    campaign.clone.env["MSGRUN_LOCK"] = "messages.lock"  # or the commit before is asked, too
    assert "held on origin by" in campaign.run(6, "apply", "--yes", "--limit", "3")
    assert "pushed 1 lines" in fresh.msgrun("lock", "push").out
    campaign.run(4, "apply", "--yes", "--limit", "11")


def test_a_ledger_begins_only_where_all_that_was_named_before_can_be_asked(
    campaign: MovingLedger, clone, server: Server
) -> None:
    campaign.name("git+origin#early")
    campaign.run(0, "lock", "begin")
    campaign.clone.commit()
    campaign.send(30)
    campaign.name(f"{server.lock}#begins")
    campaign.clone.git("rm", "-q", "messages.lock")
    campaign.clone.commit()
    for number in range(3):
        campaign.clone.git("commit", "--quiet", "--allow-empty", "--message", f"later {number}")
    campaign.clone.git("push", "--quiet")
    for command in (["lock", "begin"], ["apply", "--yes", "--new-lock"]):
        shallow = clone(f"shallow-{command[0]}", "--depth=2").msgrun(*command)
        assert (shallow.code, "git fetch --unshallow" in shallow.err) == (6, True)
        assert "the ledger git+origin#early, which lock: named before, has 30 records" in campaign.run(5, *command)
    assert len(campaign.clone.intercom.messages) == 30 - 3


@pytest.mark.proof
def test_a_shallow_clone_begins_no_lockfile_that_the_ledger_before_says_it_moved_to(
    campaign: MovingLedger, clone
) -> None:
    campaign.move("git+origin")
    campaign.clone.git("rm", "-q", "messages.lock")
    campaign.clone.commit()
    campaign.send(30)
    campaign.move("")
    campaign.clone.commit()
    campaign.send(30)
    campaign.clone.commit()
    made = len(campaign.clone.intercom.messages)
    # Back without an import, which every command says; and the lockfile is gone from all but git's history.
    campaign.name("git+origin")
    campaign.clone.git("rm", "-q", "messages.lock")
    campaign.clone.commit()
    campaign.clone.git("push", "--quiet")
    campaign.run(5, "apply", "--yes")
    old = str(campaign.folder / "old.lock")
    campaign.run(0, "lock", "export", old)
    fresh = clone("fresh", "--depth=1")
    fresh.write("msgrun.yaml", SETTINGS + BREAKERS)
    refused = fresh.msgrun("lock", "import", old, "--new-lock")
    assert (refused.code, "git fetch --unshallow" in refused.err) == (6, True)
    fresh.git("fetch", "--quiet", "--unshallow")
    assert "messages.lock lacked 60 records" in fresh.msgrun("lock", "import", old, "--new-lock").err
    assert "\n60 to send" in fresh.msgrun("plan").out
    assert len(campaign.clone.intercom.messages) == made


@pytest.mark.proof
def test_a_clone_of_one_commit_fetches_the_one_before_or_says_that_it_did_not(
    campaign: MovingLedger, clone, server: Server, origin: Path
) -> None:
    """A ledger that was used by a variable, so that it was never told, and then by its name."""
    lock = f"{server.lock}#untold"
    campaign.clone.env["MSGRUN_LOCK"] = lock
    campaign.run(0, "lock", "begin")
    del campaign.clone.env["MSGRUN_LOCK"]
    campaign.name("git+origin")
    campaign.run(0, "lock", "begin")
    campaign.clone.git("rm", "-q", "messages.lock")
    campaign.clone.commit()
    campaign.send(30)
    campaign.name(lock)
    campaign.clone.commit()
    campaign.clone.git("push", "--quiet")
    ran = clone("one", "--depth=1").msgrun("apply", "--yes", "--limit", "3")
    assert (ran.code, "git+origin, which lock: named before, has " in ran.err) == (5, True)
    cut = clone("two", "--depth=1")
    cut.git("remote", "set-url", "origin", f"{origin}-away")
    assert (
        "so the ledger that lock: named before that is not asked: fetch-depth: 2"
        in cut.msgrun("apply", "--yes", "--limit", "1").err
    )


def test_a_lockfile_that_git_alone_still_has_is_brought_from_git(campaign: MovingLedger, clone) -> None:
    campaign.send(30)
    campaign.run(0, "lock", "push")
    campaign.name("git+origin#later")
    campaign.clone.git("rm", "-q", "--force", "messages.lock")
    campaign.clone.commit()
    campaign.clone.git("push", "--quiet")
    fresh = clone("fresh")
    said = fresh.msgrun("apply", "--yes", "--new-lock").err
    told = re.search(
        r"git show (\w+\^:messages\.lock) > sent\.lock, then msgrun lock import sent\.lock --new-lock", said
    )
    assert told
    fresh.write("sent.lock", fresh.git("show", told[1]) + "\n")
    assert fresh.msgrun("lock", "import", "sent.lock", "--new-lock").code == 0
    assert fresh.msgrun("apply", "--yes", "--limit", "3").code == 4


def test_a_lockfile_that_a_run_holds_does_not_move_and_a_push_ends_no_move(campaign: MovingLedger, clone) -> None:
    campaign.send(30)
    campaign.run(0, "lock", "hold")
    campaign.name("git+origin")
    assert "msgrun lock push ends the hold" in campaign.run(6, "lock", "import", "messages.lock", "--new-lock")
    campaign.clone.env["MSGRUN_LOCK"] = "messages.lock"
    campaign.run(0, "lock", "push")
    del campaign.clone.env["MSGRUN_LOCK"]
    campaign.run(0, "lock", "import", "messages.lock")
    campaign.name("")
    campaign.run(0, "lock", "push")
    assert "messages.lock moved to git+origin" in clone("fresh").msgrun("apply", "--yes").err


@pytest.mark.parametrize("kind", one_of("sql", "git"))
def test_another_name_of_the_same_ledger_is_no_move(
    campaign: MovingLedger, server: Server, origin: Path, clone, kind: str
) -> None:
    one, other = f"{server.lock}#same", f"{server.lock.replace('msgrun@', '')}?user=msgrun#same"
    if kind == "git":
        one, other = "git+origin#same", f"git+{origin.as_uri()}#same"
    campaign.name(one)
    campaign.run(0, "lock", "begin")
    campaign.clone.commit()
    campaign.clone.intercom.trouble.replace({})
    campaign.run(0, "apply", "--yes", "--limit", "10")
    campaign.name(other)
    campaign.clone.commit()
    campaign.clone.git("push", "--quiet")
    campaign.run(0, "apply", "--yes", "--limit", "3")
    fresh = clone("fresh", "--depth=2")
    fresh.msgrun("lock", "import", str(_exported(campaign)))
    for lock in (one, other, one):
        fresh.env["MSGRUN_LOCK"] = lock
        assert fresh.msgrun("apply", "--yes", "--limit", "2").code == 0
    campaign.name(one)
    campaign.clone.commit()
    campaign.clone.git("push", "--quiet")
    campaign.run(0, "apply", "--yes", "--limit", "1")


def _exported(campaign: MovingLedger) -> Path:
    path = campaign.folder / "of-it.lock"
    campaign.run(0, "lock", "export", str(path))
    return path


@pytest.mark.proof
@pytest.mark.parametrize(("first", "second"), [("git", "sql"), ("sql", "git"), ("", "sql"), ("sql", "")])
def test_a_ledger_that_got_an_old_export_is_not_used_until_it_has_the_rest(
    campaign: MovingLedger, server: Server, clone, first: str, second: str
) -> None:
    names = {"git": f"git+origin#old-{first}-{second}", "sql": f"{server.lock}#old_{first}_{second}", "": ""}
    campaign.name(names[first])
    if first:
        campaign.run(0, "lock", "begin")
        campaign.clone.git("rm", "-q", "messages.lock")
        campaign.clone.commit()
    campaign.send(30)
    old, new = _exported(campaign), campaign.folder / "new.lock"
    campaign.send(30)
    campaign.run(0, "lock", "export", str(new))
    if not first:
        campaign.run(0, "lock", "push")
    campaign.name(names[second])
    assert "has 30 records that" in campaign.run(5, "lock", "import", str(old), "--new-lock")
    if not first:
        campaign.clone.git("rm", "-q", "messages.lock")
    campaign.clone.commit()
    for number in range(3):
        campaign.clone.git("commit", "--quiet", "--allow-empty", "--message", f"later {number}")
    campaign.clone.git("push", "--quiet")
    sent = len(campaign.clone.intercom.messages)
    fresh = clone("fresh", "--depth=1")
    assert f"moved to {names[first] or 'messages.lock'}" in fresh.msgrun("apply", "--yes").err
    assert len(campaign.clone.intercom.messages) == sent
    said = fresh.msgrun("lock", "import", str(new))
    assert (said.code, "is the ledger now" in said.out) == (0, True)
    fresh.msgrun("apply", "--yes", "--limit", "20")
    assert len(campaign.clone.intercom.messages) > sent
    assert set(Counter(found["payload"]["to"]["id"] for found in campaign.clone.intercom.messages).values()) == {1}


@pytest.mark.proof
def test_a_variable_begins_no_ledger_beside_the_one_of_the_settings(campaign: MovingLedger, server: Server) -> None:
    campaign.clone.git("rm", "-q", "messages.lock")
    campaign.name(f"{server.lock}#settings")
    campaign.run(0, "lock", "begin")
    campaign.send(30)
    for other in ("git+origin#other", "other.lock", f"{server.lock}#other"):
        campaign.clone.env["MSGRUN_LOCK"] = other
        assert "MSGRUN_LOCK would begin a ledger beside postgresql:" in campaign.run(5, "lock", "begin")
        assert "of msgrun.yaml, which knows of 30 deliveries" in campaign.run(5, "apply", "--yes", "--new-lock")
    campaign.name(f"{server.lock.replace('127.0.0.1', 'nowhere.invalid')}#settings")
    assert "what the ledger postgresql://" in campaign.run(0, "lock", "begin")


def _left(campaign: MovingLedger, lock: str) -> None:
    """That the ledger refuses, and sends nothing."""
    sent = len(campaign.clone.intercom.messages)
    campaign.name(lock)
    assert f"the ledger {'origin#uncommitted:' if lock else ''}messages.lock moved to" in campaign.run(
        5, "apply", "--yes"
    )
    assert len(campaign.clone.intercom.messages) == sent


@pytest.mark.proof
def test_a_ledger_that_no_commit_ever_named_is_told_too(campaign: MovingLedger, server: Server) -> None:
    campaign.send(30)
    campaign.move("git+origin#uncommitted")
    campaign.send(30)
    campaign.move(f"{server.lock}#uncommitted")
    campaign.send(30)
    _left(campaign, "git+origin#uncommitted")
    _left(campaign, "")
    campaign.name(f"{server.lock}#uncommitted")
    campaign.send(30)
    assert set(Counter(found["payload"]["to"]["id"] for found in campaign.clone.intercom.messages).values()) == {1}


def test_a_project_in_no_repository_goes_back_to_no_ledger_that_it_left(campaign: MovingLedger, server: Server) -> None:
    shutil.rmtree(campaign.clone.path / ".git")
    campaign.send(30)
    campaign.name(f"{server.lock}#no_git")
    for options in (["lock", "begin"], ["apply", "--yes", "--new-lock"]):
        assert "messages.lock, which lock: named before, has 30 records" in campaign.run(5, *options)
    campaign.name("")
    campaign.move(f"{server.lock}#no_git")
    campaign.send(30)
    _left(campaign, "")
    assert "has 30 records" in campaign.run(5, "lock", "import", str(campaign.folder / "2.lock"))  # of before the move
    campaign.name(f"{server.lock}#no_git")
    campaign.move("")
    campaign.send(30)
    assert set(Counter(found["payload"]["to"]["id"] for found in campaign.clone.intercom.messages).values()) == {1}


@pytest.mark.proof
def test_what_another_run_is_just_sending_is_nothing_that_the_ledger_lacks(
    campaign: MovingLedger, server: Server, tmp_path: Path
) -> None:
    from runner.ledger.address import parse_database_address  # noqa: PLC0415  # coverage starts first
    from runner.ledger.postgres.ledger import PostgresLedger  # noqa: PLC0415
    from runner.ledger.record import Record  # noqa: PLC0415

    lock = f"{server.lock}#living"
    campaign.send(30)
    campaign.move(lock)
    with PostgresLedger(parse_database_address(lock), tmp_path / "rescue", "rehearsal", "another run") as other:
        assert other.open()
        other.commit(*(Record(f"{number:032x}", f"R1-{number}", "claimed", "other", 1) for number in range(10)))
        campaign.move("git+origin#living")
        campaign.clone.commit()
        campaign.move("")
        campaign.move(lock)
        said = campaign.run(4, "apply", "--yes", "--limit", "30")
    assert said.count("10 of the unknown are just being sent, by another run") == 1
