"""A file whose name is not UTF-8 is named in every format, and breaks none."""

import json
import os

import pytest

from runner.report.json_text import to_json
from tests.support.project import Folder

BAD = "name: a\nbogus: 1\n"


@pytest.mark.parametrize("name", [b"\xff", b"a\xffb", b"\xc3", b"\xed\xa0\x80", b"\x80\x81 x"])
@pytest.mark.parametrize("output", ["json", "sarif", "text", "github"])
def test_a_name_that_is_not_utf_8_is_shown(folder: Folder, name: bytes, output: str) -> None:
    (folder.path / "messages" / os.fsdecode(name + b".yaml")).write_text(BAD)
    ran = folder.run("validate", "--format", output)
    assert ran.code == 1
    assert "a bug in msgrun" not in ran.out + ran.err
    if output in {"json", "sarif"}:
        assert "bogus" in json.dumps(json.loads(ran.out))
    expected = {"sarif": f"%{name[-3 if b' ' in name else -1 if name[-1:] != b'b' else -2]:02X}"}.get(output, "<U+DC")
    assert expected in ran.out


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": "\udcff"}, {"a": "<U+DCFF>"}),
        ({"\udcff": ["x\ud800y", ("\udfff",)]}, {"<U+DCFF>": ["x<U+D800>y", ["<U+DFFF>"]]}),
        ({"a": [1, None, True, "ü"]}, {"a": [1, None, True, "ü"]}),
    ],
)
def test_surrogates_are_written_as_a_text_shows_them(value: object, expected: object) -> None:
    assert json.loads(to_json(value)) == expected
