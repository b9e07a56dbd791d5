"""preview writes pages, and refuses what would harm."""

import pytest

from tests.support.project import SEED, Folder


def test_preview_writes_pages_and_names_the_index(folder: Folder) -> None:
    folder.message(SEED)
    ran = folder.run("preview")
    index = folder.path / ".msgrun/preview/index.html"
    assert (ran.code, ran.out) == (0, f"{index}\n")
    assert "Hey" in index.read_text()
    assert "Recipients are masked" in ran.err


def test_a_terminal_gets_what_is_shown_in_sentences_and_an_address_to_click(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.cli.output.is_terminal", lambda _: True)
    monkeypatch.setenv("COLUMNS", "200")
    folder.message(SEED + "expires: 2020-01-01\n")
    index = folder.path / ".msgrun/preview/index.html"
    ran = folder.run("preview")
    assert ran.out == f"{index.as_uri()}\n"
    counts = "nothing to send. 1 message has a warning: expired (seed), no-conversation (seed)."
    said = f"Wrote the pages of 1 message: {counts} Open in a browser:\n"
    assert ran.err.endswith(said)


def test_a_second_preview_replaces_the_first(folder: Folder) -> None:
    folder.message(SEED)
    assert folder.run("preview", "--out", "shown").code == 0
    folder.message(SEED.replace("name: seed", "name: other"))
    assert folder.run("preview", "--out", "shown").code == 0
    assert [path.name for path in (folder.path / "shown/pages").iterdir()] == ["other.html"]


def test_a_folder_with_other_files_stays_as_it_is(folder: Folder) -> None:
    folder.message(SEED)
    ran = folder.run("preview", "--out", ".")
    assert ran.code == 64
    assert "holds other files than a preview" in ran.err
    assert (folder.path / "messages/message.yaml").exists()


def test_other_pages_of_the_same_names_stay_as_they_are(folder: Folder) -> None:
    folder.message(SEED)
    folder.write("site/index.html", "<!doctype html><title>Ours</title>")
    folder.write("site/assets/logo.svg", "<svg/>")
    ran = folder.run("preview", "--out", "site")
    assert (ran.code, "holds other files than a preview" in ran.err) == (64, True)
    assert (folder.path / "site/assets/logo.svg").exists()


def test_problems_of_the_files_are_those_of_validate(folder: Folder) -> None:
    folder.message(SEED.replace("email", "mail"))
    ran = folder.run("preview")
    assert ran.code == 1
    assert "[not-a-choice]" in ran.out
    assert not (folder.path / ".msgrun/preview").exists()


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["sead"], "did you mean seed?"),
        (["--serve", "--out", "x"], "--serve writes no files"),
        (["--port", "1"], "--port is for --serve"),
    ],
)
def test_wrong_usage_is_named(folder: Folder, args: list[str], text: str) -> None:
    folder.message(SEED)
    ran = folder.run("preview", *args)
    assert ran.code == 64
    assert text in ran.err


def test_named_messages_are_shown_alone(folder: Folder) -> None:
    folder.message(f"{SEED}---\n{SEED.replace('name: seed', 'name: two')}")
    assert folder.run("preview", "two", "--out", "shown").code == 0
    assert [path.name for path in (folder.path / "shown/pages").iterdir()] == ["two.html"]


def test_without_a_browser_pictures_say_what_is_missing(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.message(SEED)
    monkeypatch.setattr("runner.preview.screenshots.find_browser", lambda: None)
    ran = folder.run("preview", "--png", "pictures")
    assert ran.code == 64
    assert "needs Chromium or Chrome" in ran.err or "needs the package playwright" in ran.err
