"""A recipient is named by the address where it is known and may be shown, and by the ledger's words otherwise."""

import pytest

from runner.declare.address_search import Address
from runner.ledger.record import Record
from runner.privacy import reveal_or_mask
from runner.report.recipients import Recipients, contact_url

KEY = "5c" * 16


@pytest.mark.parametrize(
    ("address", "to", "shown", "masked"),
    [
        (Address("email", "ann@example.com"), "email:~5c5c5c5c", "ann@example.com", "email:~5c5c5c5c"),
        (Address("user_id", "25"), "user_id:~5c5c5c5c", "user_id:25", "user_id:~5c5c5c5c"),
        (Address("email", "ann@example.com"), "", "ann@example.com", "email:~5c5c5c5c"),
        (Address("id", "7"), "id:7", "id:7", "id:7"),
        (None, "email:~5c5c5c5c", "email:~5c5c5c5c", "email:~5c5c5c5c"),
    ],
)
def test_an_address_is_shown_or_masked(address: Address | None, to: str, shown: str, masked: str) -> None:
    name = Recipients({KEY: address} if address else {}).name(Record(KEY, "a-1", "sent", to=to))
    assert reveal_or_mask(name, show_values=True) == shown
    assert reveal_or_mask(name, show_values=False) == masked


def test_a_link_needs_a_contact_and_a_workspace() -> None:
    record = Record(KEY, "a-1", "sent", to="email:~5c", contact="536e")
    assert Recipients({}, "acme", "eu").contact_url(record) == (
        "https://app.eu.intercom.com/a/apps/acme/users/536e/all-conversations"
    )
    assert Recipients({}, "", "us").contact_url(record) == ""
    assert Recipients({}, "acme").contact_url(Record(KEY, "a-1", "claimed", to="email:~5c")) == ""
    assert (
        Recipients({}, "acme")
        .contact_url(Record(KEY, "a-1", "claimed", to="id:53/6e"))
        .endswith("/users/53%2F6e/all-conversations")
    )
    assert contact_url("536e", "acme", "mars") == ""
