import pytest

from runner.cli.commands.explain import _format
from runner.lint.rules import RULES
from runner.report.explanations import load_explanations, load_groups
from runner.report.layout import fits
from runner.report.terminal_text import remove_styles
from tests.support.project import Folder
from tests.support.terminal import run_on_terminal

EXPLANATIONS = load_explanations()


def test_every_code_is_explained_with_its_examples(folder: Folder) -> None:
    for code, explanation in EXPLANATIONS.items():
        text = remove_styles(_format(explanation, 0))
        assert text.startswith(f"{code} ({explanation.severity})\n\n{explanation.title}\n")
        first_lines = [content.split("\n")[0] for files in explanation.files.values() for content in files.values()]
        assert [part for part in (explanation.reason, explanation.fix, *first_lines) if part not in text] == [], code
        assert (f"# msgrun: ignore={code}" in text) == (code in RULES)
    ran = folder.run("explain", "yaml-comment")
    assert (ran.code, ran.out) == (0, remove_styles(_format(EXPLANATIONS["yaml-comment"], 0)) + "\n")


def test_without_a_code_all_are_listed_in_their_groups(folder: Folder) -> None:
    listed, _, steps = folder.run("explain").out.partition("\n\nNext:\n")
    assert "    msgrun explain CODE\n" in steps
    lines = listed.splitlines()
    codes = [code for line in lines if line.startswith("  ") for code in line.strip().split(", ")]
    assert codes == list(EXPLANATIONS)
    assert [line for line in lines if line and not line.startswith(" ")] == [group.title for group in load_groups()]


def test_all_codes_fit_two_small_terminals(folder: Folder) -> None:
    assert run_on_terminal(folder.path, "explain", columns=100, term="dumb").count("\n") < 120


def test_a_code_may_be_given_as_it_is_printed(folder: Folder) -> None:
    assert folder.run("explain", "[yaml-comment]").out == folder.run("explain", "yaml-comment").out


def test_several_codes_are_explained_one_after_the_other(folder: Folder) -> None:
    both = "\n".join(folder.run("explain", code).out for code in ("http-link", "no-expires"))
    assert folder.run("explain", "http-link", "no-expires").out == both


def test_a_word_of_a_group_lists_its_codes(folder: Folder) -> None:
    group = next(group for group in load_groups() if group.title.startswith("Guards"))
    listed = folder.run("explain", "guards").out
    assert [f"  {entry.code} " in listed for entry in group.explanations] == [True] * len(group.explanations)


def test_an_unknown_code_is_a_mistake_with_a_hint(folder: Folder) -> None:
    result = folder.run("explain", "unknown-kye")
    assert (result.code, result.out) == (64, "")
    assert (
        result.err
        == "error: no code has the word unknown-kye, nor has the title of one\n  hint: did you mean unknown-key?\n"
    )


def test_an_unknown_word_leads_to_the_list_and_shows_no_address(folder: Folder) -> None:
    ran = folder.run("explain", "title@pony.example")
    assert "pony.example" not in ran.err
    assert ran.err.endswith("  hint: to list all codes: msgrun explain\n")


def test_a_word_of_status_is_explained_as_it_stands_there(folder: Folder) -> None:
    for word, code in (
        ("not sent", "not-sent"),
        ("contact not found", "contact_not_found"),
        ("http_503", "http_status"),
        ("free", "not-sent"),
    ):
        assert folder.run("explain", word).out == folder.run("explain", code).out
        assert folder.run("explain", *word.split()).out == folder.run("explain", code).out


def test_a_file_is_named_unless_it_is_the_only_declaration(folder: Folder) -> None:
    assert "messages/hello.yaml" not in folder.run("explain", "yaml-comment").out
    assert "\n  msgrun.yaml\n    limits: {recipients_per_message: 1}\n" in folder.run("explain", "limit-message").out


@pytest.mark.parametrize("args", [[], ["audience-sources"], ["http-link"], ["edited"], ["not_found"]])
def test_sentences_fit_the_terminal(folder: Folder, args: list[str]) -> None:
    text = run_on_terminal(folder.path, "explain", *args, columns=60, term="dumb")
    sentences = [line for line in text.replace("\r", "").splitlines() if "{csv" not in line]
    assert len(sentences) > 5
    assert fits(sentences, 60)


def test_an_explanation_has_colours_only_where_they_are_wanted(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in folder.run("explain", "null-text").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in folder.run("explain", "null-text").out


def test_a_word_lists_the_codes_that_have_it(folder: Folder) -> None:
    ran = folder.run("explain", "placeholder")
    assert (ran.code, "single-brace" in ran.out, "no-expires" in ran.out) == (0, True, False)
    assert folder.run("explain", "qqqq").code == 64
