"""A ledger that takes no claims says why, and a command in its refusal.hint settles it."""

import pytest

from runner.ledger.mark import MoveMark, explain_mark


def test_a_ledger_that_moved_names_the_new_address_and_the_way_back() -> None:
    refusal = explain_mark("messages.lock", MoveMark(1, "moved", "git+origin"))
    assert refusal.message == "the ledger messages.lock moved to git+origin"
    assert "write lock: git+origin into msgrun.yaml" in refusal.hint
    assert "MSGRUN_LOCK=git+origin msgrun lock move messages.lock" in refusal.hint
    assert refusal.hint.startswith("if this commit is older than the move: git pull")
    assert refusal.hint.endswith("if it is lost: msgrun explain ledger-moved")


def test_a_ledger_that_is_being_filled_names_how_to_finish_and_how_to_cancel() -> None:
    refusal = explain_mark("git+origin", MoveMark(1, "pending", "messages.lock"))
    assert refusal.message == "the ledger git+origin lacks records: its move from messages.lock did not end"
    assert refusal.hint == (
        "finish the move: msgrun lock move git+origin; or cancel it: msgrun lock move messages.lock; if it is lost:"
        " msgrun explain ledger-moved"
    )


@pytest.mark.parametrize("status", ["moved", "pending"])
def test_an_address_that_somebody_else_wrote_is_quoted_in_commands(status: str) -> None:
    refusal = explain_mark("a b.lock", MoveMark(1, status, "x; rm -rf ~"))
    assert "'x; rm -rf ~'" in refusal.hint
    assert "'a b.lock'" in refusal.hint
    assert "x; rm" not in refusal.hint.replace("'x; rm -rf ~'", "")
