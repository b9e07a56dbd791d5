"""A request for permits of the rate limit that the runs on one ledger share."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PermitRequest:
    """A request for permits to start requests in a window of ten seconds, and what the run knows of the window.

    All numbers count requests. A window is named by Intercom's reset time, which is the same on every machine, whatever
    its clock shows. If no header gave that time (`reset` is None), the clock of the ledger's database names the window.
    """

    reset: int | None  # X-RateLimit-Reset, Unix seconds
    budget: int  # how many all runs together may start in the window
    allowed_by_now: int  # how many all runs together may have started by now
    # How many were allowed before this run began. If no other run asked for a permit in this window, they are lost.
    allowed_at_start: int
    limit: int | None  # X-RateLimit-Limit
    used: int  # the most that Intercom reported as used of `limit`, by any program
    responses: int  # responses that arrived since the last request for permits
    returned: int  # permits given back; below 0 if requests started without one
    wanted: int  # how many permits the run asks for
