"""Checks the recipients of a plan in Intercom: for plan --online, and before the first claim of apply."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from runner.cli.connection import CLOCK, Connection
from runner.cli.pauses import Signals, make_stop_conditions
from runner.cli.progress import CheckProgress
from runner.declare.declaration import SUBSCRIPTION_KEY
from runner.declare.settings import find_setting
from runner.deliver.contact_cache import ContactCache
from runner.deliver.contact_lookup import ContactLookup
from runner.deliver.frequency_check import FrequencyCheck
from runner.deliver.recipient_check import RecipientCheck, find_redirect_guard
from runner.deliver.stop import StopRequested
from runner.deliver.subscription_check import SubscriptionCheck
from runner.deliver.summary import StopReason
from runner.errors import Problem, ProblemsFound
from runner.intercom.subscriptions import SubscriptionType, find_subscription_types
from runner.ledger.facts import Facts
from runner.plan.plan import Plan


def check_recipients(connection: Connection, plan: Plan, facts: Facts) -> Plan:
    """Returns the plan with the contacts of its recipients, and without those that the rules leave out.

    Has a guard instead if the contact of `redirect` is not exactly one. Shows the progress. Raises ProblemsFound if a
    subscription type is not exactly one, RunStopped, and GuardRefused if a file changed meanwhile.
    """
    return _check(connection, plan, facts, _find_types(connection, plan), lambda: None)


def _check(
    connection: Connection, plan: Plan, facts: Facts, types: Mapping[str, SubscriptionType], poll: Callable[[], None]
) -> Plan:
    """`types` are the subscription types by name. `poll` is called again and again, and raises what ends the check."""
    context, workspace = connection.context, connection.workspace
    settings, progress = context.settings, CheckProgress(context.output, plan.to_send, connection.limiter)

    def watch() -> None:
        poll()
        progress.show_current()

    # The sandbox answers at once, and may forget its contacts.
    path = None if context.options.sandbox else context.kept_path(f"contacts-{settings.stem}")
    cache = ContactCache(connection.transport.token_hash, path, int(context.now.timestamp()))
    cache.load()
    lookup = ContactLookup(workspace, cache, watch)
    subscriptions = SubscriptionCheck(workspace, cache, types, watch)
    try:
        if settings.redirect and plan.to_send:
            place = find_setting(context.tree, settings.environment_name, "redirect")
            if guard := find_redirect_guard(lookup, settings.redirect, place):
                return replace(plan, guards=(*plan.guards, guard))
        frequency = FrequencyCheck(settings.frequency, facts, context.now) if settings.frequency else None
        recipients, salt = settings.recipients, settings.salt
        check = RecipientCheck(lookup, subscriptions, recipients, salt, facts, progress.count, frequency)
        return check.check(plan)
    finally:
        subscriptions.close()
        lookup.close()
        progress.clear()


def _find_types(connection: Connection, plan: Plan) -> dict[str, SubscriptionType]:
    """Returns the subscription types that messages require, by name. Raises ProblemsFound, RunStopped."""
    types, problems = dict[str, SubscriptionType](), list[Problem]()
    with connection.asking():
        results = find_subscription_types(connection.workspace, plan.subscriptions())
    for name, result in results.items():
        if isinstance(result, SubscriptionType):
            types[name] = result
            continue
        problems += [
            message.declaration.document.problem(
                "subscription-unknown", (SUBSCRIPTION_KEY,), result.message, result.hint
            )
            for message in plan.messages
            if message.declaration.require_subscription == name
        ]
    if problems:
        raise ProblemsFound(problems)
    return types


def check_before_sending(connection: Connection, plan: Plan, facts: Facts, deadline: float | None) -> Plan | StopReason:
    """Returns the plan as `check_recipients`, or why the run ends before its first claim.

    `deadline` is a time of the monotonic clock. Raises what `check_recipients` raises.
    """
    signals = Signals()
    conditions = make_stop_conditions(connection.context, lambda: signals.number, deadline)

    def poll() -> None:
        if reason := conditions.pause_reason(CLOCK, is_urgent=plan.is_urgent):
            raise StopRequested(reason)

    # Not below `signals`: a Ctrl-C would only be noted there, and nothing looks at it while this waits for Intercom.
    types = _find_types(connection, plan)
    try:
        with signals:
            checked = _check(connection, plan, facts, types, poll)
        poll()  # else a signal after the last batch would be lost
    except StopRequested as stopped:
        return stopped.reason
    return checked
