"""Takes screenshots of the pages with a Chromium or Chrome that is on this machine, for comments and approval mails."""

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import UsageMistake

if TYPE_CHECKING:
    from playwright.sync_api import Page

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_WIDTH, _HEIGHT = 1200, 900  # pixels of the window
# The root of the page, also where an element of the body is named documentElement.
_READ_HEIGHT = "Object.getOwnPropertyDescriptor(Document.prototype, 'documentElement').get.call(document).scrollHeight"
_MAX_BODY = 6_000  # pixels of a body that are photographed


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
        with contextlib.closing(browser), contextlib.closing(browser.new_context(offline=True, **options)) as context:
            yield context.new_page()


def take_screenshots(folder: Path, names: Iterable[str], out: Path) -> list[Path]:
    """Takes screenshots of the index, and of each message's first recipient, on desktop and phone. Returns their paths.

    `folder` has the pages of a preview, `names` are those of the messages' pages.
    """
    out.mkdir(parents=True, exist_ok=True)
    pictures: list[Path] = []
    viewport = {"width": _WIDTH, "height": _HEIGHT}
    with open_browser_page(viewport=viewport, device_scale_factor=2, color_scheme="light") as page:
        page.goto((folder / "index.html").as_uri())
        pictures.append(_make_room(out / "index.png"))
        page.screenshot(path=pictures[-1], full_page=True)
        for name in names:
            page.goto((folder / "pages" / f"{name}.html").as_uri())
            for width, suffix in (("desktop", ""), ("phone", "-phone")):
                page.click(f"button[data-set=width][value={width}]")
                pictures.append(_make_room(out / f"{name}{suffix}.png"))
                _take_message(page, pictures[-1])
    return pictures


def _make_room(path: Path) -> Path:
    """Removes an earlier picture. It may be a link that a commit brought, to a file in another place."""
    path.unlink(missing_ok=True)
    return path


def _take_message(page: "Page", path: Path) -> None:
    """Takes the first recipient's message in full height, or the whole page if the message has no recipient."""
    client = page.locator(".recipient .client").first
    if not client.count():
        page.screenshot(path=path)
        return
    element = client.locator("iframe").element_handle()
    frame = element.content_frame()
    assert frame is not None
    frame.wait_for_load_state()
    # A script of the browser's driver, not of the page, may look into the sandbox.
    element.evaluate("frame => { frame.style.height = '40px'; }")
    height = min(int(frame.evaluate(_READ_HEIGHT)), _MAX_BODY)
    element.evaluate("(frame, height) => { frame.style.height = `${height}px`; }", height)
    client.screenshot(path=path)
    element.evaluate("frame => { frame.style.height = ''; }")
