"""The guards: rules that stop a run before anything is sent, each with what it saw and its way out.

Pure functions of what a plan knows; which guard applies to what is decided in the plan.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runner.declare.settings import Limits


@dataclass(frozen=True, slots=True)
class Guard:
    """A rule that stops the run before anything is sent: what it saw, and its way out."""

    code: str
    message: str
    hint: str
    messages: tuple[str, ...] = ()


def edited_guard(name: str, count: int) -> Guard:
    """A message was edited after it was sent to `count` recipients."""
    return Guard(
        "edited",
        f"{name} was edited after it was sent to {format_recipients(count)}",
        f"raise its revision to send it again to everybody, undo the edit, or keep it without sending: "
        f"msgrun accept {name}",
        (name,),
    )


def repeat_guard(name: str, repeats: Mapping[str, int]) -> Guard:
    """Recipients got this very text under another name; `repeats` counts them by that name."""
    others = " and ".join(sorted(repeats))
    return Guard(
        "repeat",
        f"{format_recipients(max(repeats.values()))} of {name} got this very text already, as {others}",
        "a renamed message is another message: give it its old name back, or say --allow-repeat",
        (name,),
    )


def readdress_guard(name: str, kinds: str) -> Guard:
    """Recipients by some `kinds` of address went, and others by another kind came."""
    return Guard(
        "readdress",
        f"recipients of {name} by {kinds} are no longer declared, and others by another kind of address are: "
        "they may be the same people",
        "address them as before, or say --allow-readdress",
        (name,),
    )


def workspace_guard(declared: str, held: str) -> Guard:
    """The ledger belongs to another workspace than the declared one."""
    return Guard(
        "workspace",
        f"msgrun.yaml names workspace {declared}, and the ledger belongs to {held}",
        "each workspace has an environment of its own, with its own ledger",
    )


def limit_guards(sends: Mapping[str, int], limits: Limits) -> Iterable[Guard]:
    """A run that would send more than msgrun.yaml allows; `sends` counts the deliveries of each message."""
    most = limits.recipients_per_message
    for name, count in sends.items():
        if count > most:
            yield Guard(
                "limit-message",
                f"{name} would go to {format_recipients(count)}, over limits.recipients_per_message: {most:,}",
                f"in msgrun.yaml, limits: {{recipients_per_message: {count}}}; or send in parts: --limit {most}",
                (name,),
            )
    total, most = sum(sends.values()), limits.recipients_per_apply
    if total > most:
        yield Guard(
            "limit-apply",
            f"this would send {total:,} messages, over limits.recipients_per_apply: {most:,}",
            f"in msgrun.yaml, limits: {{recipients_per_apply: {total}}}; or send in parts: --limit {most}",
        )


def digest_guard(made: str, expected: str) -> Guard:
    """The plan is not the one that was agreed to by its digest."""
    return Guard(
        "digest",
        f"the plan's digest is {made}, not {expected}",
        "what is declared is not what was agreed to: look at msgrun plan again",
    )


def recipients_guard(count: int, most: int) -> Guard:
    """The run would send to more recipients than were confirmed."""
    return Guard(
        "recipients",
        f"this would send to {format_recipients(count)}, and {most:,} were confirmed",
        f"--confirm-recipients {count}, if that is meant",
    )


def format_recipients(count: int) -> str:
    """A number of recipients in words."""
    return f"{count:,} recipient" if count == 1 else f"{count:,} recipients"
