"""Guards: rules that stop a run before anything is sent. Each reports what it found and how to go on.

Pure functions. `actions` decides which deliveries are edited or unknown, `message_planner` which guards of a message
apply, and `plan` which guards of the run. `plan_file` and `saved_plan` make the guards for what differs from an agreed
plan.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from runner.declare.declaration import Declaration
from runner.declare.settings import DEFAULT_ENVIRONMENT, Limits
from runner.shown_command import shown_command, shown_path

STALE_PLAN = "stale-plan"
LEDGER_NOT_READ = "ledger-not-read"
_MAX_FILES = 10  # that a hint names


@dataclass(frozen=True, slots=True)
class WayOut:
    """One way to go on after a guard: what it does, and the command or the line to write, if it has one.

    `shows_edit_of` is the message whose edit the command shows; of several messages that is one way out. `is_shared`:
    it is about several messages, so it comes before those of each. `sends_others`: it sends the other messages.
    `writes_ledger`: its command does.
    """

    purpose: str
    command: str = ""
    shows_edit_of: str = ""
    is_shared: bool = False
    sends_others: bool = False
    writes_ledger: bool = False


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard that stops the run before anything is sent.

    `code` identifies the rule, `message` says what is wrong and `hint` how to go on. `messages` are the names of the
    messages that it concerns; it is empty for a guard of the whole run. `ways_out` say the same as the hint, where it
    has several.
    """

    code: str
    message: str
    hint: str
    messages: tuple[str, ...] = ()
    ways_out: tuple[WayOut, ...] = ()

    def with_canary(self, count: int) -> "Guard":
        """Returns the guard with `--canary` in its command that sends the other messages."""
        ways = (
            replace(way, command=f"{way.command} --canary {count}") if way.sends_others else way
            for way in self.ways_out
        )
        return replace(self, ways_out=tuple(ways))


def unknown_redirect_guard(place: str, message: str, hint: str) -> Guard:
    """Returns the guard for a contact of redirect that is not exactly one. `place` is where msgrun.yaml names it."""
    return Guard("redirect-unknown", f"{place}: nothing can be redirected: {message}", hint)


def edited_guard(declaration: Declaration, count: int, others: Sequence[str]) -> Guard:
    """Returns the guard for a message that was edited after it was sent to `count` recipients.

    `others` are the files of the messages that can be sent without it.
    """
    name, next_revision = declaration.name, f"revision: {declaration.revision + 1}"
    accept = shown_command("accept", name)
    apply = shown_command("apply", *(map(shown_path, others) if len(others) <= _MAX_FILES else ("PATHS",)))
    return Guard(
        "edited",
        f"{name} was edited after it was sent to {format_recipients(count)}",
        f"write {next_revision} to send it again to all recipients,"
        f" undo the edit, or keep it without sending: {accept}"
        f"{f'; to send the others meanwhile: {apply}' if others else ''}",
        (name,),
        (
            WayOut(f"Undo the edit of {name}, if it is a mistake"),
            WayOut(f"Or keep the edit of {name}, without sending", accept, writes_ledger=True),
            WayOut(f"Or send {name} to all again, with this line in {declaration.document.source.path}", next_revision),
            *([WayOut("Meanwhile, send the other messages", apply, sends_others=True)] if others else ()),
        ),
    )


def redirect_guard(name: str, count: int, *, is_redirected: bool) -> Guard:
    """Returns the guard for a message that was sent to `count` recipients before redirect was turned on or off."""
    recipients = format_recipients(count)
    before = f"was sent to {recipients}" if is_redirected else f"was redirected, so {recipients} never got it"
    return Guard(
        "redirect-changed",
        f"{name} {before}, and redirect was turned {'on' if is_redirected else 'off'} since",
        "raise its revision to send it now, or restore redirect in msgrun.yaml",
        (name,),
    )


def repeat_guard(declaration: Declaration, repeats: Mapping[str, int]) -> Guard:
    """Returns the guard for a message whose recipients got the same text under another name.

    `repeats` is the number of these recipients by the other name. It must not be empty.
    """
    name, path = declaration.name, declaration.document.source.path
    allow = shown_command("apply", shown_path(path), "--allow-repeat")
    return Guard(
        "repeat",
        format_repeat(repeats, f" of {name}"),
        "a renamed message counts as a new one: restore its old name, or pass --allow-repeat",
        (name,),
        (
            WayOut(f"Restore the name of {name}, with this line in {path}", f"name: {min(repeats)}"),
            WayOut(f"Or send the text again, under the name {name}", allow),
        ),
    )


def readdress_guard(name: str, kinds: str) -> Guard:
    """Returns the guard for recipients that may be the same people under another kind of address.

    Recipients addressed by one of `kinds` were removed, and recipients with another kind of address were added.
    """
    return Guard(
        "readdress",
        format_readdress(kinds, f" of {name}"),
        "address them as before, or pass --allow-readdress",
        (name,),
    )


def format_repeat(repeats: Mapping[str, int], of_message: str = "") -> str:
    """Says that recipients of a message got the same text under other names. `repeats` is as in `repeat_guard`."""
    other_names = " and ".join(sorted(repeats))
    recipients = format_recipients(max(repeats.values()))
    return f"{recipients}{of_message} already received this text, under the name {other_names}"


def format_readdress(kinds: str, of_message: str = "") -> str:
    """Says that recipients may be the same people under another kind of address. `kinds` is as in `readdress_guard`."""
    return (
        f"recipients{of_message} addressed by {kinds} were removed, and recipients addressed in another way were added."
        " If they are the same people, they would get the message twice"
    )


def format_exceptions(declaration: Declaration) -> Iterable[str]:
    """Yields the rules of msgrun.yaml that do not hold for a message, because it declares so."""
    if declaration.ignores_quiet_hours:
        yield "sent in quiet hours too (quiet_hours: ignore)"
    if declaration.ignores_frequency:
        yield "sent whatever else its recipients got (frequency: ignore)"


def workspace_guard(declared: str, ledger_workspace: str) -> Guard:
    """Returns the guard for a ledger that belongs to another workspace than msgrun.yaml declares."""
    return Guard(
        "workspace",
        f"msgrun.yaml names workspace {declared}, and the ledger belongs to {ledger_workspace}",
        "give each workspace an environment with its own ledger in msgrun.yaml",
    )


def limit_guards(sends: Mapping[str, int], limits: Limits, environment: str) -> Iterable[Guard]:
    """Yields the guards for a run that would send more than the limits in msgrun.yaml allow.

    `sends` is the number of deliveries to send of each message. The hint names both limits, because those of an
    environment replace those above it as a whole.
    """
    total, limit = sum(sends.values()), limits.recipients_per_message
    key = "limits" if environment == DEFAULT_ENVIRONMENT else f"environments.{environment}.limits"
    per_message, per_apply = max([limit, *sends.values()]), max(limits.recipients_per_apply, total)
    raised = f"limits: {{recipients_per_message: {per_message}, recipients_per_apply: {per_apply}}}"
    hint = f"to send to all of them, write to msgrun.yaml: {raised}; or send in parts: --limit"
    where = "msgrun.yaml" if environment == DEFAULT_ENVIRONMENT else f"msgrun.yaml, below the environment {environment}"

    def list_ways(limit: int) -> tuple[WayOut, ...]:
        parts = WayOut("Or send in parts", shown_command("apply", "--limit", str(limit)), is_shared=True)
        return WayOut(f"Send to all of them, with this line in {where}", raised, is_shared=True), parts

    for name, count in sends.items():
        if count > limit:
            yield Guard(
                "limit-message",
                f"{name} would go to {format_recipients(count)}, over {key}.recipients_per_message: {limit:,}",
                f"{hint} {limit}",
                (name,),
                list_ways(limit),
            )
    limit = limits.recipients_per_apply
    if total > limit:
        yield Guard(
            "limit-apply",
            f"this would send {total:,} messages, over {key}.recipients_per_apply: {limit:,}",
            f"{hint} {limit}",
            ways_out=list_ways(limit),
        )


def stale_plan_guard(message: str, hint: str, names: tuple[str, ...]) -> Guard:
    """Returns the guard for a saved plan that is older than what is declared now. `names` are messages it concerns."""
    return Guard(STALE_PLAN, message, hint, names)


def ledger_not_read_guard(reason: str, hint: str) -> Guard:
    """Returns the guard for a review without a ledger. `reason` is a sentence without its full stop."""
    unread = "The ledger was not read: how much of this was sent already is not known"
    return Guard(LEDGER_NOT_READ, f"{reason}. {unread}", hint)


def digest_guard(expected: str, paths: Sequence[str]) -> Guard:
    """Returns the guard for a plan whose digest is not the `expected` one. `paths` are those that it was made with."""
    return Guard(
        "digest",
        f"the plan's digest is not the expected {expected}",
        "give the PATHS that the expected plan was made with; if they are the same, a message changed or expired, so"
        f" review the plan again: {shown_command('plan', *paths)}",
    )


def recipients_guard(count: int, confirmed: int) -> Guard:
    """Returns the guard for a run that would send to more recipients than the user `confirmed`."""
    return Guard(
        "recipients",
        f"this would send to {format_recipients(count)}, and {confirmed:,} were confirmed",
        f"to send to all of them, pass --confirm-recipients {count}",
    )


def format_resend(revision: int, count: int, sends: int) -> str:
    """Says that `count` of the `sends` recipients to send to got another revision of the message already."""
    who = f"{count:,} of the {sends:,} to send" if count < sends else f"all {sends:,}"
    if sends == 1:
        return f"the recipient got revision {revision} already, and gets this too"
    return f"{who} got revision {revision} already, and {'gets' if count == 1 else 'get'} this too"


def format_recipients(count: int) -> str:
    """Returns a number of recipients as text: "1 recipient", "2,000 recipients"."""
    return f"{count:,} recipient" if count == 1 else f"{count:,} recipients"
