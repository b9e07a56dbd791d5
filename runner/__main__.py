"""The entry point of the command line: `msgrun`, or `python -m runner`."""

import gc
import os
import sys
import warnings

from runner import __version__

# Objects made from declarations live until the command ends, and rendering a recipient creates no reference cycle, so a
# collection frees little. With Python's threshold of 700, collections took a sixth of the time to read 1,000 files.
_GC_THRESHOLD = 50_000
_EXIT_INTERRUPTED = 130


def main() -> None:
    """Runs the command line and exits the process with its exit code."""
    if sys.argv[1:] == ["--version"]:
        # Answered before the slow imports: editors and CI ask for the version often.
        sys.stdout.write(f"msgrun {__version__}\n")
        return
    # Python prints a warning about the code of a template at once, with words of the template's author.
    warnings.simplefilter("ignore")
    # Imports create many objects that are never freed. Collections among them took a tenth of a command's start.
    gc.disable()
    try:
        if "_MSGRUN_COMPLETE" in os.environ:  # set by the scripts of `msgrun completion`
            from runner.completion import complete  # noqa: PLC0415  # saves 300 ms of importing the commands

            sys.exit(complete(os.environ.get("COMP_WORDS", "").split()))
        from runner.cli import run  # noqa: PLC0415  # imports click and its modules, with collection off
        from runner.cli.supervisor import Supervisor, exit_at_once  # noqa: PLC0415  # likewise

        gc.freeze()
        gc.set_threshold(_GC_THRESHOLD)
        gc.enable()
        supervisor = Supervisor() if sys.platform == "linux" else None
        code = run(sys.argv[1:], supervisor)
        if supervisor and supervisor.is_child:
            exit_at_once(code)
    except KeyboardInterrupt:  # during the imports: run() reports a later Ctrl-C itself
        code = _EXIT_INTERRUPTED
    sys.exit(code)


if __name__ == "__main__":
    main()
