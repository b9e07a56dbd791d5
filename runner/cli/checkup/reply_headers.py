"""Checks of what Intercom's answers say beside their content: the API version, the rate limit, and the time."""

import platform

from runner.declare.settings import SETTINGS_FILE
from runner.intercom import NoReply, Reply
from runner.intercom.identifiers import parse_id
from runner.intercom.probe import Probe
from runner.intercom.reply_meaning import parse_error
from runner.report.checkup_text import Check, Verdict

_MAX_DIFFERENCE = 5.0  # seconds between the clocks that are as good as none
_MAX_BEARABLE_DIFFERENCE = 300.0  # seconds: beyond it, `expires` and `not_before` are at quite another time
_BUSY_SHARE = 0.5  # of the rate limit, used by others: sending takes twice as long


def check_version(reply: Reply | NoReply, version: str) -> Check:
    """Returns the check whether Intercom answers in the version that was asked for."""
    if isinstance(reply, NoReply):
        return Check("api version", "skip", "no answer")
    echo = reply.headers.get("intercom-version", "")
    fix = f'write api_version: "2.14" into {SETTINGS_FILE}'
    if parse_error(reply)[0] == "intercom_version_invalid":
        return Check("api version", "fail", f"Intercom does not know {version}", fix)
    if echo and echo != version:
        return Check(
            "api version",
            "fail",
            f"{version} was asked for, and Intercom answered in {parse_id(echo) or echo[:20]}",
            fix,
        )
    if not echo:
        return Check("api version", "ok", f"{version}; the answer does not repeat it")
    return Check("api version", "ok", f"{version}, as Intercom repeats it")


def check_rate_limit(probe: Probe) -> Check:
    """Returns the check of the rate limit, in the window of the last answer."""
    view = probe.rate_limit
    if view is None or not view.limit:
        return Check("rate limit", "ok", "the answers do not show one")
    share = view.used_by_others / view.limit
    detail = f"{view.limit:,} requests in 10 seconds; other programs used {view.used_by_others:,} of them ({share:.0%})"
    if share >= _BUSY_SHARE:
        return Check("rate limit", "warn", detail, "send when they are quiet, or raise rate.share in msgrun.yaml")
    return Check("rate limit", "ok", detail)


def check_clock(probe: Probe) -> Check:
    """Returns the check of this machine's clock."""
    seconds = probe.clock_difference
    if seconds is None:
        return Check("clock", "skip", "the answers have no date")
    if abs(seconds) <= _MAX_DIFFERENCE:
        return Check("clock", "ok", f"as Intercom's, to {_MAX_DIFFERENCE:.0f} seconds")
    detail = f"this machine's clock is {abs(seconds):,.0f} seconds {'ahead of' if seconds > 0 else 'behind'} Intercom's"
    fix = "sudo sntp -sS time.apple.com" if platform.system() == "Darwin" else "sudo timedatectl set-ntp true"
    verdict: Verdict = "fail" if abs(seconds) > _MAX_BEARABLE_DIFFERENCE else "warn"
    return Check("clock", verdict, f"{detail}: expires and not_before come at another time", fix)
