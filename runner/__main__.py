"""The command: `msgrun`, or `python -m runner`."""

import gc
import sys

from runner import __version__

# Declarations are read into objects that stay, and a recipient leaves no cycle: garbage is rare. Python's 700 made a
# sixth of the time that a thousand files take.
_OBJECTS = 50_000
_INTERRUPTED = 130


def main() -> None:
    """Runs the command line and exits with its code."""
    if sys.argv[1:] == ["--version"]:
        # Before anything is imported: editors and CI ask for it often.
        sys.stdout.write(f"msgrun {__version__}\n")
        return
    # Importing makes many objects that all stay: looking for garbage among them is a tenth of a command's start.
    gc.disable()
    try:
        from runner.cli import run  # noqa: PLC0415  # click and all that comes with it

        gc.freeze()
        gc.set_threshold(_OBJECTS)
        gc.enable()
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # before anything was begun; a command tells of it itself
        code = _INTERRUPTED
    sys.exit(code)


if __name__ == "__main__":
    main()
