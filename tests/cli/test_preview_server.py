"""The pages of `preview --serve` are always those that a new start would show, whatever they keep from before."""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click
import pytest

from runner.cli.options import GlobalOptions
from runner.cli.preview_pages import PreviewRequest
from runner.cli.preview_server import LivePages
from runner.declare.keys_and_digests import delivery_key
from runner.preview import builder
from tests.preview.conftest import EMPTY_LOCK

HEAD = """\
message_type: email
template: plain
from: {type: admin, id: "1"}
expires: 2099-01-01
create_conversation_without_contact_reply: true
"""
LARGE = f"""\
name: large
{HEAD}
subject: "Hi {{{{ name }}}}"
body_file: large.html.j2
to: {{csv: ../people/*.csv, type: user, email: "{{{{ email }}}}", exclude: [../left.csv]}}
"""
SMALL = f"""\
name: small
{HEAD}
subject: Hi
body: "<p>Hi. https://example.com/unsubscribe</p>"
to: {{type: user, id: aaa1}}
"""
BODY = """\
<p>Dear {{ name }}, {% if plan %}thank you{% endif %} for {{ product }}.</p>
{% include "foot.html.j2" %}{% include "late.html.j2" ignore missing %}
"""


class Serving:
    """`preview --serve` of a project, without its server. It is given pages, and remembers the last of them."""

    def __init__(self, root: Path, against: str | None = None) -> None:
        self.version = 0
        self.pages: Mapping[str, str] = {}
        self._live = LivePages(self, PreviewRequest(against=against), root)  # type: ignore[arg-type]

    def show(self, pages: Mapping[str, str]) -> None:
        self.version += 1
        self.pages = {name: text.replace(f'events?{self.version}"', "") for name, text in pages.items()}

    def update(self) -> "Serving":
        self._live.update()
        return self


@pytest.fixture(name="root")
def write_project(tmp_path: Path) -> Path:
    root = tmp_path / "ponies"
    for name, text in {
        "msgrun.yaml": "vars: {product: Ponies}\nsuppress: [suppressed.csv]\n",
        "messages.lock": EMPTY_LOCK,
        "messages/large.yaml": LARGE,
        "messages/large.html.j2": BODY,
        "messages/foot.html.j2": "<p>https://example.com/unsubscribe</p>",
        "messages/small.yaml": SMALL,
        "people/a.csv": "email,name,plan\na@example.com,Ann,pro\nb@example.com,Bo,pro\n",
        "left.csv": "email\nx@example.com\n",
        "suppressed.csv": "email\nx@example.com\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture(name="built")
def count_built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the messages whose pages were built."""
    built: list[str] = []
    build = builder._MessageBuilder.build

    def count(self: builder._MessageBuilder) -> object:
        built.append(self._message.name)
        return build(self)

    monkeypatch.setattr(builder._MessageBuilder, "build", count)
    return built


@pytest.fixture(autouse=True)
def open_command(root: Path) -> Iterator[None]:
    with click.Context(click.Command("preview"), obj=GlobalOptions(directory=root, show_values=True)):
        yield


def replace_in(path: str, old: str, new: str) -> Callable[[Path], object]:
    def change(root: Path) -> None:
        text = (root / path).read_text()
        assert old in text
        (root / path).write_text(text.replace(old, new))

    return change


def write(path: str, text: str) -> Callable[[Path], object]:
    return lambda root: (root / path).write_text(text)


def send_to_first(root: Path) -> None:
    record = {
        "attempt": "01-1", "status": "sent", "message": "large", "revision": 1, "to": "email:~1",
        "contact": "aaa1", "id": "1", "digest": f"v1:{'0' * 32}", "content": f"sha256:{'0' * 64}",
        "at": "2026-11-22T10:00:00Z", "key": delivery_key("", "large", 1, "email", "a@example.com"),
    }  # fmt: skip
    with (root / "messages.lock").open("a") as lock:
        lock.write(json.dumps(record) + "\n")


@pytest.mark.parametrize(
    ("change", "rebuilt", "text"),
    [
        (replace_in("messages/large.yaml", "Hi {{", "Hello {{"), {"large"}, "Hello Ann"),
        (replace_in("messages/large.html.j2", "Dear", "Hello"), {"large"}, "Hello Ann"),
        (replace_in("messages/foot.html.j2", "unsubscribe", "leave"), {"large"}, "example.com/leave"),
        (write("messages/late.html.j2", "<p>And more</p>"), {"large"}, "And more"),
        (replace_in("people/a.csv", "Ann", "Zoë"), {"large"}, "Dear Zoë"),
        (replace_in("people/a.csv", "Ann,pro", "Ann,max"), {"large"}, "max</td>"),  # no text has it
        (write("people/b.csv", "email,name,plan\nc@example.com,Cy,pro\n"), {"large"}, "to <b>3</b> recipients"),
        (replace_in("left.csv", "x@", "b@"), {"large"}, "to <b>1</b> recipient,"),
        (replace_in("suppressed.csv", "x@", "b@"), {"large", "small"}, "to <b>1</b> recipient,"),
        (replace_in("msgrun.yaml", "Ponies", "Horses"), {"large", "small"}, "for Horses"),
        (send_to_first, {"large"}, "<b>1</b> edited"),
        (replace_in("messages/small.yaml", "Hi", "Hello"), {"small"}, "Dear Ann"),
        # As long as an include is missing, the names in its folder matter: an error would name the most similar one.
        (write("messages/new.yaml", SMALL.replace("name: small", "name: new")), {"new", "large"}, "Dear Ann"),
        (lambda root: (root / "messages/small.yaml").unlink(), {"large"}, "Dear Ann"),
    ],
)  # fmt: skip
def test_what_changed_is_built_again_and_the_rest_is_kept(
    root: Path, built: list[str], change: Callable[[Path], object], rebuilt: set[str], text: str
) -> None:
    serving = Serving(root).update()
    before = serving.pages
    built.clear()
    change(root)
    serving.update()
    assert set(built) == rebuilt
    assert text in serving.pages["pages/large.html"]
    assert serving.pages != before
    assert serving.pages == Serving(root).update().pages
    assert serving.version == 2
    assert serving.update().version == 2


def test_a_file_with_a_problem_and_its_repair(root: Path, built: list[str]) -> None:
    serving = Serving(root).update()
    before = serving.pages
    replace_in("messages/large.html.j2", "{{ name }}", "{{ name }")(root)
    assert "template-syntax" in serving.update().pages["pages/large.html"]
    built.clear()
    replace_in("messages/large.html.j2", "{{ name }", "{{ name }}")(root)
    assert serving.update().pages == before
    assert built == ["large"]
    body = root / "messages/large.html.j2"
    body.rename(root / "moved.html.j2")
    assert "there is no file" in serving.update().pages["pages/small.html"]
    (root / "moved.html.j2").rename(body)
    assert serving.update().pages == before


def test_a_commit_changes_what_is_compared(root: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=root, check=True)

    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "x")
    replace_in("messages/large.html.j2", "Dear", "Hello")(root)
    serving = Serving(root, "HEAD").update()
    assert "<del>Dear</del><ins>Hello</ins>" in serving.pages["pages/large.html"]
    git("commit", "-qam", "y")
    assert "Hello</ins>" not in serving.update().pages["pages/large.html"]
    assert serving.pages == Serving(root, "HEAD").update().pages
