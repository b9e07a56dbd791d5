"""A host is contacted only if the base commit or a person names it: the author of a pull request can change `lock:`."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from runner.errors import GuardRefused
from runner.git.repository import find_repository
from runner.ledger.known_hosts import is_reviewed, is_same_repository, own_remote_url, require_known_host
from runner.ledger.mark import MoveMark
from runner.ledger.opening import location_of
from runner.ledger.remote_marks import push_mark
from tests.support.clones import git_output
from tests.support.ledger_contexts import ID_A, fill_ledger, ledger_context, make_clone, push_all, trusted_context

DATABASE = "postgresql://db.example/m"


def name(clone: Path, lock: str) -> None:
    (clone / "msgrun.yaml").write_text(f"lock: {lock}\n")


def refused(clone: Path, lock: str, **more: Any) -> bool:
    try:
        require_known_host(ledger_context(clone, lock, **more))
    except GuardRefused:
        return True
    return False


@pytest.mark.parametrize("lock", [DATABASE, "git+https://host.example/r.git", "git+file:///srv/r.git"])
def test_a_host_is_known_once_the_default_branch_names_it(clone: Path, tmp_path: Path, lock: str) -> None:
    name(clone, lock)
    assert refused(clone, lock)
    git_output(clone, "checkout", "--quiet", "-b", "change")
    git_output(clone, "add", "--all")
    git_output(clone, "commit", "--quiet", "--message", "change")
    assert refused(clone, lock)
    git_output(clone, "push", "--quiet", "origin", "HEAD:main")
    git_output(clone, "fetch", "--quiet")
    assert not refused(clone, lock)
    assert not refused(make_clone(tmp_path, "fresh"), lock)


@pytest.mark.parametrize("lock", ["sent.lock", "../sent.lock", "git+origin", "git+upstream#sent"])
def test_an_address_without_a_host_needs_no_review(clone: Path, lock: str) -> None:
    assert not refused(clone, lock)


def test_a_person_may_name_any_host(clone: Path) -> None:
    assert not refused(clone, DATABASE, trusts_host=True)
    own = ledger_context(clone)
    require_known_host(own.at(own.parse(DATABASE)))
    with pytest.raises(GuardRefused):
        require_known_host(own.at(own.parse(DATABASE), trusts_host=False))


def test_another_database_or_schema_on_a_known_host_is_another_address(clone: Path) -> None:
    name(clone, DATABASE)
    push_all(clone)
    assert not refused(clone, f"{DATABASE}#msgrun")
    assert [refused(clone, other) for other in (f"{DATABASE}#other", f"{DATABASE}2", f"{DATABASE}?host=evil")] == [
        True, True, True,
    ]  # fmt: skip


def test_without_a_remote_there_are_no_commits_of_others(tmp_path: Path) -> None:
    assert not refused(tmp_path, DATABASE)
    git_output(tmp_path, "init", "--quiet")
    assert not refused(tmp_path, DATABASE)


def test_the_base_is_that_of_against_if_it_is_given(clone: Path) -> None:
    name(clone, DATABASE)
    push_all(clone)
    git_output(clone, "fetch", "--quiet")
    git_output(clone, "branch", "before", "HEAD~1")
    assert refused(clone, DATABASE, base_ref="before")
    assert not refused(clone, DATABASE, base_ref="origin/main")


def test_a_ci_checkout_without_origin_head_asks_the_remote(clone: Path, tmp_path: Path) -> None:
    name(clone, DATABASE)
    push_all(clone)
    commit = git_output(clone, "rev-parse", "HEAD")
    job = tmp_path / "job"
    job.mkdir()
    git_output(job, "init", "--quiet")
    git_output(job, "remote", "add", "origin", (tmp_path / "origin.git").as_uri())
    git_output(job, "fetch", "--quiet", "--no-tags", "--depth=1", "origin", commit)
    git_output(job, "checkout", "--quiet", "--detach", "FETCH_HEAD")
    assert not refused(job, DATABASE)
    assert refused(job, f"{DATABASE}2")


def test_a_refusal_tells_what_to_do_and_no_password(clone: Path) -> None:
    with pytest.raises(GuardRefused) as caught:
        location_of(ledger_context(clone, "postgresql://ann:s3cret@db/m"))
    assert "commit msgrun.yaml and merge it first" in caught.value.hint
    assert "MSGRUN_LOCK='postgresql://db/m#msgrun'" in caught.value.hint
    assert "s3cret" not in caught.value.message + caught.value.hint


def test_a_remote_is_reviewed_as_an_address_is(clone: Path) -> None:
    context = ledger_context(clone)
    assert not is_reviewed(context, lambda base: base.remote == "https://h/r")
    (clone / "msgrun.yaml").write_text("remote: https://h/r\n")
    push_all(clone)
    git_output(clone, "fetch", "--quiet")
    assert is_reviewed(context, lambda base: base.remote == "https://h/r")


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
        ("/srv/project/../mail.git", "file:///srv/mail.git"),
        ("file:///srv/project/../mail.git", "file:///srv/mail.git"),
        ("/srv/our mail.git", ""),
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


@pytest.mark.parametrize("origin", ["../mail.git", "{parent}/mail.git", "{parent}/project/../mail.git"])
def test_a_folder_is_the_same_repository_however_its_path_is_written(tmp_path: Path, origin: str) -> None:
    (project := tmp_path / "project").mkdir()
    git_output(project, "init", "--quiet")
    git_output(project, "remote", "add", "origin", origin.format(parent=tmp_path))
    repository = find_repository(project)
    assert repository is not None
    assert is_same_repository(repository, "origin", (tmp_path / "mail.git").as_uri())
    assert is_same_repository(repository, "origin", f"file://{project}/../mail.git")
    assert not is_same_repository(repository, "origin", (tmp_path / "other.git").as_uri())


def test_a_clone_that_pushes_to_another_repository_writes_no_ledger_until_it_follows_the_hint(clone: Path) -> None:
    context = trusted_context(clone, "git+origin")
    fill_ledger(context)
    git_output(
        clone, "clone", "--quiet", "--bare", (clone.parent / "origin.git").as_uri(), str(clone.parent / "fork.git")
    )
    git_output(clone, "remote", "set-url", "--push", "origin", (clone.parent / "fork.git").as_uri())
    with pytest.raises(GuardRefused, match="pushes to another repository"):
        push_mark(trusted_context(clone, "messages.lock"), ID_A, MoveMark(1, "moved", "git+origin"))
    with pytest.raises(GuardRefused, match="pushes to another repository") as refused:
        fill_ledger(context)
    subprocess.run(["bash", "-c", refused.value.hint.partition(";")[0]], cwd=clone, check=True)
    fill_ledger(context)
