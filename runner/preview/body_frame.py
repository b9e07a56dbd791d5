"""The document of a body's iframe: the body as it is sent, in a page that runs nothing and loads nothing.

Three independent measures isolate it: the iframe's empty `sandbox`, the policy in the document, and that of the page
around it, which a document in `srcdoc` inherits. So no part of a body has to be removed or understood for safety.
Addresses are taken out as well, so that a click does nothing at all, and an image is replaced by a box, so that the
reader sees that one is there.
"""

import html
import re
from functools import lru_cache
from typing import Literal
from urllib.parse import quote

from runner.characters import unescape_html
from runner.lint.html import ParsedHtml, Tag, parse_html
from runner.mail_display.html_events import OUTLOOK, read_events
from runner.mail_elements import split_names

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'"
# The theme is that of the first `color-scheme`, which the page replaces to show the body as a dark mail client does.
# Nothing in the document says which template it has or which theme: a style sheet of the body could ask for that.
_STYLE = (
    "html{color-scheme:light;background:light-dark(#fff,#1b1d22);color:light-dark(#1d2129,#e6e8ec)}"
    "body{margin:0;overflow-wrap:break-word}img{max-width:100%;height:auto}a{color:light-dark(#2a5bd7,#8fb4ff)}"
)
_STYLES = {
    "plain": "body{padding:20px 24px;font:14px/1.5 Arial,Helvetica,sans-serif}",
    "personal": "body{max-width:600px;margin:0 auto;padding:20px 24px;"
    'font:15px/1.6 "Helvetica Neue",Helvetica,Arial,sans-serif}',
    "inapp": "body{min-height:100vh;box-sizing:border-box;padding:14px 16px;background:light-dark(#f1f3f6,#2a2d34);"
    'font:14px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}p{margin:0 0 .75em}p:last-child{margin:0}',
}
# Mail clients have elements around a body: a style sheet that asks for them finds them here too.
_AROUND = '<table width="100%" cellspacing="0" cellpadding="0"><tbody><tr><td style="padding:0"><div>'
_TAG = re.compile(r"<[a-zA-Z/!?]")
_LEADING = split_names(
    "action archive attributionsrc background classid codebase data download dynsrc formaction href imagesrcset"
    " longdesc lowsrc manifest ping poster profile sizes src srcdoc srcset target xlink:href"
)
_FRAME_TAGS = split_names("embed frame iframe object")  # a text or `data:` in one is a document with links of its own
_LEFT_OUT = frozenset({"animate", "base", "link", "set", "source"})  # they show nothing, or what must not be loaded
_NAME = _TAG_NAME = re.compile(r"[a-z][a-z0-9:._-]*")
# What no parser reads in another way: no quote or bracket out of its place, and a space before every attribute.
_PLAIN_TAG = re.compile(
    r"""<[a-z][a-z0-9:._-]*+"""
    r"""(?:[ \t\n\r]+[a-z][a-z0-9:._-]*+(?:="[^"<>]*+"|='[^'<>]*+'|=[\w.#%;:-]++)?+)*+[ \t\n\r]*+/?>""",
    re.IGNORECASE,
)
# Comments, <!doctype>, <![if !mso]> and <?xml ?>. What looks like a comment and ends elsewhere for a browser is none.
_PLAIN_END = re.compile(r"</[a-z][a-z0-9:._-]*+[ \t\n\r]*+>", re.IGNORECASE)
# Elements whose content a browser reads as text, or not: that depends on the elements around.
_TEXT_TAGS = split_names("iframe noembed noframes noscript plaintext script style textarea title xmp")
_MAX_COMPARED = 200_000  # characters of a body that are read as a browser reads them, as for the comment
_UNSEEN = re.compile(r"<!--(?!-?>)(?:(?!--!?>).)*+-->|<[!?](?!--)[^<>]*+>", re.DOTALL)
_WIDTH = re.compile(r"(?:^|;)\s*width\s*:\s*(\d+)px", re.IGNORECASE)
_DEFAULT_SIZE = (280, 88)  # pixels of an image that does not say how large it is
_MAX_PIXELS = 2000
_TINY = 4  # pixels; an image of this size or smaller is a tracking pixel
_CHARACTER, _LINE = 6.7, 17  # pixels

_BREAKING = frozenset({"p", "br", "li", "tr", "h1", "h2", "h3", "div", "hr", "blockquote"})

Style = Literal["plain", "personal", "inapp"]


# The views of one recipient ask for the same body, and masked bodies are often those of the recipient before. More are
# not kept, because a body may have a megabyte.
_keep_last = lru_cache(maxsize=8)


@_keep_last
def parse_body(body: str) -> ParsedHtml:
    """Returns the tags and texts of a body."""
    return parse_html(body)


@_keep_last
def build_frame(body: str, style: Style, *, is_text: bool) -> str:
    """Returns the document for `srcdoc`. `style` is the template of an email, or inapp; `is_text`: its lines break."""
    content = neutralise_body(body) if _TAG.search(body) else body
    sheet = f"{_STYLE}{_STYLES[style]}{'body{white-space:pre-wrap}' if is_text else ''}"
    # A link opens in a new window, which the sandbox forbids: so a click leads nowhere, and leaves the body in place.
    return (
        f'<!doctype html><html><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><base target="_blank">'
        f'<meta name="viewport" content="width=device-width"><style>{sheet}</style></head><body>{_AROUND}{content}'
    )


@_keep_last
def estimate_height(body: str) -> int:
    """Returns the pixels that a body needs on a desktop, about. Nothing can measure it inside of its sandbox."""
    parsed = parse_body(body)
    text = "".join(run.text for run in parsed.text_runs)
    breaks = sum(tag.name in _BREAKING and not tag.is_end for tag in parsed.tags)
    breaks += text.count("\n") if not parsed.tags else 0
    images = sum(_measure(tag)[1] for tag in parsed.tags if tag.name == "img" and not tag.is_end)
    return 70 + len(text) // 80 * 24 + breaks * 34 + images


def is_plain_text(body: str) -> bool:
    """Returns whether a body is text and no HTML."""
    return not _TAG.search(body) and ("&" not in body or unescape_html(body) == body)


def neutralise_body(body: str) -> str:
    """Returns the body without addresses to follow or load. A link has its address as its title, an image is a box.

    What the sandbox and the policy stop is stopped before a request. But a click on a link makes Chromium open a
    connection to its host beforehand, and a `<link rel=preconnect>` does so by itself: it tells the host that a person
    looks. A browser may take a tag for one where our parser sees text, or the other way round. So every tag that is
    not of the plainest form is written again, and what our parser takes for no tag begins none for a browser either.
    If a browser shows other texts or elements then, the body is shown as its source.
    """
    pieces: list[str] = []
    position, text_tag, is_certain = 0, "", True
    parsed = parse_body(body)
    for tag in parsed.tags:
        if tag.start < position:
            continue
        between = body[position : tag.start]
        end = body.find(">", tag.start) + 1 if tag.is_end else tag.end
        position = end or len(body)
        written = body[tag.start : position]
        is_certain = is_certain and _is_certain_text(between, text_tag) and _is_certain_tag(tag, written, text_tag)
        pieces += [_neutralise_text(between, is_style=text_tag == "style"), _neutralise_tag(tag, written)]
        text_tag = tag.name if tag.name in _TEXT_TAGS and not tag.is_end else ""
    rest = body[position : parsed.unfinished_tag_start]  # a browser drops a tag that never ends
    neutral = "".join([*pieces, _neutralise_text(rest, is_style=text_tag == "style")])
    is_certain = is_certain and _is_certain_text(rest, text_tag) and parsed.unfinished_tag_start is None
    if is_certain or _has_same_content(body, neutral):
        return neutral
    return f"<p>Browsers may read this HTML in another way than it is written:</p><pre>{html.escape(body)}</pre>"


def _is_certain_text(text: str, text_tag: str) -> bool:
    """Returns whether every parser sees in this text the same comments and no tag. `text_tag` is the tag before it."""
    if text_tag:
        return "<" not in text
    return not _TAG.search(text) or ("<![CDATA[" not in text and not _TAG.search(_UNSEEN.sub("", text)))


def _is_certain_tag(tag: Tag, written: str, text_tag: str) -> bool:
    """Returns whether every parser takes this for the tag that it is."""
    form = _PLAIN_END if tag.is_end else _PLAIN_TAG
    return form.fullmatch(written) is not None and (not text_tag or (tag.is_end and tag.name == text_tag))


def _has_same_content(body: str, neutral: str) -> bool:
    """Returns whether a browser shows the same texts and elements of both. What is too long to be sure of is not."""
    return len(body) <= _MAX_COMPARED and _read_content(body) == _read_content(neutral)


def _read_content(body: str) -> str:
    """Returns the texts and elements that a browser shows of a body, without style sheets and what is left out."""
    pieces: list[str] = []
    outlook_depth, last_name = 0, ""
    for event in read_events(body):
        is_outlook = event.name == OUTLOOK
        outlook_depth += is_outlook and event.kind == "start"
        if not outlook_depth and event.kind != "comment" and event.name not in _LEFT_OUT:
            text = "" if last_name == "style" else event.text
            pieces.append(text if event.kind == "text" else f"\0{event.kind} {event.name}\0")
            last_name = event.name if event.kind == "start" else ""
        outlook_depth -= is_outlook and event.kind == "end"
    return "".join(pieces)


def _neutralise_text(text: str, *, is_style: bool) -> str:
    """Returns what stands between two tags, without comments and instructions, and with no other begin of a tag."""
    if not _TAG.search(text):
        return text
    seen = text.replace("<!--", "") if is_style else _UNSEEN.sub("", text)  # a style sheet may stand in a comment
    return _TAG.sub(lambda match: f"&lt;{match[0][1:]}", seen)


def _neutralise_tag(tag: Tag, written: str) -> str:
    """Returns a tag without what it loads and where it leads. What is no tag for every parser is text."""
    if not _TAG_NAME.fullmatch(tag.name):
        return written.replace("<", "&lt;")
    if tag.is_end:
        return f"</{tag.name}>"
    attributes = tag.attributes
    leading = {
        name
        for name, value in attributes.items()
        if name in _LEADING and (tag.name in _FRAME_TAGS or not value.startswith(("#", "data:")))
    }
    if tag.name in _LEFT_OUT:
        return ""
    if tag.name == "meta":
        leading |= {"http-equiv"} & attributes.keys()
    is_shown = tag.name != "img" or "src" in attributes
    if is_shown and not leading and _PLAIN_TAG.fullmatch(written):
        return written
    kept = {name: value for name, value in attributes.items() if name not in leading and not name.startswith("on")}
    if tag.name == "img" and (leading or not is_shown):
        width, height = _measure(tag)
        address, text = attributes.get("src", ""), attributes.get("alt", "")
        kept |= {"src": f"data:image/svg+xml,{quote(_draw_box(width, height, address, text))}"}
        kept |= {"title": f"{text} {address}".strip()}
    elif tag.name in {"a", "area"} and leading:
        kept |= {"href": "#", "title": attributes.get("href", "")}
    texts = "".join(f' {name}="{html.escape(value)}"' for name, value in kept.items() if _NAME.fullmatch(name))
    return f"<{tag.name}{texts}{'/' if tag.raw.endswith('/>') else ''}>"


def _measure(tag: Tag) -> tuple[int, int]:
    """Returns width and height in pixels, as far as the tag says them."""
    width, height = (_parse_pixels(tag.attributes.get(name, "")) for name in ("width", "height"))
    if not width and (match := _WIDTH.search(tag.attributes.get("style", ""))):
        width = min(int(match[1][:5]), _MAX_PIXELS)
    if width and not height:
        height = max(24, min(width // 3, 160)) if width > _TINY else width
    return width or (height * 2 if height else _DEFAULT_SIZE[0]), height or _DEFAULT_SIZE[1]


def _parse_pixels(text: str) -> int:
    match = re.fullmatch(r"\s*(\d{1,5})(?:px)?\s*", text)
    return min(int(match[1]), _MAX_PIXELS) if match else 0


def _draw_box(width: int, height: int, address: str, text: str) -> str:
    """Returns an SVG of this size in pixels. It names the image as far as there is room."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<rect x=".75" y=".75" width="{max(width - 1.5, 0)}" height="{max(height - 1.5, 0)}" rx="6" fill="#8b93a7" '
        'fill-opacity=".12" stroke="#8b93a7" stroke-width="1.5" stroke-dasharray="5 4"/>'
    )
    room = int((width - 20) / _CHARACTER)
    lines = [line for line in (text and f"“{text}”", address.strip() or "no address") if line]
    lines = lines[: max(0, (height - 8) // _LINE)] if room > _TINY else []
    top = (height - len(lines) * _LINE) / 2 + 12.5
    rows = "".join(
        f'<text x="{width / 2}" y="{top + number * _LINE:.1f}" text-anchor="middle" font-size="12" fill="#6b7388" '
        f'font-family="system-ui,sans-serif">{html.escape(_cut(line, room))}</text>'
        for number, line in enumerate(lines)
    )
    return f"{head}{rows}</svg>"


def _cut(text: str, room: int) -> str:
    text = "".join(character if character.isprintable() else " " for character in text)
    return text if len(text) <= room else f"{text[: room - 1]}…"
