"""However many processes share a large audience, the plan is the same: order, digest, problems and their rows."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runner.declare.project_reader import load_project
from runner.declare.settings import load_settings
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.tree import Tree
from runner.ledger.facts import Facts
from runner.ledger.record import Record
from runner.plan import message_planner
from runner.plan.message_planner import PlanOptions
from runner.plan.plan import make_plan
from runner.privacy import reveal_or_mask

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
MESSAGE = """name: big
message_type: email
subject: Hi {{ first_name }}
body: <p>You have {{ amount }}</p>
from: {type: admin, id: 1}
to: {%s: ../audiences/%s, type: user, %s}
"""
EMAIL, ID = 'email: "{{ email }}"', 'id: "{{ amount }}"'


def worker_pool(jobs: int) -> Callable[[Callable[[int, int], Iterator[Any]]], Iterator[Any]]:
    """A worker pool of `jobs` that works in this process."""

    def together(work: Callable[[int, int], Iterator[Any]]) -> Iterator[Any]:
        members = [work(turn, jobs) for turn in range(jobs)]
        while members:
            for member in list(members):
                try:
                    yield next(member)
                except StopIteration:
                    members.remove(member)

    return together


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setattr(message_planner, "PARALLEL_MIN_SIZE", 1)

    def made(audience: dict[str, str], address: str = EMAIL, more: str = "", kind: str = "csv") -> Any:
        (tmp_path / "messages").mkdir(exist_ok=True)
        (tmp_path / "audiences").mkdir(exist_ok=True)
        for name, text in audience.items():
            (tmp_path / "audiences" / name).write_text(text)
        names = next(iter(audience)) if len(audience) == 1 else "*.csv"
        (tmp_path / "messages" / "a.yaml").write_text(MESSAGE % (kind, names, address + more))
        tree = Tree(tmp_path)
        return load_project(tree, load_settings(tree, None), RenderMonitor())

    return made


def rows(start: int, end: int, **instead: str) -> str:
    lines = [
        instead.get(f"r{number}", f"user{number}@example.com,Ann {number},{number}") for number in range(start, end)
    ]
    return "email,first_name,amount\n" + "".join(f"{line}\n" for line in lines)


def seen(found: Any, jobs: int, facts: Facts | None = None) -> tuple[Any, ...]:
    plan, problems = make_plan(found, facts or Facts(), NOW, PlanOptions(), worker_pool(jobs) if jobs > 1 else None)
    (message,) = plan.messages
    return (
        plan.digest,
        list(message.deliveries),
        message.counts,
        message.first_recipients,
        message.left_out,
        message.first_recipients_by_reason,
        plan.guards,
        [(problem.place, problem.message, problem.recipient) for problem in problems],
    )


@pytest.mark.parametrize("jobs", [2, 3, 7])
@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1700, 3500])
@pytest.mark.parametrize("address", [EMAIL, ID])
def test_any_number_of_processes_plans_the_same(project, jobs, count, address):
    found = project({"a.csv": rows(0, count)}, address)
    assert seen(found, jobs) == seen(found, 1)


def test_several_files_blank_rows_and_rows_over_several_lines_keep_their_numbers(project):
    odd = {"r10": "", "r600": '"user600@example.com","Ann\nB","7"', "r777": "one,two", "r1300": "", "r1400": " , , "}
    found = project(
        {"a.csv": rows(0, 1501, **odd), "b.csv": rows(1501, 2600, r2000="x@example.com,,1"), "c.csv": rows(0, 0)}
    )
    assert seen(found, 2) == seen(found, 1)
    assert len(seen(found, 2)[-1]) > 2


def test_a_file_that_cannot_be_read_on_is_told_once(project):
    found = project({"a.csv": rows(0, 1800, r1200='"open')})
    assert seen(found, 2) == seen(found, 1)


def test_the_same_recipient_in_two_processes_is_told_with_both_rows(project):
    found = project({"a.csv": rows(0, 1600, r1500="USER3@example.com,Ann,1")})
    assert seen(found, 2) == seen(found, 1)
    assert "row 5 of a.csv" in str(seen(found, 2)[-1][0][1])


def test_filters_count_the_same_and_odd_cells_are_told_the_same(project):
    more = ", where: \"{{ amount != '1111' }}\", split: {percent: 30, part: 1}"
    found = project({"a.csv": rows(0, 2100, r900="nan@example.com,NaN,900")}, more=more)
    assert seen(found, 2) == seen(found, 1)
    assert seen(found, 2)[4]["where"] == 1


def test_a_filter_that_needs_the_order_is_applied_by_one_process(project):
    more = ", unique_by: first_name"
    found = project({"a.csv": rows(0, 1200, r1100="x@example.com,Ann 3,1")}, more=more)
    assert seen(found, 2) == seen(found, 1)
    assert seen(found, 2)[4]["unique_by"] == 1


def test_json_lines_are_shared_as_well(project):
    lines = "".join(f'{{"email":"u{row}@example.com","first_name":"A","amount":{row}}}\n' for row in range(1300))
    found = project({"a.jsonl": lines}, kind="jsonl")
    assert seen(found, 2) == seen(found, 1)


def test_what_the_ledger_knows_is_found_by_every_process(project):
    found = project({"a.csv": rows(0, 1500)})
    facts = Facts()
    for number, each in enumerate(seen(found, 1)[1]):
        if number % 3:
            status = "sent" if number % 3 == 1 else "refused"
            facts.add(Record(each.key, f"A-{number}", status, "big", 1, digest=each.digest if number % 2 else "v1:0"))
    assert seen(found, 2, facts) == seen(found, 1, facts)
    assert seen(found, 2, facts)[2]["edited"] == 250
    names = [
        reveal_or_mask(name, show_values=True)
        for name in seen(found, 2, facts)[5]["refused", "refused before: no code"]
    ]
    assert names == ["user5@example.com", "user11@example.com", "user17@example.com", "user23@example.com"]
