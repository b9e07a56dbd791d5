"""The inbox of a sandbox: its server takes replies from its own page alone, and its page shows what is sent."""

import http.client
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from runner.preview.inbox import Inbox
from runner.preview.page_server import PageServer
from runner.sandbox import Sandbox
from tests.preview.conftest import HOSTILE_BODY, Sink

if TYPE_CHECKING:
    from playwright.sync_api import Page

COMMAND = "msgrun --sandbox apply"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(name="sandbox")
def start_sandbox() -> Iterator[Sandbox]:
    with Sandbox(rate_limit=100_000) as sandbox:
        yield sandbox


@pytest.fixture(name="server")
def start_server(sandbox: Sandbox) -> Iterator[PageServer]:
    server = PageServer(service=Inbox(sandbox.url, COMMAND))
    yield server
    server.close()


def send(sandbox: Sandbox, to: str, body: str = "<p>Hi</p>", subject: str = "Hey") -> str:
    payload = {
        "message_type": "email", "subject": subject, "body": body, "template": "plain",
        "from": {"type": "admin", "id": "394051"}, "to": {"type": "user", "id": to},
    }  # fmt: skip
    headers = {**JSON, "Authorization": "Bearer sandbox", "Intercom-Version": "2.14"}
    connection = http.client.HTTPConnection(sandbox.url.removeprefix("http://"), timeout=10)
    connection.request("POST", "/messages", json.dumps(payload), headers)
    message = json.loads(connection.getresponse().read())["id"]
    connection.close()
    return str(message)


def ask(server: PageServer, method: str, name: str, body: str = "", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, f"{server.root}{name}", body or None, sent)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_texts_of_a_message_are_escaped_and_its_body_is_in_a_sandboxed_frame(
    sandbox: Sandbox, server: PageServer
) -> None:
    message = send(sandbox, "<b>ann", "<script>1</script>", subject="<script>2</script>")
    for name in ("list", f"message?id={message}", "contact?id=%3Cb%3Eann"):
        status, text = ask(server, "GET", name)
        assert status == 200
        assert "<script" not in text
        assert "<b>ann" not in text
    assert 'sandbox=""' in ask(server, "GET", f"message?id={message}")[1]
    for name in ("message?id=1", "message?id=../messages", "contact?id=1", "assets/../pages.py", "x"):
        assert ask(server, "GET", name)[0] == 404


def test_a_list_that_did_not_change_is_not_sent_again(sandbox: Sandbox, server: PageServer) -> None:
    send(sandbox, "ann")
    text = ask(server, "GET", "list")[1]
    version = text.partition('data-version="')[2].partition('"')[0]
    assert ask(server, "GET", f"list?since={version}") == (204, "")


def test_only_the_page_itself_may_reply(sandbox: Sandbox, server: PageServer) -> None:
    message = send(sandbox, "ann")
    own = f"http://127.0.0.1:{server.port}"
    reply = json.dumps({"body": "Thanks <b>"})
    for headers in (
        {},
        {"Content_Type": "application/json"},
        {"Content_Type": "application/json", "Origin": "https://evil.test"},
        {"Content_Type": "application/json", "Origin": "null"},
        {"Content_Type": "text/plain", "Origin": own},
    ):
        assert ask(server, "POST", f"reply/{message}", reply, **headers)[0] == 403
    evil = {"Content_Type": "application/json", "Origin": "http://evil.test", "Host": "evil.test"}
    assert ask(server, "POST", f"reply/{message}", reply, **evil)[0] == 421
    assert "Thanks" not in ask(server, "GET", f"message?id={message}")[1]
    allowed = {"Content_Type": "application/json", "Origin": own}
    assert "Thanks &lt;b&gt;" in ask(server, "POST", f"reply/{message}", reply, **allowed)[1]
    assert ask(server, "POST", f"reply/{message}", "{}", **allowed) == (400, "Body is required")
    assert ask(server, "POST", "list", "{}", **allowed)[0] == 404


@pytest.mark.browser
def test_in_a_browser_messages_arrive_and_a_hostile_body_reaches_nothing(
    sandbox: Sandbox, server: PageServer, sink: Sink, open_page: "Callable[..., Page]"
) -> None:
    """`open_page` asserts that no request left, and no script failed."""
    page = open_page(server.url, viewport={"width": 1300, "height": 900})
    page.locator(f"pre:has-text('{COMMAND}')").wait_for()
    send(sandbox, "ann", subject="First")
    page.locator("h1:has-text('First')").wait_for(timeout=3000)
    page.fill("#reply", "a draft")
    send(sandbox, "evil", HOSTILE_BODY.replace("https://evil.test", sink.url), subject="Second")
    page.locator("[data-message]:has-text('Second')").wait_for(timeout=3000)
    assert page.input_value("#reply") == "a draft", "what is read stays"
    page.click("button:has-text('Send the reply')")
    page.locator(".reply:has-text('a draft')").wait_for()
    page.locator(".chip:has-text('1 reply')").wait_for(timeout=3000)
    page.keyboard.press("Escape")
    page.locator("main h1").click()
    page.keyboard.press("k")
    page.locator("h1:has-text('Second')").wait_for()
    title, start = page.title(), page.url
    frame = page.frame_locator(".client iframe")
    for target in ("#js", "#top", "#send", "#self"):
        frame.locator(target).click(force=True)
    page.wait_for_timeout(200)
    assert (page.title(), page.url, len(page.context.pages)) == (title, start, 1)
    page.click(".meta a:has-text('evil')")
    page.locator(".got a:has-text('Second')").wait_for()
    assert page.locator("[data-message]").count() == 1
    page.keyboard.press("i")
    page.keyboard.press("/")
    page.keyboard.type("first")
    page.locator(".tally:has-text('1 of 2')").wait_for()
