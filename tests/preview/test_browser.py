"""The pages in a real browser: from disk and served, by mouse and keyboard, and with a body that attacks."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.preview.page_server import PageServer
from runner.preview.pages import render_pages
from runner.preview.views import Concern, Preview, Site
from tests.preview.conftest import TIP, write_project
from tests.support.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def address(gallery: Path, page: str) -> str:
    return (gallery / f"{page}.html").as_uri()


def shown_recipient(page: "Page") -> str:
    return page.locator(".recipient:visible h2 b").inner_text()


def body_text(page: "Page") -> str:
    # The first: while a page loads, all recipients are visible until its script has hidden the others.
    return page.frame_locator(".recipient:visible iframe").first.locator("body").inner_text()


def test_from_disk_the_index_leads_to_a_message_and_on_by_keyboard(
    gallery: Path, open_page: "Callable[..., Page]"
) -> None:
    page = open_page(address(gallery, "index"))
    assert page.locator(".big").inner_text() == "9"
    page.keyboard.press("/")
    page.keyboard.type("receipt")
    assert page.locator(".messages > li:visible").count() == 1
    page.keyboard.press("Escape")
    assert page.locator(".messages > li:visible").count() == 4
    page.click("a.name:has-text('receipt')")
    page.wait_for_url("**/receipt.html")
    assert page.locator("iframe").count() == 1, "a browser takes minutes to make the frames of a thousand recipients"
    names = {shown_recipient(page)}
    for key in ("j", "ArrowDown", "j"):
        page.keyboard.press(key)
        names.add(shown_recipient(page))
    assert len(names) == 4
    assert page.url.endswith("#r4")
    page.reload()
    assert page.locator("[data-position]").inner_text() == "4 of 4"
    page.keyboard.press("k")
    assert page.locator("[data-position]").inner_text() == "3 of 4"
    page.select_option("#recipient", "1")
    assert "Dear Ann" in body_text(page)
    page.keyboard.press("n")
    page.wait_for_url("**/empty.html")
    page.keyboard.press("p")
    page.wait_for_url("**/receipt.html")
    page.keyboard.press("i")
    page.wait_for_url("**/index.html")


def test_tabs_help_theme_and_width(gallery: Path, open_page: "Callable[..., Page]") -> None:
    page = open_page(address(gallery, "pages/receipt"), color_scheme="dark", viewport={"width": 1300, "height": 900})
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.click("[role=tab]:has-text('JSON')")
    marked = page.locator("pre.json:visible span")
    assert marked.evaluate_all("spans => spans.slice(0, 2).map(span => [span.className, span.textContent])") == [
        ["k", '"message_type"'],
        ["s", '"email"'],
    ]
    json.loads(page.locator("pre.json:visible").inner_text())
    page.keyboard.press("ArrowRight")
    assert page.locator("[role=tab][aria-selected=true]").inner_text() == "About"
    assert page.locator("[role=tabpanel]:visible").count() == 1
    client = page.locator(".recipient:visible .client")
    wide = (client.bounding_box() or {})["width"]
    page.keyboard.press("w")
    assert (client.bounding_box() or {})["width"] == 393 < wide
    assert "Dear" in body_text(page)
    body = page.frame_locator(".recipient:visible iframe").locator("body")
    ink = "body => [getComputedStyle(body).color, innerWidth]"
    assert body.evaluate(ink) == ["rgb(29, 33, 41)", 375], "the width that mail clients of phones have"
    page.keyboard.press("d")
    page.wait_for_timeout(100)
    assert body.evaluate(ink) == ["rgb(230, 232, 236)", 375]
    page.keyboard.press("?")
    assert page.locator("dialog.help").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("dialog.help").is_visible()
    page.click("[data-theme-button]")
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "light", "the choice is kept"


def test_on_a_phone_nothing_is_wider_than_the_screen(gallery: Path, open_page: "Callable[..., Page]") -> None:
    for name in ("index", "pages/receipt", "pages/tips-export", "pages/hostile", "pages/empty"):
        page = open_page(address(gallery, name), viewport={"width": 375, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, name


def test_without_scripts_every_recipient_is_there(gallery: Path, open_page: "Callable[..., Page]") -> None:
    page = open_page(address(gallery, "pages/receipt"), java_script_enabled=False)
    assert page.locator(".recipient:visible").count() == 4


@pytest.mark.parametrize("served", [False, True])
def test_a_hostile_body_runs_nothing_reaches_nothing_and_stays_inside(
    gallery: Path, open_page: "Callable[..., Page]", *, served: bool
) -> None:
    """`open_page` asserts that no request left, and no dialog was shown."""
    server = PageServer() if served else None
    if server:
        server.show({path.relative_to(gallery).as_posix(): path.read_text() for path in gallery.rglob("*.*")})
    page = open_page(f"{server.url}pages/hostile.html" if server else address(gallery, "pages/hostile"))
    title, start = page.title(), page.url
    assert title == "hostile · msgrun"
    frame = page.frame_locator(".recipient:visible iframe")
    assert "text" in frame.locator("p").first.inner_text()
    for target in ("#js", "#top", "#send", "#self"):
        frame.locator(target).click(force=True)
    page.wait_for_timeout(300)
    assert (page.title(), page.url) == (title, start)
    assert len(page.context.pages) == 1
    assert page.locator("iframe").count() == 1
    assert page.locator(".inspector").is_visible()
    if server:
        server.close()


def test_served_pages_follow_a_change_and_keep_their_place(open_page: "Callable[..., Page]") -> None:
    server = PageServer()

    def show(text: str) -> None:
        concern = Concern("bad", "not-a-choice", text, place="messages/a.yaml:2:3")
        preview = Preview(Site("p", is_live=True), problems=(concern,))
        pages = render_pages(preview, version=server.version + 1, earlier=["pages/a.html"])
        server.show(dict(pages))

    show("before")
    page = open_page(f"{server.url}pages/a.html")
    assert page.locator("code:has-text('messages/a.yaml:2:3')").is_visible()
    show("after")
    page.locator(".text:has-text('after')").wait_for(timeout=5000)
    assert page.url.endswith("/pages/a.html")
    server.close()


def test_serve_notices_a_change_of_a_file(tmp_path: Path, open_page: "Callable[..., Page]") -> None:
    root = write_project(tmp_path / "ponies", tip=TIP)
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", "preview", "--serve", "--show-values"],
        cwd=root, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    try:
        page = open_page(f"{process.stdout.readline().strip()}pages/tips-export.html")
        assert "this is new" in body_text(page)
        (root / "messages/tip.yaml").write_text(TIP.replace("is <b>new", "was <b>new"), encoding="utf-8")
        until = time.monotonic() + 10
        while "this was new" not in body_text(page):
            assert time.monotonic() < until
            time.sleep(0.05)
    finally:
        process.terminate()
        process.communicate()
