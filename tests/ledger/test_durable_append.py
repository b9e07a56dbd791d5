"""An append is durable in every file, or its claims are in none."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.errors import LedgerUnavailable
from runner.ledger.durable_append import ClaimsUncertain, append_lines
from tests.support.disk import fill, small_disk

OUTCOMES, CLAIMS = b'{"o":1}\n{"o":2}\n', b'{"c":1}\n{"c":2}\n'


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    found = [tmp_path / "one", tmp_path / "two" / "journal"]
    append_lines(found, b"old\n")
    return found


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes calls of os fail for one file."""

    def fail(file: Path, *calls: str) -> None:
        def broken(real: Any) -> Any:
            def call(descriptor: int, *args: Any) -> Any:
                if os.fstat(descriptor).st_ino == file.stat().st_ino:
                    raise OSError(5, "Input/output error")
                return real(descriptor, *args)

            return call

        for name in calls:
            monkeypatch.setattr(f"runner.ledger.durable_append.os.{name}", broken(getattr(os, name)))

    return fail


def contents(files: list[Path]) -> list[bytes]:
    return [file.read_bytes() for file in files]


def test_lines_are_in_every_file_outcomes_first(files):
    append_lines(files, OUTCOMES, CLAIMS)
    assert contents(files) == [b"old\n" + OUTCOMES + CLAIMS] * 2


def test_nothing_to_append_touches_nothing(tmp_path):
    append_lines([tmp_path / "one"], b"")
    assert list(tmp_path.iterdir()) == []


def test_every_file_and_the_folder_of_a_new_one_is_synced_before_it_returns(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(
        "runner.ledger.durable_append.os.fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino)
    )
    files = [tmp_path / "one", tmp_path / "two"]
    append_lines(files, OUTCOMES)
    assert sorted(synced) == sorted([file.stat().st_ino for file in files] + [tmp_path.stat().st_ino] * 2)
    synced.clear()
    append_lines(files, OUTCOMES)
    assert sorted(synced) == sorted(file.stat().st_ino for file in files)


def test_a_file_that_cannot_be_opened_keeps_the_claims_out_of_the_other_and_the_outcomes_in(files):
    files[0].unlink()
    files[0].mkdir()
    with pytest.raises(LedgerUnavailable, match=r"one cannot be written: Is a directory") as caught:
        append_lines(files, OUTCOMES, CLAIMS)
    assert type(caught.value) is LedgerUnavailable
    assert files[1].read_bytes() == b"old\n" + OUTCOMES


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("call", ["write", "fsync"])
def test_whichever_file_fails_no_claim_stays_and_the_other_has_the_outcomes(place, call, files, failing):
    failing(files[place], call)
    with pytest.raises(LedgerUnavailable, match="Input/output error"):
        append_lines(files, OUTCOMES, CLAIMS)
    assert files[1 - place].read_bytes() == b"old\n" + OUTCOMES
    assert b'"c"' not in files[place].read_bytes()


def test_claims_that_cannot_be_cut_off_are_told(files, failing):
    failing(files[1], "ftruncate")
    failing(files[0], "fsync")
    with pytest.raises(ClaimsUncertain, match="one cannot be written"):
        append_lines(files, OUTCOMES, CLAIMS)
    assert files[1].read_bytes().endswith(CLAIMS)


def test_outcomes_alone_leave_no_claims(files, failing):
    failing(files[0], "fsync", "ftruncate")
    with pytest.raises(LedgerUnavailable) as caught:
        append_lines(files, OUTCOMES)
    assert type(caught.value) is LedgerUnavailable


def test_what_somebody_else_wrote_behind_the_claims_is_never_cut_off(files, monkeypatch):
    real = os.fsync

    def meanwhile(descriptor: int) -> None:
        if os.fstat(descriptor).st_ino == files[0].stat().st_ino:
            with files[0].open("ab") as file:
                file.write(b"theirs\n")
            raise OSError(5, "Input/output error")
        real(descriptor)

    monkeypatch.setattr("runner.ledger.durable_append.os.fsync", meanwhile)
    with pytest.raises(ClaimsUncertain):
        append_lines(files, OUTCOMES, CLAIMS)
    assert files[0].read_bytes().endswith(CLAIMS + b"theirs\n")


def test_an_append_starts_on_a_fresh_line_and_a_torn_one_stays(files):
    files[0].write_bytes(b"torn")
    append_lines(files[:1], b"", CLAIMS)
    assert files[0].read_bytes() == b"torn\n" + CLAIMS


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", "64k") as folder:
        yield folder


@pytest.mark.parametrize("place", [0, 1])
def test_on_a_full_disk_whole_outcomes_stay_and_no_claim_does(place, disk, tmp_path):
    files = [tmp_path / "roomy", tmp_path / "roomy-too"]
    files[place] = disk / "one"
    append_lines(files, b"old\n")
    fill(disk, 0)
    room = 4096 - 4  # what is left of the file's page
    outcomes = b"".join(b'{"o":%06d}\n' % number for number in range(200))
    claims = b'{"c":123456789}\n' * 300
    with pytest.raises(LedgerUnavailable, match="No space left on device") as caught:
        append_lines(files, outcomes, claims)
    assert type(caught.value) is LedgerUnavailable
    assert len(outcomes) < room < len(outcomes) + len(claims)  # so the claims were torn
    assert contents(files) == [b"old\n" + outcomes] * 2
    with pytest.raises(LedgerUnavailable):
        append_lines(files, outcomes, claims)
    assert files[1 - place].read_bytes() == b"old\n" + outcomes * 2
    half = files[place].read_bytes()
    assert half.endswith(b"\n")
    assert (b"old\n" + outcomes * 2).startswith(half)
    (disk / "ballast").unlink()
    append_lines(files, outcomes, claims)
    assert all(content.endswith(outcomes + claims) for content in contents(files))
