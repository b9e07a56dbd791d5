"""The wire format: two dialects, and every version speaks one of them as the reference documents it."""

import pytest

from runner.intercom.contact import Contact
from runner.intercom.wire_format import build_body, needs_lookup
from runner.sandbox import Sandbox

FLAG = "create_conversation_without_contact_reply"
OLD = [f"1.{minor}" for minor in range(5)] + [f"2.{minor}" for minor in range(6)]
NEW = [f"2.{minor}" for minor in range(6, 18)] + ["Preview"]
LEAD = Contact("c1", "lead")


def payload(**to: str) -> dict[str, object]:
    return {
        "message_type": "email",
        "subject": "Hey",
        "body": "Ponies",
        "template": "plain",
        "from": {"type": "admin", "id": "394051"},
        "to": to or {"type": "user", "id": "536e"},
        FLAG: True,
    }


@pytest.mark.parametrize("version", OLD)
@pytest.mark.parametrize("address", [{"id": "536e"}, {"user_id": "25"}, {"email": "ann@example.com"}])
def test_older_versions_take_every_address_as_declared(version, address):
    to = {"type": "contact", **address}
    assert not needs_lookup(payload(**to), version)
    sent = build_body(payload(**to), version)
    assert sent["to"] == to
    assert sent["from"] == {"type": "admin", "id": "394051"}
    assert FLAG not in sent


@pytest.mark.parametrize("version", NEW)
def test_newer_versions_send_to_an_id_and_a_role(version):
    assert not needs_lookup(payload(type="contact", id="536e"), version)
    assert build_body(payload(type="contact", id="536e"), version)["to"] == {"type": "lead", "id": "536e"}
    assert build_body(payload(type="user", id="536e"), version)["to"] == {"type": "user", "id": "536e"}
    assert build_body(payload(), version)[FLAG] is True


@pytest.mark.parametrize("version", NEW)
@pytest.mark.parametrize("address", [{"user_id": "25"}, {"email": "ann@example.com"}])
def test_newer_versions_look_addresses_up_and_send_to_the_real_role(version, address):
    assert needs_lookup(payload(type="user", **address), version)
    assert build_body(payload(type="user", **address), version, LEAD)["to"] == {"type": "lead", "id": "c1"}


@pytest.mark.parametrize("version", [*OLD, *NEW])
def test_the_senders_id_is_text_until_2_6_and_a_number_after_it(version):
    is_text = version in OLD or version == "2.6"
    assert build_body(payload(), version)["from"]["id"] == ("394051" if is_text else 394051)


def test_a_senders_id_too_long_for_a_number_stays_text():
    sent = build_body({**payload(), "from": {"type": "admin", "id": "9" * 30}}, "2.14")
    assert sent["from"]["id"] == "9" * 30


@pytest.mark.parametrize("sender", [{"email": "ann@example.com"}, {"name": "Ann Lee"}])
def test_a_sender_that_was_looked_up_is_sent_as_its_id_alone(sender):
    looked_up = {**payload(), "from": {"type": "admin", **sender}}
    assert build_body(looked_up, "2.14", sender_id="394051")["from"] == {"type": "admin", "id": 394051}
    assert build_body(looked_up, "1.4", sender_id="394051")["from"] == {"type": "admin", "id": "394051"}
    assert build_body(looked_up, "2.14")["from"] == {"type": "admin", **sender}


def test_the_payload_itself_is_never_changed():
    before = payload(type="contact", id="536e")
    build_body(before, "2.14", LEAD)
    build_body(before, "1.4")
    assert before == payload(type="contact", id="536e")


def test_every_version_is_accepted_by_an_intercom_that_holds_to_its_rules():
    from runner.intercom.client import HttpTransport  # noqa: PLC0415

    with Sandbox(rate_limit=100_000) as sandbox:
        transport = HttpTransport(sandbox.url, "token")
        for version in [*OLD, *NEW]:
            answer = transport.exchange("POST", "/messages", build_body(payload(), version), version)
            assert answer.status == 200, (version, answer)
        assert [entry["unknown_fields"] for entry in sandbox.log] == [()] * len([*OLD, *NEW])
        assert [entry["version"] for entry in sandbox.log] == [*OLD, *NEW]
