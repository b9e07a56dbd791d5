"""Rows of a CSV file are recipients, and every fault has the line of its row."""

from __future__ import annotations

import pytest

from runner.declare.audience import csv_dialect
from runner.declare.audience.audience import TableAudience
from runner.declare.audience.csv_dialect import CsvFormat
from runner.declare.audience.csv_files import read_csv
from runner.declare.audience.recipient import Recipient
from runner.declare.template.template import Template
from runner.errors import Problem

IDENTIFIER = Template("{{ email }}", lambda values: (values["email"], ()))


@pytest.fixture
def table(write):
    def table(data):
        tree = write({"a.csv": data})
        source, problems = read_csv(tree, ["a.csv"], CsvFormat(), {})
        assert not problems
        return TableAudience(source, "user", "email", IDENTIFIER)

    return table


def _told(table):
    return [
        (found.place.line, found.code)
        if isinstance(found, Problem)
        else (found.number, found.vars, found.blank_variables)
        for found in table.recipients()
    ]


def test_rows_have_the_line_they_begin_on(table):
    data = 'email,n\r\na,"x\r\ny"\r\n\r\nb,1\r\nc\r\nd, \r\n,\r\n'
    assert _told(table(data)) == [
        (2, {"email": "a", "n": "x\r\ny"}, ()),
        (5, {"email": "b", "n": "1"}, ()),
        (6, "csv-row"),
        (7, {"email": "d"}, ("n",)),
        (8, {}, ("email", "n")),
    ]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ('a,"x\nb,1\n', [(2, "csv-row")]),
        ('a,"x"y\nb,1\n', [(2, "csv-row")]),
        ("a,1\nb,\0\n", [(2, {"email": "a", "n": "1"}, ()), (3, "csv-row")]),
        (b"a,1\n" * 99999 + b"b,\xff\n", [(100001, "not-utf-8")]),
        ("a," + "x" * (csv_dialect.MAX_CELL + 1), [(2, "csv-row")]),
    ],
)
def test_what_cannot_be_read_ends_the_rows(table, rows, told):
    data = b"email,n\n" + (rows if isinstance(rows, bytes) else rows.encode())
    assert [each for each in _told(table(data)) if each[1] != {"email": "a", "n": "1"} or each in told] == told


def test_a_file_that_goes_away_is_told(table, tmp_path):
    found = table("email\na\n")
    (tmp_path / "a.csv").unlink()
    assert _told(found) == [(1, "file-missing")]
    assert csv_dialect._encoding_problem(found.source.tree, "a.csv", CsvFormat()).code == "file-missing"


def test_a_file_that_turns_out_well_after_all_is_still_told(table):
    found = table("email\na\n")
    assert csv_dialect._encoding_problem(found.source.tree, "a.csv", CsvFormat()).code == "not-utf-8"


def test_a_table_knows_its_columns_and_rows(table):
    found = table("email,n\na,1\n")
    assert found.variables == {"email", "n"}
    assert found.label(7) == "row 7 of a.csv"
    (recipient,) = found.recipients()
    assert isinstance(recipient, Recipient)
