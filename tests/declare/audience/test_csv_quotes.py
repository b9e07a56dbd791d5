"""Quotes, marks and tables that CSV does not know: what is certain is read, the rest is named with what helps."""

import json

import pytest

from tests.support.project import Folder

MESSAGE = """\
name: a
message_type: inapp
body: "{{{{ name }}}}"
from: {{type: admin, id: '1'}}
to: {{csv: ../a.csv, type: user, email: "{{{{ email }}}}"{more}}}
"""


def write(folder: Folder, text: str, more: str = "") -> None:
    (folder.path / "a.csv").write_bytes(text.encode())
    folder.message(MESSAGE.format(more=more))


def names(folder: Folder) -> list[str]:
    """The names that the recipients read."""
    result = folder.run("--show-values", "render", "a")
    return [json.loads(line)["body"] for line in result.out.splitlines() if line.startswith("{")]


def problems(folder: Folder) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(folder.run("validate", "--format", "json").out)["problems"]
    return found


@pytest.mark.parametrize("row", ['"Bo" ,b@example.com', '"Bo"x,b@example.com', '"Bo" "Al",b@example.com'])
def test_anything_after_a_closing_quote_is_an_error(folder: Folder, row: str) -> None:
    write(folder, f'name,email\n"Al",a@example.com\n{row}\n')
    (problem,) = problems(folder)
    assert (problem["code"], problem["line"]) == ("csv-row", 3)


@pytest.mark.parametrize(
    ("cell", "hint"),
    [
        ("'Bo'", 'say quote: "\'" beside the path'), ("`Bo`", 'say quote: "`" beside the path'),
        *((cell, "in the file") for cell in ("“Bo”", "„Bo“", "«Bo»", "\u2018Bo\u2019", "\u2039Bo\u203a", "»Bo«")),
    ],
)  # fmt: skip
def test_other_quotes_around_a_cell_are_a_warning(folder: Folder, cell: str, hint: str) -> None:
    write(folder, f"name,email\n{cell},b@example.com\n")
    (problem,) = problems(folder)
    assert (problem["code"], problem["severity"], problem["line"]) == ("odd-cell", "warning", 2)
    assert hint in problem["hint"]
    if "quote:" in hint:
        write(folder, f"name,email\n{cell},b@example.com\n", f', quote: "{cell[0]}"')
    else:
        write(folder, f'name,email\n"{cell[1:-1]}",b@example.com\n')
    assert (problems(folder), names(folder)) == ([], ["Bo"])


def test_other_quotes_around_the_names_are_an_error(folder: Folder) -> None:
    write(folder, "'name','email'\n'Bo','b@example.com'\n")
    (problem,) = problems(folder)
    assert (problem["code"], 'say quote: "\'" beside the path' in problem["hint"]) == ("csv-header", True)
    write(folder, "'name','email'\n'Bo','b@example.com'\n", ', quote: "\'"')
    assert (problems(folder), names(folder)) == ([], ["Bo"])
    write(folder, "“name”,“email”\nBo,b@example.com\n")
    assert 'replace “ and ” by " in the file' in problems(folder)[0]["hint"]


@pytest.mark.parametrize("name", ["O'Neil", "'t Hooft", "rock 'n' roll", "“Bo” Smith", "Bo “the B”", "d'", "''", "5'"])
def test_quotes_that_are_part_of_a_name_are_silent(folder: Folder, name: str) -> None:
    write(folder, f"name,email\n{name},b@example.com\n")
    assert problems(folder) == []


@pytest.mark.parametrize(
    "table",
    [
        " email | name \n-------+------\n b@example.com | Bo\n(1 row)\n",
        "     email     |  n\n---------------+----\n b@example.com | Bo\n",
        "+-------+------+\n| email | name |\n+-------+------+\n| b@example.com | Bo |\n",
        "| email | name |\n|-------|------|\n| b@example.com | Bo |\n",
        "| email | name |\n|:------|-----:|\n| b@example.com | Bo |\n",
        "email | name\n--- | ---\nb@example.com | Bo\n",
        "email          name\n-------------  ----\nb@example.com  Bo\n",
        "\ufeff┌───────┬──────┐\n│ email │ name │\n├───────┼──────┤\n│ b@example.com │ Bo │\n",
        "╔═══════╦══════╗\n║ email ║ name ║\n╠═══════╬══════╣\n",
        "| email |\n|-------|\n| b@example.com |\n",
    ],
)  # fmt: skip
def test_a_table_that_a_program_printed_is_an_error_with_the_export(folder: Folder, table: str) -> None:
    write(folder, table)
    (problem,) = problems(folder)
    assert (problem["code"], problem["severity"], "psql --csv" in problem["hint"]) == ("csv-header", "error", True)
    write(folder, "email,name\nb@example.com,Bo\n")
    assert (problems(folder), names(folder)) == ([], ["Bo"])


@pytest.mark.parametrize(
    "text", ["email,name\nb@example.com,---\n", "email|name\nb@example.com|-\n", "email;name\nb@example.com;--\n"]
)
def test_dashes_in_a_cell_make_no_table(folder: Folder, text: str) -> None:
    write(folder, text)
    assert not any(problem["severity"] == "error" for problem in problems(folder))


@pytest.mark.parametrize(
    "header",
    [
        "\ufeff\ufeffname,email", "\ufeff\ufeff\ufeffname,email", "name,\ufeffemail", '\ufeff\ufeff"name","email"',
        "name\u200b,email", "\u2060name,email\u200d", "\ufeffname\ufeff,email",
    ],
)  # fmt: skip
def test_what_no_one_can_type_is_no_part_of_a_name(folder: Folder, header: str) -> None:
    write(folder, f"{header}\nBo,b@example.com\n")
    assert (problems(folder), names(folder)) == ([], ["Bo"])
