"""The files of a suppression list, as they are declared."""

from __future__ import annotations

import pytest

from runner.declare.audience.suppression import ContactFiles, parse_contact_files

NAMED = {"csv": "export.csv", "columns": {"Größe": "email"}, "delimiter": ";"}


@pytest.mark.parametrize(
    ("value", "files"),
    [
        ("no.csv", [ContactFiles("no.csv", "", {})]),
        (["no.csv", "*.jsonl"], [ContactFiles("no.csv", "", {}), ContactFiles("*.jsonl", "", {})]),
        (NAMED, [ContactFiles("export.csv", "csv", {"columns": {"Größe": "email"}, "delimiter": ";"})]),
        (["no.csv", {"jsonl": "a.txt"}], [ContactFiles("no.csv", "", {}), ContactFiles("a.txt", "jsonl", {})]),
        ([], []),
    ],
)
def test_a_path_a_mapping_or_a_list_of_them_names_the_files(value, files):
    assert list(parse_contact_files(value)) == files


def test_a_reviewer_reads_them_as_declared():
    assert str(parse_contact_files("lists/*.csv")[0]) == "lists/*.csv"
    named = '{"csv": "export.csv", "columns": {"Größe": "email"}, "delimiter": ";"}'
    assert str(parse_contact_files(NAMED)[0]) == named
