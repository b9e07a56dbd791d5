"""The page of a message that was sent shows what became of it; the index shows what should worry of the ledger."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.declare.keys_and_digests import delivery_key
from runner.deliver.online_status_file import load_online_status
from runner.ledger.facts import Facts
from runner.ledger.record import Record
from runner.preview.sent_history import SentHistory
from tests.preview.conftest import RECEIPT, TIP, read_page, write_project
from tests.support.project import run_in_process

RUNS = ("01JD0000000000000000000001", "01JD0000000000000000000002")
ONLINE_STATUSES: dict[str, Any] = {
    "format_version": 1,
    "messages": [
        {
            "name": "tips/export", "revision": 1, "at": "2026-11-24T10:00:00Z",
            "counts": {"replied": 1, "no reply": 1}, "listed": [["KEY", "replied", "2026-11-23T08:30:00Z"]],
        }
    ],
}  # fmt: skip


def record(contact: str, run: str = RUNS[0], status: Any = "sent", **fields: Any) -> Record:
    key = delivery_key("", "tips/export", fields.get("revision", 1), "id", contact)
    values = {"message": "tips/export", "revision": 1, "at": "2026-11-22T10:00:00Z", "to": f"id:{contact}"}
    return Record(key, f"{run}-{contact}", status, **(values | fields))


def preview(root: Path, records: list[Record], statuses: str = "") -> Path:
    with (root / "messages.lock").open("ab") as lock:
        lock.writelines(one.to_line() for one in records)
    if statuses:
        (root / ".msgrun").mkdir()
        (root / ".msgrun/online-messages.json").write_text(statuses)
    ran = run_in_process(["preview", "--out", "../out"], root, {})
    assert ran.code == 0, ran.out + ran.err
    return root.parent / "out"


def test_each_run_is_a_row_the_latest_first() -> None:
    facts = Facts()
    for one in (
        record("a", status="refused", code="x"),
        record("b", id="1"),
        record("b", id="1", by="accept", at="2026-11-25T10:00:00Z"),
        record("c", RUNS[1], "claimed", at="2026-11-23T10:00:00Z"),
        record("d", RUNS[1], "released", at="2026-11-23T10:00:00Z"),
    ):
        facts.add(one)
    view = SentHistory(facts).build_views()["tips/export"]
    assert [list(run.counts.values()) for run in view.runs] == [[0, 0, 1], [1, 1, 0]], "sent, refused, unknown"
    assert [run.when[:10] for run in view.runs] == ["2026-11-23", "2026-11-22"]
    assert dict(view.counts) == {"sent": 1, "refused": 1, "unknown": 1}
    assert view.accepted == (("2026-11-25 10:00", 1),)


def test_many_runs_are_cut() -> None:
    facts = Facts()
    for number in range(13):
        facts.add(record(f"c{number}", f"01JD00000000000000000000{number:02}"))
    view = SentHistory(facts).build_views()["tips/export"]
    assert (len(view.runs), view.earlier_runs) == (10, 3)


def test_the_runs_of_a_large_ledger_are_left_to_audit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("runner.preview.sent_history._MAX_DELIVERIES", 0)
    page = read_page(preview(write_project(tmp_path / "p", tip=TIP), [record("aaa1", id="1")]), "tips-export")
    assert "<b>1</b> sent" in page
    assert "msgrun audit" in page
    assert 'class="run"' not in page


def test_the_page_shows_runs_and_what_status_online_found(tmp_path: Path) -> None:
    root = write_project(tmp_path / "p", tip=TIP, receipt=RECEIPT)
    sent = [record("aaa1", id="1"), record("aaa2", id="2")]
    statuses = json.dumps(ONLINE_STATUSES).replace("KEY", sent[0].key)
    out = preview(root, sent, statuses)
    page = read_page(out, "tips-export")
    assert "What became of it" in page
    assert 'class="sent" x="0.5"' in page
    assert "as of <b>2026-11-24 10:00</b>" in page
    assert "<b>1</b> replied" in page
    assert "<td>2026-11-23 08:30</td><td><code>id:aaa1</code></td>" in page
    assert "<b>1</b> replied · <b>0</b> dropped, as of 2026-11-24" in (out / "index.html").read_text("utf-8")
    other = read_page(out, "receipt")
    assert "nothing of it was sent yet" in other
    assert '<svg class="run"' not in other


def test_who_got_the_text_before_an_accepted_edit_is_not_shown_as_if_the_new_one_was_sent(tmp_path: Path) -> None:
    root = write_project(tmp_path / "p", tip=TIP)
    sent = record("aaa1", id="1")
    declared = json.loads(run_in_process(["plan", "--format", "json"], root, {}).out)["deliveries"]
    (digest,) = (one["digest"] for one in declared if one["key"] == sent.key)
    out = preview(root, [sent, replace(sent, by="accept", digest=digest, at="2026-11-25T10:00:00Z")])
    page = read_page(out, "tips-export")
    assert "<b>1</b> keeps the older text: the edit was accepted 2026-11-25 10:00 UTC" in page
    assert "older text, edit accepted 2026-11-25 10:00 UTC</span>" in page


def test_a_file_that_another_program_wrote_is_no_finding(tmp_path: Path) -> None:
    path = tmp_path / "statuses.json"
    text = json.dumps(ONLINE_STATUSES)
    changes = [("replied", "hacked"), ('"revision": 1', '"revision": "1"'), ("2026-11-24", "\\u001b["), (": 1", ": -1")]
    for broken in ("", "[]", "{", *(text.replace(old, new) for old, new in changes)):
        path.write_text(broken)
        assert load_online_status(path) == {}, broken
    path.write_text(text)
    assert load_online_status(path)["tips/export", 1].counts["replied"] == 1


def test_the_index_warns_of_duplicates_damage_and_what_is_unknown_elsewhere(tmp_path: Path) -> None:
    root = write_project(tmp_path / "p", tip=TIP.replace("name: tips/export", "name: tips/export\nrevision: 2"))
    (root / "messages.lock").write_text((root / "messages.lock").read_text() + '{"torn\n')
    records = [record("aaa1", id="1"), record("aaa1", RUNS[1], id="2"), record("aaa2", status="claimed")]
    index = (preview(root, records) / "index.html").read_text("utf-8")
    assert "tips/export went twice to id:aaa1" in index
    assert "--duplicate" in index
    assert "is torn: what can be read of it is kept" in index
    assert "tips/export, revision 1: 1 of unknown outcome, which this plan does not have" in index
    assert "got revision 1 already" in index
    tones = [
        part[:4] for part in index.partition("Concerns")[2].split('<li class="')[1:] if part[:4] in {'bad"', "warn"}
    ]
    assert tones == sorted(tones), "the worst first"
