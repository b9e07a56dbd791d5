"""Runs `preview --serve`: builds the pages again after each change of a file, until it is interrupted."""

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from runner.cli.context import open_context
from runner.cli.options import EXIT, current_options
from runner.cli.output import current_output
from runner.cli.preview_pages import PreviewMemory, PreviewRequest, load_preview
from runner.declare.project_root import SETTINGS_FILE, find_root
from runner.errors import LedgerUnavailable, MsgrunError, ProblemsFound, RunStopped
from runner.git.repository import find_repository
from runner.preview.concerns import describe_error, describe_problem
from runner.preview.page_server import PageServer
from runner.preview.pages import render_pages
from runner.preview.views import Concern, Preview, Site

_SECONDS = 0.1  # between two looks at the files, at least
_SHARE = 10  # of many files: a look may take a tenth of the time
MAX_FILES = 20_000  # that are looked at: at each look takes about 50 ms
_OTHER_FOLDERS = frozenset({"node_modules", "venv", "__pycache__"})

FileStates = dict[str, tuple[int, int]]


def serve_preview(request: PreviewRequest, port: int) -> int:
    """Serves the preview of the project until Ctrl-C. Returns the exit code. Raises RunStopped, UsageMistake."""
    output, root = current_output(), find_root(current_options().start_folder)
    try:
        server = PageServer(port)
    except OSError as error:
        raise RunStopped(f"the preview cannot be served: {error.strerror}", "choose another port: --port N") from error
    with contextlib.closing(server):
        pages = LivePages(server, request, root)
        try:
            pages.update()
            output.result(server.url)
            output.note("The pages follow each change of a file. Ctrl-C ends it.")
            output.note_masking()
            while True:
                time.sleep(max(_SECONDS, _SHARE * pages.look_seconds))
                pages.update()
        except KeyboardInterrupt:
            return EXIT.interrupted


class LivePages:
    """The pages that a server shows of a project. `look_seconds` is how long the last look at the files took."""

    def __init__(self, server: PageServer, request: PreviewRequest, root: Path) -> None:
        self._server, self._request, self._root = server, request, root
        self._states: FileStates | None = None
        self._memory = PreviewMemory()
        self.look_seconds = 0.0

    def update(self) -> None:
        """Builds the pages, unless all files are as they were."""
        # First looked at, then built: what changes during the build is seen the next time.
        began = time.monotonic()
        seen, before, settings = self._look(), self._states, str(self._root / SETTINGS_FILE)
        self.look_seconds = time.monotonic() - began
        if seen == before:
            return
        self._states = seen
        if before is None or seen.get(settings) != before.get(settings):
            self._memory = PreviewMemory()
        self._show()

    def _look(self) -> FileStates:
        """Looks at the project's files, and at those that git and msgrun keep and a preview is made of."""
        others = [self._root / ".msgrun"]
        repository = None
        if self._request.against:
            with contextlib.suppress(LedgerUnavailable):  # the pages say so
                repository = find_repository(self._root)
        if repository:
            refs = repository.common_dir / "refs"
            others += [repository.git_dir / "HEAD", repository.common_dir / "packed-refs"]
            others += [refs / "heads", refs / "remotes", refs / "tags"]
        return look_at_files(self._root, *others)

    def _show(self) -> None:
        """Builds the pages and shows them, or the problems because of which there are none."""
        show_values = False
        try:
            with open_context(self._request.against or "") as context:
                show_values = context.output.show_values
                preview = load_preview(context, self._request, self._memory)
        except ProblemsFound as error:
            problems = [describe_problem(problem, show_values=show_values) for problem in error.problems]
            preview = self._list_problems(sorted(problems, key=lambda each: each.tone != "bad"))
        except MsgrunError as error:
            preview = self._list_problems([describe_error(error, show_values=show_values)])
        server = self._server
        server.show(dict(render_pages(preview, version=server.version + 1, earlier=server.pages)))

    def _list_problems(self, problems: Iterable[Concern]) -> Preview:
        return Preview(Site(self._root.resolve().name, is_live=True), problems=tuple(problems))


def look_at_files(root: Path, *others: Path) -> FileStates:
    """Returns time and size of each visible file below the root, links not followed, at most MAX_FILES of them.

    `others` are hidden files and folders that are looked at too.
    """
    states: FileStates = {}
    for path in _walk(root, others):
        try:
            status = os.lstat(path)
        except OSError:  # it was removed again
            continue
        states[path] = (status.st_mtime_ns, status.st_size)
        if len(states) >= MAX_FILES:
            break
    return states


def _walk(root: Path, others: Iterable[Path]) -> Iterator[str]:
    # The settings and the messages come first, however large the rest is.
    pending = [str(root), *map(str, others), str(root / "messages")]
    seen = set()
    while pending:
        folder = pending.pop()
        if folder in seen:
            continue
        seen.add(folder)
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except NotADirectoryError:
            yield folder
            continue
        except OSError:
            continue
        for entry in entries:
            if entry.name.startswith(".") or entry.name in _OTHER_FOLDERS:
                continue
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
            else:
                yield entry.path
