"""?"""

import pytest

from tests.cli.commands.test_apply import LIST
from tests.support.project import Folder


@pytest.mark.parametrize("command", ["accept", "adopt"])
def test_accept_and_adopt_of_what_is_not_declared(folder: Folder, command: str) -> None:
    folder.message(LIST)
    ran = folder.run(command, "lits", "--yes")
    assert ran.code == 64
    assert "did you mean list?" in ran.err
    folder.message(LIST.replace("inapp", "in-app"))
    assert folder.run(command, "list", "--yes").code == 1
    folder.message(LIST.replace("Bo", "null"))
    assert folder.run(command, "list", "--yes").code == 1
