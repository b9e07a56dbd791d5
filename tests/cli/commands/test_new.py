"""A message to begin with is a draft that no plan sends."""

import json

import pytest

from tests.support.project import SEED, Folder


@pytest.mark.parametrize("options", [[], ["--in-app"], ["--audience"], ["--in-app", "--audience"]])
def test_a_new_message_is_valid_and_nothing_is_sent_before_it_is_edited(folder: Folder, options: list[str]) -> None:
    folder.write("msgrun.yaml", "from: {type: admin, id: '394051'}\n")
    ran = folder.run("new", "spring/news", *options)
    assert ran.code == 0
    assert "wrote    messages/spring/news.yaml" in ran.out
    assert folder.run("validate").code == 0
    linted = folder.run("lint")
    assert linted.code == 0
    assert 'ext goes here" is sent as it stands' in linted.out
    assert json.loads(folder.run("plan", "--format", "json").out)["counts"] == {
        "send": 0, "sent": 0, "edited": 0, "unknown": 0, "refused": 0, "excluded": 1,
    }  # fmt: skip
    path = folder.path / "messages/spring/news.yaml"
    path.write_text(
        "".join(line for line in path.read_text().splitlines(keepends=True) if not line.startswith("not_before"))
    )
    assert json.loads(folder.run("plan", "--format", "json").out)["counts"]["send"] == 1
    assert folder.run("lint").code == 1, "the text that new wrote is an error once the message is no draft"


def test_a_file_that_exists_is_kept(folder: Folder) -> None:
    folder.write("audiences/news.csv", "mine\n")
    ran = folder.run("new", "news", "--audience")
    assert (ran.code, "audiences/news.csv exists already" in ran.err) == (64, True)
    assert (folder.path / "audiences/news.csv").read_text() == "mine\n"
    assert not (folder.path / "messages/news.yaml").exists()


@pytest.mark.parametrize("name", ["a b", "../a", "a/../b", "a//b", "a/", "-a", "x" * 101, "ä"])
def test_a_name_that_cannot_be_one_is_refused(folder: Folder, name: str) -> None:
    ran = folder.run("new", "--", name)
    assert (ran.code, "cannot be the name of a message" in ran.err) == (64, True)


def test_no_link_leads_a_new_message_out_of_the_project(folder: Folder) -> None:
    (folder.path / "messages").mkdir(exist_ok=True)
    (folder.path / "messages/spring").symlink_to("/tmp")
    assert folder.run("new", "spring/news").code == 5


def test_the_plan_says_that_it_is_a_draft_and_which_line_to_delete(folder: Folder) -> None:
    folder.write("msgrun.yaml", 'from: {type: admin, id: "394051"}\n')
    assert folder.run("new", "spring").code == 0
    assert "1 excluded: a draft, until its line not_before is deleted" in folder.run("plan").out


def test_a_name_that_a_message_has_is_refused_wherever_its_file_is(folder: Folder) -> None:
    folder.message(SEED, "elsewhere")
    ran = folder.run("new", "seed")
    assert (ran.code, "seed is the name of the message in messages/elsewhere.yaml" in ran.err) == (64, True)
    assert not (folder.path / "messages/seed.yaml").exists()
