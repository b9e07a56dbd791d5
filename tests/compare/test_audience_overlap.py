"""What two audiences have in common, whatever their order, names and ways to write an address."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.compare.audience_overlap import Overlap, compare_audiences, find_recipient, hash_recipient
from runner.declare.declaration import Declaration
from runner.declare.project_reader import load_project
from runner.declare.settings import Settings
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.tree import Tree

PEOPLE = st.dictionaries(st.integers(0, 40).map(str), st.sampled_from(["Ann", "Bo"]), min_size=1, max_size=20)


def declared(root: Path, rows: str, *, body: str = "Hi {{ name }}", kind: str = "user_id") -> Declaration:
    (root / "messages").mkdir(parents=True)
    (root / "a.csv").write_text(rows)
    (root / "messages" / "a.yaml").write_text(
        f"name: a\nmessage_type: inapp\nbody: '{body}'\nfrom: {{type: admin, id: 1}}\n"
        f"to: {{csv: ../a.csv, type: user, {kind}: '{{{{ {kind} }}}}'}}\n"
    )
    return load_project(Tree(root), Settings(), RenderMonitor()).declarations[0]


def table(people: dict[str, str]) -> str:
    return "user_id,name\n" + "".join(f"{who},{name}\n" for who, name in people.items())


@given(PEOPLE, PEOPLE)
def test_it_counts_as_sets_do(before: dict[str, str], now: dict[str, str]) -> None:
    with TemporaryDirectory() as folder:
        found = compare_audiences(
            declared(Path(folder) / "before", table(before)), declared(Path(folder) / "now", table(now)), len(now)
        )
    both = before.keys() & now.keys()
    assert found == Overlap(
        added=len(now.keys() - both),
        removed=len(before.keys() - both),
        same=len(both),
        altered=sum(before[who] != now[who] for who in both),
    )
    assert found.has_changes == (before != now)


def test_an_address_is_compared_as_keys_compare_it(tmp_path: Path) -> None:
    before = declared(tmp_path / "a", "email,name\nANN@example.com ,Ann\nZoe\u0308@example.com,Z\n", kind="email")
    now = declared(tmp_path / "b", "name,email\nZ,zoë@example.com\nAnn,ann@example.com\n", kind="email")
    assert compare_audiences(before, now, 2) == Overlap(same=2)
    assert hash_recipient("id", "1") != hash_recipient("user_id", "1")


def test_who_has_no_address_is_counted_as_unreadable(tmp_path: Path) -> None:
    before = declared(tmp_path / "a", "user_id,name\n1,Ann\n,Bo\n3\n")
    now = declared(tmp_path / "b", "user_id,name\n1,Ann\n")
    assert compare_audiences(before, now, 1) == Overlap(same=1, unreadable=2)


@pytest.mark.parametrize(("body", "altered"), [("Hi {{ name }}", 0), ("{{ name }} {{ plan }}", 1)])
def test_only_values_that_some_text_uses_count(tmp_path: Path, body: str, altered: int) -> None:
    before = declared(tmp_path / "a", "user_id,name,plan\n1,Ann,a\n", body=body)
    now = declared(tmp_path / "b", "user_id,name,plan\n1,Ann,b\n", body=body)
    assert compare_audiences(before, now, 1).altered == altered


def test_a_recipient_is_found_again_or_the_first_is_taken(tmp_path: Path) -> None:
    people = declared(tmp_path, "user_id,name\n,Nobody\n1,Ann\n2,Bo\n")
    found, first = (
        find_recipient(people, hash_recipient("user_id", "2")),
        find_recipient(people, hash_recipient("user_id", "3")),
    )
    assert found
    assert first
    assert (found.vars["name"], first.vars["name"]) == ("Bo", "Ann")
