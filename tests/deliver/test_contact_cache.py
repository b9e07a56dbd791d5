"""What the cache of contacts keeps for an hour, and that a file which another hand wrote is not believed."""

import pytest

from runner.deliver.contact_cache import MAX_AGE, ContactCache
from runner.intercom.contact import Contact

NOW = 1_800_000_000
ANN = Contact("536e", "lead", "ann@example.com", "25", 5, frozenset({"unsubscribed", "merged"}))
BO = Contact("c-2", "user", "bo@example.com")


@pytest.fixture
def path(tmp_path):
    """A file with the contacts of two addresses."""
    path = tmp_path / ".msgrun" / "contacts"
    cache = ContactCache(b"token", path, NOW)
    cache.add("email", "Ann@example.com", [ANN, BO])
    cache.add("id", "c-2", [BO])
    cache.add("email", "missing@example.com", [])
    cache.add_choices("c-2", {"82", "81"})
    cache.add_choices("c-3", ())
    cache.save()
    return path


def load(path, secret=b"token", now=NOW):
    cache = ContactCache(secret, path, now)
    cache.load()
    return cache


def test_contacts_come_back_with_role_and_faults_and_without_what_is_personal(path):
    cache = load(path)
    assert cache.get("email", "ann@EXAMPLE.com") == (
        Contact("536e", "lead", faults=ANN.faults),
        Contact("c-2", "user"),
    )
    assert cache.get("id", "c-2") == (Contact("c-2", "user"),)
    assert cache.get("email", "missing@example.com") == cache.get("user_id", "c-2") == ()
    assert "example.com" not in path.read_text().lower()


def test_choices_come_back_and_none_is_not_unknown(path):
    cache = load(path)
    assert [cache.get_choices(contact) for contact in ("c-2", "c-3", "c-4")] == [{"81", "82"}, set(), None]
    assert load(path, now=NOW + MAX_AGE).get_choices("c-2") is None


def test_nothing_is_older_than_an_hour_or_from_the_future(path):
    assert load(path, now=NOW + MAX_AGE - 1).get("id", "c-2")
    assert not load(path, now=NOW + MAX_AGE).get("id", "c-2")
    assert not load(path, now=NOW - 1).get("id", "c-2")


def test_another_token_reads_nothing(path):
    assert not load(path, b"other").get("id", "c-2")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("u:c-2\n", "u:c-3\n"),
        lambda text: text.rpartition("seal")[0],
        lambda text: text + "seal x\n",
        lambda _: "",
        lambda text: text.replace("seal", "\x1b[2J é\nseal"),
        lambda text: "9" * 5000 + text,
        lambda text: "\n".join(text.splitlines()[1:]) + "\n",
    ],
)
def test_a_file_that_was_changed_is_thrown_away(path, change):
    path.write_text(change(path.read_text()))
    cache = load(path)
    assert not cache.get("id", "c-2")
    cache.add("id", "c-9", [BO])
    cache.save()
    assert load(path).get("id", "c-9")


def test_a_folder_in_its_place_changes_nothing(tmp_path):
    cache = load(tmp_path)
    cache.add("id", "c-2", [BO])
    cache.save()
    assert cache.get("id", "c-2")


def test_addresses_that_only_look_alike_are_two(path):
    cache = ContactCache(b"token", path, NOW)
    cache.add("email", "straße@example.com", [ANN])
    assert not cache.get("email", "strasse@example.com")
    assert cache.get("email", " STRAßE@example.com")
