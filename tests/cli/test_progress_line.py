"""A long plan shows how far it is, on stderr and only to who wants to hear it."""

from dataclasses import replace

import pytest

from runner.cli import progress_line
from runner.cli.options import GlobalOptions
from runner.cli.output import Output
from runner.cli.progress_line import PlanningProgress


@pytest.mark.parametrize(("quiet", "told"), [(False, "planning big: 2,048 recipients\n"), (True, "")])
def test_a_plan_that_takes_long_is_told_of_once_in_ten_seconds_in_a_log(quiet, told, monkeypatch, capsys):
    now = [1000.0]
    monkeypatch.setattr(progress_line.time, "monotonic", lambda: now[0])
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
    monkeypatch.setattr(progress_line.time, "monotonic", lambda: now[0])
    counting = PlanningProgress(replace(Output.from_options(GlobalOptions(), {}), can_redraw=True))
    now[0] += 3
    counting("big", 1024)
    counting("big", 2048)
    counting.clear()
    counting.clear()
    assert capsys.readouterr().err == "\rplanning big: 1,024 recipients\033[J\r" + "\r\033[J"
