"""A pipe, a socket, a device or a folder in place of a file ends a command at once, with an error that names it."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.ledger.record import salt_check
from tests.support.clones import HEADER
from tests.support.forked import run_forked
from tests.support.project import SEED, Folder, Ran
from tests.support.proof import proofs, table

TO = "to: {type: user, id: 536e564f316c83104c000020}"


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(path.parent)  # the path of a socket is short
        server.bind(path.name)


KINDS: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a socket": make_socket,
    "a folder": Path.mkdir,
    "a link to /dev/zero": lambda path: path.symlink_to("/dev/zero"),
    "a link to a pipe": lambda path: (os.mkfifo(path.with_name("other")), path.symlink_to("other")),
}
PLACES = {
    "messages/a.yaml": SEED,
    "messages/b.j2": SEED.replace("body: Ponies, cute small horses or something more sinister?", "body_file: b.j2"),
    "messages/c.j2": SEED.replace("Ponies, cute small horses or something more sinister?", "\"{% include 'c.j2' %}\""),
    "a.csv": SEED.replace(TO, 'to: {csv: ../a.csv, type: user, id: "{{ id }}"}'),
    "a.jsonl": SEED.replace(TO, 'to: {jsonl: ../a.jsonl, type: user, id: "{{ id }}"}'),
    "a.parquet": SEED.replace(TO, 'to: {parquet: ../a.parquet, type: user, id: "{{ id }}"}'),
    "q.csv": SEED.replace(TO, """to: {sql: "select id from 'q.csv'", type: user, id: "{{ id }}"}"""),
    "s.csv": SEED,
    "msgrun.yaml": SEED,
    "messages.lock": SEED,
    "messages.plan": SEED,
}


@pytest.mark.parametrize("kind", ["a pipe", *proofs(["a link to a pipe"]), *table(list(KINDS)[1:-1])])
@pytest.mark.parametrize("place", PLACES)
def test_what_is_no_file_is_refused_at_once(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, place: str, kind: str
) -> None:
    monkeypatch.chdir(folder.path)
    folder.message(PLACES[place])
    folder.write("msgrun.yaml", "suppress: s.csv\n" if place == "s.csv" else "")
    folder.write("messages.lock", HEADER % salt_check(""))
    path = folder.path / place
    path.unlink(missing_ok=True)
    KINDS[kind](path)
    for command in ("plan", "status", "--sandbox apply --yes"):
        ran = Ran(*run_forked(command.split(), folder.path, os.environ, timeout=60))
        assert "bug" not in ran.err, (command, ran)
        if command == "plan" and (place, kind) not in {("messages/a.yaml", "a folder"), ("messages.lock", "a folder")}:
            assert ran.code in {1, 5, 6}, (command, ran)
            assert Path(place).name in ran.out + ran.err, (command, ran)
