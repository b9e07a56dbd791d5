"""Many files are checked by several processes, and what is told is what one process tells."""

import pytest

from tests.support.project import SEED, Folder

FILES = 130


def many(folder: Folder, other: dict[int, str]) -> tuple[str, str]:
    """What one process and three tell of many files, all sound but for some."""
    for number in range(FILES):
        folder.message(other.get(number, SEED.replace("seed", f"m{number:03}")), f"m{number:03}")
    told = [folder.run("--jobs", jobs, "validate") for jobs in ("1", "3")]
    assert told[0].code == told[1].code
    return told[0].out, told[1].out


def test_sound_files_are_counted(folder: Folder) -> None:
    one, three = many(folder, {})
    assert one == three == "130 messages to 130 recipients: no problems\n"


def test_problems_are_told_in_the_order_of_one_process(folder: Folder) -> None:
    (folder.path / "audiences").mkdir()
    (folder.path / "audiences/a.csv").write_text("id,name\n1,\n2,b,c\n")
    csv = SEED.partition("to:")[0] + "to: {csv: ../audiences/a.csv, type: user, id: '{{ id }}'}\n"
    broken = {
        number: csv.replace("name: seed", f"name: m{number:03}").replace("Hey", "'{{ name }}'")
        for number in (3, 40, 41, 99, 129)
    }
    one, three = many(folder, {**broken, 7: "name: broken\n", 77: "{", 78: SEED.replace("plain", "fancy")})
    assert one == three
    assert one.count("a.csv:3:1: error: this row has 3 fields") == len(broken)
    assert one.count("name has no value (row 2 of a.csv)") == len(broken)


@pytest.mark.parametrize("second", [4, 129])
def test_a_name_that_comes_twice_is_told_wherever_it_is(folder: Folder, second: int) -> None:
    one, three = many(folder, {second: SEED.replace("seed", "m003")})
    assert one == three
    assert f"messages/m{second:03}.yaml:1:7: error: the name m003 is already used in messages/m003.yaml:1" in one


def test_paths_select_what_several_processes_check_too(folder: Folder) -> None:
    many(folder, {})
    assert folder.run("--jobs", "2", "validate", "messages/m120.yaml").out.startswith("1 message to 1 recipient")
