"""Every code is explained, and every example is true: it is written as a project, and the command finds the code."""

import json
import os
import re
from pathlib import Path

import pytest

from runner.declare.recipient_rules import RecipientPolicy
from runner.deliver.subscription_check import NOT_SUBSCRIBED
from runner.intercom.reply_meaning import INBOUND, NO_ANSWER, UNEXPECTED_ANSWER
from runner.ledger.key_state import STATUS_WORDS
from runner.ledger.record import CONTACT_NOT_FOUND
from runner.lint.rules import RULES
from runner.plan.deliveries import ACTIONS
from runner.report import explanations
from runner.report.explanations import DECLARATION, Explanation, Step, explained_code, load_explanations, load_groups
from tests.support.problem_codes import find_codes
from tests.support.project import ROOT, Folder

EXPLANATIONS = load_explanations()
COMMENTS = {"ignore-without-code", "ignore-unknown"}  # what only lint says, and is no rule
# What no small file shows: they need very large files, a package that is missing, a ledger, or a plan from before.
WITHOUT_EXAMPLE = {
    "yaml-values", "yaml-documents", "too-many-inline", "recipients-unchecked", "csv-encoding", "suppression-rows",
    "sql-too-slow", "parquet-columns", "too-much-memory", "process-killed", "file-large", "file-unpacked",
    "pattern-wide", "not-utf-8", "needs-extra", "too-many-environments", "plan-outdated", "saved-plan",
    "edited", "repeat", "readdress", "workspace", "ledger-moved", "ledger-changed", "ledger-not-read", "plan",
    "stale-plan", "digest", "recipients", "sender-unknown", "redirect-changed", "audience-unknown",
    "subscription-unknown", "redirect-unknown",
}  # fmt: skip
BASE = {
    "name": "hello",
    "message_type": "email",
    "subject": "News about your account",
    "body": '"<p>Hello</p>"',
    "from": '{type: admin, id: "394051"}',
    "to": "{type: user, id: 536e564f316c83104c000020}",
    "expires": "2999-12-01",
    "create_conversation_without_contact_reply": "true",
}
# The words of status are no problems: no file shows them.
OUTCOMES = {code for code, entry in EXPLANATIONS.items() if entry.severity in {
    "state", "word", "refusal", "unknown", "refused or unknown"}}  # fmt: skip
WITHOUT_EXAMPLE |= OUTCOMES
TESTED = [code for code in EXPLANATIONS if code not in WITHOUT_EXAMPLE]


def complete(text: str) -> str:
    """The declaration of an example. One that names the message is whole; another shows only the keys that matter."""
    shown = set(re.findall(r"^([\w-]+):", text, re.MULTILINE))
    if "name" in shown:
        return text
    is_in_app = re.search(r"^message_type: (?!e-?mail)", text, re.MULTILINE)
    left_out = {*shown, *(["subject"] if is_in_app else ()), *(["body"] if "body_file" in shown else ())}
    return "".join(f"{key}: {value}\n" for key, value in BASE.items() if key not in left_out) + text


def write_example(folder: Folder, explanation: Explanation, step: Step) -> None:
    files = {DECLARATION: "", **explanation.files["Before"], **(explanation.files[step])}
    for path, text in files.items():
        folder.write(path, complete(text) if path == DECLARATION else text)


def run_check(folder: Folder, explanation: Explanation) -> list[dict[str, str]]:
    """The problems or guards that the command reports which knows the code."""
    code = explanation.code
    if explanation.severity == "guard":
        planned = json.loads(folder.run("plan", "--format", "json").out)
        return [{**guard, "severity": "guard"} for guard in planned["guards"]]
    if code.startswith("plan-"):
        found = json.loads(folder.run("plan", "--format", "json").out).get("problems", [])
        return [problem for problem in found if problem["code"].startswith("plan-")]
    if code == "no-unsubscribe":
        settings = folder.path / "msgrun.yaml"
        settings.write_text("lint: {unsubscribe_above: 0}\n", encoding="utf-8")
    command = "lint" if code in {*RULES, *COMMENTS} else "validate"
    result = folder.run(command, "--format", "json")
    assert not result.err
    problems: list[dict[str, str]] = json.loads(result.out)["problems"]
    return problems


@pytest.mark.parametrize("code", TESTED)
def test_the_example_before_has_exactly_this_problem_and_the_example_after_has_none(folder: Folder, code: str) -> None:
    explanation = EXPLANATIONS[code]
    assert explanation.files["Before"]
    assert explanation.files["After"]
    write_example(folder, explanation, "Before")
    found = run_check(folder, explanation)
    assert {problem["code"] for problem in found} == {code}
    assert {problem["severity"] for problem in found} <= set(explanation.severity.split(" or "))
    write_example(folder, explanation, "After")
    assert run_check(folder, explanation) == []


def test_a_code_without_an_example_says_commands() -> None:
    for code in WITHOUT_EXAMPLE:
        explanation = EXPLANATIONS[code]
        assert not explanation.files["Before"]
        assert all(line.startswith("$ ") for line in "".join(explanation.files["Commands"].values()).splitlines())
        assert explanation.files["Commands"]


def test_an_entry_says_what_and_why() -> None:
    for explanation in EXPLANATIONS.values():
        assert explanation.title.endswith(".")
        assert len(explanation.title) < 125, explanation.code
        assert explanation.reason or explanation.files["Before"] or explanation.files["Commands"]


def test_the_files_of_the_explanations_are_the_groups() -> None:
    folder = Path(explanations.__file__).parent / "explanations"
    assert {path.stem for path in folder.iterdir()} == set(explanations.GROUPS)
    codes = [entry.code for group in load_groups() for entry in group.explanations]
    assert len(codes) == len(set(codes))


def test_every_code_is_explained_and_every_explanation_has_a_code() -> None:
    codes = find_codes()
    assert len(codes) > 150
    assert codes - EXPLANATIONS.keys() == set()
    assert EXPLANATIONS.keys() - codes == OUTCOMES


def test_what_the_program_writes_beside_a_delivery_is_explained() -> None:
    codes = {CONTACT_NOT_FOUND, NO_ANSWER, UNEXPECTED_ANSWER, INBOUND, "same_contact", NOT_SUBSCRIBED}
    codes |= {f"contact_{fault}" for fault in RecipientPolicy().rules()}
    codes |= {explained_code(word) for word in (*STATUS_WORDS.values(), "http_500", "claimed", "released", "free")}
    assert codes | {*ACTIONS, *map(explained_code, ("claim", "outcome", "payload", "to send"))} <= EXPLANATIONS.keys()


INTRODUCTION = """\
# Problems

What each code means that stands in brackets after a problem, why it matters, and an example before and after.
`msgrun explain CODE` prints the same. An example shows only the keys that matter, of `messages/hello.yaml` where no
other file is named.

This page is made from [the texts of the command](../runner/report/explanations), by `UPDATE_GOLDEN=1 pytest
tests/report/test_explanations.py`.
"""


def page() -> str:
    """docs/problems.md: a list of the groups, and all entries."""
    groups = load_groups()
    contents = [f"- [{group.title}](#{slug(group.title)})" for group in groups]
    sections = [f"## {group.title}\n\n" + "\n".join(section(entry) for entry in group.explanations) for group in groups]
    return "\n".join([INTRODUCTION, *contents, "", *sections]).rstrip() + "\n"


def section(entry: Explanation) -> str:
    text = f"#{entry.markdown}".rstrip() + "\n"
    fix = entry.fix.replace("<", "&lt;")
    return text.replace("\nBefore:\n", f"\nFix: {fix}\n\nBefore:\n", 1) if fix else text


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_page_of_problems_is_made_from_the_explanations() -> None:
    path = ROOT / "docs" / "problems.md"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(page(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == page()


def test_every_link_of_the_page_leads_to_a_heading() -> None:
    text = page()
    headings = {slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    links = re.findall(r"\]\(#([^)]+)\)", text)
    assert len(links) == len(load_groups())
    assert set(links) <= headings
