"""What the ledger has to know of a command, made for tests that call it without the command."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from runner.git.repository import Repository
from runner.ledger.context import LedgerContext
from runner.ledger.facts import Facts
from runner.ledger.lock_address import DeclaredLedger, parse_address
from runner.ledger.opening import location_of
from runner.ledger.record import Header, Record, Status, salt_check
from tests.support.clones import git_output

ID_A, ID_B = "01JDA0000000000000000000AA", "01JDB0000000000000000000BB"  # ids of ledgers
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def ledger_context(
    root: Path,
    lock: str = "messages.lock",
    *,
    declared: str = "",
    ledger_id: str = "",
    remote: str = "",
    reports: list[str] | None = None,
    **more: Any,
) -> LedgerContext:
    """A command in the project at `root` with the ledger at `lock`.

    Its msgrun.yaml names the address `declared`, or the same one, with this id and remote. What is reported comes to
    `reports`.
    """
    stem = more.get("stem", "messages")

    def declared_at(repository: Repository, commit: str) -> DeclaredLedger | None:
        name = repository.relative_path(root / "msgrun.yaml") or "msgrun.yaml"
        content = repository.read_blob(commit, name)
        if content is None:
            return None
        value = yaml.safe_load(content) or {}
        address = parse_address(value.get("lock", f"{stem}.lock"), stem)
        return DeclaredLedger(address, value.get("ledger", ""), value.get("remote", ""))

    values: dict[str, Any] = {
        "environment": "default", "stem": stem, "salt": "", "now": lambda: NOW,
        "report": (reports if reports is not None else []).append, "warn": lambda *_: None, "declared_at": declared_at,
        **more,
    }  # fmt: skip
    return LedgerContext(
        root=root,
        address=parse_address(lock, stem),
        declared=DeclaredLedger(parse_address(declared or lock, stem), ledger_id, remote),
        **values,
    )


def trusted_context(clone: Path, lock: str, ledger_id: str = ID_A, **more: Any) -> LedgerContext:
    """A command in a clone whose ledger is on a host that a person named."""
    return ledger_context(clone, lock, ledger_id=ledger_id, trusts_host=True, **more)


def make_record(number: int, status: Status = "sent", **more: Any) -> Record:
    """A record of the delivery with this number."""
    values = {"attempt": f"RUN-{number}", "message": "m", "revision": 1, **more}
    return Record(key=f"{number:032x}", status=status, **values)


def fill_ledger(context: LedgerContext, *entries: Record | Header, ledger_id: str = ID_A) -> None:
    """Adds records and headers to a ledger, without any check; starts it with this id if there is none."""
    with location_of(context).open("test") as ledger:
        if not ledger.exists:
            ledger.create(Header("", salt_check(context.salt), ledger_id))
        ledger.recover()
        for entry in entries:
            if isinstance(entry, Header):
                ledger.write_header(entry)
            else:
                ledger.append(entry)


def read_facts(context: LedgerContext) -> Facts:
    """The records of a ledger that exists."""
    facts = location_of(context).read()
    assert facts is not None
    return facts


def attempts(facts: Facts) -> dict[str, str]:
    """The status of each attempt whose outcome counts."""
    return {record.attempt: record.status for record in facts.compacted_records()}


def make_origin(folder: Path) -> Path:
    """A bare remote whose branch main has a README."""
    git_output(folder, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    author = make_clone(folder, "first-author")
    (author / "README").write_text("hello\n")
    push_all(author)
    return folder / "origin.git"


def make_clone(folder: Path, name: str) -> Path:
    """A clone of the remote that `make_origin` made in the folder."""
    git_output(folder, "clone", "--quiet", (folder / "origin.git").as_uri(), name)
    return folder / name


def push_all(clone: Path) -> None:
    """Commits everything, and pushes it to main."""
    git_output(clone, "add", "--all")
    git_output(clone, "commit", "--quiet", "--allow-empty", "--message", "change")
    git_output(clone, "push", "--quiet", "origin", "HEAD:main")
