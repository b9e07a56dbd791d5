"""A project with messages of every kind, and its preview on disk."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runner.preview.screenshots import open_browser_page
from tests.support.project import run_in_process

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

EMPTY_LOCK = '{"msgrun_lock":1,"workspace":"","salt_check":"9165df25"}\n'
RECEIPT = """\
name: receipt
message_type: email
subject: "Your receipt, {{ first_name }}"
body: |
  <img src="https://cdn.example.com/head.png" width="520" height="120" alt="Ponies">
  <p>Dear {{ first_name }}, {% if plan == "trial" %}your trial ends{% else %}thank you{% endif %}.</p>
  <p><a href="https://example.com/orders">See your order</a> <a href="http://example.com/unsubscribe">Unsubscribe</a></p>
template: personal
from: {type: admin, name: Ada Lovelace}
to: {csv: ../people.csv, type: user, email: "{{ email }}"}
expires: 2099-01-01
create_conversation_without_contact_reply: true
"""
TIP = """\
name: tips/export
message_type: inapp
body: "<p>Hi {{ n }}, this is <b>new</b>.</p>"
from: {type: admin, id: "1"}
to: [{type: user, id: aaa1, vars: {n: Zoë}}, {type: user, id: aaa2, vars: {n: ليلى}}]
expires: 2099-01-01
create_conversation_without_contact_reply: true
"""
HOSTILE = """\
name: hostile
message_type: email
subject: "<script>document.title='owned'</script>\\"><img src=https://evil.test/s onerror=document.title='owned'>"
template: plain
body: |
  <base href="https://evil.test/"><meta http-equiv="refresh" content="0;url=https://evil.test/meta">
  <script>document.title='owned'; parent.document.title='owned'</script><script src="https://evil.test/a.js"></script>
  <img src="https://evil.test/i.png" onerror="parent.document.title='owned'">
  <img/src=`https://evil.test/j`/onerror=alert(1)>
  <svg onload="parent.document.title='owned'"><image href="https://evil.test/k.svg"/></svg>
  <a id="js" href="javascript:parent.document.title='owned'">run</a>
  <a id="top" href="https://evil.test/top" target="_top">leave</a>
  <a id="self" href="https://evil.test/self" target="_self">go</a>
  <form action="https://evil.test/form"><button id="send">send</button></form>
  <style>@import url(https://evil.test/a.css); body{background:url(https://evil.test/b.png)}
  @font-face{font-family:x;src:url(https://evil.test/f)} p{font-family:x}</style>
  <link rel="stylesheet" href="https://evil.test/l.css"><object data="https://evil.test/o"></object>
  <video poster="https://evil.test/v"></video>
  <p>text</p>"></iframe></template></script>
  <script>document.title='owned'</script><iframe src="https://evil.test/frame"></iframe>
from: {type: admin, id: "1"}
to: [{type: user, id: aaa1}]
"""
HOSTILE_BODY = HOSTILE.partition("body: |\n")[2].partition("from:")[0]
PEOPLE = "email,first_name,plan\n" + "".join(
    f"user{number}@example.com,{name},{'trial' if number == 3 else 'pro'}\n"
    for number, name in enumerate(["Ann", "Bo", "Cy <b>&", "Dee", "Maximilian-Alexander " * 4, "Eli"], 1)
)


def write_project(root: Path, **messages: str) -> Path:
    (root / "messages").mkdir(parents=True)
    (root / "messages.lock").write_text(EMPTY_LOCK)
    (root / "people.csv").write_text(PEOPLE, encoding="utf-8")
    for name, text in messages.items():
        (root / "messages" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return root


class Sink:
    """The host that a hostile body asks for: it only counts who connects."""

    def __init__(self) -> None:
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._socket.accept()[0].close()
                self.connections += 1

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(scope="session", name="sink")
def open_sink() -> Iterator[Sink]:
    sink = Sink()
    yield sink
    sink.close()


@pytest.fixture(scope="session", name="gallery")
def write_gallery(tmp_path_factory: pytest.TempPathFactory, sink: Sink) -> Path:
    """The folder of a preview that shows values."""
    empty = RECEIPT.replace("name: receipt", "name: empty").replace("people.csv", "empty.csv")
    root = write_project(
        tmp_path_factory.mktemp("gallery") / "ponies",
        receipt=RECEIPT,
        tip=TIP,
        hostile=HOSTILE.replace("https://evil.test", sink.url),
        empty=empty,
    )
    (root / "empty.csv").write_text("email,first_name,plan\n")
    ran = run_in_process(["preview", "--show-values", "--out", "../preview"], root, {})
    assert ran.code == 0, ran.out + ran.err
    return root.parent / "preview"


def read_page(gallery: Path, name: str) -> str:
    return (gallery / "pages" / f"{name}.html").read_text("utf-8")


@pytest.fixture(scope="module", name="browser")
def start_browser() -> "Iterator[Browser]":
    with open_browser_page() as page:
        browser = page.context.browser
        assert browser
        yield browser


@pytest.fixture(name="open_page")
def page_opener(browser: "Browser", sink: Sink) -> "Iterator[Callable[..., Page]]":
    """Opens a page in a context of its own. At the end, no page may have had an error or asked another machine."""
    contexts, errors, requested = [], [], []

    def open_page(address: str, **options: Any) -> "Page":
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("dialog", lambda dialog: errors.append(dialog.message))
        contexts[-1].on("request", lambda request: requested.append(request))  # noqa: PLW0108  # playwright takes no builtin
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors
    others = [request for request in requested if request.url.startswith(sink.url)]
    assert {request.failure for request in others} <= {"csp"}, "stopped before the network"
    assert not [
        request.url for request in requested if not request.url.startswith(("file:", "data:", "http://127.0.0.1:"))
    ]
    assert not sink.connections
