import pytest

from runner.report import ledger_size
from tests.cli.commands.test_apply import LIST
from tests.cli.commands.test_status import append, line
from tests.support.project import Folder

MIB = 1024 * 1024


def test_stats_count_by_status_and_message_and_say_how_much_room_is_left(folder: Folder) -> None:
    append(folder, line("a", "1", "claimed"), line("a", "1", "sent", id="2001"), line("b", "2", "claimed"))
    append(folder, line("c", "3", "released"))
    size = (folder.path / "messages.lock").stat().st_size
    ran = folder.run("lock", "stats")
    assert ran.code == 0
    deliveries, message, measured, room = ran.out.splitlines()
    assert deliveries == "messages.lock: 3 deliveries: 1 sent, 1 unknown, 1 not sent"
    assert message == "  list  revision 1  1 sent, 1 unknown, 1 not sent"
    assert measured == f"{size / 1024:.1f} KiB, 5 lines"
    fitting = (50 * MIB - size) // (2 * (size // 5))
    assert f"about {round(fitting, -4):,} more deliveries until GitHub warns" in room
    assert 100_000 < fitting < 1_000_000, "two digits are shown"


def test_stats_of_a_ledger_that_knows_nothing_count_nothing(folder: Folder) -> None:
    ran = folder.run("lock", "stats")
    assert ran.code == 0
    assert ran.out.startswith("messages.lock: 0 deliveries\n")


def test_stats_tell_torn_lines_and_exit_with_a_duplicate(folder: Folder) -> None:
    append(folder, line("a", "1", "sent", id="2001"), line("a", "2", "sent", id="2002"), '{"key":"b')
    ran = folder.run("lock", "stats")
    assert ran.code == 5
    assert "1 torn" in ran.out


@pytest.mark.parametrize(
    ("size", "does"),
    [(50 * MIB, ""), (50 * MIB + 1, "warns of it"), (100 * MIB, "warns of it"), (100 * MIB + 1, "refuses it. Try")],
)
def test_a_lockfile_is_too_large_from_where_github_says_so(size: int, does: str) -> None:
    assert does in ledger_size.format_size_warning("messages.lock", size)
    assert bool(does) == bool(ledger_size.format_size_warning("messages.lock", size))


def test_plan_and_stats_say_when_the_lockfile_outgrows_github(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.message(LIST)
    append(folder, line("a", "1", "sent", id="2001"))
    assert "GitHub" not in folder.run("plan").err
    monkeypatch.setattr(ledger_size, "WARNING_SIZE", 100)  # bytes: a file as large as the real bound takes a minute
    monkeypatch.setattr(ledger_size, "MAX_SIZE", 150)
    ran = folder.run("plan", "--format", "markdown")
    assert ran.code == 0
    assert "messages.lock has 0.2 KiB: GitHub refuses it" in ran.err
    assert "GitHub refuses it" in ran.out
    assert "GitHub refuses it" in folder.run("lock", "stats").out
