"""An environment's `redirect` and `only`."""

import pytest

from runner.declare.delivery import render_deliveries
from runner.declare.sample import render_sample
from runner.declare.settings import load_settings
from runner.errors import ProblemsFound
from runner.privacy import reveal_or_mask

SETTINGS = """\
from: {type: admin, id: "1"}
environments:
  staging:
    redirect: {type: user, email: Test@example.com}
  inside:
    only: [{user_id: "25"}, {email: Ann@example.com}, "*@Inside.example"]
"""
EMAIL = """\
name: news
message_type: email
subject: Hey {{ name }}
body: <p>Hi</p>
to: [{type: user, email: bo@example.com, vars: {name: Bo}}, {type: user, id: "5", vars: {name: Cy}}]
"""
IN_APP = """\
name: news
message_type: inapp
body: <p>Hi</p>
to: {type: contact, user_id: "<7>"}
"""


def deliver(read, text, environment="staging"):
    project = read({"msgrun.yaml": SETTINGS, "messages/a.yaml": text}, environment=environment)
    assert project.problems == ()
    return list(render_deliveries(project.declarations[0], "")), project.declarations[0]


def test_a_redirected_email_goes_to_the_contact_and_its_subject_says_whom_it_was_for(read):
    deliveries, _ = deliver(read, EMAIL)
    assert [(one.payload["to"], one.payload["subject"], one.payload["body"]) for one in deliveries] == [
        ({"type": "user", "email": "Test@example.com"}, "(for bo@example.com) Hey Bo", "<p>Hi</p>"),
        ({"type": "user", "email": "Test@example.com"}, "(for id 5) Hey Cy", "<p>Hi</p>"),
    ]


def test_a_redirected_in_app_message_begins_with_whom_it_was_for(read):
    (delivery,), _ = deliver(read, IN_APP)
    assert delivery.payload["body"] == "(for user_id &lt;7&gt;) <p>Hi</p>"


def test_the_declared_recipient_makes_the_key_and_the_digest_is_that_of_what_is_sent(read):
    redirected, staging = deliver(read, EMAIL)
    direct, plain = deliver(read, EMAIL, environment=None)
    assert [one.key for one in redirected] == [one.key for one in direct]
    assert {one.digest for one in redirected}.isdisjoint(one.digest for one in direct)
    assert staging.content != plain.content


def test_a_sample_shows_the_mark_and_masks_the_address_in_it(read):
    _, declaration = deliver(read, EMAIL)
    sample = render_sample(declaration, "")
    assert reveal_or_mask(sample.subject, show_values=True) == "(for bo@example.com) Hey Bo"
    assert reveal_or_mask(sample.subject, show_values=False) == "(for ***) Hey ***"


def test_only_leaves_out_all_that_it_does_not_name_by_the_identifier_they_are_addressed_by(read):
    people = [
        "{type: user, email: ann@EXAMPLE.com}", "{type: user, email: bo@example.com}", "{type: user, user_id: '25'}",
        "{type: user, email: cy@inside.example}", "{type: user, email: cy@far.inside.example}",
        "{type: user, id: '25'}", "{type: user, id: '9', vars: {email: ann@example.com}}",
    ]  # fmt: skip
    deliveries, _ = deliver(read, IN_APP[: IN_APP.index("to:")] + f"to: [{', '.join(people)}]\n", "inside")
    assert [one.value for one in deliveries] == ["ann@EXAMPLE.com", "25", "cy@inside.example"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("only: []", "only-form"),
        ("only: [ann@example.com]", "only-form"),
        ("only: ['*']", "only-form"),
        ("only: [{type: user, email: a@b.example}]", "unknown-key"),
        ("only: [{id: a@b.example}]", "id-is-email"),
        ("only: [{email: '{{ x }}'}]", "email-form"),
        ("redirect: {type: contact, email: a@b.example}", "contact-by-email"),
        ("redirect: {type: user}", "redirect-form"),
        ("redirect: {email: a@b.example}", "missing-key"),
    ],
)
def test_a_contact_of_only_and_redirect_has_the_form_of_a_recipient(write, text, code):
    with pytest.raises(ProblemsFound) as raised:
        load_settings(write({"msgrun.yaml": f"environments: {{a: {{{text}}}}}\n"}), None)
    assert code in {problem.code for problem in raised.value.problems}
