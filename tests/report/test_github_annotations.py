"""Annotations as GitHub's runner reads them: escaped, in its limits, the most important first."""

from runner.errors import MsgrunError, Place, Problem, Severity
from runner.privacy import mark_private
from runner.report import github_annotations


def problem(line: int, **more: object) -> Problem:
    return Problem("some-code", Place("messages/a.yaml", line), f"problem {line}", **more)  # type: ignore[arg-type]


def test_a_message_cannot_end_its_command_or_start_another() -> None:
    found = Problem("c", Place("messages/a,b:c%.yaml", 2, 3), "50%\n::error::x\ry", "a, b: c")
    assert github_annotations.format_problems([found], show_values=True) == (
        "::error file=messages/a%2Cb%3Ac%25.yaml,line=2,col=3,title=c::messages/a,b:c%25.yaml:2:3: "
        "50%25<U+000A>::error::x<U+000D>y%0Ahint: a, b: c"
    )


def test_paths_are_from_the_workspace() -> None:
    assert "file=apps/news/messages/a.yaml,line=1" in github_annotations.format_problems(
        [problem(1)], show_values=True, path_prefix="apps/news/"
    )


def test_values_of_recipients_are_masked() -> None:
    found = Problem("c", Place("messages/a.yaml"), mark_private("ann@example.com") + " is wrong")
    assert github_annotations.format_problems([found], show_values=False).endswith(
        "::messages/a.yaml:1:1: *** is wrong"
    )
    assert github_annotations.format_problems([found], show_values=True).endswith(": ann@example.com is wrong")


def test_ten_of_a_kind_are_all_annotations() -> None:
    lines = github_annotations.format_problems([problem(number) for number in range(10)], show_values=True).split("\n")
    assert [line.split("::")[-1] for line in lines] == [
        f"messages/a.yaml:{number}:1: problem {number}" for number in range(10)
    ]


def test_of_more_than_ten_the_rest_is_told_and_goes_to_the_log() -> None:
    of_recipients = [problem(number, recipient=f"recipient {number}") for number in range(1, 12)]
    warnings = [problem(number, severity=Severity.WARNING) for number in range(3)]
    lines = github_annotations.format_problems([*of_recipients, problem(99), *warnings], show_values=True).split("\n")
    errors = [line for line in lines if line.startswith("::error")]
    assert len(errors) == 10
    assert errors[0].endswith("::messages/a.yaml:99:1: problem 99"), "what is wrong for everybody comes first"
    assert errors[9] == "::error title=msgrun::+3 more errors: see the log of this step"
    start = lines.index("::group::+3 more errors")
    assert lines[start + 1] == "- messages/a.yaml:9:1: error: problem 9 (recipient 9) [some-code]"
    assert lines[start + 4] == "::endgroup::"
    assert len([line for line in lines if line.startswith("::warning")]) == 3


def test_a_failure_is_an_error_of_the_whole_run() -> None:
    assert github_annotations.format_failure(MsgrunError("no\nledger", "do this"), show_values=True) == (
        "::error title=msgrun::no<U+000A>ledger%0Ahint: do this"
    )
