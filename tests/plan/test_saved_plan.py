"""A saved plan: any subset of what it sends, and nothing else; whatever its layout is."""

import json
import tracemalloc
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import GuardRefused, ProblemsFound
from runner.ledger.facts import Facts
from runner.ledger.record import Record, salt_check
from runner.plan.saved_plan import SavedPlan, SavedPlanMessage, parse_saved_plan

KEYS = [f"{number:032x}" for number in range(1, 6)]
DIGEST = "v1:" + "d" * 32


def delivery(key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "message": "news", "revision": 1, "to": "", "action": "send", "digest": DIGEST, **more}


def document(*deliveries: dict[str, Any], **more: Any) -> dict[str, Any]:
    head = {"format_version": 1, "environment": "default", "workspace": "acme", "digest": f"sha256:{'0' * 64}"}
    names = dict.fromkeys(row.get("message") for row in deliveries)
    return {
        **head,
        "messages": [{"name": name} for name in names],
        "deliveries": list(deliveries),
        "guards": [],
        **more,
    }


def compact(value: dict[str, Any]) -> list[bytes]:
    return [json.dumps(value).encode()]


def indented(value: dict[str, Any]) -> list[bytes]:
    return json.dumps(value, indent=2).encode().splitlines(keepends=True)


def a_line_each(value: dict[str, Any]) -> list[bytes]:
    rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in value["deliveries"])
    text = json.dumps({**value, "deliveries": []}).replace('"deliveries": []', f'"deliveries": [\n{rows}\n]')
    return text.encode().splitlines(keepends=True)


def read(*deliveries: dict[str, Any], **more: Any) -> SavedPlan:
    return parse_saved_plan("plan.json", a_line_each(document(*deliveries, **more)))


def known(*keys: str, status: str = "sent") -> Facts:
    facts = Facts()
    for key in keys:
        facts.add(Record(key, f"run-{key}", status, message="news", revision=1))
    return facts


def share(plan: SavedPlan, *declared: tuple[str, str], sent: tuple[str, ...] = ()) -> SavedPlanMessage:
    found = SavedPlanMessage(plan, "news", 1)
    for key, digest in declared:
        found.exclusion_reason(key, digest, is_sent=key in sent)
    return found


@pytest.mark.parametrize("layout", [compact, indented, a_line_each])
def test_every_layout_of_the_document_is_read(layout):
    plan = parse_saved_plan("plan.json", layout(document(*map(delivery, KEYS), salt_check="12345678")))
    assert (plan.environment, plan.workspace, plan.salt_check) == ("default", "acme", "12345678")
    assert plan.send_counts == {("news", 1): 5}
    assert all(plan.allows(key, DIGEST) for key in KEYS)


def test_another_key_or_digest_is_not_allowed():
    plan = read(delivery(KEYS[0]))
    assert not plan.allows(KEYS[1], DIGEST)
    assert not plan.allows(KEYS[0], "v1:" + "e" * 32)
    assert not plan.allows(KEYS[0], "v2:" + "d" * 32)
    assert (KEYS[0] in plan, KEYS[1] in plan, "no key" in plan) == (True, False, False)


@pytest.mark.parametrize("action", ["sent", "edited", "unknown", "refused", "excluded", None])
def test_only_what_the_plan_would_send_is_allowed(action):
    assert KEYS[0] not in read(delivery(KEYS[0], action=action))


raws = st.binary(min_size=16, max_size=16) | st.integers(0, 300).map(lambda number: b"ab" + number.to_bytes(14))


@given(st.dictionaries(raws, raws), st.lists(raws))
def test_it_knows_exactly_what_was_in_it(planned, others):
    rows = [delivery(key.hex(), digest=f"v1:{digest.hex()}") for key, digest in planned.items()]
    plan = read(*rows)
    for key in chain(planned, planned.values(), others):
        for digest in (*planned.values(), *others):
            assert plan.allows(key.hex(), f"v1:{digest.hex()}") is (planned.get(key) == digest)


@pytest.mark.parametrize(
    "change",
    [
        {"key": "5c"}, {"key": "G" * 32}, {"key": None}, {"digest": "v1:d"}, {"digest": "d" * 35}, {"message": 1},
        {"revision": "1"}, {"revision": True},
    ],
)  # fmt: skip
@pytest.mark.parametrize("layout", [compact, a_line_each])
def test_a_delivery_of_the_wrong_form_is_told(change, layout):
    with pytest.raises(ProblemsFound) as found:
        parse_saved_plan("plan.json", layout(document(delivery(KEYS[0]), {**delivery(KEYS[1]), **change})))
    assert found.value.problems[0].code == "saved-plan"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"{}", b"version https://git-lfs", b'{"format_version":2,"deliveries":[]}', b"\xff",
        json.dumps(document(deliveries=None)).encode(), json.dumps(document(workspace=None)).encode(),
        json.dumps(document(deliveries=[1])).encode(), json.dumps(document(messages=None)).encode(),
        json.dumps(document(digest="sha256:0")).encode(), json.dumps(document(paths="a")).encode(),
        json.dumps(document(paths=[1])).encode(),
    ],
)  # fmt: skip
def test_what_is_no_plan_is_told(data):
    with pytest.raises(ProblemsFound) as found:
        parse_saved_plan("plan.json", [data])
    (problem,) = found.value.problems
    assert (problem.code, problem.place.path, "plan --out" in problem.hint) == ("saved-plan", "plan.json", True)


def test_a_plan_that_was_cut_off_is_told_wherever_that_was():
    whole = b"".join(a_line_each(document(*map(delivery, KEYS))))
    for length in range(len(whole) - 1):
        with pytest.raises(ProblemsFound):
            parse_saved_plan("plan.json", whole[:length].splitlines(keepends=True))


def test_another_environment_workspace_or_salt_is_refused():
    plan = read(salt_check=salt_check("pepper"))
    for workspace in ("acme", ""):
        plan.require_made_for("default", workspace, "pepper")
    read(workspace="").require_made_for("default", "beta", "")
    refused = {
        ("staging", "acme", "pepper"): "for environment default, and this is staging",
        ("default", "beta", "pepper"): "for workspace acme, and this is beta",
        ("default", "acme", "salt"): "in another project, with another salt",
    }
    for run, difference in refused.items():
        with pytest.raises(GuardRefused, match=f"plan.json was made {difference}"):
            plan.require_made_for(*run)


def test_what_is_declared_otherwise_or_newly_is_left_out_with_the_reason():
    found = share(read(delivery(KEYS[0]), delivery(KEYS[1])))
    assert found.exclusion_reason(KEYS[0], DIGEST, is_sent=False) == ""
    assert found.exclusion_reason(KEYS[1], "v1:" + "e" * 32, is_sent=False) == "changed since the plan was saved"
    assert found.exclusion_reason(KEYS[2], DIGEST, is_sent=False) == "the saved plan does not send it"
    assert found.guards(Facts()) == []


def test_planned_recipients_that_are_no_longer_declared_are_counted_unless_they_got_it():
    plan = read(*map(delivery, KEYS))
    assert share(plan, (KEYS[0], DIGEST)).count_undeclared(Facts()) == 4
    assert share(plan, (KEYS[0], DIGEST)).count_undeclared(known(KEYS[1], KEYS[2], "f" * 32, "odd")) == 2
    assert share(plan, (KEYS[0], DIGEST), sent=(KEYS[0],)).count_undeclared(known(KEYS[0], KEYS[1])) == 3
    assert share(plan, (KEYS[0], DIGEST)).count_undeclared(known(KEYS[1], status="released")) == 4


def test_a_plan_no_longer_fits_a_message_of_which_nothing_is_declared_as_planned():
    plan = read(delivery(KEYS[0]), delivery(KEYS[1]))
    (guard,) = share(plan, (KEYS[0], "v1:" + "e" * 32)).guards(Facts())
    assert guard.code == "stale-plan"
    assert guard.message == (
        "plan.json is out of date for news: what it sends to 1 recipient changed since, and 1 recipient that it "
        "sends to is no longer declared"
    )
    assert share(plan, (KEYS[0], DIGEST)).guards(Facts()) == []


def test_a_raised_revision_is_named_as_what_changed():
    plan = read(delivery(KEYS[0]))
    (guard,) = plan.undeclared_guards([("news", 2)], Facts(), is_full_selection=True)
    assert guard.message == "plan.json is out of date for news: it sends revision 1, and revision 2 is declared"


def test_what_went_out_as_planned_fits_for_good_so_that_a_run_may_be_repeated():
    plan = read(delivery(KEYS[0]), delivery(KEYS[1]))
    declared = ((KEYS[0], DIGEST), (KEYS[1], "v1:" + "e" * 32))
    assert share(plan, *declared).guards(Facts()) == []
    assert share(plan, *declared, sent=(KEYS[0],)).guards(known(KEYS[0])) == []


def test_a_plan_of_which_nothing_is_left_to_send_fits():
    plan = read(delivery(KEYS[0]))
    assert share(plan).guards(known(KEYS[0])) == []
    assert share(plan, (KEYS[0], "v1:" + "e" * 32), sent=(KEYS[0],)).guards(known(KEYS[0])) == []


def test_messages_that_are_no_longer_declared_are_told_among_those_that_were_selected():
    plan = read(delivery(KEYS[0]), delivery(KEYS[1], message="old"))
    declared = {("news", 2)}
    assert [guard.messages for guard in plan.undeclared_guards(declared, Facts(), is_full_selection=True)] == [
        ("news",),
        ("old",),
    ]
    assert [guard.messages for guard in plan.undeclared_guards(declared, Facts(), is_full_selection=False)] == [
        ("news",)
    ]
    assert plan.undeclared_guards({("news", 1), ("old", 1)}, Facts(), is_full_selection=True) == []


@pytest.mark.proof
def test_ten_thousand_deliveries_are_kept_in_less_than_two_megabytes():
    head, tail = json.dumps(document())[:-1].replace('"deliveries": [], ', "").encode(), b"]}"
    rows = (
        json.dumps(delivery(f"{number * 2**100 + number:032x}"), separators=(",", ":")).encode()
        for number in range(1, 10_001)
    )
    lines = chain(
        [head + b', "deliveries":[\n'],
        (row + (b",\n" if at < 9_999 else b"\n") for at, row in enumerate(rows)),
        [tail],
    )
    tracemalloc.start()
    plan = parse_saved_plan("plan.json", lines)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert plan.send_counts == {("news", 1): 10_000}
    assert peak < 2 * 2**20
