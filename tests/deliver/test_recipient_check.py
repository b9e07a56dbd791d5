"""Before the first claim every recipient becomes a contact; the plan names each one that is not sent to."""

import pytest

from runner.declare.recipient_rules import RecipientPolicy, Redirect
from runner.deliver import contact_lookup
from runner.privacy import reveal_or_mask

EVERY_KIND = """
- {type: user, email: ann@example.com}
- {type: user, email: missing@example.com}
- {type: user, email: twin@example.com}
- {type: user, email: lead@example.com}
- {type: user, email: unsubscribed@example.com}
- {type: user, email: bounced@example.com}
- {type: user, email: spam@example.com}
- {type: user, user_id: noemail-25}
- {type: user, id: merged-1}
- {type: user, id: missing-1}
"""
REASONS = {
    "contact_not_found": "refused",
    "contact_ambiguous": "refused",
    "contact_other_role": "send",
    "contact_unsubscribed": "excluded",
    "contact_bounced": "excluded",
    "contact_spam": "excluded",
    "contact_no_email": "excluded",
    "contact_merged": "send",
}


def declare(project, to=EVERY_KIND, **fields):
    project.declare(to, **{"message_type": "email", "subject": "Hi", **fields})


def deliveries(project, message=0):
    return list(project.checked.messages[message].deliveries)


def searches(project):
    return [entry for entry in project.sandbox.log if entry["path"] == "/contacts/search"]


def test_everyone_is_named_with_what_becomes_of_him(project):
    declare(project)
    done = project.apply()
    codes = {planned.code: planned.action for planned in deliveries(project) if planned.code}
    assert codes == REASONS
    assert (done.sent, len(done.refused), done.remaining) == (3, 3, 0)
    assert all(planned.reason for planned in deliveries(project) if planned.code)
    posted = [message["payload"]["to"] for message in project.made]
    assert [to["type"] for to in posted] == ["user", "lead", "user"]
    assert not posted[2]["id"].startswith("merged")
    sent = [record for record in project.records() if record.status == "sent"]
    assert [record.contact for record in sent] == [to["id"] for to in posted]


def test_a_message_in_the_app_reaches_those_whom_no_email_reaches(project):
    project.declare(EVERY_KIND)
    assert project.apply().sent == 7


def test_the_rules_of_the_project_decide(project):
    project.change(recipients=RecipientPolicy(unsubscribed="warn", bounced="refuse", not_found="exclude"))
    declare(project)
    actions = {"contact_unsubscribed": "send", "contact_bounced": "refused", "contact_not_found": "excluded"}
    project.apply()
    codes = {planned.code: planned.action for planned in deliveries(project)}
    assert {code: codes[code] for code in actions} == actions


def test_the_first_recipients_of_each_reason_are_named_in_private(project):
    declare(project, "- {type: user, email: twin@example.com}\n- {type: user, email: spam@example.com}")
    project.apply()
    (message,) = project.checked.messages
    names = {
        action: reveal_or_mask(names[0], show_values=True)
        for (action, _), names in message.first_recipients_by_reason.items()
    }
    assert names["excluded"] == "spam@example.com"
    assert names["refused"].startswith("twin@example.com (5e115e11")
    masked = str(
        [
            reveal_or_mask(name, show_values=False)
            for names in message.first_recipients_by_reason.values()
            for name in names
        ]
    )
    assert "example.com" not in masked


def test_two_identifiers_of_one_contact_are_one_delivery_and_the_first_is_named(project):
    project.declare("- {type: user, email: ann@example.com}")
    project.apply()
    contact = project.made[0]["contact"]
    project.declare(
        f"- {{type: user, email: ann@example.com}}\n- {{type: user, id: {contact}}}", name="other", body="x"
    )
    assert project.apply().sent == 1
    first, second = deliveries(project)
    assert (second.action, second.code) == ("excluded", "same_contact")
    assert second.reason.endswith(f": {first.display_name}")


def test_only_as_many_are_checked_as_the_limit_sends(project):
    declare(project, "\n".join(f"- {{type: user, email: {'spam' if n < 3 else 'p'}{n}@example.com}}" for n in range(200)))  # fmt: skip # noqa: E501
    assert project.apply(limit=4).sent == 4
    assert project.checked.counts == {"excluded": 3, "send": 197}
    assert len(searches(project)) == 1
    assert project.apply(limit=4).sent == 4


@pytest.mark.parametrize("batch", [50, 15])
def test_contacts_are_asked_for_in_batches_and_come_back_in_order(project, monkeypatch, batch):
    monkeypatch.setattr(contact_lookup, "_MAX_ROWS", 70)
    if batch == 15:
        project.sandbox.trouble.replace({"routes": {"POST /contacts/search": {"next": ["400"]}}})
    declare(project, "\n".join(f"- {{type: user, email: p{n}@example.com}}" for n in range(120)))
    assert project.apply().sent == 120
    assert (len(searches(project)) == 3) is (batch == 50)
    contacts = [planned.contact for planned in deliveries(project)]
    assert contacts == [f"user:{message['contact']}" for message in project.made]


def test_a_contact_of_two_messages_is_asked_for_once(project):
    declare(project, "- {type: user, email: ann@example.com}")
    declare(project, "- {type: user, email: Ann@example.com}", name="other", body="x")
    assert project.apply().sent == 2
    assert len(searches(project)) == 1


def test_with_redirect_it_is_the_contact_of_redirect_that_is_looked_up(project):
    project.change(redirect=Redirect("user", "email", "tester@example.com"))
    declare(project, "- {type: user, email: ann@example.com}\n- {type: user, email: missing@example.com}")
    assert project.apply().sent == 2
    assert len({message["contact"] for message in project.made}) == len(searches(project)) == 1
