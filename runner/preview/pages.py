"""The files of a preview: an index, a page for each message, and what they load."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import jinja2

from runner.preview.body_checks import GMAIL_LIMIT
from runner.preview.views import MessageView, Preview, Site

_FOLDER = Path(__file__).parent
GENERATOR = '<meta name="generator" content="msgrun">'  # in the head of every page, by which a preview is known
ASSETS = ("preview.css", "theme.js", "preview.js")
# A body's frame inherits it. `frame-src` is for what a body frames itself, and for a link that is followed in a frame.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; frame-src 'none'; "
    "base-uri 'none'; form-action 'none'"
)
_LIVE = "events?"  # where the first tag of a page that is live gets its version
_UNSAFE = re.compile(r"[^a-z0-9._-]+")
_TONES = {"bad": 0, "warn": 1}


def name_pages(names: Iterable[str]) -> dict[str, str]:
    """Returns a file name for each message's page: lower case and unique, so that it works on every file system.

    None is that of the index, whose picture is in one folder with those of the messages.
    """
    pages: dict[str, str] = {}
    taken = {"index"}
    for name in names:
        base = page = _UNSAFE.sub("-", name.casefold()).strip("-.") or "message"
        number = 1
        while page in taken:
            number += 1
            page = f"{base}-{number}"
        taken.add(page)
        pages[name] = page
    return pages


def page_policy(*, is_live: bool) -> str:
    """Returns the Content-Security-Policy of the pages. `is_live`: they come from `--serve`, and ask it for changes."""
    return f"{_POLICY}; connect-src 'self'" if is_live else _POLICY


def render_message(site: Site, message: MessageView) -> str:
    """Returns the page of a message."""
    page = load_templates().get_template("message.html.j2")
    return page.render(_describe_site(site), root="../", message=message, limit=GMAIL_LIMIT)


def render_pages(preview: Preview, *, version: int = 0, earlier: Iterable[str] = ()) -> Iterator[tuple[str, str]]:
    """Yields the path and the text of each file. What worries comes first, in the index and from page to page.

    `version` is the number of these pages among those that `--serve` shows one after the other. `earlier` are the
    names of the previous ones: if the files have problems now, each of these shows them to a browser that is there.
    """
    messages = sorted(
        preview.messages, key=lambda message: (_TONES.get(message.tone, 2), -message.to_send, message.name)
    )
    links = {message.page: message.name for message in messages}
    index = load_templates().get_template("index.html.j2")
    common = {**_describe_site(preview.site), "preview": preview, "messages": messages, "links": links}
    pages = {"index.html": index.render(common, root="")}
    if preview.problems:
        pages |= {name: index.render(common, root="../") for name in earlier if name.startswith("pages/")}
    pages |= {f"pages/{message.page}.html": message.html for message in messages}
    for name, text in pages.items():
        yield name, text.replace(_LIVE, f"{_LIVE}{version}", 1) if preview.site.is_live else text
    yield "assets/messages.js", f"const messages = {_list_messages(messages)};\n"
    for name in ASSETS:
        yield f"assets/{name}", read_asset(name)


def _describe_site(site: Site) -> Mapping[str, object]:
    return {"site": site, "policy": page_policy(is_live=site.is_live), "is_live": site.is_live}


def _list_messages(messages: list[MessageView]) -> str:
    """Returns the list beside each message as JSON. It is a file of its own, because each page would repeat it."""
    rows = [[message.page, message.name, message.subject, _mark(message), message.tone] for message in messages]
    return json.dumps(rows)  # ASCII, and a file of its own, so nothing needs to be escaped for HTML


def _mark(message: MessageView) -> str:
    """Returns what stands behind a name in the list: the number to send, and signs that do without colour."""
    signs = {"bad": "!!", "warn": "!"}.get(message.tone, "")
    return f"{message.to_send:,} to send {signs}".strip()


def read_asset(name: str) -> str:
    """Returns the text of a file that the pages load."""
    return (_FOLDER / "assets" / name).read_text("utf-8")


@lru_cache(maxsize=1)
def load_templates() -> jinja2.Environment:
    """Returns the templates, with what they share."""
    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.FileSystemLoader(_FOLDER / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": lambda number: f"{number:,}",
        "kilobytes": lambda size: f"{size / 1024:,.0f} KB" if size >= 10 * 1024 else f"{size / 1024:.1f} KB",
        "initials": _take_initials,
    }
    return environment


def _take_initials(name: str) -> str:
    """Returns up to two letters for a sender's picture: those of its words, or of an address."""
    words = [word for word in name.split("@", 1)[0].replace(".", " ").split() if word[:1].isalpha()]
    return "".join(word[0] for word in words[:2]).upper() or "#"
