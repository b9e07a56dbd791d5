"""Problems of msgrun.yaml that its schema does not find: ledgers, the remote, and names of variables."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from runner.declare import schema
from runner.declare.sending_times import UNKNOWN_ZONE, find_zone
from runner.declare.similar_names import did_you_mean
from runner.declare.yaml.document import Document, YamlPath
from runner.errors import Problem, UsageMistake
from runner.git.remote_url import is_remote_url
from runner.ledger.lock_address import (
    CREDENTIALS_HINT,
    BranchAddress,
    DatabaseAddress,
    LedgerAddress,
    LockfileAddress,
    default_lockfile,
    file_stem,
    has_credentials,
    parse_address,
)
from runner.shown_command import shown_command


def find_settings_problems(document: Document) -> list[Problem]:
    """Returns the problems of a msgrun.yaml that fits the schema."""
    return [
        *_find_environment_problems(document),
        *_find_contact_problems(document),
        *_find_quiet_hours_problems(document),
        *_find_lock_problems(document),
        *_find_remote_problems(document),
        *_find_variable_problems(document),
    ]


def _find_environment_problems(document: Document) -> list[Problem]:
    chosen, environments = document.value.get("default_environment"), document.value.get("environments", {})
    if chosen is None or chosen in environments:
        return []
    hint = did_you_mean(chosen, sorted(environments)) or "name one of environments, or remove it"
    path = ("default_environment",)
    return [document.problem("unknown-environment", path, f"no environment is named {chosen}", hint)]


def _find_contact_problems(document: Document) -> list[Problem]:
    """Returns the problems of the contacts in `only` and `redirect` of every environment."""
    problems: list[Problem] = []
    for mapping_path, mapping in _list_settings_mappings(document):
        contacts: list[tuple[tuple[str | int, ...], Any]] = [
            ((*mapping_path, "only", index), {"type": "user", **entry})
            for index, entry in enumerate(mapping.get("only", ()))
            if not isinstance(entry, str)
        ]
        contacts += [((*mapping_path, "redirect"), mapping["redirect"])] if "redirect" in mapping else []
        for path, contact in contacts:
            if not schema.validator("contact").is_valid(contact):
                problems += [
                    schema.violation_problem(document, violation._replace(path=(*path, *violation.path)))
                    for violation in schema.explain_violations(contact, "contact")
                ]
    return problems


def _find_quiet_hours_problems(document: Document) -> list[Problem]:
    problems = []
    for mapping_path, mapping in _list_settings_mappings(document):
        if not (hours := mapping.get("quiet_hours")):
            continue
        path = (*mapping_path, "quiet_hours")
        if hours["from"] == hours["to"]:
            message, hint = "from and to are the same time", 'for example from: "20:00", to: "08:00"'
            problems.append(document.problem("quiet-hours-form", path, message, hint))
        try:
            find_zone(hours["timezone"])
        except UNKNOWN_ZONE:
            from zoneinfo import available_timezones  # noqa: PLC0415  # as in quiet_hours

            known_names = sorted(available_timezones())
            hint = did_you_mean(hours["timezone"], known_names) or "for example Europe/Berlin, or UTC"
            hint = hint if known_names else "this machine has no list of time zones: pip install tzdata"
            message = f"no time zone is named {hours['timezone']}"
            problems.append(document.problem("unknown-timezone", (*path, "timezone"), message, hint))
    return problems


def _find_lock_problems(document: Document) -> list[Problem]:
    """Returns the problems of every `lock:` in msgrun.yaml.

    Two environments on one lockfile or database are an error: each would count the deliveries of the other as its own.
    """
    problems, owners = [], dict[str, str]()
    for mapping_path, mapping in _list_settings_mappings(document):
        name = mapping_path[-1] if mapping_path else ""
        stem, path = file_stem(name), (*mapping_path, "lock")
        address = _check_address(document, path, mapping.get("lock") or default_lockfile(stem).path, stem)
        if isinstance(address, Problem):
            problems.append(address)
            continue
        if isinstance(address, LockfileAddress) and address.is_outside:
            message, hint = f"{mapping['lock']} is outside the project", "name a file below its root"
            problems.append(document.problem("file-outside", path, message, hint))
        if address.setting in owners and not isinstance(address, BranchAddress):  # a branch has a file for each
            message = f"{owners[address.setting]} has the lockfile {address.setting} already"
            place = path if "lock" in mapping else mapping_path
            problems.append(document.problem("shared-lock", place, message, f"lock: {default_lockfile(stem).path}"))
        owners[address.setting] = name or "the unnamed environment"
    return problems


def _check_address(document: Document, path: Sequence[str | int], lock: str, stem: str) -> LedgerAddress | Problem:
    """Returns the address of a ledger, or its problem. A line with a password is not quoted in its problem."""
    try:
        address = parse_address(lock, stem)
    except UsageMistake as error:
        return replace(document.problem("lock-address", path, error.message, error.hint), excerpt="")
    if isinstance(address, DatabaseAddress) and address.has_password:
        message = "a password does not belong into a file that is committed"
        hint = (
            "take it out, and change it; libpq finds it in PGPASSWORD, ~/.pgpass or a service file, or set MSGRUN_LOCK"
        )
        return replace(document.problem("lock-password", path, message, hint), excerpt="")
    return address


def _find_remote_problems(document: Document) -> list[Problem]:
    """Returns the problem of a `remote:` that is no URL, or has credentials, whose line is not quoted."""
    remote = document.value.get("remote", "")
    if not has_credentials(remote):
        hint = f"https://host/repository.git or git@host:repository.git; {shown_command('lock', 'begin')} writes it"
        is_url = "remote" not in document.value or is_remote_url(remote)
        return [] if is_url else [document.problem("remote-form", ("remote",), "remote is no URL of git", hint)]
    message = "remote contains credentials, which anyone who can read the repository can read"
    hint = f"take them out, and revoke them; {CREDENTIALS_HINT}"
    return [replace(document.problem("remote-credentials", ("remote",), message, hint), excerpt="")]


def find_variable_problems(document: Document, path: YamlPath, names: Iterable[str]) -> Iterator[Problem]:
    """Yields an error for each name of the mapping at a path that cannot be a variable of a template."""
    for name in names:
        if not name.isidentifier():
            message = f"{name} cannot be a variable: letters, digits and underscores, the first no digit"
            yield document.problem("variable-name", (*path, name), message, at_key=True)


def _find_variable_problems(document: Document) -> list[Problem]:
    return [
        problem
        for mapping_path, mapping in _list_settings_mappings(document)
        for problem in find_variable_problems(document, (*mapping_path, "vars"), mapping.get("vars", {}))
    ]


def _list_settings_mappings(document: Document) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    """Returns the mappings that contain settings, with their paths: the document itself, then each environment."""
    environments = document.value.get("environments", {})
    return [((), document.value), *((("environments", name), mapping) for name, mapping in environments.items())]
