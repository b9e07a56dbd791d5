"""What a person sees of apply, reconcile and resolve, at two widths, with and without colour, as golden files."""

import io
import os
import re
import sys
from collections.abc import Callable

import pytest

from runner.report.progress_text import Progress, format_log_line, format_terminal_line
from runner.report.terminal_text import to_terminal
from runner.sandbox import Sandbox
from runner.sandbox.contacts import _derive_id
from tests.support import golden
from tests.support.project import Folder, Ran, people_message, run_in_process

Run = Callable[..., Ran]
FLAG = "create_conversation_without_contact_reply: true\n"
PROGRESS = {
    "begins": Progress(done=0, planned=1204),
    "runs": Progress(done=480, planned=1204, rate=7.94, allowed=8.0, seconds_left=91.2),
    "has refusals": Progress(
        done=1021, planned=12_040, refused=3, unknown=1, rate=133.2, allowed=166.0, seconds_left=82
    ),
    "waits": Progress(done=480, planned=1204, refused=3, rate=2.0, allowed=8.0, seconds_left=362, pause=7.6),
    "stops": Progress(
        done=480, planned=1204, unknown=1, rate=7.9, allowed=8.0, seconds_left=91.2, in_flight=12, is_stopping=True
    ),
    "waits for answers": Progress(done=0, planned=1204, allowed=8.0, in_flight=10),
    "takes hours": Progress(done=3, planned=1_000_000, rate=8.0, allowed=8.0, seconds_left=125_000),
    "has no known limit": Progress(done=90_000, planned=100_000, rate=2031.0, allowed=100_000.0, seconds_left=4.9),
    "is done": Progress(done=1204, planned=1204, rate=8.0, allowed=8.0),
}


@pytest.fixture(params=[(100, True), (100, False), (60, True), (60, False)], ids=lambda value: f"{value[0]}-{value[1]}")
def look(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A terminal with this width, with or without colour. Returns the end of its golden files' names."""
    columns, colour = request.param
    monkeypatch.setattr("runner.cli.output.is_terminal", lambda _: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "dumb")  # without the line of progress, which depends on the time
    if colour:
        monkeypatch.setenv("FORCE_COLOR", "1")
    return f"{columns}{'-colour' if colour else ''}.txt"


def typed(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{answer}\n" for answer in answers)))


def trouble(intercom: Sandbox, *kinds: str) -> None:
    """Lets Intercom answer the first recipients so. An empty kind is no trouble."""
    ids = [_derive_id("email", f"p{number:02}@example.com", "user", 0) for number in range(len(kinds))]
    intercom.trouble.replace({"for": {contact: kind for contact, kind in zip(ids, kinds, strict=True) if kind}})


def check(name: str, *outputs: Ran) -> None:
    """Compares the output without what differs from run to run. Standard error comes first: it has the question."""
    text = "".join(f"{ran.err}{ran.out}exit code {ran.code}\n" for ran in outputs)
    text = re.sub(r"(?<=request )( *)\w{10,}", r"\1…", text)
    text = re.sub(r"(?<=message )20\d\d\b|(?<=another delivery, )\w{12}", "…", text)
    golden.check(name, re.sub(r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d", r"2026-11-27\g<1>10:00:00", text))


@pytest.fixture
def run(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command in the project's folder, with two messages to 24 people each."""
    monkeypatch.chdir(folder.path)
    declare(folder)
    return lambda *args: run_in_process(args, folder.path, dict(os.environ))


def declare(folder: Folder) -> None:
    folder.write("msgrun.yaml", 'abort_if: {unknown: 100, refused: "100%"}\nsalt: s\n')
    folder.write("messages.lock", '{"msgrun_lock":1,"workspace":"","salt_check":""}\n')
    folder.write("people.csv", "who\n" + "".join(f"p{number:02}@example.com\n" for number in range(24)))
    folder.message(people_message("outage-apology", "email", FLAG), "outage")
    folder.message(
        people_message("price-change", "email", f"{FLAG}max_recipients: 99\n").replace("Ponies", "Prices"), "p"
    )


def test_a_question_about_many_and_wrong_answers(
    look: str, run: Run, folder: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("runner.cli.output.is_terminal", lambda _: False)
        assert run("apply", "--yes", "--limit", "24").code == 0
    folder.message(people_message("outage-apology", "email", f"{FLAG}revision: 2\n"), "outage")
    typed(monkeypatch, "y", "42", "forty-eight")
    check(f"apply-cancelled-{look}", run("apply"))
    assert len(intercom.messages) == 24


def test_the_end_of_a_run_with_every_outcome(
    look: str, run: Run, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble(intercom, "422", "500_before", "422", "", "409", "502_html", "500_after")
    typed(monkeypatch, "40")
    check(f"apply-end-{look}", run("apply", "--limit", "40"))


def test_a_canary_and_the_refusal_to_go_on(
    look: str, run: Run, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "y", "")
    check(f"apply-canary-{look}", run("apply", "--canary", "2"))
    assert len(intercom.messages) == 2


def test_reconcile_groups_equal_reasons_and_resolve_asks(
    look: str, run: Run, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble(intercom, "500_after", "500_before", "500_before", "", "500_after", "500_before")
    assert run("apply", "--yes", "--limit", "24").code == 4
    reconciled = run("reconcile", "--wait", "0")
    typed(monkeypatch, "", "s", "n")
    check(f"resolve-{look}", reconciled, run("resolve"))


@pytest.mark.parametrize("colour", [True, False])
def test_the_states_of_the_progress_at_every_width(colour: bool) -> None:  # noqa: FBT001
    lines = [f"log\n  {format_log_line(progress)}" for progress in PROGRESS.values()]
    for columns in (100, 60, 30, 20):
        lines.append(f"{columns} columns")
        for name, progress in PROGRESS.items():
            line = to_terminal(format_terminal_line(progress, columns, unicode=columns > 20), colour=colour)
            assert len(re.sub(r"\x1b\[[0-9;]*m", "", line)) <= columns, name
            lines.append(line)
    golden.check(f"progress{'-colour' if colour else ''}.txt", "\n".join(lines) + "\n")
