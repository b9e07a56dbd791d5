"""Finds what a style sheet of a body may ask for that differs between the preview and a mail client.

The frame of a preview is not as high as a window, its links and images have no address, and it loads nothing. A style
sheet that asks for such a thing can show a text here and another one to the recipient. Widths and themes are those of
mail clients, so a style sheet may ask for them. What is not certain to be harmless is named.
"""

import re

_SHEET = re.compile(r"<style\b[^>]*>(.*?)(?:</style|$)", re.DOTALL | re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\bstyle\s*=\s*(\"[^\"]*\"|'[^']*')", re.IGNORECASE)
_LOADED = re.compile(r"<link\b", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_MEDIA = re.compile(r"@media\b([^{;]*)", re.IGNORECASE)
# What mail clients are told apart with, and their own hacks.
_COMMON_MEDIA = re.compile(
    r"\b(?:only|not|and|or|all|screen|print|(?:(?:min|max)-)?(?:device-)?width|prefers-color-scheme|light|dark|"
    r"(?:-webkit-)?(?:min-|max-)?(?:device-pixel-ratio|resolution)|forced-colors|active|none|[\d.]+(?:px|em|rem|dpi|dppx)?)\b"
    r"|-webkit-(?:min-|max-)?device-pixel-ratio|[\s(),:<>=.]",
    re.IGNORECASE,
)
_SIGNS = (
    (re.compile(r"@import\b", re.IGNORECASE), "@import"),
    (re.compile(r"\banimation(?:-[a-z]+)*\s*:", re.IGNORECASE), "an animation"),
    (re.compile(r"@container\b", re.IGNORECASE), "@container"),
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


def find_style_conditions(body: str) -> tuple[str, ...]:
    """Returns what the style sheets of a body ask for that a mail client may answer in another way."""
    sheets = _SHEET.findall(body)
    styles = _COMMENT.sub(" ", "\n".join([*sheets, *_ATTRIBUTE.findall(body)]))
    found = [name for pattern, name in _SIGNS if pattern.search(styles)]
    media = [" ".join(query.split()) for query in _MEDIA.findall(styles) if _COMMON_MEDIA.sub("", query).strip()]
    found += [f"@media {query[:60]}" for query in dict.fromkeys(media[:3])]
    return (*found, *(("<link>",) if _LOADED.search(body) else ()))
