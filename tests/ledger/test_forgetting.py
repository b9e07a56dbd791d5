"""What the records say of a recipient goes from every kind of ledger, and no old copy brings it back."""

from pathlib import Path

import pytest

from runner.ledger.context import LedgerContext
from runner.ledger.facts import Facts
from runner.ledger.forgetting import RecipientRemoval
from runner.ledger.ledger import append_missing
from runner.ledger.local_records import add_local_records, forget_local_records
from runner.ledger.lockfile.files import lockfile_paths
from runner.ledger.opening import open_existing
from runner.ledger.record import Record, Status
from tests.support.clones import git_output
from tests.support.ledger_contexts import fill_ledger, ledger_context, make_record, read_facts, trusted_context


def person(number: int, status: Status = "sent", **more: str) -> Record:
    values = {"to": "id:536e", "contact": "536e", "text": "t", "conversation": "7", "digest": "v1:d", "content": "c"}
    return make_record(number, status, **{**values, **more})


PERSON = person(1)
CLAIM, UNKNOWN = person(2, "claimed"), person(2, "unknown")
OTHER = make_record(3, "sent", contact="other", text="t3")
KEYS = frozenset({PERSON.key, CLAIM.key})


def forget(context: LedgerContext) -> int:
    with open_existing(context, "test") as ledger:
        return ledger.forget(KEYS)


def assert_forgotten(facts: Facts) -> None:
    for key in KEYS:
        for record in facts.records_of(key):
            assert (record.contact, record.text, record.conversation) == ("", "", "")
            assert record.to == f"id:~{key[:8]}"
            assert (record.digest, record.content) == ("v1:d", "c")
    states = {key: state.status for key in facts if (state := facts.state(key))}
    assert states == {PERSON.key: "sent", CLAIM.key: "unknown", OTHER.key: "sent"}
    assert facts.records_of(OTHER.key) == (OTHER,)


@pytest.mark.parametrize("kind", ["lockfile", "branch", "database"])
def test_it_goes_from_every_kind_of_ledger_and_an_old_copy_changes_nothing(
    kind: str, clone: Path, request: pytest.FixtureRequest
) -> None:
    database = request.getfixturevalue("server").lock if kind == "database" else ""
    lock = {"lockfile": "messages.lock", "branch": "git+origin"}.get(kind, database)
    context = trusted_context(clone, lock)
    fill_ledger(context, PERSON, CLAIM, UNKNOWN, OTHER)
    old = read_facts(context)
    old_records = list(old.records())
    assert forget(context) >= 3
    assert_forgotten(read_facts(context))
    assert forget(context) == 0
    with open_existing(context, "test") as ledger:
        assert append_missing(ledger, old) == 0, "what another clone still has is not brought back"
        ledger.append(*old_records)  # a merge by git brings it back as text
        assert_forgotten(ledger.facts)
    assert_forgotten(read_facts(context))
    assert forget(context) > 0
    assert forget(context) == 0


def test_the_journal_the_old_lockfile_and_the_rescue_file_are_rewritten_too(clone: Path) -> None:
    context = ledger_context(clone, "git+origin", ledger_id="01JDA0000000000000000000AA")
    fill_ledger(ledger_context(clone), PERSON, OTHER)
    fill_ledger(context, PERSON, CLAIM, UNKNOWN, OTHER)
    forget(context)
    with open_existing(context, "test") as ledger:
        assert forget_local_records(context, ledger.facts, KEYS) == ["messages.lock", "the journal in git's folder"]
        add_local_records(context, ledger)
        assert_forgotten(ledger.facts)
    paths = lockfile_paths(clone, "messages.lock", ledger_context(clone).repository)
    assert paths.journal is not None
    for path in (paths.lockfile, paths.journal):
        assert "536e" not in path.read_text()


def test_compaction_removes_what_a_merge_brought_back(clone: Path) -> None:
    context = ledger_context(clone)
    fill_ledger(context, PERSON, CLAIM, UNKNOWN, OTHER)
    text = (clone / "messages.lock").read_text()
    forget(context)
    with (clone / "messages.lock").open("a") as file:
        file.write(text)
    with open_existing(context, "test") as ledger:
        ledger.compact()
    assert "536e" not in (clone / "messages.lock").read_text()
    assert_forgotten(read_facts(context))


def test_a_later_outcome_of_an_attempt_still_counts() -> None:
    facts = Facts()
    for record in (UNKNOWN.without_recipient(), person(2, "sent", id="2001"), PERSON.without_recipient(), PERSON):
        facts.add(record)
    assert [state.status for key in facts if (state := facts.state(key))] == ["sent", "sent"]


def test_lines_of_others_stay_byte_for_byte_and_torn_ones_keep_their_records() -> None:
    other = b'{"key": "x", "odd" : 1}\n'
    torn = PERSON.to_line()[:-1] + b'{"key":"' + PERSON.key.encode()[:9]
    removal = RecipientRemoval(KEYS)
    lines = list(removal.lines([other, OTHER.to_line(), torn, PERSON.to_line()], "x"))
    assert lines == [other, OTHER.to_line(), PERSON.without_recipient().to_line()]
    assert list(RecipientRemoval(frozenset()).lines([torn], "x")) == [torn]


def test_the_branch_keeps_its_other_lines_and_its_history(clone: Path) -> None:
    context = ledger_context(clone, "git+origin")
    fill_ledger(context, PERSON, CLAIM, UNKNOWN, OTHER)
    forget(context)
    git_output(clone, "fetch", "--quiet", "origin", "msgrun-ledger")
    newest, before = (git_output(clone, "show", f"FETCH_HEAD{at}:messages.lock") for at in ("", "~1"))
    assert ("536e" in newest, "536e" in before) == (False, True)
    assert git_output(clone, "log", "-1", "--format=%s", "FETCH_HEAD").strip().endswith(": a recipient is forgotten")
