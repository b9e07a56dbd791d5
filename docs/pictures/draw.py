"""Draws the README's pictures from real runs: `python docs/pictures/draw.py`, with the test requirements installed.

- `plan.svg`: `msgrun plan` of this repository's messages, on a pseudo-terminal.
- `preview.png`, `preview-message.png`: the index and a page of `msgrun preview` of the same change, with values.
- `comment.md`: the comment in a pull request that adds one of these messages, changes another and raises a limit.
  `comment.png` is that text as HTML in the colours of GitHub, photographed by Chromium, which must be on the PATH.

`tests/test_pictures.py` fails if plan.svg or comment.md is not what a run prints today.
"""

import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.terminal import Terminal  # noqa: E402  # the root is on the path only now

COLUMNS = 92
CHARACTER, LINE, MARGIN = 8.4, 19, 18  # pixels
COLOURS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "34": "#79c0ff", "35": "#d2a8ff", "36": "#76e3ea"}
PREVIEW_SIZE = 1100, 760  # pixels
COMMENT_WIDTH, COMMENT_HEIGHT = 780, 730  # pixels; the rest of the comment is below the picture
_FONT = 'font-size="14" fill="#e6edf3" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"'
_STYLE = re.compile(r"\x1b\[([0-9;]*)m")
_OTHER = re.compile(r"\x1b\[[0-9;?]*[A-Za-ln-z]|\r")
_ALERT = re.compile(r"<blockquote>\s*<p>\[!(\w+)\]\s*")
_DIFF_LINE = re.compile(r"^([-+]) .*$", re.MULTILINE)


def draw_plan() -> str:
    """Returns an SVG: the command as it was typed, and all that it showed."""
    with tempfile.TemporaryDirectory() as folder:
        project = _copy_project(Path(folder))
        _replace(project / "msgrun.yaml", "from:", "workspace: ponies\nfrom:")
        _run(project, "msgrun", "lock", "begin")
        terminal = Terminal(project, "plan", columns=COLUMNS)
        terminal.finish()
        shown = terminal.raw
    return _svg(["\x1b[2m$\x1b[0m msgrun plan", "", *_OTHER.sub("", shown).rstrip().split("\n")])


def write_comment() -> str:
    """Returns the Markdown of the comment."""
    with tempfile.TemporaryDirectory() as folder:
        project = _commit_change(Path(folder))
        command = ("msgrun", "plan", "--against", "HEAD~1", "--format", "markdown")
        written = _run(project, *command)
        # The hash of a commit holds its time.
        written = re.sub(r"\b[0-9a-f]{10}(?=`)", "3f1c2a9d07", written)
        return re.sub(r"\b[0-9a-f]{10}(?=\))", "b70d41e6a2", written)


def photograph_comment(markdown: str, path: Path) -> None:
    """Writes the upper part of a comment as PNG, with the details of its first message open."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "comment.html"
        page.write_text(_page(markdown), encoding="utf-8")
        _photograph(page, path, COMMENT_WIDTH + 40, COMMENT_HEIGHT)


def photograph_preview(index: Path, message: Path) -> None:
    """Writes the upper parts of the index and of one message's page as PNG."""
    with tempfile.TemporaryDirectory() as folder:
        project = _commit_change(Path(folder))
        _run(project, "msgrun", "preview", "--against", "HEAD~1", "--show-values", "--out", "pages")
        _photograph(project / "pages/index.html", index, *PREVIEW_SIZE)
        _photograph(project / "pages/pages/outage-apology.html", message, *PREVIEW_SIZE)


def _photograph(page: Path, path: Path, width: int, height: int) -> None:
    _run(
        page.parent, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        "--force-device-scale-factor=2", f"--window-size={width},{height}", f"--screenshot={path}", page.as_uri(),
    )  # fmt: skip


def _commit_change(folder: Path) -> Path:
    """Returns a project whose second commit adds a message, changes another one, and raises a limit."""
    project = _copy_project(folder)
    added = list(project.glob("messages/outage-apology*"))
    texts = {path: path.read_text("utf-8") for path in added}
    for path in [*added, project / "messages" / "reference-example.yaml"]:
        path.unlink()
    _replace(project / "msgrun.yaml", "from:", "workspace: ponies\nfrom:")
    _run(project, "msgrun", "lock", "begin")
    _commit(project)
    for path, text in texts.items():
        path.write_text(text, "utf-8")
    _replace(project / "messages" / "price-change.yaml", "12.50 EUR", "13.00 EUR")
    _replace(project / "msgrun.yaml", "recipients_per_message: 5000", "recipients_per_message: 20000")
    _commit(project)
    return project


def _copy_project(folder: Path) -> Path:
    project = folder / "project"
    for part in ("messages", "audiences"):
        shutil.copytree(ROOT / part, project / part)
    shutil.copy(ROOT / "msgrun.yaml", project)
    return project


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text, (path, old)
    path.write_text(text.replace(old, new), "utf-8")


def _commit(project: Path) -> None:
    _run(project, "git", "init", "--quiet", "--initial-branch=main")
    _run(project, "git", "add", "--all")
    _run(project, "git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--message=x")


def _run(folder: Path, *command: str) -> str:
    """Runs a program in a folder as in CI, and returns its output."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("INTERCOM", "MSGRUN", "GIT"))}
    if command[0] == "msgrun":
        command = (sys.executable, "-m", "runner", *command[1:])
    ran = subprocess.run(
        command, cwd=folder, env={**environ, "PYTHONPATH": str(ROOT), "CI": "true"},
        text=True, check=True, capture_output=True,
    )  # fmt: skip
    return ran.stdout


def _page(markdown: str) -> str:
    from markdown_it import MarkdownIt  # noqa: PLC0415  # only the picture needs it, not the test

    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown)
    body = _ALERT.sub(lambda match: f'<blockquote class="{match[1]}"><p><b>{match[1].title()}</b></p><p>', body)
    body = body.replace("<details>", "<details open>", 1)
    body = re.sub(
        r'(<code class="language-diff">)(.*?)(</code>)',
        lambda match: match[1] + _DIFF_LINE.sub(_colour_diff, match[2]) + match[3],
        body,
        flags=re.DOTALL,
    )
    style = (FOLDER / "comment.css").read_text("utf-8")
    return f'<!doctype html><meta charset="utf-8"><style>{style}</style><main>{body}</main>'


def _colour_diff(match: re.Match[str]) -> str:
    return f'<span class="{"removed" if match[1] == "-" else "added"}">{match[0]}</span>'


def _svg(lines: list[str]) -> str:
    width, height = COLUMNS * CHARACTER + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    rows = [
        f'<text x="{MARGIN}" y="{MARGIN + LINE * number + 14}" xml:space="preserve">{_spans(line)}</text>'
        for number, line in enumerate(lines)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" {_FONT}>',
            f'<rect width="{width:.0f}" height="{height}" rx="8" fill="#0d1117"/>',
            *rows,
            "</svg>\n",
        ]
    )


def _spans(line: str) -> str:
    spans, codes = [], set[str]()
    for number, piece in enumerate(_STYLE.split(line)):
        if number % 2:
            codes = set() if piece in {"", "0"} else codes | set(piece.split(";"))
        elif piece:
            colour = next((f' fill="{COLOURS[code]}"' for code in codes if code in COLOURS), "")
            weight = ' font-weight="bold"' if "1" in codes else ""
            faint = ' opacity="0.6"' if "2" in codes else ""
            spans.append(f"<tspan{colour}{weight}{faint}>{html.escape(piece)}</tspan>")
    return "".join(spans)


if __name__ == "__main__":
    (FOLDER / "plan.svg").write_text(draw_plan(), encoding="utf-8")
    (FOLDER / "comment.md").write_text(write_comment(), encoding="utf-8")
    photograph_comment((FOLDER / "comment.md").read_text("utf-8"), FOLDER / "comment.png")
    photograph_preview(FOLDER / "preview.png", FOLDER / "preview-message.png")
