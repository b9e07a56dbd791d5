"""The command validate: what it counts, what it reports, and what it makes of paths."""

import json

import pytest

from tests.support.project import SEED, Folder

TWO = """\
name: two
message_type: email
subject: Hello {{ first_name }}
body: |
  <p>Dear {{ first_name }},</p>
  <p>{{ product }} is back.</p>
from: {type: admin, id: 1}
vars: {product: Ponies}
to:
  - {type: user, email: ann@example.com, vars: {first_name: Ann}}
  - {type: user, email: bo@example.com, vars: {first_name: null}}
"""
FILES = 130


def test_validate_counts_what_is_fine(folder: Folder) -> None:
    folder.message(SEED)
    ran = folder.run("validate")
    assert (ran.code, ran.out) == (0, "1 message to 1 recipient: no problems\n")


def test_validate_tells_every_problem_with_its_place_and_exits_with_1(folder: Folder) -> None:
    folder.message(TWO)
    folder.message(SEED.replace("plain", "fancy"), "seed")
    ran = folder.run("validate")
    assert ran.code == 1
    assert "messages/message.yaml:3:19: error: first_name has no value (recipient 2) [undefined-variable]" in ran.out
    assert "messages/seed.yaml:5:11: error: template must be plain or personal, not fancy [not-a-choice]" in ran.out
    assert ran.out.endswith("no valid message: 3 errors\n")
    folder.message(SEED.replace("name: seed", "name: third"), "third")
    for command in ("validate", "lint"):
        last = folder.run(command).out.splitlines()[-1]
        assert last.startswith("1 message to 1 recipient is valid, 2 files are not: 3 errors")


def test_a_project_without_a_valid_message_does_not_count_to_zero(folder: Folder) -> None:
    folder.message("name: seed\n")
    ran = folder.run("validate")
    assert (ran.code, ran.out.splitlines()[-1]) == (1, "no valid message: 4 errors")
    (folder.path / "messages/message.yaml").unlink()
    assert folder.run("validate").out == "no message is declared: no problems\n"


def test_validate_of_a_path_looks_at_that_path_alone_but_compares_names_everywhere(folder: Folder) -> None:
    folder.message(SEED, "a")
    folder.message(SEED, "b")
    folder.message("name: broken\n", "c")
    assert folder.run("validate", str(folder.path / "messages/a.yaml")).code == 0
    ran = folder.run("validate", "messages/b.yaml")
    assert ran.code == 1
    assert "the name seed is already used in messages/a.yaml:1 [duplicate-name]" in ran.out
    assert "broken" not in ran.out


def test_a_path_without_declarations_is_a_wrong_usage_with_a_hint(folder: Folder) -> None:
    folder.message(SEED)
    ran = folder.run("validate", "messages/mesage.yaml")
    assert ran.code == 64
    assert "did you mean messages/message.yaml?" in ran.err


def test_a_path_outside_the_project_is_a_wrong_usage(folder: Folder) -> None:
    assert folder.run("validate", "../elsewhere.yaml").code == 64


def test_problems_as_json_carry_the_same(folder: Folder) -> None:
    folder.message(TWO)
    ran = folder.run("validate", "--format", "json")
    problem, in_body = json.loads(ran.out)["problems"]
    assert (ran.code, problem["path"], problem["line"], problem["column"]) == (1, "messages/message.yaml", 3, 19)
    assert (in_body["code"], in_body["line"]) == ("undefined-variable", 5)
    assert (problem["code"], problem["severity"], problem["recipient"]) == (
        "undefined-variable",
        "error",
        "recipient 2",
    )


def test_problems_as_github_annotations_are_escaped(folder: Folder) -> None:
    folder.message(TWO)
    ran = folder.run("validate", "--format", "github")
    assert ran.out.startswith(
        "::error file=messages/message.yaml,line=3,col=19,endColumn=29,title=undefined-variable::"
        "messages/message.yaml:3:19: first_name has"
    )
    assert "%0Ahint: " in ran.out


def test_the_problems_of_msgrun_yaml_are_told_in_the_format_that_was_asked_for(folder: Folder) -> None:
    folder.write("msgrun.yaml", "regoin: eu\n")
    ran = folder.run("validate", "--format", "json")
    assert ran.code == 1
    assert json.loads(ran.out)["problems"][0]["hint"] == "did you mean region?"


def test_recipients_values_are_masked_off_a_terminal_and_shown_on_demand(folder: Folder) -> None:
    folder.message(TWO.replace("bo@example.com", "ann@example.com").replace("null", "Ann"))
    masked, shown = folder.run("validate"), folder.run("validate", "--show-values")
    assert "email *** is the same recipient as recipient 1" in masked.out
    assert "ann@example.com" not in masked.out
    assert "email ann@example.com is the same recipient as recipient 1" in shown.out
    excerpts = [[line for line in ran.out.splitlines() if line.startswith("  11 | ")] for ran in (masked, shown)]
    assert excerpts == [
        ["  11 |   - {type: user, email: ***************, vars: {first_name: ***}}"],
        ["  11 |   - {type: user, email: ann@example.com, vars: {first_name: Ann}}"],
    ]


def test_a_message_that_has_expired_is_a_warning_of_validate_and_lint(folder: Folder) -> None:
    folder.message(f"{SEED}expires: 2020-01-01\n")
    for command in ("validate", "lint"):
        ran = folder.run(command)
        assert ran.code == 0
        assert "message.yaml:8:10: warning: expires has passed: nothing is sent any more [expired]" in ran.out
    folder.message(f"{SEED}expires: 2999-01-01\n")
    assert folder.run("validate").out == "1 message to 1 recipient: no problems\n"


BLANK = """\
name: spring
message_type: email
subject: Hello {{ first_name }}
body: <p>Dear {{ first_name }}</p>
from: {type: admin, id: 7}
to: {csv: ../people.csv, type: user, email: "{{ email }}"}
"""


def test_a_blank_cell_is_reported_wherever_it_is_printed_with_whom_it_is_about(folder: Folder) -> None:
    folder.write("people.csv", "email,first_name\nann@example.com,Ann\nbo@example.com,\n")
    folder.message(BLANK)
    shown = folder.run("validate", "--show-values").out
    for place in ("4:18", "3:19"):
        head = f"messages/message.yaml:{place}: error: first_name has no value (row 3 of people.csv: bo@example.com)"
        assert head in shown
    assert shown.count("a default: {{ first_name | default('there') }}") == 2
    masked = folder.run("validate").out
    assert (masked.count("(row 3 of people.csv)"), "bo@" in masked) == (2, False)


def test_of_a_blank_cell_that_is_no_name_the_hint_gives_no_word_for_a_greeting(folder: Folder) -> None:
    folder.write("people.csv", "email,coupon\nann@example.com,X1\nbo@example.com,\n")
    folder.message(BLANK.replace("first_name", "coupon"))
    out = folder.run("validate").out
    cure = "{% if coupon %}…{{ coupon }}…{% endif %}"
    assert out.count(f"hint: fill in its value, or write only where it has one: {cure}\n") == 2
    folder.message(BLANK.replace("{{ first_name }}", "{% if coupon %}{{ coupon }}{% endif %}"))
    assert folder.run("validate").code == 0


def test_a_condition_on_a_blank_cell_says_how_to_write_it_with_its_name(folder: Folder) -> None:
    folder.write("people.csv", "email,first_name\nann@example.com,Ann\nbo@example.com,\n")
    folder.message(BLANK.replace(' }}"}', ' }}", where: "first_name == \'Ann\'"}'))
    out = folder.run("validate").out
    assert 'first_name is defined and …, or (first_name | default("")) == …' in out


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
