"""Changes of the settings of environments are changes of guards."""

import json

from runner.compare import guard_settings
from runner.compare.declared_fields import FieldChange
from runner.compare.guard_settings import compare_environments, compare_guard_settings, interleave
from runner.declare.recipient_rules import Redirect, parse_allow_list
from runner.declare.sending_times import parse_frequency, parse_quiet_hours
from runner.declare.settings import Settings
from tests.support.project import ROOT

STAGING = Settings(
    environment="staging",
    salt="s",
    only=parse_allow_list([{"email": "ann@example.com"}, "*@example.com"]),
    redirect=Redirect("user", "email", "test@example.com"),
    quiet_hours=parse_quiet_hours({"from": "20:00", "to": "08:00", "timezone": "UTC"}),
    frequency=parse_frequency({"max": 1, "per": "7d"}),
    token_env="INTERCOM_TOKEN_STAGING",  # the name of a variable
)

# Keys of msgrun.yaml that decide nothing by themselves: the texts show the variables, each environment is compared.
DECIDE_NOTHING = {"vars", "environments"}


def test_every_key_of_a_project_is_compared_or_known_to_decide_nothing() -> None:
    schema = json.loads((ROOT / "schema/project.schema.json").read_text("utf-8"))
    of_environment = schema["properties"]["environments"]["additionalProperties"]["properties"]
    compared = {name.partition(".")[0] for name in guard_settings._list_guard_settings(Settings())}
    assert {*schema["properties"], *of_environment} - compared == DECIDE_NOTHING


def test_what_is_removed_is_named_without_an_address() -> None:
    now = STAGING._replace(only=None, redirect=None, quiet_hours=None, frequency=None, token_env="")
    changes = list(compare_guard_settings({"staging": STAGING}, {"staging": now}))
    assert [change.name.removeprefix("environments.staging.") for change in changes] == [
        "only", "quiet_hours", "frequency", "token_env", "redirect",
    ]  # fmt: skip
    assert [change.now for change in changes] == [""] * 5
    assert changes[0].before.startswith("*@example.com, 1 contact (check ")
    assert not any("ann@" in change.before or "test@" in change.before for change in changes)


def test_another_address_is_a_change_though_none_is_shown() -> None:
    now = STAGING._replace(
        only=parse_allow_list([{"email": "bo@example.com"}, "*@example.com"]),
        redirect=Redirect("user", "email", "bo@example.com"),
    )
    changes = list(compare_guard_settings({"staging": STAGING}, {"staging": now}))
    assert [change.name for change in changes] == ["environments.staging.only", "environments.staging.redirect"]


def test_a_new_environment_is_compared_with_the_unnamed_one_that_it_would_be_without_its_keys() -> None:
    before = Settings(salt="s", require_plan=True)
    changes = list(compare_environments({None: before}, {None: before, "staging": STAGING}))
    assert [change.name.removeprefix("environments.staging").removeprefix(".") for change in changes] == [
        "", "require_plan", "only", "quiet_hours", "frequency", "token_env", "redirect",
    ]  # fmt: skip
    same = list(compare_environments({None: before}, {None: before, "copy": before._replace(environment="copy")}))
    assert [change.name for change in same] == ["environments.copy"]


def test_a_renamed_environment_is_compared_with_the_old_one_unless_it_sends_in_another_workspace() -> None:
    default = Settings(salt="s", workspace="acme", require_plan=True)
    staging = Settings(environment="staging", salt="s", workspace="acme-test")
    renamed = staging._replace(environment="live")
    before = {None: default, "staging": staging}
    same = list(compare_environments(before, {None: default, "live": renamed}))
    assert [change.name for change in same] == ["environments.staging", "environments.live"]
    other = list(compare_environments(before, {None: default, "live": renamed._replace(workspace="acme")}))
    assert FieldChange("environments.live.require_plan", "true", "false") in other


def test_of_many_changes_each_kind_has_its_turn() -> None:
    many, few = (
        [FieldChange(f"{kind}{number}", "", "x") for number in range(count)] for kind, count in (("m", 20), ("f", 2))
    )
    assert interleave([few[:1], [], many[:11]]) == (few[0], *many[:11])
    assert interleave([few, [], many]) == (few[0], many[0], few[1], *many[1:])
