"""The builder chooses recipients who differ, and shows of them what is true."""

import json
import subprocess
import threading
from pathlib import Path
from unittest.mock import Mock

import pytest

from runner.cli import worker_pool
from runner.cli.worker_pool import ForkedWorkerPool
from runner.current_work import CURRENT_WORK
from runner.declare.keys_and_digests import delivery_key
from runner.preview import builder
from runner.preview.pages import name_pages
from tests.preview.conftest import RECEIPT, TIP, read_page, write_project
from tests.support.project import run_in_process


def preview(root: Path, *args: str) -> str:
    ran = run_in_process(["preview", "--out", "../out", *args], root, {})
    assert ran.code == 0, ran.out + ran.err
    return read_page(root.parent / "out", "receipt")


def test_recipients_are_chosen_by_text_by_length_and_by_finding(gallery: Path) -> None:
    page = read_page(gallery, "receipt")
    assert page.count('class="recipient"') == 4
    for reason in (
        "the first",
        "1 of 6 recipients gets a text of this form",
        "5 of 6 recipients get a text of this form",
        "the longest",
        "the shortest",
    ):
        assert reason in page, reason


def test_the_number_of_recipients_can_be_chosen(tmp_path: Path) -> None:
    root = write_project(tmp_path / "p", receipt=RECEIPT)
    assert preview(root, "--recipients", "6").count('class="recipient"') == 6
    assert preview(root, "--recipients", "2").count('class="recipient"') == 2


def test_values_are_masked_unless_they_are_asked_for(tmp_path: Path, gallery: Path) -> None:
    root = write_project(tmp_path / "p", receipt=RECEIPT)
    masked = preview(root)
    for value in ("Ann", "user1@example.com", "Maximilian"):
        assert value not in masked
        assert value in read_page(gallery, "receipt")
    for file in (tmp_path / "out").rglob("*"):
        assert file.is_dir() or "user1@" not in file.read_text("utf-8"), file
    assert "values masked" in masked
    assert "Your receipt, \u2039first_name\u203a" in masked
    assert "&lt;p&gt;Dear \u2039first_name\u203a," in masked
    assert "your trial ends" in masked, "the author's words are not masked"


def test_a_mask_has_the_name_of_a_variable_only_where_it_is_certain(tmp_path: Path) -> None:
    body = "{{ first_name }}! {{ plan | upper }}! {{ email.split('@')[0] }}! \u2039plan\u203a {% if plan %}x{% endif %}"
    text = RECEIPT.partition("body: |")[0] + f'body: "{body}"\n' + RECEIPT[RECEIPT.index("template:") :]
    root = write_project(tmp_path / "p", receipt=text)
    (root / "people.csv").write_text("email,first_name,plan\na@example.com,Ann,pro\nb@example.com,pro,pro\n")
    page = preview(root, "--recipients", "2")
    assert "\u2039first_name\u203a! ***! ***! &amp;lt;U+2039&amp;gt;plan&amp;lt;U+203A&amp;gt; x" in page
    assert "&gt;***! ***! ***! &amp;lt;U+2039" in page, "two variables have this value"


def test_a_text_that_may_mask_words_of_the_author_is_shown_as_it_is_written(tmp_path: Path) -> None:
    before, after = RECEIPT.partition("body: |")[0], RECEIPT[RECEIPT.index("template:") :]
    note = "*** may stand for words of these texts"
    for body, is_shown in (("Hi {{ first_name[:3] }}", False), ("Hi {{ ('yaP' ~ first_name[:0])[::-1] }}", True)):
        root = write_project(tmp_path / body[4:9].strip("{ ('"), receipt=f'{before}body: "{body}"\n{after}')
        assert (note in preview(root)) == is_shown
        assert note not in preview(root, "--show-values")


def test_counts_and_actions_are_those_of_the_plan(tmp_path: Path) -> None:
    root = write_project(tmp_path / "p", tip=TIP)
    record = {
        "attempt": "01-1", "status": "sent", "message": "tips/export", "revision": 1, "to": "id:aaa1",
        "contact": "aaa1", "id": "1", "digest": f"v1:{'0' * 32}", "content": f"sha256:{'0' * 64}",
        "at": "2026-11-22T10:00:00Z",
    }  # fmt: skip
    record["key"] = delivery_key("", "tips/export", 1, "id", "aaa1")
    with (root / "messages.lock").open("a") as lock:
        lock.write(json.dumps(record) + "\n")
    ran = run_in_process(["preview", "--out", "../out"], root, {})
    assert ran.code == 0, ran.out + ran.err
    page = read_page(tmp_path / "out", "tips-export")
    assert "<b>1</b> to send" in page
    assert "<b>1</b> edited" in page
    assert "tips/export was edited after it was sent to 1 recipient" in (tmp_path / "out" / "index.html").read_text()


def test_findings_have_their_place(gallery: Path) -> None:
    assert "messages/receipt.yaml:7:" in read_page(gallery, "receipt")
    assert "http-link" in (gallery / "index.html").read_text("utf-8")


def test_variables_say_whose_they_are_and_json_is_what_is_sent(gallery: Path) -> None:
    page = read_page(gallery, "tips-export")
    assert "the recipient&#39;s" in page
    assert "&#34;message_type&#34;: &#34;inapp&#34;" in page
    assert "ليلى" in page


def test_several_processes_build_the_same_pages_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "active_count", lambda: 1)  # other tests may have left one
    pool = Mock(wraps=ForkedWorkerPool)
    monkeypatch.setattr(worker_pool, "ForkedWorkerPool", pool)
    root = write_project(tmp_path / "p", **{f"tip{number}": TIP.replace("export", str(number)) for number in range(9)})
    pages = []
    for jobs in ("1", "2"):
        ran = run_in_process(["--jobs", jobs, "preview", "--out", f"../{jobs}"], root, {})
        assert ran.code == 0, ran.out + ran.err
        files = (tmp_path / jobs).rglob("*.*")
        pages.append({path.relative_to(tmp_path / jobs): path.read_text("utf-8") for path in files})
    assert pages[0] == pages[1]
    assert {call.args[0] for call in pool.call_args_list} == {2}
    assert Path("pages/tips-8.html") in pages[0]


@pytest.mark.parametrize(
    ("names", "pages"),
    [
        (["a/b", "a-b", "A-B"], ["a-b", "a-b-2", "a-b-3"]),
        (["..", "über"], ["message", "ber"]),
    ],
)
def test_pages_have_names_that_every_file_system_tells_apart(names: list[str], pages: list[str]) -> None:
    assert list(name_pages(names).values()) == pages


def test_a_change_is_shown_side_by_side(tmp_path: Path) -> None:
    root = write_project(tmp_path / "p", receipt=RECEIPT)
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    (root / "messages/receipt.yaml").write_text(RECEIPT.replace("Dear", "Hello"), encoding="utf-8")
    page = preview(root, "--against", "HEAD")
    assert "<del>Dear</del><ins>Hello</ins>" in page
    assert "&lt;ins style=&#34;all:unset!important;" in page
    assert "!important&#34;&gt;Hello&lt;/ins&gt;" in page
    index = (tmp_path / "out/index.html").read_text()
    assert "1 changed" in index
    assert "<li>body: Dear → Hello</li>" in index
    (root / "messages/receipt.yaml").write_text(RECEIPT.replace("your trial ends", "it ends"), encoding="utf-8")
    assert "<li>the text that others get, or its source</li>" in preview(root, "--against", "HEAD")


def test_links_have_their_targets_below_the_body_and_new_hosts_are_marked(tmp_path: Path) -> None:
    root = write_project(tmp_path / "p", receipt=RECEIPT)
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    changed = RECEIPT.replace("https://example.com/orders", "https://example.com@evil.test/orders")
    (root / "messages/receipt.yaml").write_text(changed, encoding="utf-8")
    targets = preview(root, "--against", "HEAD").partition("Where its links lead")[2].partition("</section>")[0]
    assert targets.count("new host") == 1
    assert "https://example.com@<b>evil.test</b>/orders" in targets
    assert "http://<b>example.com</b>/unsubscribe" in targets
    assert "a link or an image leads to a new host, evil.test" in (tmp_path / "out/index.html").read_text()


def test_a_removed_expiry_and_two_dates_are_named_once_on_the_index(tmp_path: Path) -> None:
    root = write_project(tmp_path / "p", receipt=RECEIPT)
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    changed = RECEIPT.replace("expires: 2099-01-01\n", "").replace("Your receipt,", "Due on 1 March,")
    (root / "messages/receipt.yaml").write_text(changed.replace("thank you", "by 1 April"), encoding="utf-8")
    preview(root, "--against", "HEAD")
    index = (tmp_path / "out/index.html").read_text("utf-8")
    assert "expires was removed, it was 2099-01-01" in index
    assert "expires: 2099-01-01 → none" in index
    assert "no-expires" not in index, "the same is said once"
    assert "the subject says 1 March, and the body 1 April" in index


def test_a_style_sheet_that_can_tell_the_preview_is_a_warning(tmp_path: Path) -> None:
    hidden = '<style>@media (max-height: 700px) { a[href="#"] { color: red } }</style><p>Dear'
    root = write_project(tmp_path / "p", receipt=RECEIPT.replace("<p>Dear", hidden))
    preview(root)
    index = (tmp_path / "out/index.html").read_text("utf-8")
    assert "a style sheet of the body asks for [attribute], @media (max-height: 700px)" in index


def test_the_work_on_each_message_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a body whose checks do not end is killed, and named."""
    seen, check_body = [], builder.check_body

    def watched(*args: object, **options: object) -> object:
        seen.append(CURRENT_WORK.status())
        return check_body(*args, **options)

    monkeypatch.setattr(builder, "check_body", watched)
    preview(write_project(tmp_path / "p", receipt=RECEIPT))
    assert seen
    assert all(status.is_working and status.path.startswith("messages/") for status in seen)
