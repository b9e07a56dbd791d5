"""How mail clients differ from the preview: what they do not support, and what a style sheet may ask for.

The frame of a preview is not as high as a window, its links and images have no address, and it loads nothing. A style
sheet that asks for such a thing can show a text here and another one to the recipient. Widths and themes are those of
mail clients, so a style sheet may ask for them. What is not certain to be harmless is named.

Source of what is not supported: caniemail.com, whose tests are by hand; read in November 2026. Only clients with large
shares are named, and only what changes how a mail looks or works. A new line needs its page there.
"""

import re

from runner.preview.views import ClientNote

_SITE = "https://www.caniemail.com/features/"
# A pattern of the body, what it is, who lacks it, and the page.
_FEATURES: tuple[tuple[re.Pattern[str], str, str, str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), feature, clients, page)
    for pattern, feature, clients, page in (
        (r"<style\b", "<style> in the body", "Gmail and Outlook for Windows read it only in <head>", "html-style"),
        (r"display\s*:\s*(?:inline-)?flex", "display: flex", "not in Outlook for Windows", "css-display-flex"),
        (
            r"display\s*:\s*(?:inline-)?grid",
            "display: grid",
            "not in Gmail, Yahoo, Outlook for Windows and mobile",
            "css-display-grid",
        ),
        (r"position\s*:\s*(?:absolute|fixed|sticky)", "position", "not in Gmail, Outlook for Windows", "css-position"),
        (
            r"background(?:-image)?\s*:[^;\"'>]*url\(",
            "background-image",
            "not in Outlook for Windows",
            "css-background-image",
        ),
        (r"border-radius\s*:", "border-radius", "square corners in Outlook for Windows", "css-border-radius"),
        (r"@font-face\b", "@font-face", "not in Gmail, Outlook.com, Yahoo", "css-at-font-face"),
        (r"\bvar\(\s*--", "CSS variables", "not in Gmail, Yahoo, Outlook but for macOS", "css-variables"),
        (r"<video\b", "<video>", "not in Gmail, Yahoo, Outlook but for macOS", "html-video"),
        (r"<svg\b", "<svg>", "not in Gmail, Yahoo, Outlook but for macOS", "html-svg"),
        (r"<form\b", "<form>", "not in Outlook for Windows and macOS", "html-form"),
    )
)
_SHEET = re.compile(r"<style\b[^>]*>(.*?)(?:</style|$)", re.DOTALL | re.IGNORECASE)
_SHEET_MEDIA = re.compile(r"<style\b[^>]{0,400}?\smedia\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\bstyle\s*=\s*(\"[^\"]*\"|'[^']*')", re.IGNORECASE)
_LEFT_OUT = re.compile(r"<(link|base|source)\b", re.IGNORECASE)  # of the preview, which a style sheet may count
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_MEDIA = re.compile(r"@media\b([^{;]*)", re.IGNORECASE)
# What only one mail client reads, and their own hacks.
_COMMON_MEDIA = re.compile(
    r"\b(?:only|not|and|or|all|screen|print|(?:(?:min|max)-)?width|prefers-color-scheme|light|dark|"
    r"(?:-webkit-)?(?:min-|max-)?(?:device-pixel-ratio|resolution)|forced-colors|active|none|[\d.]+(?:px|em|rem|dpi|dppx)?)\b"
    r"|-webkit-(?:min-|max-)?device-pixel-ratio|[\s(),:<>=.]",
    re.IGNORECASE,
)
_SIGNS = (
    (re.compile(r"@import\b", re.IGNORECASE), "@import"),
    (re.compile(r"\banimation(?:-[a-z]+)*\s*:", re.IGNORECASE), "an animation"),
    (re.compile(r"@container\b", re.IGNORECASE), "@container"),
    (re.compile(r"@supports\b", re.IGNORECASE), "@supports"),
    (re.compile(r":has\(", re.IGNORECASE), ":has()"),
    (re.compile(r":(?:any-)?link\b|:visited\b|:target\b", re.IGNORECASE), ":link"),
    (re.compile(r"(?<![\w.#-])(?:meta|base|head)\s*[+~>,{:.\[]", re.IGNORECASE), "the head of the page"),
    (
        re.compile(
            r"\[(?!\s*(?:class|id|style|lang|dir|align|type|width|height|owa|data-[\w-]+|x-[\w-]+)\b)", re.IGNORECASE
        ),
        "[attribute]",
    ),
    (re.compile(r"\d(?:[sld]?v(?:h|b|min|max)|cq\w+)\b", re.IGNORECASE), "the height of the window"),
    (re.compile(r"\\"), "an escape"),
)


def find_unsupported(body: str) -> tuple[ClientNote, ...]:
    """Returns what some clients do not support of a body, in the order of the list."""
    return tuple(
        ClientNote(feature, clients, f"{_SITE}{page}/")
        for pattern, feature, clients, page in _FEATURES
        if pattern.search(body)
    )


def find_style_conditions(body: str) -> tuple[str, ...]:
    """Returns what the style sheets of a body ask for that a mail client may answer in another way."""
    sheets = _SHEET.findall(body)
    styles = _COMMENT.sub(" ", "\n".join([*sheets, *_ATTRIBUTE.findall(body)]))
    found = [name for pattern, name in _SIGNS if pattern.search(styles)]
    queries = [*_MEDIA.findall(styles), *(match[1].strip("\"'") for match in _SHEET_MEDIA.finditer(body))]
    media = [" ".join(query.split()) for query in queries if _COMMON_MEDIA.sub("", query).strip()]
    found += [f"@media {query[:60]}" for query in dict.fromkeys(media[:3])]
    return (*found, *dict.fromkeys(f"<{name.lower()}>" for name in _LEFT_OUT.findall(body)))
