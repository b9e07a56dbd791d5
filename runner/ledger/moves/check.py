"""Checks that a ledger is the current one of its project. Without it, what another one records would be sent again."""

from collections.abc import Sequence
from shlex import quote

from runner.errors import GuardRefused
from runner.ledger.context import LedgerContext
from runner.ledger.facts import Facts
from runner.ledger.local_records import read_local_lockfiles
from runner.ledger.mark import explain_mark
from runner.ledger.moves.remote_marks import RemoteAnswer, RemoteMark
from runner.ledger.record import NO_MARK

_ABANDON = "to give the other ledger up and use this one: msgrun lock begin --abandon-previous"


def find_ledger_guard(context: LedgerContext, facts: Facts) -> tuple[str, str] | None:
    """The message and the hint if a ledger is not the one that msgrun.yaml means; None if it is.

    It asks no remote. Raises GuardRefused if the ledger's headers contradict each other.
    """
    own, declared, setting = facts.merged_header(context.salt).ledger, context.declared, context.address.setting
    if declared.ledger_id and own != declared.ledger_id:
        has = f"the id {own}" if own else "no id"
        move = f"put back lock: of msgrun.yaml, and move that ledger here: msgrun lock move {quote(setting)}"
        message = f"the ledger {setting} has {has}, and msgrun.yaml names {declared.ledger_id}"
        return message, f"{move}; or, {_ABANDON}"
    return None if facts.mark.status == "current" else explain_mark(setting, facts.mark)


def refuse_unless_current(context: LedgerContext, facts: Facts, answers: Sequence[RemoteAnswer]) -> None:
    """Raises GuardRefused if a ledger is not current, by its own marks or by what the remotes say."""
    if guard := find_ledger_guard(context, facts):
        raise GuardRefused(*guard)
    own = facts.merged_header(context.salt).ledger
    for answer in answers:
        for mark in answer.marks:
            if _is_of_this_project(context, mark, own) and mark.mark.turn > facts.mark.turn:
                message, hint = explain_mark(context.address.setting, mark.mark)
                raise GuardRefused(f"{message}, says {answer.remote}", hint)
        _refuse_other_default(context, own, answer)


def refuse_second_ledger(context: LedgerContext, answers: Sequence[RemoteAnswer]) -> None:
    """Raises GuardRefused if the project has a ledger already, so that no other may be started."""
    declared, setting = context.declared, quote(context.address.setting)
    move = f"move it here: put back lock: of the other one, and msgrun lock move {setting}"
    if declared.ledger_id:
        raise GuardRefused(
            f"there is no ledger {context.address.display_name}, and msgrun.yaml names one, {declared.ledger_id}",
            f"{move}; or, {_ABANDON}",
        )
    for path, local in () if context.is_sandbox else read_local_lockfiles(context, NO_MARK):
        if len(local) and path != context.address.setting:
            raise GuardRefused(
                f"this project has a ledger already: {path} has records of {len(local):,} deliveries",
                f"put back lock: {path}, and move it here: msgrun lock move {setting}; or, {_ABANDON}",
            )
    for answer in answers:
        for mark in answer.marks:
            if _is_of_this_project(context, mark, ""):
                raise GuardRefused(
                    f"this project has a ledger already, says {answer.remote}: it moved to {mark.mark.address}",
                    f"{move}; or, {_ABANDON}",
                )
        if answer.default and answer.default.ledger_id:
            raise GuardRefused(
                f"the default branch of {answer.remote} names a ledger already: {answer.default.address.setting}",
                f"git pull, and use that one; or, {_ABANDON}",
            )


def _is_of_this_project(context: LedgerContext, mark: RemoteMark, own: str) -> bool:
    """Whether a mark is about the ledger with the id `own`; without an id, whether it is of the same project."""
    if own:
        return mark.ledger_id == own
    return (mark.project, mark.environment) == (context.project_path, context.environment)


def _refuse_other_default(context: LedgerContext, own: str, answer: RemoteAnswer) -> None:
    """Raises GuardRefused if the default branch names another ledger.

    MSGRUN_LOCK may spell the address of the ledger differently, so then only its id counts.
    """
    default, setting = answer.default, context.address.setting
    if default is None:
        return
    is_override = context.address != context.declared.address
    is_same_id = own == default.ledger_id or not default.ledger_id
    is_same_address = default.address == context.address or (is_override and own and own == default.ledger_id)
    if is_same_id and is_same_address:
        return
    other = default.address.setting if default.address != context.address else f"the id {default.ledger_id}"
    raise GuardRefused(
        f"this would use the ledger {setting}, and the default branch of {answer.remote} names {other}",
        f"git pull, if this commit is older; or, if the ledger moved here, merge that first: git push {answer.remote}",
    )
