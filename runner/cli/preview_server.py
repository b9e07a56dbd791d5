"""Runs `preview --serve`: builds the pages again after each change of a file, until it is interrupted."""

import contextlib
import os
import time
from pathlib import Path

import click

from runner.cli.context import open_context
from runner.cli.file_watch import FileStates, look_at_files
from runner.cli.options import EXIT, GlobalOptions
from runner.cli.output import Output
from runner.cli.preview_pages import PreviewMemory, PreviewRequest, load_preview
from runner.declare.project import find_root
from runner.declare.settings import SETTINGS_FILE
from runner.errors import MsgrunError, ProblemsFound, RunStopped
from runner.preview.concerns import describe_error, describe_problem
from runner.preview.page_server import PageServer
from runner.preview.pages import render_pages
from runner.preview.views import Concern, Preview, Site

_SECONDS = 0.1  # between two looks at the files, at least
_SHARE = 10  # of many files: a look may take a tenth of the time


def serve_preview(request: PreviewRequest, port: int) -> int:
    """Serves the preview of the project until Ctrl-C. Returns the exit code. Raises RunStopped, UsageMistake."""
    options = click.get_current_context().ensure_object(GlobalOptions)
    output = Output.from_options(options, os.environ)
    root = find_root(options.start_folder)
    try:
        server = PageServer(port)
    except OSError as error:
        raise RunStopped(f"the preview cannot be served: {error.strerror}", "choose another port: --port N") from error
    with contextlib.closing(server):
        states: FileStates | None = None
        memory = PreviewMemory()
        try:
            while True:
                # First looked at, then built: what changes during the build is seen the next time.
                began = time.monotonic()
                seen = look_at_files(root)
                pause = max(_SECONDS, _SHARE * (time.monotonic() - began))
                if seen != states:
                    settings = str(root / SETTINGS_FILE)
                    if states is None or seen.get(settings) != states.get(settings):
                        memory = PreviewMemory()
                    _show(server, request, root, memory)
                    if states is None:
                        output.result(server.url)
                        output.note("The pages follow each change of a file. Ctrl-C ends it.")
                        output.note_masking()
                    states = seen
                time.sleep(pause)
        except KeyboardInterrupt:
            return EXIT.interrupted


def _show(server: PageServer, request: PreviewRequest, root: Path, memory: PreviewMemory) -> None:
    """Builds the pages and shows them, or the problems because of which there are none."""
    show_values = False
    try:
        with open_context(request.against or "") as context:
            show_values = context.output.show_values
            preview = load_preview(context, request, memory)
    except ProblemsFound as error:
        concerns = tuple(describe_problem(problem, show_values=show_values) for problem in error.problems)
        preview = _without_messages(root, tuple(sorted(concerns, key=lambda each: each.tone != "bad")))
    except MsgrunError as error:
        preview = _without_messages(root, (describe_error(error, show_values=show_values),))
    server.show(dict(render_pages(preview, version=server.version + 1, earlier=server.pages)))


def _without_messages(root: Path, problems: tuple[Concern, ...]) -> Preview:
    return Preview(Site(root.resolve().name, is_live=True), problems=problems)
