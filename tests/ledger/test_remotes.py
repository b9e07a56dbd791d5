"""The git remotes that know of a ledger: their URLs without credentials, and when two are the same repository."""

from pathlib import Path

import pytest

from runner.git.repository import find_repository
from runner.ledger.remotes import is_same_repository, own_remote_url
from tests.support.clones import git_output
from tests.support.ledger_contexts import ledger_context


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://host/acme/mail.git", "https://host/acme/mail.git"),
        ("https://ann:s3cret@host/acme/mail.git?token=s3cret", "https://host/acme/mail.git"),
        ("https://s3cret@host:8443/acme/mail.git", "https://host:8443/acme/mail.git"),
        ("git@host:acme/mail.git", "git@host:acme/mail.git"),
        ("ssh://git@host/acme/mail.git", "ssh://git@host/acme/mail.git"),
        ("ssh://git:s3cret@host/acme/mail.git", ""),
        ("/srv/mail.git", "file:///srv/mail.git"),
        ("../mail.git", ""),
    ],
)
def test_the_url_for_msgrun_yaml_has_no_credentials_and_works_for_others(
    tmp_path: Path, url: str, expected: str
) -> None:
    git_output(tmp_path, "init", "--quiet")
    assert own_remote_url(ledger_context(tmp_path)) == ""
    git_output(tmp_path, "remote", "add", "origin", url)
    assert own_remote_url(ledger_context(tmp_path)) == expected


@pytest.mark.parametrize(
    ("url", "is_same"),
    [
        ("https://host/acme/mail", True),
        ("https://host/acme/mail.git/", True),
        ("ssh://git@ssh.host:443/acme/mail.git", True),
        ("git@host:acme/mail.git", True),
        ("https://host/bob/mail", False),
        ("git@host:acme/mail2.git", False),
    ],
)
def test_a_repository_is_the_same_by_every_protocol(tmp_path: Path, url: str, is_same: bool) -> None:  # noqa: FBT001
    git_output(tmp_path, "init", "--quiet")
    git_output(tmp_path, "remote", "add", "origin", "git@host:acme/mail.git")
    repository = find_repository(tmp_path)
    assert repository is not None
    assert is_same_repository(repository, "origin", url) is is_same
