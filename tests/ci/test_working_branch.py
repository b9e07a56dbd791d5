"""The ledger on the working branch, where people merge and push: `lock: git+origin#main`."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.clones import Clone, git_output, message, tip
from tests.support.proof import one_of, table

pytestmark = pytest.mark.parametrize("ledger", ["main"], indirect=True)


def second_ref(author: Clone) -> str:
    """The ref that every push of the ledger moves, too."""
    (line,) = (line for line in (author.path / "msgrun.yaml").read_text().splitlines() if line.startswith("ledger:"))
    return f"refs/msgrun/ledger/{line.split()[1]}"


def second_ref_of(origin: Path) -> str:
    """The only such ref on the remote."""
    (ref,) = git_output(origin, "for-each-ref", "--format=%(refname)", "refs/msgrun/ledger").split()
    return ref


def sends_nothing(clone: Clone, count: int) -> None:
    ran = clone.msgrun("apply", "--yes")
    assert (ran.code, ran.out.splitlines()[-1], len(clone.sent())) == (0, "nothing to do", count)


def test_claims_are_pushed_to_the_branch_and_to_the_second_ref_at_once(author: Clone, clone, origin: Path) -> None:
    before = tip(origin)
    assert clone("person").msgrun("apply", "--yes").code == 0
    assert git_output(origin, "rev-parse", second_ref(author)) == tip(origin)
    assert git_output(origin, "diff", "--name-only", before, "main") == "messages.lock"
    assert git_output(origin, "rev-list", "--merges", f"{before}..main") == ""


@pytest.mark.parametrize("refused", ["refs/heads/main", "refs/msgrun/*"])
def test_if_the_remote_takes_one_of_them_only_it_takes_none_and_nothing_is_sent(
    refused: str, author: Clone, origin: Path
) -> None:
    hook = origin / "hooks" / "update"
    hook.write_text(f'#!/bin/sh\ncase "$1" in {refused}) echo "GH006: Protected" >&2; exit 1;; esac\n')
    hook.chmod(0o755)
    before = git_output(origin, "for-each-ref")
    ran = author.msgrun("apply", "--yes")
    assert (ran.code, "GH006: Protected" in ran.err, author.sent()) == (6, True, [])
    assert ran.err.strip().endswith(f"; and let it push to {second_ref(author)}\nNothing was sent.")
    assert git_output(origin, "for-each-ref") == before
    hook.unlink()
    assert author.msgrun("apply", "--yes").code == 0
    assert len(author.sent()) == 3


def test_a_host_that_refuses_the_second_ref_lets_no_ledger_begin_there(author: Clone, origin: Path) -> None:
    assert git_output(origin, "rev-parse", second_ref(author)) != ""  # a ledger has it from the beginning
    hook = origin / "hooks" / "update"
    hook.write_text('#!/bin/sh\ncase "$1" in refs/msgrun/*) exit 1;; esac\n')
    hook.chmod(0o755)
    author.git("rm", "--quiet", "messages.lock")
    author.remove_settings("ledger", "remote")
    author.commit()
    author.git("push", "--quiet")
    git_output(origin, "update-ref", "-d", second_ref_of(origin))
    ran = author.msgrun("lock", "begin", "--abandon-previous", "--yes")
    assert ran.code == 6
    assert "let it push to refs/msgrun/ledger/" in ran.err
    assert ran.err.strip().endswith("or name a branch without other files in lock:, as git+origin")
    assert "messages.lock" not in git_output(origin, "ls-tree", "--name-only", "main").split()
    author.write("msgrun.yaml", (author.path / "msgrun.yaml").read_text().replace("git+origin#main", "git+origin"))
    author.commit()
    author.git("push", "--quiet")
    assert author.msgrun("lock", "begin", "--abandon-previous", "--yes").code == 0


def test_a_ledger_that_msgrun_yaml_does_not_name_forgets_nothing_either(author: Clone, clone, origin: Path) -> None:
    author.remove_settings("ledger")
    author.commit()
    author.git("push", "--quiet")
    old = tip(origin)
    assert clone("sender").msgrun("apply", "--yes").code == 0
    _revert(author, old)
    assert "\nPlan: 1 to send, 3 already sent." in clone("fresh").msgrun("plan").out


def test_a_removal_that_git_takes_for_a_rename_to_the_next_ledger_leaves_that_one_current(author: Clone, clone) -> None:
    assert author.msgrun("apply", "--yes", "--limit", "2").code == 0
    author.git("pull", "--quiet", "--ff-only")
    assert author.msgrun("lock", "move", "--yes", "sent.lock").code == 0
    author.write(".gitattributes", "*.lock -text merge=union\n")
    author.git("rm", "--quiet", "messages.lock")
    author.commit()
    author.git("pull", "--quiet", "--no-rebase", "--no-edit")  # the branch got the mark of the old ledger meanwhile
    author.git("push", "--quiet")
    assert '"moved":"sent.lock"' in (author.path / "sent.lock").read_text()
    assert clone("fresh").msgrun("apply", "--yes").code == 0
    assert len(author.sent()) == 3


def _merge_ours(author: Clone, old: str) -> None:
    """A branch of before the apply is merged, and a conflict is settled for its version of the file."""
    author.git("checkout", "--quiet", "-B", "old", old)
    author.write("messages/third.yaml", message("third", "ccc1"))
    author.commit()
    author.git("checkout", "--quiet", "main")
    author.git("pull", "--quiet", "--ff-only")
    author.git("merge", "--quiet", "--no-commit", "old")
    author.git("checkout", "--quiet", "old", "--", "messages.lock")
    author.git("commit", "--quiet", "--message", "merge")
    author.git("push", "--quiet", "origin", "main")


def _force_push(author: Clone, old: str) -> None:
    author.git("reset", "--quiet", "--hard", old)
    author.write("messages/third.yaml", message("third", "ccc1"))
    author.commit()
    author.git("push", "--quiet", "--force", "origin", "main")


def _revert(author: Clone, old: str) -> None:
    author.git("pull", "--quiet", "--ff-only")
    author.git("checkout", "--quiet", old, "--", "messages.lock")
    author.write("messages/third.yaml", message("third", "ccc1"))
    author.commit()
    author.git("push", "--quiet", "origin", "main")


def _remove(author: Clone, old: str) -> None:
    del old
    author.git("pull", "--quiet", "--ff-only")
    author.git("rm", "--quiet", "messages.lock")
    author.write("messages/third.yaml", message("third", "ccc1"))
    author.commit()
    author.git("push", "--quiet", "origin", "main")


@pytest.mark.parametrize("depth", one_of("--depth=1", "--no-single-branch"))
@pytest.mark.parametrize("drop", [_merge_ours, *table([_force_push, _revert, _remove])])
def test_whatever_drops_the_records_from_the_branch_a_fresh_clone_knows_them_all(
    drop: Callable[[Clone, str], None], depth: str, author: Clone, clone, origin: Path
) -> None:
    old = tip(origin)
    assert clone("sender").msgrun("apply", "--yes").code == 0
    drop(author, old)
    if "messages.lock" in git_output(origin, "ls-tree", "--name-only", "main").split():
        assert "sent" not in git_output(origin, "show", "main:messages.lock")
    fresh = clone("fresh", depth)
    assert "\nPlan: 1 to send, 3 already sent." in fresh.msgrun("plan").out
    assert fresh.msgrun("apply", "--yes").code == 0
    assert sorted(name for name, _ in author.sent()) == ["aaa1", "aaa2", "bbb1", "ccc1"]
    # And the branch has them again.
    assert git_output(origin, "show", "main:messages.lock").count('"status":"sent"') == 4
    sends_nothing(clone("last", "--depth=1"), 4)


def test_what_others_pushed_meanwhile_stays(author: Clone, clone, origin: Path) -> None:
    slow = clone("slow")
    author.write("messages/third.yaml", message("third", "ccc1"))
    author.commit()
    author.git("push", "--quiet")
    theirs = tip(origin)
    assert slow.msgrun("apply", "--yes").code == 0
    assert git_output(origin, "merge-base", theirs, "main") == theirs
    assert git_output(origin, "show", "main:messages/third.yaml").startswith("name: third")
    fresh = clone("fresh")
    assert fresh.msgrun("apply", "--yes").code == 0
    assert len(author.sent()) == 4


@pytest.mark.proof
def test_many_who_send_at_once_all_get_through_and_nobody_gets_it_twice(author: Clone, clone, origin: Path) -> None:
    for number in range(4):
        author.write(f"messages/m{number}.yaml", message(f"m{number}", f"x{number}"))
    author.commit()
    author.git("push", "--quiet")
    people = [clone(str(number)) for number in range(4)]
    with ThreadPoolExecutor() as pool:
        work = list(pool.map(lambda one: one.process("apply", "--yes"), people))
    assert {ran.code for ran in work} <= {0, 4, 75}
    sends_nothing(clone("fresh"), 7)
    assert git_output(origin, "rev-parse", second_ref(author)) == tip(origin)


def test_nothing_else_of_the_work_tree_gets_in(clone, origin: Path) -> None:
    dirty = clone("dirty")
    dirty.write("messages/first.yaml", message("first", "aaa1", "aaa2", body="Half a thought"))
    dirty.write("staged.txt", "not yet")
    dirty.git("add", "staged.txt")
    before = tip(origin)
    assert dirty.msgrun("apply", "--yes").code == 0
    assert git_output(origin, "diff", "--name-only", before, "main") == "messages.lock"
    assert dirty.git("diff", "--name-only") == "messages/first.yaml"
    assert dirty.git("diff", "--cached", "--name-only") == "staged.txt"


def test_after_an_apply_the_next_pull_stumbles_over_nothing(clone) -> None:
    person, other = clone("person"), clone("other")
    assert person.msgrun("apply", "--yes", "messages/first.yaml").code == 0
    assert other.msgrun("apply", "--yes").code == 0
    for one in (person, other):
        assert one.git("status", "--porcelain") == ""
        one.git("pull", "--quiet", "--ff-only")
        sends_nothing(one, 3)


def test_what_is_compacted_is_compacted_in_both_places(author: Clone, origin: Path, intercom) -> None:
    intercom.trouble.replace({"next": ["500_after"]})
    assert author.msgrun("apply", "--yes").code == 4
    assert author.msgrun("resolve", "--message", "first", "--all", "--not-sent", "--yes").code == 0
    assert author.msgrun("lock", "compact").code == 0
    lines = git_output(origin, "show", "main:messages.lock").splitlines()
    assert git_output(origin, "show", f"{second_ref(author)}:messages.lock").splitlines() == lines
    assert sum('"key"' in line for line in lines) == 3
