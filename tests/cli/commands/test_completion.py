"""?"""

from tests.support.project import Folder


def test_completion_knows_the_shells(folder: Folder) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert "_MSGRUN_COMPLETE" in folder.run("completion", shell).out
    assert folder.run("completion", "tcsh").code == 64
