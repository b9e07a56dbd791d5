"""What a run tells while it runs."""

import time
from datetime import UTC, datetime

import pytest

from runner.cli import progress
from runner.cli.options import GlobalOptions
from runner.cli.output import Output
from runner.cli.progress import CheckProgress, PlanningProgress, RunProgress
from runner.clock import Clock
from runner.deliver.summary import Summary
from runner.intercom.rate_limit import RateLimiter


def test_a_log_tells_the_rate_since_the_line_before(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    pace = RateLimiter(Clock(lambda: datetime.now(UTC), time.monotonic, time.sleep), 1.0, None)
    told = RunProgress(Output.from_options(GlobalOptions(), {}), pace)
    done = Summary(planned=10_000)
    for sent in (1000, 3000, 3000):
        now[0] += 10.5
        done.sent = sent
        told(done)
    first, second, third = capsys.readouterr().err.splitlines()
    assert first == "1,000 of 10,000, 95 a second, 0 refused, 0 unknown, 1 min 34 s left"
    assert second == "3,000 of 10,000, 190 a second, 0 refused, 0 unknown, 36 s left"
    assert third == "3,000 of 10,000, 0 a second, 0 refused, 0 unknown"


def test_a_burst_at_the_beginning_of_a_window_is_no_rate_above_the_limit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    limiter = RateLimiter(Clock(lambda: datetime.now(UTC), time.monotonic, time.sleep), 1.0, 800)
    shown = RunProgress(Output.from_options(GlobalOptions(), {}), limiter)
    now[0] += 10.5
    shown(Summary(planned=10_000, sent=2000))
    assert capsys.readouterr().err == (
        "2,000 of 10,000, 80 a second of 80 allowed, 0 refused, 0 unknown, 1 min 40 s left\n"
    )


@pytest.mark.parametrize(("quiet", "told"), [(False, "planning big: 2,048 recipients\n"), (True, "")])
def test_a_plan_that_takes_long_is_told_of_once_in_ten_seconds_in_a_log(quiet, told, monkeypatch, capsys):
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    counting = PlanningProgress(Output.from_options(GlobalOptions(quiet=quiet), {}))
    counting("big", 1024)
    now[0] += 10.5
    counting("big", 2048)
    now[0] += 5
    counting("big", 4096)
    counting.clear()
    out, err = capsys.readouterr()
    assert (out, err) == ("", told)


def test_it_is_drawn_in_place_on_a_terminal_and_taken_off(monkeypatch, capsys):
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    counting = PlanningProgress(Output.from_options(GlobalOptions(), {})._replace(can_redraw=True))
    now[0] += 3
    counting("big", 1024)
    counting("big", 2048)
    counting.clear()
    counting.clear()
    assert capsys.readouterr().err == "\rplanning big: 1,024 recipients\033[J\r" + "\r\033[J"


def test_a_check_of_recipients_shows_what_it_waits_for_and_for_how_long(monkeypatch, capsys):
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    limiter = RateLimiter(Clock(lambda: datetime.now(UTC), lambda: now[0], time.sleep), 1.0, None)
    checking = CheckProgress(Output.from_options(GlobalOptions(), {}), 2000, limiter)
    now[0] += 10.5
    checking.count(50)
    limiter.pause({"retry-after": "299"})
    for seconds in (5, 10, 300):
        now[0] += seconds
        checking.show_current()
    assert capsys.readouterr().err.splitlines() == [
        "checking recipients in Intercom: 50 of 2,000",
        "checking recipients in Intercom: 50 of 2,000, waiting 284 s for the rate window",
        "checking recipients in Intercom: 50 of 2,000",
    ]
