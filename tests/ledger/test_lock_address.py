"""The value of `lock:` is a file, a branch or a database, and no part of it may hold a secret or an option."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import UsageMistake
from runner.ledger.branch.remote_file import clone_refs
from runner.ledger.lock_address import (
    BranchAddress,
    DatabaseAddress,
    LockfileAddress,
    has_credentials,
    may_be_database,
    parse_address,
)


@pytest.mark.parametrize(
    ("lock", "expected"),
    [
        ("messages.lock", LockfileAddress("messages.lock")),
        ("./ledgers//a.lock", LockfileAddress("ledgers/a.lock")),
        ("../a.lock", LockfileAddress("../a.lock")),
        ("/srv/a.lock", LockfileAddress("/srv/a.lock")),
        ("git+origin", BranchAddress("origin", "msgrun-ledger", "m.eu.lock")),
        ("git+origin#", BranchAddress("origin", "msgrun-ledger", "m.eu.lock")),
        ("git+origin#sent", BranchAddress("origin", "sent", "m.eu.lock")),
        ("git+https://host/r.git#a/b", BranchAddress("https://host/r.git", "a/b", "m.eu.lock")),
        ("git+ssh://git@host/r.git", BranchAddress("ssh://git@host/r.git", "msgrun-ledger", "m.eu.lock")),
        ("git+file:///srv/r.git", BranchAddress("file:///srv/r.git", "msgrun-ledger", "m.eu.lock")),
        ("postgresql://ann@db/m", DatabaseAddress("postgresql://ann@db/m", "msgrun", "db/m")),
        ("postgres://db:5/m?port=6#eu", DatabaseAddress("postgres://db:5/m?port=6", "eu", "db:5/m")),
        ("postgresql://[::1]:5,db/m", DatabaseAddress("postgresql://[::1]:5,db/m", "msgrun", "[::1]:5,db/m")),
        ("postgresql://a%40b:1@/m", DatabaseAddress("postgresql://a%40b:1@/m", "msgrun", "/m", has_password=True)),
    ],
)
def test_each_kind_of_address_is_told_by_how_it_begins(lock: str, expected: object) -> None:
    assert parse_address(lock, "m.eu") == expected


@pytest.mark.parametrize(
    ("lock", "setting", "display_name", "has_host"),
    [
        ("./a.lock", "a.lock", "a.lock", False),
        ("git+origin#msgrun-ledger", "git+origin", "origin#msgrun-ledger:messages.lock", False),
        ("git+origin#sent", "git+origin#sent", "origin#sent:messages.lock", False),
        ("git+https://h/r.git", "git+https://h/r.git", "https://h/r.git#msgrun-ledger:messages.lock", True),
        ("git+file:///r.git", "git+file:///r.git", "file:///r.git#msgrun-ledger:messages.lock", True),
        ("postgresql://ann@db/m", "postgresql://ann@db/m", "postgresql://db/m#msgrun", True),
        ("postgresql://db/m#msgrun", "postgresql://db/m", "postgresql://db/m#msgrun", True),
        ("postgresql://db/m?sslmode=require#eu", "postgresql://db/m?sslmode=require#eu", "postgresql://db/m#eu", True),
        ("postgresql://ann:s3cret@db/m", "postgresql://db/m#msgrun", "postgresql://db/m#msgrun", True),
    ],
)
def test_an_address_has_a_setting_a_name_and_perhaps_a_host(
    lock: str,
    setting: str,
    display_name: str,
    has_host: bool,  # noqa: FBT001
) -> None:
    found = parse_address(lock, "messages")
    assert (found.setting, found.display_name, found.has_host) == (setting, display_name, has_host)


@pytest.mark.parametrize(
    "lock",
    [
        "a.lock",
        "./git+origin",
        "./host=db dbname=x",
        "git+origin",
        "git+origin#sent",
        "git+ssh://git@h/r",
        "postgresql://ann@db/m",
        "postgres://db/m#eu",
    ],
)
def test_the_setting_reads_back_as_the_same_address(lock: str) -> None:
    found = parse_address(lock, "messages")
    assert parse_address(found.setting, "messages") == found


@pytest.mark.parametrize(
    "lock",
    [
        "git+", "git+--upload-pack=x", "git+ext::sh -c x", "git+ftp://host/r", "git+https://", "git+https://[/r",
        "git+https://host:x/r", "git+https://host", "git+origin#-x", "git+origin#a..b", "git+origin#a//b",
        "git+origin#a.lock", "git+origin#a/", "git+https://user:secret@host/r", "git+https://secret@host/r",
        "git+https://host/r?token=secret", "git+ssh://git:secret@host/r", "mysql://host/secret", "git+a b",
        "postgresql://db/m#Upper", "postgresql://db/m#a-b", "postgresql://ann:secret/@db/m", "POSTGRESQL://db/m",
        "host=db dbname=m", "postgresql://db/m?sslkeylogfile=/tmp/secret", "postgresql://db/m?pass%66ile=secret",
        "postgresql://db/m?sslmode=require&service=secret", "postgresql://db/m?sslkey=secret",
        "postgresql://db/m?application_name=secret%0A::error::", "postgresql://db/m?application_name=%1B[31msecret",
        "postgresql://db/m?dbname=sslkeylogfile%3Dsecret",
    ],
)  # fmt: skip
def test_no_address_is_an_option_another_transport_or_a_place_for_secrets(lock: str) -> None:
    with pytest.raises(UsageMistake) as caught:
        parse_address(lock, "messages")
    assert caught.value.hint
    assert "secret" not in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(
    ("lock", "is_told"),
    [
        ("postgresql://ann:s3cret@db/msgs", True),
        ("postgresql://:s3cret@db/msgs", True),
        ("postgresql://ann:s3cret@db:1,db2:2/msgs#staging", True),
        ("postgresql://ann@db/msgs?password=s3cret", True),
        ("postgresql://ann@db/msgs?pass%77ord=s3cret", True),
        ("postgresql://ann@db/msgs?sslmode=require&sslpassword=s3cret", True),
        ("postgresql://ann:s3cret/@db/msgs", True),
        ("postgresql://ann:s3cret?x@db/msgs", True),
        ("postgresql://ann:1?user=s3cret@db/msgs", True),
        ("postgresql://ann:1/s3cret@db/msgs", True),
        ("postgresql://ann:s3cret#x@db/msgs", True),
        ("host=db dbname=msgs password=s3cret", True),
        ("host=db dbname=msgs PASSWORD = 's3cret'", True),
        ("postgresql://ann@db/msgs?sslmode=require#staging", False),
        ("postgresql://db:5432/msgs?application_name=a@b", False),
        ("postgresql:///msgs", False),
    ],
)
def test_a_password_in_an_address_is_seen_and_never_repeated(lock: str, is_told: bool) -> None:  # noqa: FBT001
    assert may_be_database(lock)
    try:
        found = parse_address(lock, "messages")
        assert isinstance(found, DatabaseAddress)
        assert found.has_password is is_told
        said = f"{found.display_name} {found.setting}"
    except UsageMistake as error:
        assert is_told
        said = f"{error.message} {error.hint}"
    assert "s3cret" not in said


@given(
    st.text(max_size=30),
    st.sampled_from(["", "git+", "git+https://", "postgresql://", "git+origin#", "host=", "./git+", "./host="]),
)
def test_every_text_is_an_address_or_a_mistake(text: str, start: str) -> None:
    try:
        found = parse_address(start + text, "messages")
    except UsageMistake:
        return
    if isinstance(found, DatabaseAddress):  # a password is left out
        assert parse_address(found.setting, "messages").setting == found.setting
    else:
        assert parse_address(found.setting, "messages") == found
    if isinstance(found, BranchAddress):
        assert not has_credentials(found.remote)
        assert not found.remote.startswith("-")


def test_refs_of_this_clone_are_flat_and_differ_for_every_branch() -> None:
    branches = [parse_address(f"git+origin#{name}", "messages") for name in ("a", "a/b", "a.b", "a_b")]
    refs = [ref for branch in branches if isinstance(branch, BranchAddress) for ref in clone_refs(branch)]
    assert len(set(refs)) == 8
    assert {ref.count("/") for ref in refs} == {2, 3}
    assert all(not ref.endswith(".lock") for ref in refs)
