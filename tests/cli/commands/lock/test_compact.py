"""?"""

from runner.sandbox import Sandbox
from tests.cli.commands.test_apply import LIST, records
from tests.support.project import Folder


def test_compact_keeps_what_holds(folder: Folder, intercom: Sandbox) -> None:
    folder.message(LIST)
    folder.run("apply", "--yes")
    before = folder.run("status", "--format", "json").out
    assert (
        folder.run("lock", "compact").out
        == "messages.lock: 8 lines before, 4 now. Every delivery has the same state.\n"
    )
    again = "messages.lock has nothing to compact: 4 lines.\n"
    assert folder.run("lock", "compact").out == again
    assert folder.run("status", "--format", "json").out == before
    assert [record["status"] for record in records(folder)] == ["sent"] * 3
    assert len(intercom.messages) == 3
