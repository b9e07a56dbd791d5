"""?"""

import json

from tests.cli.commands.test_status import append, line
from tests.support.project import Folder


def test_show_prints_the_records_that_count(folder: Folder) -> None:
    append(folder, line("a", "1", "claimed"), line("b", "2", "claimed"), line("a", "1", "sent", id="7"))
    assert [json.loads(found)["status"] for found in folder.run("lock", "show", "aaaa").out.splitlines()] == ["sent"]
    assert len(folder.run("lock", "show").out.splitlines()) == 2
    assert folder.run("lock", "show", "dddd").code == 64
