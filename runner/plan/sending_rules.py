"""The rules that decide, while a plan is sent, who is left out, when nothing is sent, and what stops the run.

They are not part of a digest. A saved plan holds those that it was made with, so a commit after its approval cannot
lift one. A rule that was added since then applies as well.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from runner.declare.declaration import SUBSCRIPTION_KEY, Declaration
from runner.declare.settings import Settings
from runner.plan.guards import Guard, stale_plan_guard

PROJECT = ""  # the name of what holds for all messages
SendingRules = Mapping[str, Mapping[str, str]]  # by the name of a message, then by the name of the rule


def list_sending_rules(settings: Settings, declarations: Iterable[Declaration]) -> dict[str, dict[str, str]]:
    """Returns the rules of the project and of each message, as texts; those that are not set are left out."""
    stop = settings.abort_conditions
    rules_of_recipients = settings.recipients.rules().items()  # all but `warn` keep a contact out
    of_project = {f"recipients.{fault}": "not sent" for fault, rule in rules_of_recipients if rule != "warn"}
    of_project["abort_if"] = f"{stop.unknown} unknown, {stop.refused:.0%} refused of {stop.after}"
    for name, setting in (("quiet_hours", settings.quiet_hours), ("frequency", settings.frequency)):
        if setting:
            of_project[name] = str(setting)
    rules = {PROJECT: of_project}
    for declaration in declarations:
        ignored = {"quiet_hours": declaration.ignores_quiet_hours, "frequency": declaration.ignores_frequency}
        of_message = {
            name: "holds" for name, is_ignored in ignored.items() if name in rules[PROJECT] and not is_ignored
        }
        if declaration.require_subscription:
            of_message[SUBSCRIPTION_KEY] = declaration.require_subscription
        if declaration.expires:
            of_message["expires"] = declaration.written("expires")
        if of_message:
            rules[declaration.name] = of_message
    return rules


def find_lifted_rules(
    path: str, saved: SendingRules, settings: Settings, declarations: Sequence[Declaration], hint: str
) -> Iterator[Guard]:
    """Yields a guard for each rule of a saved plan that changed or was removed. `declarations` are those to send."""
    current = list_sending_rules(settings, declarations)
    for owner in (PROJECT, *(declaration.name for declaration in declarations)):
        now = current.get(owner, {})
        for rule, value in saved.get(owner, {}).items():
            if now.get(rule) != value:
                subject = f"{owner}: {rule}" if owner else rule
                change = f"was {value} when {path} was saved, and now it is {now.get(rule) or 'not there'}"
                yield stale_plan_guard(f"{subject} {change}", hint, (owner,) if owner else ())
