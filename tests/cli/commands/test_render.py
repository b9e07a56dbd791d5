"""?"""

import json

import pytest

from tests.cli.commands.test_validate import TWO
from tests.support.project import SEED, Folder
from tests.support.terminal import run_on_terminal


def test_render_prints_exactly_the_example_of_the_api_reference(folder: Folder) -> None:
    folder.message(SEED)
    folder.write("msgrun.yaml", 'api_version: "1.4"\n')
    assert folder.run("render", "seed").out == (
        '{"message_type":"email","subject":"Hey","body":"Ponies, cute small horses or something more sinister?",'
        '"template":"plain","from":{"type":"admin","id":"394051"},"to":{"type":"user","id":"536e564f316c83104c000020"}}\n'
    )


def test_render_sends_an_integer_sender_in_todays_version(folder: Folder) -> None:
    folder.message(SEED)
    assert json.loads(folder.run("render", "seed").out)["from"] == {"type": "admin", "id": 394051}


def test_render_masks_what_is_a_recipients_and_nothing_else(folder: Folder) -> None:
    folder.message(TWO.replace("null", "Bo & Co"))
    ran = folder.run("render", "two", "--to", "email:BO@example.com")
    line = json.loads(ran.out)
    assert line["subject"] == "Hello ***"
    assert line["body"] == "<p>Dear ***,</p>\n<p>Ponies is back.</p>"
    assert line["to"] == {"type": "user", "email": "***"}
    assert "apply looks them up" in ran.err
    shown = json.loads(folder.run("render", "two", "--to", "email:bo@example.com", "--show-values").out)
    assert shown["body"] == "<p>Dear Bo &amp; Co,</p>\n<p>Ponies is back.</p>"


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (["sead"], 64, "did you mean seed?"),
        (["pony"], 64, "no message is named pony\n  hint: there is seed\n"),
        (["seed", "--to", "phone:1"], 64, "is not the address of a recipient"),
        (["seed", "--to", "id:1"], 64, "no recipient ***\n  hint: to see all: msgrun render seed --show-values"),
    ],
)
def test_render_of_what_is_not_there_says_so(folder: Folder, args: list[str], code: int, told: str) -> None:
    folder.message(SEED)
    ran = folder.run("render", *args)
    assert ran.code == code
    assert told in ran.err


def test_a_sender_by_email_is_shown_as_declared_with_a_word(folder: Folder) -> None:
    folder.message(SEED.replace('id: "394051"', "email: ann@example.com"))
    ran = folder.run("render", "seed")
    assert json.loads(ran.out)["from"] == {"type": "admin", "email": "ann@example.com"}
    assert "the sender is shown as declared; apply looks its id up, by email" in ran.err


def test_render_of_a_declaration_with_problems_tells_them(folder: Folder) -> None:
    folder.message(TWO)
    ran = folder.run("render", "two")
    assert ran.code == 1
    assert "[undefined-variable]" in ran.out
    folder.message(TWO.replace("email\n", "mail\n"))
    assert "[not-a-choice]" in folder.run("render", "two").out


def test_on_a_terminal_each_delivery_has_a_heading_and_indented_json(folder: Folder) -> None:
    folder.message(SEED)
    text = run_on_terminal(folder.path, "render", "seed", columns=60, term="dumb")
    assert text.startswith('to id 536e564f316c83104c000020\n{\n  "message_type": "email",\n')
    assert folder.run("render", "seed").out.count("\n") == 1, "off a terminal, one line a delivery"


def test_a_terminal_shows_the_first_three_and_says_how_to_see_all(folder: Folder) -> None:
    to = "".join(f"  - {{type: user, id: a{number}}}\n" for number in range(5))
    folder.message(f"name: five\nmessage_type: inapp\nbody: Hi\nfrom: {{type: admin, id: '7'}}\nto:\n{to}")
    text = run_on_terminal(folder.path, "render", "five", columns=60, term="dumb")
    assert text.count("to id a") == 3
    assert "and 2 more, a line each:\n  msgrun render five --show-values | less\n" in text
    assert folder.run("render", "five").out.count("\n") == 5
