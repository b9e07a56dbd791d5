"""Draws the README's pictures of a terminal from real runs: `python docs/pictures/draw.py`, in an installed checkout.

It plans the messages of this repository in a copy of its own, on a pseudo-terminal, and writes what that shows as SVG.
"""

import html
import re
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.terminal import Terminal  # noqa: E402  # the root is on the path only now

COLUMNS = 92
CHARACTER, LINE, MARGIN = 8.4, 19, 18  # pixels
COLOURS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "34": "#79c0ff", "35": "#d2a8ff", "36": "#76e3ea"}
_FONT = 'font-size="14" fill="#e6edf3" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"'
_STYLE = re.compile(r"\x1b\[([0-9;]*)m")
_OTHER = re.compile(r"\x1b\[[0-9;?]*[A-Za-ln-z]|\r")


def draw(name: str, *args: str) -> None:
    """Writes NAME.svg: the command as it was typed, and all that it showed."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        for part in ("messages", "audiences"):
            shutil.copytree(ROOT / part, project / part)
        shutil.copy(ROOT / "msgrun.yaml", project)
        terminal = Terminal(project, "--sandbox", *args, columns=COLUMNS)
        terminal.finish()
        shown = terminal.raw
    lines = [f"\x1b[2m$\x1b[0m msgrun {' '.join(args)}", "", *_OTHER.sub("", shown).rstrip().split("\n")]
    (Path(__file__).parent / f"{name}.svg").write_text(_svg(lines), encoding="utf-8")


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
    draw("plan", "plan")
