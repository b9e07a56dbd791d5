"""What should worry of a change is named with what it was and what it is; so is what is easily overlooked in a text."""

import subprocess
from pathlib import Path

import pytest

from runner.compare.audience_overlap import Overlap
from runner.compare.comparison import Comparison, MessageChange
from runner.compare.declared_fields import FieldChange
from runner.preview.concerns import list_change_concerns, list_comparison_concerns
from tests.preview.conftest import write_project
from tests.support.project import run_in_process

LEAVE = (
    '<p>Hi {{ name }}.</p><p style="color:#666">Tired of it? <a href="https://example.com/leave">Unsubscribe</a></p>'
)
NEWS = f"""name: news
message_type: email
subject: News
body: '{LEAVE}'
from: {{type: admin, id: "394051"}}
to: {{csv: ../people.csv, type: user, email: "{{{{ email }}}}"}}
"""


def read_index(root: Path, *options: str) -> str:
    ran = run_in_process([*options, "preview", "--out", "../out", "--against", "HEAD"], root, {})
    assert ran.code == 0, ran.out + ran.err
    return (root.parent / "out/index.html").read_text("utf-8")


def write_news(root: Path) -> Path:
    project = write_project(root, news=NEWS)
    rows = [f"user{number}@example.com,Ann,{'yes' if number == 7 else ''}" for number in range(20)]
    (project / "people.csv").write_text("\n".join(["email,name,barred", *rows, ""]), encoding="utf-8")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=project, check=True)
    return project


def test_a_hidden_link_and_a_rare_text_are_named(tmp_path: Path) -> None:
    root = write_news(tmp_path / "p")
    index = read_index(root)
    assert "a reader may not see" not in index
    assert "what most do not" not in index
    branch = "{% if barred %}<p>You may not come.</p>{% endif %}\n"
    changed = NEWS.replace("<p>Hi", f"{branch}<p>Hi").replace("color:#666", "opacity:0")
    (root / "messages/news.yaml").write_text(changed, encoding="utf-8")
    index = read_index(root)
    assert "a reader may not see the link Unsubscribe: it is styled with opacity" in index
    assert "1 of 20 recipients reads what most do not: You may not come." in index


def test_a_text_that_differs_in_white_space_alone_is_not_shown_as_a_change(tmp_path: Path) -> None:
    root = write_news(tmp_path / "p")
    branch = "{% if barred %}<p>You may not come.</p>{% endif %}  "
    (root / "messages/news.yaml").write_text(NEWS.replace("<p>Hi", f"{branch}<p>Hi"), encoding="utf-8")
    assert "<li>the text that others get, or its source</li>" in read_index(root)


def test_many_changed_places_are_counted_and_long_ones_are_cut(tmp_path: Path) -> None:
    root = write_news(tmp_path / "p")
    changed = NEWS.replace("Hi", "Hello").replace("Tired of it", f"Too {'much ' * 40}")
    (root / "messages/news.yaml").write_text(changed, encoding="utf-8")
    assert "<li>body: Hi → Hello, and 1 more place</li>" in read_index(root)


def test_what_was_sent_already_is_named_once(tmp_path: Path) -> None:
    root = write_news(tmp_path / "p")
    assert run_in_process(["--sandbox", "apply", "--yes"], root, {}).code == 0
    message = root / "messages/news.yaml"
    message.write_text(f"{NEWS}revision: 2\n", encoding="utf-8")
    assert read_index(root, "--sandbox").count("all 20 got revision 1 already, and get this too") == 1
    message.write_text(NEWS.replace("name: news", "name: other").replace("Tired", "Fed up"), encoding="utf-8")
    assert "news is removed, and 20 recipients got it already" in read_index(root, "--sandbox")


def concerns(*fields: FieldChange, audience: Overlap | None = None, hosts: dict[str, list[str]] | None = None) -> str:
    change = MessageChange("news", "changed", fields, audience)
    comparison = Comparison("main", "0" * 40, (change,), new_hosts=hosts or {})
    return "\n".join(f"{concern.label}: {concern.text}" for concern in list_change_concerns(comparison, change))


@pytest.mark.parametrize(
    ("name", "before", "now", "text"),
    [
        ("from.name", "Ada", "Eve", "sender: another sender: Ada → Eve"),
        ("expires", "2027-06-01T00:00:00Z", "", "expires was removed, it was 2027-06-01:"),
        ("max_recipients", "10", "9000", "limit: max_recipients was loosened: 10 → 9,000"),
        ("max_recipients", "10", "", "10 → none"),
    ],
)
def test_a_field_that_guards_is_a_concern(name: str, before: str, now: str, text: str) -> None:
    assert text in concerns(FieldChange(name, before, now))


@pytest.mark.parametrize(
    ("name", "before", "now"),
    [("expires", "2027-06-01T00:00:00Z", "2027-05-01T00:00:00Z"), ("max_recipients", "10", "9"), ("expires", "", "x")],
)
def test_a_stricter_field_is_none(name: str, before: str, now: str) -> None:
    assert concerns(FieldChange(name, before, now)) == ""


def test_many_more_recipients_are_a_concern() -> None:
    assert concerns(audience=Overlap(added=15, same=15)) == "audience: more recipients: 15 → 30, 2 times as many"
    assert concerns(audience=Overlap(added=15)) == "audience: more recipients: 0 → 15"
    assert not concerns(audience=Overlap(added=5, same=100))


def test_an_audience_of_other_people_is_a_concern() -> None:
    assert (
        concerns(audience=Overlap(added=9, removed=9, same=1)) == "audience: other recipients: 1 of 10 stay, 9 are new"
    )
    assert not concerns(audience=Overlap(added=9, removed=9, same=10))


def test_a_new_host_is_one_of_the_messages_that_link_to_it() -> None:
    assert "a link or an image leads to a new host, evil.test, which no" in concerns(hosts={"evil.test": ["news"]})
    assert not concerns(hosts={"evil.test": ["other"]})


def guard_concerns(*settings: FieldChange) -> list[str]:
    comparison = Comparison("main", "0" * 40, (), guard_changes=settings)
    return [concern.text for concern in list_comparison_concerns(comparison)]


def test_a_changed_guard_is_a_concern() -> None:
    assert guard_concerns(FieldChange("require_plan", "true", "false")) == ["require_plan: true → false"]


def test_another_sender_in_the_settings_is_a_concern() -> None:
    assert guard_concerns(FieldChange("from", "admin 7", "admin 8")) == ["from: admin 7 → admin 8"]
