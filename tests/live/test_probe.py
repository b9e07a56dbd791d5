"""The live probe, tried on the sandbox; and on a real workspace where the environment names one."""

import os
import time

import pytest

from runner.intercom.client import HOSTS, HttpTransport
from runner.sandbox import Sandbox
from tests.live.probe import MAX_MESSAGES, Finding, Probe, to_markdown

TOKEN, CONTACT = (os.environ.get(f"LIVE_PROBE_{name}", "") for name in ("TOKEN", "CONTACT"))


def ask(intercom: Sandbox, email: str = "resident-01@sandbox.example") -> tuple[Probe, list[Finding]]:
    probe = Probe(HttpTransport(intercom.url, "secret-token"), email, lambda _: None, longest_lag=4.0)
    return probe, list(probe.findings())


def test_the_probe_asks_everything_and_sends_at_most_ten_messages_to_one_contact(intercom: Sandbox) -> None:
    probe, findings = ask(intercom)
    assert probe.message_count <= MAX_MESSAGES
    assert len({message["contact"] for message in intercom.messages}) == 1
    assert not [finding for finding in findings if "not tried" in finding.observed], "the sandbox has all that it needs"
    observed = {finding.question: finding for finding in findings}
    assert observed["the conversation of the flag, by `source.id`"].agrees == "yes"
    assert observed["`IN` with 50 addresses"].observed == "200, 1 contact"
    assert observed["`drop_reason` of an email, read with 2.16"].agrees == "yes"
    assert [finding.question for finding in findings if finding.agrees == "**no**"] == []


def test_the_table_names_neither_token_nor_person(intercom: Sandbox) -> None:
    _, findings = ask(intercom)
    table = to_markdown(findings, "2026-11-28")
    assert table.splitlines()[4:6] == ["| question | msgrun expects | observed | as expected |", "|---|---|---|---|"]
    assert len(table.splitlines()) == 6 + len(findings)
    contact = intercom.messages[0]["contact"]
    assert not [text for text in ("secret-token", "@sandbox", str(contact)) if text in table]


def test_without_exactly_one_contact_nothing_is_sent(intercom: Sandbox) -> None:
    for email in ("missing@acme.example", "twin@acme.example", "lead@acme.example"):
        with pytest.raises(SystemExit):
            ask(intercom, email)
    assert not intercom.messages


def test_what_differs_from_the_expectation_is_marked() -> None:
    assert Finding("q", "200", "404 not_found").agrees == "**no**"
    assert Finding("q", "", "404 not_found").agrees == "?"


@pytest.mark.skipif(not (TOKEN and CONTACT), reason="LIVE_PROBE_TOKEN and LIVE_PROBE_CONTACT name no workspace")
def test_a_real_workspace_answers(capsys: pytest.CaptureFixture[str]) -> None:
    probe = Probe(HttpTransport(os.environ.get("LIVE_PROBE_URL") or HOSTS["us"], TOKEN), CONTACT, time.sleep)
    findings = list(probe.findings())
    with capsys.disabled():
        print(f"\n{to_markdown(findings, time.strftime('%Y-%m-%d'))}")
    assert probe.message_count <= MAX_MESSAGES
