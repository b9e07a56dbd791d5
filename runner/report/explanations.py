"""What each code of a problem, a lint rule and a guard means, with an example before and after.

The texts are the Markdown files in `explanations/`, one a group, so that they can be edited as text. Only the
commands `explain` and `status`, SARIF and the tests read them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runner.lint.rules import RULES

DECLARATION = "messages/hello.yaml"  # the file of an example that does not name another one
_FOLDER = Path(__file__).parent / "explanations"
# In the order in which they are listed. A test holds them equal to the files.
GROUPS = (
    "yaml",
    "declarations",
    "recipients",
    "audiences",
    "workspace",
    "sql",
    "templates",
    "files",
    "project",
    "lint-texts",
    "lint-links",
    "lint-html",
    "lint-sending",
    "plans",
    "guards",
    "outcomes",
)
# Other words for what is explained: those of the ledger and of its JSON.
_OTHER_NAMES = {
    "claimed": "unknown", "released": "not-sent", "free": "not-sent", "to-send": "send", "already-sent": "sent",
    "draft": "excluded", "claim": "attempt", "outcome": "attempt", "record": "attempt", "payload": "delivery",
    "key": "delivery",
}  # fmt: skip
_ENTRY = re.compile(r"^## (?P<code>\S+) \((?P<severity>[a-z ]+)\)\n\n(?P<title>.+?)\n\n(?P<body>.*)", re.DOTALL)
_BLOCK = re.compile(r"(?:`(?P<path>\S+)`:\n\n)?```\w+\n(?P<text>.*?)```\n", re.DOTALL)

Step = Literal["Before", "After", "Commands"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The explanation of one code.

    `severity` is error, warning, "error or warning" or guard; for a word of `plan` or `status`, state; word for others.
    `title` is one sentence; `reason` says why it matters and what to do, and may be empty. `files` are the contents of
    the example's files before and after the fix, by path, or commands, without a path. `markdown` is the whole entry as
    it is written.
    """

    code: str
    severity: str
    title: str
    reason: str
    files: Mapping[Step, Mapping[str, str]]
    markdown: str

    @property
    def fix(self) -> str:
        """Returns how to fix a finding of lint, or an empty text."""
        return RULES[self.code].fix if self.code in RULES else ""


@dataclass(frozen=True, slots=True)
class Group:
    """The explanations of one file, under its title."""

    title: str
    explanations: tuple[Explanation, ...]


def load_groups() -> list[Group]:
    """Returns all explanations in their groups."""
    return [_parse_group((_FOLDER / f"{name}.md").read_text(encoding="utf-8")) for name in GROUPS]


def load_explanations() -> Mapping[str, Explanation]:
    """Returns all explanations by their codes."""
    return {entry.code: entry for group in load_groups() for entry in group.explanations}


def explained_code(word: str) -> str:
    """Returns the code that a word stands for, as a person copies it: [edited], "not sent", http_500."""
    code = word.strip("[]").lower().replace(" ", "-")
    return "http_status" if re.fullmatch(r"http_\d{3}", code) else _OTHER_NAMES.get(code, code)


def _parse_group(text: str) -> Group:
    head, *entries = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    return Group(head.removeprefix("# ").strip(), tuple(map(_parse_entry, entries)))


def _parse_entry(markdown: str) -> Explanation:
    """Returns the explanation that a section describes. Raises ValueError if it has another form."""
    match = _ENTRY.match(markdown)
    if match is None:
        raise ValueError(f"this is not an explanation: {markdown[:80]}")
    reason, _, steps = match["body"].partition("Before:\n\n")
    before, _, after = steps.partition("After:\n\n")
    return Explanation(
        match["code"],
        match["severity"],
        _join_lines(match["title"]),
        _join_lines(_BLOCK.sub("", reason)),
        {"Commands": _parse_files(reason, ""), "Before": _parse_files(before), "After": _parse_files(after)},
        markdown,
    )


def _parse_files(text: str, default_path: str = DECLARATION) -> dict[str, str]:
    return {block["path"] or default_path: block["text"] for block in _BLOCK.finditer(text)}


def _join_lines(text: str) -> str:
    """Returns paragraphs of Markdown with each on one line."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text.strip()))
