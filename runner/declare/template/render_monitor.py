"""What a render shows to the process around it, so that cli/render_time_limit.py can end one that takes too long."""

MAX_SECONDS = 2.0  # seconds of processor time for one text


class RenderTimeout(Exception):
    """A render took more than MAX_SECONDS of processor time."""


class RenderMonitor:
    """Shows a caller with a clock whether a render runs, so that it can end one that takes too long.

    `is_rendering` is true during a render, and `render_count` counts the renders. When the same render has run for too
    long, the caller raises RenderTimeout. There are only these two values, because every render has to assign them.
    """

    def __init__(self) -> None:
        self.is_rendering = False
        self.render_count = 0
