"""The command preview: shows every message as its recipients see it, as pages for a browser."""

from pathlib import Path

import click

from runner.cli.context import Context, open_context
from runner.cli.options import EXIT, command
from runner.cli.preview_pages import PreviewRequest, find_output_folder, load_preview, write_pages
from runner.errors import UsageMistake
from runner.preview.pages import render_pages
from runner.preview.screenshots import take_screenshots
from runner.preview.views import Preview
from runner.report.problem_text import list_first, pluralize

_MAX_KINDS = 4  # of problems, and of warnings, that are named


@command("preview")
@click.argument("names", nargs=-1, metavar="[NAME…]")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where to write; else .msgrun/preview.")
@click.option("--against", metavar="REF", help="Also show what changes against a git ref, e.g. origin/main.")
@click.option(
    "--recipients",
    "count",
    type=click.IntRange(1, 1000),
    metavar="N",
    help="Show N recipients of each message; by default those whose texts differ.",
)
@click.option(
    "--png",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Also write pictures, with the Chromium of this machine.",
)
@click.option("--serve", is_flag=True, help="Serve it on 127.0.0.1 until Ctrl-C; pages follow each change of a file.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="The port of --serve; else a free one.")
def preview(
    names: tuple[str, ...], out: Path | None, against: str | None, count: int | None, png: Path | None,
    port: int | None, *, serve: bool,
) -> int:  # fmt: skip
    """Show the messages as their recipients see them, in a browser.

    Writes pages that open from disk and load nothing from the network: an index of what goes out and what should worry
    you, and a page for each message. Works offline and without a token. Off a terminal recipients' values are masked;
    --show-values shows them.

    NAMEs are those of messages; without any, all are shown.
    """
    if serve and (out or png):
        raise UsageMistake("--serve writes no files", "leave out --out and --png")
    if port is not None and not serve:
        raise UsageMistake("--port is for --serve")
    request = PreviewRequest(names, against, count)
    if serve:
        from runner.cli.preview_server import serve_preview  # noqa: PLC0415  # http.server takes 30 ms

        return serve_preview(request, port or 0)
    with open_context(against or "") as context:
        folder = find_output_folder(context, out)
        pictures = context.user_path(png) if png else None
        shown = load_preview(context, request)
        index = write_pages(folder, dict(render_pages(shown)))
        if context.output.width_for_reading:
            context.output.note(f"{_describe(shown)} Open in a browser:")
        context.output.result(index.absolute().as_uri() if context.output.width_for_reading else str(index))
        context.output.note_masking()
        if pictures:
            _take_screenshots(context, folder, shown, pictures)
        return EXIT.done


def _describe(shown: Preview) -> str:
    """Returns sentences: how many messages are shown, what they send, and how many have a problem or a warning."""
    pages, to_send = pluralize(len(shown.messages), "message"), shown.kinds_to_send or "nothing"
    sentences = [f"Wrote the pages of {pages}: {to_send} to send."]
    for tone, word in (("bad", "problem"), ("warn", "warning")):
        found = [message for message in shown.messages if message.tone == tone]
        names: dict[str, dict[str, None]] = {}  # of the messages, by what is the matter
        for message in found:
            for concern in message.concerns:
                if concern.tone == tone and concern.label != word:
                    names.setdefault(concern.label, {})[message.name] = None
        if found:
            kinds = [
                f"{label} ({list_first([*names[label]][:_MAX_KINDS], len(names[label]))})" for label in sorted(names)
            ]
            listed = f": {list_first(kinds[:_MAX_KINDS], len(kinds))}" if kinds else ""
            sentences.append(f"{pluralize(len(found), 'message has', 'messages have')} a {word}{listed}.")
    return " ".join(sentences)


def _take_screenshots(context: Context, folder: Path, shown: Preview, out: Path) -> None:
    context.output.note(f"Taking pictures of {pluralize(len(shown.messages), 'message')}…")
    pictures = take_screenshots(folder, [message.page for message in shown.messages], out)
    for picture in pictures:
        if picture.remark:
            context.output.note(picture.remark)
    written = sum(picture.path is not None for picture in pictures)
    context.output.result(f"{pluralize(written, 'picture')} in {out}")
