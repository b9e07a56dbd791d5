"""What a process is working on is seen by the process that watches it, and nothing else is."""

import os

from runner.current_work import CurrentWork


def test_a_file_and_its_row_are_named_while_the_work_goes_on() -> None:
    work = CurrentWork()
    assert work.status().path == ""
    with work.on_file("messages/ä.yaml"):
        assert (work.status().path, work.status().is_working, work.status().recipient) == ("messages/ä.yaml", True, "")
        work.rows("row 0 of a.csv")[0] = 7
        assert work.status().recipient == "row 7 of a.csv"
        with work.waiting():
            assert not work.status().is_working
        assert work.status().is_working
    assert not work.status().is_working


def test_every_step_and_every_row_is_progress() -> None:
    work = CurrentWork()
    with work.on_file("a"):
        row = work.rows("recipient 0")
        seen = [work.status().progress]
        work.step()
        seen.append(work.status().progress)
        for number in (1, 2):
            row[0] = number
            seen.append(work.status().progress)
        with work.waiting():
            pass
        seen.append(work.status().progress)
    assert len(set(seen)) == len(seen)


def test_work_inside_work_ends_with_the_outer_one() -> None:
    work, calls = CurrentWork(), []
    work.before_work, work.after_work = (lambda: calls.append("before")), (lambda: calls.append("after"))
    with work.on_file("a"), work.on_file("b"):
        pass
    assert calls[-1] == "after"
    assert calls.count("after") == 1
    with work.on_file("a"):
        with work.on_file("b"):
            pass
        assert work.status().is_working


def test_a_process_of_a_pool_has_a_slot_of_its_own() -> None:
    work = CurrentWork()
    with work.on_file("a"):
        process = os.fork()
        if not process:
            work.use_slot(3)
            with work.on_file("b"):
                os._exit(0)
        os.waitpid(process, 0)
        assert (work.status().path, work.status(3).path, work.status(3).is_working) == ("a", "b", True)
        assert work.busy_slots() == [0, 3]
        work.clear_slot(3)
        assert not work.status(3).is_working
    assert work.busy_slots() == []


def test_a_row_of_a_later_file_has_its_line() -> None:
    work = CurrentWork()
    work.rows("row 0 of a.csv and 1 more")[0] = 1 << 32 | 9
    assert work.status().recipient == "row 9 of a.csv and 1 more"


def test_long_names_are_cut() -> None:
    work = CurrentWork()
    with work.on_file("ä" * 5000):
        work.rows("x" * 5000)[0] = 1
        assert len(work.status().path) <= 4096
