"""What common mail clients do not support of what a body uses.

Source of each line: caniemail.com, whose tests are by hand; read in November 2026. Only clients with large shares are
named, and only what changes how a mail looks or works. A new line needs its page there.
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


def find_unsupported(body: str) -> tuple[ClientNote, ...]:
    """Returns what some clients do not support of a body, in the order of the list."""
    return tuple(
        ClientNote(feature, clients, f"{_SITE}{page}/")
        for pattern, feature, clients, page in _FEATURES
        if pattern.search(body)
    )
