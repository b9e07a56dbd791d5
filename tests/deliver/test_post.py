"""One delivery against every kind of trouble: the right outcome, the right record, and never a second message."""

import pytest

from runner.intercom.client import HttpTransport
from runner.intercom.transport import NoReply, Reply
from runner.privacy import mark_private

# kind → outcome, messages that Intercom made, what the ledger says, why the run stopped
KINDS = {
    "ok": ("sent", 1, "sent", None),
    "gzip": ("sent", 1, "sent", None),
    "close": ("sent", 1, "sent", None),
    "wrong_content_type": ("sent", 1, "sent", None),
    "no_rate_headers": ("sent", 1, "sent", None),
    "other_owner": ("sent", 1, "sent", None),
    "slow:0.1": ("sent", 1, "sent", None),
    "429": ("sent", 1, "sent", None),
    "429_bare": ("sent", 1, "sent", None),
    "400": ("refused", 0, "refused", None),
    "403": ("unknown", 0, "unknown", "error"),
    "404": ("refused", 0, "refused", None),
    "409": ("refused", 0, "refused", None),
    "410": ("refused", 0, "refused", None),
    "422": ("refused", 0, "refused", None),
    "401": ("released", 0, "free", "error"),
    "403_plan": ("released", 0, "free", "error"),
    "user_message": ("unknown", 0, "unknown", "error"),
    "408": ("unknown", 0, "unknown", "error"),
    "500_before": ("unknown", 0, "unknown", None),
    "500_after": ("unknown", 1, "unknown", None),
    "502_html": ("unknown", 0, "unknown", None),
    "503_retry_after": ("unknown", 0, "unknown", None),
    "redirect": ("unknown", 0, "unknown", None),
    "204": ("unknown", 1, "unknown", None),
    "empty_200": ("unknown", 1, "unknown", None),
    "no_id": ("unknown", 1, "unknown", None),
    "cut_json": ("unknown", 1, "unknown", None),
    "cut_body": ("unknown", 1, "unknown", None),
    "drop_before": ("unknown", 0, "unknown", None),
    "drop_after": ("unknown", 1, "unknown", None),
    "reset_before": ("unknown", 0, "unknown", None),
    "reset_after": ("unknown", 1, "unknown", None),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_trouble_has_its_outcome_and_sends_nothing_twice(kind, project):
    outcome, made, status, stop = KINDS[kind]
    project.declare()
    project.trouble(kind)
    done = project.apply()
    counts = {
        "sent": done.sent,
        "refused": len(done.refused),
        "unknown": len(done.unknown),
        "released": done.released,
    }
    assert counts == {name: int(name == outcome) for name in counts}
    assert (done.stop.kind if done.stop else None) == stop
    assert len(project.made) == made
    assert project.statuses() == [status]
    again = project.apply()
    sent_now = status == "free"
    assert again.sent == int(sent_now)
    assert len(project.made) == made + sent_now


@pytest.mark.parametrize(("opens", "command"), [("true", "reconcile"), ("false", "resolve")])
def test_a_stop_names_reconcile_only_where_it_can_find_the_delivery(opens, command, project):
    project.declare(create_conversation_without_contact_reply=opens)
    project.trouble("403")
    assert project.apply().stop.hint.endswith(f"before the next apply: msgrun {command}")


def test_a_claim_is_on_disk_before_the_post_and_its_outcome_after_it(project):
    project.declare()
    project.apply()
    claim, sent = project.records()
    assert (claim.status, sent.status) == ("claimed", "sent")
    assert claim.attempt == sent.attempt == "RUN1-1"
    assert (claim.sender, sent.sender) == ("394051", "")
    assert (sent.id, sent.contact, sent.to, sent.message, sent.revision) == ("2001", "aaa1", "id:aaa1", "seed", 1)
    assert sent.plan.startswith("sha256:")


def test_the_conversation_that_an_answer_names_is_recorded(project):
    class Named:
        """Intercom, whose answer to a message names the conversation that it opened."""

        def exchange(self, _, path, *__):
            if path == "/messages":
                return Reply(200, {}, b'{"type":"admin_message","id":"2001","conversation_id":"502001"}')
            return Reply(200, {}, b'{"type":"list","data":[{"id":"aaa1","role":"user"}],"pages":{}}')

    project.declare()
    project.transport = Named()
    project.apply()
    claim, sent = project.records()
    assert (claim.conversation, sent.conversation) == ("", "502001")
    assert b'"id":"2001","conversation":"502001"' in project.places.lockfile.read_bytes()


def test_a_refusal_keeps_its_code_and_request_id(project):
    project.declare()
    project.trouble("422")
    done = project.apply()
    (refused,) = [record for record in project.records() if record.status == "refused"]
    assert refused.code == "parameter_not_found"
    assert refused.request_id
    assert done.refused[0].detail == "No subject supplied for email message"


def test_another_owner_is_a_warning(project):
    project.declare()
    project.trouble("other_owner")
    assert project.apply().warnings == ["seed id:aaa1: sent by admin 394052, not by 394051"]


def test_an_alarm_says_that_nobody_got_it(project):
    project.declare()
    project.trouble("user_message")
    done = project.apply()
    assert "inbound conversation" in done.stop.message


def test_ten_windows_without_room_put_the_rest_off(project):
    project.declare()
    project.trouble(*["429_bare"] * 10)
    done = project.apply()
    assert (done.stop.kind, done.released, done.remaining) == ("later", 1, 1)
    assert sum(project.slept) == pytest.approx(90.0, abs=1.0)
    assert project.statuses() == ["free"]


def test_nine_windows_without_room_are_waited_for(project):
    project.declare()
    project.trouble(*["429_bare"] * 9)
    assert project.apply().sent == 1


class Unreachable:
    """A network that is down for so many messages, and up after them. `fix`: no other try can succeed."""

    def __init__(self, transport, times, fix=""):
        self._transport = transport
        self.times = times
        self.fix = fix

    def exchange(self, *request):
        if self.times and request[1] == "/messages":
            self.times -= 1
            return NoReply("no route to host", has_sent_bytes=False, fix=self.fix)
        return self._transport.exchange(*request)


def test_a_server_that_cannot_be_reached_is_tried_for_half_a_minute_and_then_the_run_stops(project):
    project.declare()
    project.transport = Unreachable(HttpTransport(project.sandbox.url, "t"), 10**6)
    done = project.apply()
    assert (done.stop.kind, done.released) == ("error", 1)
    assert "no route to host" in done.stop.message
    assert 20 < sum(project.slept) <= 30
    assert project.statuses() == ["free"]


def test_what_no_other_try_can_mend_stops_the_run_at_once_with_what_to_change(project):
    project.declare()
    project.transport = Unreachable(HttpTransport(project.sandbox.url, "t"), 10**6, fix="name a file of certificates")
    done = project.apply()
    assert (done.stop.kind, done.stop.hint, done.released) == ("error", "name a file of certificates", 1)
    assert project.slept == []
    assert project.statuses() == ["free"]


def test_a_server_that_cannot_be_reached_is_reported_at_the_first_try(project):
    project.declare()
    project.transport = Unreachable(HttpTransport(project.sandbox.url, "t"), 10**6)
    project.apply()
    assert set(project.retries) == {"no route to host; trying again for up to 30 s"}


def test_a_short_moment_without_a_network_is_waited_out(project):
    project.declare()
    project.transport = Unreachable(HttpTransport(project.sandbox.url, "t"), 4)
    assert project.apply().sent == 1
    assert len(project.records()) == 2


def test_a_contact_that_is_new_is_waited_for(project):
    project.really_sleeps = True
    project.declare("- {type: user, email: fresh@example.com}")
    done = project.apply()
    assert (done.sent, len(project.made)) == (1, 1)
    posts = [entry for entry in project.sandbox.log if entry["path"] == "/messages"]
    assert [entry["status"] for entry in posts][-2:] == [404, 200]


def test_a_contact_that_is_new_is_waited_for_a_minute_at_most(project):
    project.declare("- {type: user, email: fresh@example.com}")
    project.trouble(*["404"] * 100)
    done = project.apply()
    assert len(done.refused) == 1
    assert 50 < sum(project.slept) <= 60


def test_a_contact_that_is_not_new_is_refused_at_once(project):
    project.declare()
    project.trouble("404")
    project.apply()
    assert project.slept == []


def test_a_404_is_written_down_even_if_nobody_can_say_how_new_the_contact_is(project):
    project.declare()
    project.sandbox.trouble.replace(
        {"routes": {"POST /messages": {"next": ["404"]}, "GET /contacts/*": {"next": ["401"]}}}
    )
    done = project.apply()
    assert [told.record.code for told in done.refused] == ["not_found"]
    assert project.statuses() == ["refused"]


def test_what_intercom_repeats_of_a_recipient_is_marked_as_private(project):
    project.declare("- {type: user, id: aaa1, vars: {who: nil}}")
    project.trouble("400")
    assert project.apply().refused[0].detail == "undefined method for " + mark_private("nil") + ""
