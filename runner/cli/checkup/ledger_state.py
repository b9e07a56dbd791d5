"""Checks of the ledger: whether it is reached, current and settled, and whether a run could write to it."""

import os
from collections import Counter
from dataclasses import replace

from runner.cli.context import Context
from runner.errors import GuardRefused, LedgerUnavailable
from runner.git.process import GitFailed
from runner.git.pushing import failure_reason
from runner.ledger.lock_address import BranchAddress, LockfileAddress
from runner.ledger.opening import LedgerReading, read_ledger
from runner.report.checkup_text import Check
from runner.shown_command import shown_command

_PROBE_REF = "refs/heads/msgrun-doctor"  # never created: the push is a dry run


def check_ledger(context: Context) -> tuple[LedgerReading | None, list[Check]]:
    """Returns the records of the ledger, None if they cannot be read, and the checks."""
    notes: list[str] = []
    try:
        reading = read_ledger(replace(context.ledger, report=notes.append))
    except (GuardRefused, LedgerUnavailable) as error:
        unread = Check("ledger write", "skip", "the ledger is not read")
        return None, [Check("ledger", "fail", str(error.message), error.hint), unread]
    return reading, [_check_state(context, reading, notes), _check_writable(context)]


def _check_state(context: Context, reading: LedgerReading, notes: list[str]) -> Check:
    name, facts = context.ledger.address.display_name, reading.facts
    is_lockfile_in_ci = isinstance(context.ledger.address, LockfileAddress) and os.environ.get("CI")
    if reading.refusal:
        return Check("ledger", "fail", reading.refusal.message, reading.refusal.hint)
    if duplicates := facts.duplicates():
        fix = shown_command("resolve", duplicates[0].record.key[:12], "--duplicate")
        return Check("ledger", "fail", f"{len(duplicates)} deliveries went out twice", f"settle it, then {fix}")
    if is_lockfile_in_ci and not context.options.sandbox:
        detail = f"{name} is a file, and the disk of a CI job is lost with the job"
        move = f"{context.ledger.command} lock move git+origin"
        return Check("ledger", "fail", detail, f"{move}; or, if the disk outlives the job: apply --lockfile-in-ci")
    if not reading.exists and not context.options.sandbox:
        return Check("ledger", "warn", f"{name} is not started yet", context.ledger.begin_command)
    if facts.torn_lines:
        return Check("ledger", "warn", f"{name} has torn lines", shown_command("lock", "verify"))
    counts: Counter[str] = Counter()
    for group, number in facts.counts().items():
        counts[group.status] += number
    parts = [f"{counts[status]:,} {status}" for status in ("sent", "refused", "unknown") if counts[status]]
    detail = f"{name}: {', '.join(parts) or 'nothing sent yet'}"
    if counts["unknown"]:
        return Check("ledger", "warn", detail, shown_command("reconcile"))
    if notes:
        return Check("ledger", "warn", notes[0], shown_command("status"))
    return Check("ledger", "ok", f"{detail}; it is the current one")


def _check_writable(context: Context) -> Check:
    address = context.ledger.address
    if isinstance(address, LockfileAddress):
        path = context.tree.root / address.path
        place = next(folder for folder in (path, *path.parents) if folder.exists())
        if os.access(place, os.W_OK) and os.access(place if place.is_dir() else place.parent, os.W_OK):
            return Check("ledger write", "ok", f"{address.path} can be written")
        return Check("ledger write", "fail", f"{place} may not be written", f"chmod u+w {place}")
    if isinstance(address, BranchAddress):
        return _try_push(context, address)
    return Check("ledger write", "skip", "a database shows that only when a run claims")


def _try_push(context: Context, address: BranchAddress) -> Check:
    """Returns the check whether the remote takes a push. It is a dry run: git connects, signs in, and sends nothing."""
    repository = context.ledger.repository
    commit = repository.try_git("rev-parse", "--verify", "--quiet", "HEAD") if repository else None
    if repository is None or not commit:
        return Check("ledger write", "skip", "without a commit no push can be tried")
    try:
        remote = repository.remote_arguments(address.remote)
        repository.git("push", "--dry-run", "--quiet", "--no-verify", *remote, f"{commit}:{_PROBE_REF}")
    except LedgerUnavailable as error:
        reason = failure_reason(error) if isinstance(error, GitFailed) else str(error.message)
        fix = "let this machine push to the remote; in GitHub Actions: permissions: {contents: write}"
        return Check("ledger write", "fail", f"{address.remote} takes no push: {reason}", fix)
    return Check("ledger write", "ok", f"{address.remote} takes a push (tried without sending anything)")
