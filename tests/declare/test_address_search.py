"""A key leads back to the address that is still declared for its message, and the search for it ends."""

from runner.declare.address_search import Address, WantedKey, find_addresses
from runner.declare.keys_and_digests import delivery_key

NEWS = """\
name: news
message_type: inapp
body: Hi
from: {type: admin, id: 1}
revision: 2
"""
TABLE = NEWS + 'to: {csv: ../people.csv, type: user, email: "{{ email }}"}\n'


def wanted(value, *, kind="email", revision=2, message="news"):
    return WantedKey(message, revision, delivery_key("s", message, revision, kind, value))


def test_every_kind_of_address_is_found_also_of_an_earlier_revision(declare):
    declaration = declare(
        NEWS + "to:\n- {type: user, email: Ann@Example.com}\n- {type: user, user_id: '25'}\n- {type: user, id: '7'}\n"
    )
    keys = [wanted("ann@example.com", revision=1), wanted("25", kind="user_id"), wanted("7", kind="id")]
    found = find_addresses([declaration], "s", keys).by_key
    assert [found[one.key] for one in keys] == [
        Address("email", "Ann@Example.com"),
        Address("user_id", "25"),
        Address("id", "7"),
    ]


def test_who_is_not_declared_any_more_and_what_is_no_key_is_not_found(declare):
    declaration = declare(NEWS + "to: {type: user, email: ann@example.com}\n")
    gone = [wanted("bo@example.com"), wanted("ann@example.com", message="old"), WantedKey("news", 2, "no key")]
    assert find_addresses([declaration], "s", gone) == ({}, {"news"})


def test_who_is_excluded_since_is_still_found(read):
    files = {
        "messages/a.yaml": TABLE.replace("type: user", "type: user, exclude: ../out.csv"),
        "people.csv": "email\nann@example.com\nbo@example.com\n",
        "out.csv": "email\nann@example.com\n",
    }
    project = read(files)
    assert project.problems == ()
    key = wanted("ann@example.com")
    assert find_addresses(project.declarations, "s", [key]).by_key == {key.key: Address("email", "ann@example.com")}


def test_reading_ends_when_all_are_found_or_enough_is_read(read):
    people = "email\n" + "".join(f"{number}@example.com\n" for number in range(50)) + '"never closed\n'
    (declaration,) = read({"messages/a.yaml": TABLE, "people.csv": people}).declarations
    first, last = wanted("0@example.com"), wanted("49@example.com")
    assert find_addresses([declaration], "s", [first, last]).by_key.keys() == {first.key, last.key}
    assert find_addresses([declaration], "s", [first, last], most=49).by_key.keys() == {first.key}


def test_a_recipient_without_an_address_is_passed_over(read):
    files = {"messages/a.yaml": TABLE, "people.csv": "email\n \nann@example.com\n"}
    key = wanted("ann@example.com")
    assert find_addresses(read(files).declarations, "s", [key]).by_key.keys() == {key.key}
