"""Compares the settings that guard the sending with those at another commit."""

import hashlib
import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain, zip_longest

from runner.characters import show_look_alikes
from runner.compare import declared_fields
from runner.compare.comparison import MessageChange
from runner.compare.declared_fields import FieldChange, describe_change, format_value
from runner.declare import declaration
from runner.declare.recipient_rules import DOMAIN_PREFIX, AllowList, Redirect
from runner.declare.settings import Settings
from runner.ledger.record import salt_check

_OWN_KEYS = frozenset({"default_environment", "lock", "ledger", "remote", "workspace"})  # of each environment
_MAX_IN_ORDER = 12  # changed guards, which every review shows in full


def compare_guard_settings(
    before: Mapping[str | None, Settings], now: Mapping[str | None, Settings]
) -> Iterator[FieldChange]:
    """Yields the changes of the settings that guard the sending, in each environment that both sides have.

    The key None is the unnamed environment.
    """
    for name in sorted(before.keys() & now.keys(), key=lambda name: name or ""):
        yield from _compare(before[name], now[name], f"environments.{name}." if name else "")


def compare_environments(
    before: Mapping[str | None, Settings], now: Mapping[str | None, Settings]
) -> Iterator[FieldChange]:
    """Yields what the default environment changes if it is another one, then the environments that one side lacks.

    A new one is compared with that which was removed, if it is one for one and sends in the same workspace: then it is
    the same under another name. Else both are compared with the unnamed environment, whose settings they would have
    otherwise.
    """
    yield from dict.fromkeys(_list_environment_changes(before, now))


def _list_environment_changes(
    before: Mapping[str | None, Settings], now: Mapping[str | None, Settings]
) -> Iterator[FieldChange]:
    old_default, default = (side[None].default_environment or None if None in side else None for side in (before, now))
    if old_default != default and old_default in before and default in now:
        prefix = f"environments.{default}." if default else ""
        yield from _compare(before[old_default], now[default], prefix, _OWN_KEYS)
    removed, new = (list(filter(None, one.keys() - other.keys())) for one, other in ((before, now), (now, before)))
    is_renamed = len(removed) == len(new) == 1 and _find_workspace(before[removed[0]]) == _find_workspace(now[new[0]])
    for name in sorted(before.keys() ^ now.keys(), key=lambda name: (name in now, name != default, name or "")):
        prefix = f"environments.{name}" if name else ""
        yield FieldChange(prefix, *("" if name not in side else _format_lock(side[name]) for side in (before, now)))
        if is_renamed and name in now:
            yield from _compare(before[removed[0]], now[name], f"{prefix}.", _OWN_KEYS)
        elif not is_renamed and name in now and name != default and None in before:
            yield from _compare(before[None], now[name], f"{prefix}.", _OWN_KEYS)
        elif not is_renamed and name in before and None in now:
            yield from _compare(before[name], now[None], f"{prefix}.", _OWN_KEYS)


def _find_workspace(settings: Settings) -> tuple[str, ...]:
    """Returns what decides to which workspace an environment sends."""
    return settings.workspace, settings.region, settings.token_env


def interleave(groups: Iterable[Sequence[FieldChange]]) -> tuple[FieldChange, ...]:
    """Returns the changes of all groups: a few as they are, else the first of each group, then the second of each.

    A long list is cut, and the changes of one kind must not push out those of the others.
    """
    changes = tuple(chain.from_iterable(groups := list(groups)))
    turns = chain.from_iterable(zip_longest(*groups))
    return changes if len(changes) <= _MAX_IN_ORDER else tuple(change for change in turns if change is not None)


def _compare(before: Settings, now: Settings, prefix: str, ignored: Container[str] = ()) -> Iterator[FieldChange]:
    old, new = _list_guard_settings(before), _list_guard_settings(now)
    for key, (_, words) in new.items():
        if key not in ignored and old[key] != new[key]:
            yield describe_change(f"{prefix}{key}", old[key][1], words)


def find_weakened_rules(changes: Iterable[MessageChange]) -> Iterator[FieldChange]:
    """Yields what leaves out fewer people now: subscriptions, lists of contacts, and rules that a message ignores."""
    for change in changes:
        for field in change.fields:
            match field.name:
                case declaration.SUBSCRIPTION_KEY | declared_fields.EXCLUDE_KEY | declared_fields.LISTED_RECIPIENTS:
                    is_weakened = bool(field.before)
                case declared_fields.EXCLUDED_CONTACTS:
                    is_weakened = not field.now.endswith(" 0 removed")
                case declared_fields.RECIPIENT_KIND:
                    is_weakened = True
                case _:
                    is_weakened = bool(field.now) and field.name in declaration.EXCEPTION_KEYS
            if is_weakened:
                yield FieldChange(f"{change.name}: {field.name}", field.before, field.now)
        if change.audience and (count := change.audience.unrecognised):
            now = f"{count:,} {'is' if count == 1 else 'are'} not found by it any more, and sent to"
            yield FieldChange(f"{change.name}: {declared_fields.LISTED_RECIPIENTS}", "left out", now)


def _format_lock(settings: Settings) -> str:
    return f"lock: {settings.lock.setting}, workspace: {settings.workspace or 'not pinned'}"


def _list_guard_settings(settings: Settings) -> dict[str, tuple[object, str]]:
    """Returns the settings that guard the sending, by their names in msgrun.yaml: each value, and its words.

    Two values may have the same words. The salt is secret: its words are the check value that the ledger holds.
    """
    limits, abort_conditions, lint = settings.limits, settings.abort_conditions, settings.lint
    share, per_window, salt = settings.rate_share, settings.max_per_window, settings.salt
    of_project = {"default_environment": settings.default_environment} if settings.environment_name is None else {}
    texts = {
        **of_project,
        "lock": settings.lock.setting,
        "ledger": settings.ledger_id,
        "remote": settings.remote,
        "workspace": settings.workspace,
        "region": settings.region,
        "from": str(settings.sender or ""),
        "api_version": settings.api_version,
    }
    return {
        **{name: (words, words) for name, words in texts.items()},
        "salt": (salt, f"check {salt_check(salt)}"),
        "require_plan": (settings.require_plan, str(settings.require_plan).lower()),
        "limits.recipients_per_message": _count(limits.recipients_per_message),
        "limits.recipients_per_apply": _count(limits.recipients_per_apply),
        "abort_if.unknown": _count(abort_conditions.unknown),
        "abort_if.refused": (abort_conditions.refused, f"{abort_conditions.refused:.0%}"),
        "abort_if.after": _count(abort_conditions.after),
        **{f"recipients.{fault}": (rule, rule) for fault, rule in settings.recipients.rules().items()},
        "rate.share": (share, f"{share:g}"),
        "rate.max_per_10s": (per_window, f"{per_window:,}" if per_window else ""),
        "lint.ignore": (lint.ignore, ", ".join(lint.ignore)),
        "lint.select": (lint.select, ", ".join(lint.select)),
        "lint.unsubscribe_above": _count(lint.unsubscribe_above),
        "suppress": (settings.suppress, ", ".join(map(_format_item, settings.suppress))),
        "only": (settings.only, _format_only(settings.only, salt) if settings.only else ""),
        "quiet_hours": (settings.quiet_hours, str(settings.quiet_hours or "")),
        "frequency": (settings.frequency, str(settings.frequency or "")),
        "token_env": (settings.token_env, settings.token_env),
        "redirect": (settings.redirect, _format_redirect(settings.redirect, salt) if settings.redirect else ""),
        "test_recipients": (settings.test_recipients, _format_test_recipients(settings.test_recipients, salt)),
    }


def _format_item(item: object) -> str:
    """Returns an item of a list that is joined by commas, as JSON if it has one itself, or a quote."""
    text = str(item)
    return show_look_alikes(json.dumps(text, ensure_ascii=False)) if {",", '"'} & set(text) else format_value(text)


def _count(number: int) -> tuple[object, str]:
    return number, f"{number:,}"


def _format_only(only: AllowList, salt: str) -> str:
    """Returns the domains of an allow-list and the number of its contacts, but no address."""
    words = [f"{DOMAIN_PREFIX}{domain}" for domain in sorted(only.domains)]
    if count := len(only.identifiers):
        words.append(f"{count:,} contact{'s' * (count != 1)} ({_fingerprint(sorted(only.identifiers), salt)})")
    return ", ".join(words)


def _format_test_recipients(addresses: Sequence[str], salt: str) -> str:
    """Returns the number of the addresses that tests may be sent to, but no address."""
    return f"{len(addresses):,} ({_fingerprint(sorted(addresses), salt)})" if addresses else ""


def _format_redirect(redirect: Redirect, salt: str) -> str:
    """Returns the contact of a redirect: its id, but no address."""
    name = redirect.value if redirect.kind == "id" else f"({_fingerprint(redirect.value, salt)})"
    return f"{redirect.role} by {redirect.kind} {name}"


def _fingerprint(value: object, salt: str) -> str:
    """Returns a value to compare private ones by, which does not reveal them."""
    return f"check {hashlib.sha256(repr((salt, value)).encode()).hexdigest()[:8]}"
