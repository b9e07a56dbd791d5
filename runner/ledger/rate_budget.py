"""What runs that have one ledger in common ask of the rate limit that they share."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PermitRequest:
    """One question for permits to start requests in a window of ten seconds, and what its asker knows of the window.

    Numbers are requests. Windows are named by Intercom's own reset, which is the same for every machine, whatever its
    clock says; where no header told one (`ends` is None), the clock of whoever keeps the budget names them.
    """

    reset: int | None  # X-RateLimit-Reset, Unix seconds
    budget: int  # what all together may start in the window
    allowed_by_now: int  # what all together may have started by now
    allowed_at_start: int  # what was due when this run came in: if nobody was there before, nobody gets it any more
    limit: int | None  # X-RateLimit-Limit
    used: int  # the most that the server said was used of it, by whomever
    responses: int  # answers that came in since the last question
    returned: int  # permits given back; less than 0 for what was started without one
    wanted: int
