"""Realistic mails: the layouts of the folder corpus/, each in the style of a framework, with texts in many languages.

A layout holds `@title@` and the like where a text comes. All texts and layouts were written for this test.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent / "corpus"
RIGHT_TO_LEFT = ("ar", "he")
RECIPIENTS = (
    {"first_name": "Ann", "email": "a+b@example.com", "order": "A-1042", "vip": True, "plan": "R&D [1]"},
    {"first_name": "José O'Brien", "email": "jose@example.com", "order": "#7/2", "vip": False, "plan": "50% «Pro»"},
    {"first_name": "Null", "email": "x@example.com", "order": "100%", "vip": False, "plan": "{1,2} <3"},
)
ITEMS = [{"name": "tea", "count": 2, "price": 5.99}, {"name": "café", "count": 1, "price": 30.02}]


def build_mails() -> Iterator[tuple[str, dict[str, object]]]:
    """Yields the mails: a name, and the keys of a declaration. English has all layouts, other languages a third."""
    texts = yaml.load((FOLDER / "texts.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    layouts = sorted(path for path in FOLDER.iterdir() if path.suffix != ".yaml")
    for layout_number, layout in enumerate(layouts):
        source = layout.read_text(encoding="utf-8")
        for text_number, (language, text) in enumerate(texts.items()):
            if language == "en" or (layout_number + text_number) % 3 == 0:
                keys = {
                    "name": f"{layout.stem}/{language}",
                    "message_type": "email",
                    "subject": text["subject"],
                    "body": _fill(source, text, language, is_plain=layout.suffix == ".txt"),
                    "from": {"type": "admin", "id": "1"},
                    "vars": {"items": ITEMS},
                    "to": [{"type": "user", "id": f"u{number}", "vars": own} for number, own in enumerate(RECIPIENTS)],
                    "expires": "2999-12-01",
                    "create_conversation_without_contact_reply": True,
                }
                yield f"{layout.stem}-{language}", keys


def _fill(layout: str, text: dict[str, str], language: str, *, is_plain: bool) -> str:
    def to_markup(words: str) -> str:
        return words if is_plain else words.replace("&", "&amp;").replace("<", "&lt;")

    paragraphs = [to_markup(words) for words in text["paragraphs"]]
    values = {
        **{name: to_markup(words) for name, words in text.items() if name != "paragraphs"},
        "lang": language,
        "dir": "rtl" if language in RIGHT_TO_LEFT else "ltr",
        "url": f"https://example.com/{language}/pay",
        "paragraphs": "".join(f"<p>{words}</p>" for words in paragraphs),
        "lines": "<br>\n".join(paragraphs),
        "text": "\n\n".join(paragraphs),
    }
    for name, value in values.items():
        layout = layout.replace(f"@{name}@", value)
    return layout
