"""Takes screenshots of the pages with a Chromium or Chrome that is on this machine, for comments and approval mails."""

import contextlib
import os
import shutil
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import UsageMistake

if TYPE_CHECKING:
    from playwright.sync_api import ElementHandle, Frame, Page

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_INDEX_WIDTH, _HEIGHT = 1200, 900  # pixels of the window
_WIDTHS = {"desktop": 900, "phone": 480}  # pixels of the window for a message
# The root of the page, also where an element of the body is named documentElement.
_READ_HEIGHT = "Object.getOwnPropertyDescriptor(Document.prototype, 'documentElement').get.call(document).scrollHeight"
_LIST_VARIANTS = "all => all.flatMap((one, index) => index && 'variant' in one.dataset ? [index] : [])"
_WAIT_UNTIL_PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
_ADD_REMARK = """(frame, text) => {
  frame.parentElement.querySelector('.cut')?.remove();
  const remark = document.createElement('p');
  remark.className = 'cut';
  remark.textContent = text;
  frame.after(remark);
}"""
_MESSAGE_HEIGHT = 4_000  # pixels of the window while a message is measured
_WAIT, _MAX_WAITS = 20, 250  # milliseconds between two looks at the size of a frame, and how often
_MAX_BODY = 10_000  # pixels of a body that are photographed
_MAX_VARIANTS = 6  # further texts of a message that are photographed
_MAX_SECONDS = 30  # for all pictures of a message


def find_browser() -> str | None:
    """Returns the path of a Chromium or Chrome: on the PATH, or where macOS has it. None if there is none."""
    found = (shutil.which(name) for name in _NAMES)
    return next((path for path in (*found, *filter(os.path.exists, _APPLICATIONS)) if path), None)


@contextlib.contextmanager
def open_browser_page(**options: Any) -> "Iterator[Page]":
    """Opens a page in a browser without a network. `options` are those of playwright's `new_context`.

    Raises UsageMistake if the browser, or the package that drives it, is missing.
    """
    try:
        from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415  # only for pictures, takes 200 ms
    except ImportError as error:
        raise UsageMistake("--png needs the package playwright", "pip install 'msgrun[browser]'") from error
    path = find_browser()
    if path is None:
        raise UsageMistake(
            "--png needs Chromium or Chrome, and there is none on the PATH",
            "apt-get install chromium, or Google's own package; leave --png out to look at the pages yourself",
        )
    # Chromium refuses to sandbox itself for root, which most containers run as. The bodies have a sandbox of their own.
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(
                executable_path=path, chromium_sandbox=not is_root, args=["--disable-dev-shm-usage"]
            )
        except Error as error:
            first = str(error).strip().splitlines()[0]
            raise UsageMistake(f"{path} does not start: {first}", "does it run with --headless --version?") from error
        with contextlib.closing(browser):
            yield browser.new_context(offline=True, **options).new_page()


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was written, with what is not in it as a remark; without a path, a remark alone."""

    path: Path | None
    remark: str = ""


def take_screenshots(folder: Path, names: Sequence[str], out: Path) -> list[Picture]:
    """Takes screenshots of the index and of each message: on desktop each of its texts, and the first on a phone.

    `folder` has the pages of a preview, `names` are those of the messages' pages.
    """
    out.mkdir(parents=True, exist_ok=True)
    pictures: list[Picture] = []
    remaining = deque(["", *names])  # the index, then the messages
    viewport = {"width": _INDEX_WIDTH, "height": _HEIGHT}
    while remaining:
        # What cannot be drawn takes its browser with it.
        with open_browser_page(viewport=viewport, device_scale_factor=2, color_scheme="light") as page:
            is_drawn = True
            while remaining and is_drawn:
                name = remaining.popleft()
                taken = _take_message(page, folder, name, out) if name else _take_index(page, folder, out)
                is_drawn = _draw(page, name or "the index", taken, pictures)
    return pictures


def _draw(page: "Page", name: str, taken: Iterator[Picture], pictures: list[Picture]) -> bool:
    """Adds the pictures of one page of the preview. Returns whether all could be drawn."""
    from playwright.sync_api import Error  # noqa: PLC0415  # only for pictures, takes 200 ms

    browser = page.context.browser
    assert browser
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    process = next(process["id"] for process in processes if process["type"] == "browser")
    # A body may keep the browser busy for hours, and then it answers nothing.
    timer = threading.Timer(_MAX_SECONDS, os.kill, (process, signal.SIGKILL))
    timer.start()
    try:
        pictures.extend(taken)
    except Error:
        reason = f"the browser ended, or needed more than {_MAX_SECONDS} seconds"
        pictures.append(Picture(None, f"{name} could not be drawn to its end: {reason}"))
        return False
    finally:
        timer.cancel()
    return True


def _take_index(page: "Page", folder: Path, out: Path) -> Iterator[Picture]:
    path = _make_room(out / "index.png")
    page.goto((folder / "index.html").as_uri())
    page.screenshot(path=path, full_page=True)
    yield Picture(path)


def _take_message(page: "Page", folder: Path, name: str, out: Path) -> Iterator[Picture]:
    # No page has an @ in its name, so no picture replaces that of another message.
    desktop, phone = (_make_room(out / f"{stem}.png") for stem in (name, f"{name}@phone"))
    page.set_viewport_size({"width": _WIDTHS["desktop"], "height": _MESSAGE_HEIGHT})
    page.goto((folder / "pages" / f"{name}.html").as_uri())
    page.evaluate("document.documentElement.dataset.picture = ''")
    variants = page.locator(".recipient").evaluate_all(_LIST_VARIANTS)
    yield _take_text(page, desktop, 0, "desktop")
    yield _take_text(page, phone, 0, "phone")
    for number, index in enumerate(variants[:_MAX_VARIANTS], 2):
        yield _take_text(page, _make_room(out / f"{name}@{number}.png"), index, "desktop")
    if others := len(variants[_MAX_VARIANTS:]):
        yield Picture(None, f"{others} more texts of {name} are in the pages alone")


def _make_room(path: Path) -> Path:
    """Removes an earlier picture. It may be a link that a commit brought, to a file in another place."""
    path.unlink(missing_ok=True)
    return path


def _take_text(page: "Page", path: Path, index: int, width: str) -> Picture:
    """Takes a message as the recipient with this index gets it, in full height up to _MAX_BODY."""
    # A browser draws only what is in its window, and loads only what is near.
    page.set_viewport_size({"width": _WIDTHS[width], "height": _MESSAGE_HEIGHT})
    page.evaluate("([width, index]) => { choose('width', width); showRecipient(index); }", [width, index])
    body = page.locator(".recipient:visible .client iframe")
    element = body.first.element_handle() if body.count() else None
    remark = _fit_frame(page, element, path.name) if element else ""
    height = int(page.evaluate("Math.ceil(document.querySelector('main').getBoundingClientRect().height)"))
    page.set_viewport_size({"width": _WIDTHS[width], "height": height})
    if element:
        _wait_for_size(page, element)
    page.locator("main").screenshot(path=path)
    return Picture(path, remark)


def _fit_frame(page: "Page", element: "ElementHandle", name: str) -> str:
    """Makes the body's frame as high as the body, up to _MAX_BODY. If it is cut, the page says so, and a remark does.

    A script of the browser's driver, not of the page, may look into the sandbox.
    """
    element.evaluate("frame => { frame.style.height = '40px'; }")
    frame = _wait_for_size(page, element)
    body, width = int(frame.evaluate(_READ_HEIGHT)), int(frame.evaluate(_READ_HEIGHT.replace("Height", "Width")))
    shown = int(frame.evaluate("innerWidth"))
    element.evaluate("(frame, height) => { frame.style.height = `${height}px`; }", min(body, _MAX_BODY))
    sizes = ((min(body, _MAX_BODY), body, "height"), (shown, width, "width"))
    cut = [f"{part:,} of the {whole:,} pixels of the {side} of its body" for part, whole, side in sizes if part < whole]
    if not cut:
        return ""
    element.evaluate(_ADD_REMARK, f"The picture has {' and '.join(cut)}.")
    return f"{name} has {' and '.join(cut)}"


def _wait_for_size(page: "Page", element: "ElementHandle") -> "Frame":
    """Waits until a frame is as large as its element. The frame has a process of its own, and is drawn later."""
    frame = element.content_frame()
    assert frame is not None
    frame.wait_for_load_state()
    for _ in range(_MAX_WAITS):
        if frame.evaluate("[innerWidth, innerHeight]") == element.evaluate("it => [it.clientWidth, it.clientHeight]"):
            break
        page.wait_for_timeout(_WAIT)
    page.evaluate(_WAIT_UNTIL_PAINTED)
    return frame
