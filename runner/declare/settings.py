"""The settings of msgrun.yaml, for one environment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from posixpath import isabs, normpath
from typing import Any

from runner.declare import schema
from runner.declare.tree import Tree
from runner.declare.yaml.document import Document, read_documents
from runner.errors import Place, Problem, ProblemsFound, UsageMistake
from runner.ledger.address import URL_HINT, has_password, is_conninfo, is_postgres

SETTINGS_FILE = "msgrun.yaml"


DEFAULT_ENVIRONMENT = "default"


DEFAULT_API_VERSION = "2.14"


_NEWEST = (999, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """How many deliveries one run may send."""

    recipients_per_message: int = 10_000
    recipients_per_apply: int = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class AbortConditions:
    """When a run stops by itself: unknown outcomes in a row; a share of refusals (0 to 1) once `after` were tried."""

    unknown: int = 3
    refused: float = 0.2
    after: int = 50


@dataclass(frozen=True, slots=True, eq=False)
class LintSettings:
    """Which rules of `msgrun lint` count, by code (none named: all), and when an email counts as a mailing."""

    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    unsubscribe_above: int = 100


@dataclass(frozen=True, slots=True, eq=False)
class Settings:
    """What msgrun.yaml says for one environment, with the defaults of what it leaves out.

    `max_per_window` is a number of requests in 10 seconds; `share` is of Intercom's own limit. `plan_file` is its path.
    """

    environment: str = DEFAULT_ENVIRONMENT
    workspace: str = ""
    region: str = "us"
    api_version: str = DEFAULT_API_VERSION
    lock: str = "messages.lock"
    plan_file: str = "messages.plan"
    require_plan: bool = False
    salt: str = ""
    sender: str | None = None
    vars: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = Limits()
    abort_conditions: AbortConditions = AbortConditions()
    rate_share: float = 0.8
    max_per_window: int | None = None
    lint: LintSettings = LintSettings()
    suppress: tuple[str, ...] = ()


def version_number(api_version: str) -> tuple[int, int]:
    """An API version as numbers to compare; Preview is newer than all."""
    if api_version == "Preview":
        return _NEWEST
    major, _, minor = api_version.partition(".")
    return int(major), int(minor)


def environment_names(tree: Tree) -> list[str | None]:
    """Every environment that msgrun.yaml declares, after the unnamed one, which is None. Raises ProblemsFound."""
    document = _settings_document(tree)
    return [None, *sorted(document.value.get("environments", {}) if document else ())]


def load_settings(tree: Tree, environment: str | None, salt: str | None = None, lock: str | None = None) -> Settings:
    """The settings of an environment; `salt` and `lock` override the file's. Raises ProblemsFound, UsageMistake."""
    document = _settings_document(tree)
    value: dict[str, Any] = document.value if document else {}
    environments: dict[str, Any] = value.get("environments", {})
    if environment is not None and environment not in environments:
        known = sorted(environments)
        hint = schema.did_you_mean(environment, known) or (f"there are {', '.join(known)}" if known else "")
        raise UsageMistake(f"{SETTINGS_FILE} declares no environment {environment}", hint)
    own = environments[environment] if environment is not None else {}
    merged = {**value, **own, "vars": {**value.get("vars", {}), **own.get("vars", {})}}
    stem = "messages" if environment is None else f"messages.{environment}"
    merged["lock"] = lock or _lock(value, own if environment is not None else value, stem)
    merged["plan_file"] = f"{stem}.plan"
    merged["salt"] = salt if salt is not None else merged.get("salt", "")
    return _settings(environment or DEFAULT_ENVIRONMENT, merged)


def _lock(value: dict[str, Any], own: dict[str, Any], stem: str) -> str:
    """What `lock:` says for an environment; on a branch of git each has a file of its own, so there one is for all."""
    common = value.get("lock", "")
    return str(own.get("lock") or (common if common.startswith("git+") else f"{stem}.lock"))


def _settings_document(tree: Tree) -> Document | None:
    if (tree.root / SETTINGS_FILE).is_symlink():
        hint = "make it a file of its own"
        raise ProblemsFound([Problem("file-outside", Place(SETTINGS_FILE), f"{SETTINGS_FILE} is a link", hint)])
    if not (tree.root / SETTINGS_FILE).exists():
        return None
    found = list(read_documents(tree, SETTINGS_FILE))
    problems = [item for item in found if isinstance(item, Problem)]
    whole = [item for item in found if isinstance(item, Document)]
    if len(whole) > 1:
        problems.append(whole[1].problem("one-document", (), f"{SETTINGS_FILE} holds one document"))
    for document in whole[:1]:
        problems.extend(schema.check_document(document, "project"))
        if not problems:
            problems.extend([*_lock_problems(document), *_variable_problems(document)])
    if any(problem.is_error for problem in problems):
        raise ProblemsFound(problems)
    return whole[0] if whole else None


def _lock_problems(document: Document) -> list[Problem]:
    """Two environments on one lockfile would each take the other's deliveries for their own."""
    value = document.value
    paths = {normpath(value.get("lock", "messages.lock")): "the unnamed environment"}
    problems = [
        document.problem(
            "file-outside", (*owner, "lock"), f"{lock} is outside the project", "name a file below its root"
        )
        for owner, own in _owners(document)
        if (lock := own.get("lock", "")) and not is_postgres(lock) and (isabs(lock) or normpath(lock).startswith(".."))
    ]
    for owner, own in _owners(document):
        problems += _database_problems(document, (*owner, "lock"), own.get("lock", ""))
    for name, own in value.get("environments", {}).items():
        lock = normpath(own.get("lock", f"messages.{name}.lock"))
        if lock in paths and not lock.startswith("git+"):
            message = f"{paths[lock]} has the lockfile {lock} already"
            at = ("environments", name, "lock") if "lock" in own else ("environments", name)
            problems.append(document.problem("shared-lock", at, message, f"lock: messages.{name}.lock"))
        paths[lock] = name
    return problems


def _database_problems(document: Document, path: Sequence[str | int], lock: str) -> list[Problem]:
    """What is wrong with the address of a database. The line itself is not repeated: it may hold a password."""
    if not is_postgres(lock) and not is_conninfo(lock):
        return []
    if has_password(lock):
        message = "a password does not belong into a file that is committed"
        hint = (
            "take it out, and change it; libpq finds it in PGPASSWORD, ~/.pgpass or a service file, or set MSGRUN_LOCK"
        )
        return [replace(document.problem("lock-password", path, message, hint), excerpt="")]
    if is_conninfo(lock):
        return [document.problem("lock-conninfo", path, "this is no address of a ledger in a database", URL_HINT)]
    return []


def _variable_problems(document: Document) -> list[Problem]:
    problems = []
    for owner, own in _owners(document):
        for name in own.get("vars", {}):
            if not name.isidentifier():
                message = f"{name} cannot be a variable: letters, digits and underscores, the first no digit"
                problems.append(document.problem("variable-name", (*owner, "vars", name), message, at_key=True))
    return problems


def _owners(document: Document) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    """What holds settings: the document and each of its environments, with their paths."""
    environments = document.value.get("environments", {})
    return [((), document.value), *((("environments", name), own) for name, own in environments.items())]


def _settings(environment: str, value: Mapping[str, Any]) -> Settings:
    sender = value.get("from")
    breakers = dict(value.get("abort_if", {}))
    if "refused" in breakers:
        breakers["refused"] = float(breakers["refused"].rstrip("%")) / 100
    rate, suppress = value.get("rate", {}), value.get("suppress", [])
    return Settings(
        environment=environment,
        workspace=str(value.get("workspace", "")),
        region=value.get("region", "us"),
        api_version=value.get("api_version", DEFAULT_API_VERSION),
        lock=value["lock"],
        plan_file=value["plan_file"],
        require_plan=value.get("require_plan", False),
        salt=value["salt"],
        sender=str(sender["id"]) if sender else None,
        vars=value["vars"],
        limits=Limits(**value.get("limits", {})),
        abort_conditions=AbortConditions(**breakers),
        rate_share=rate.get("share", 0.8),
        max_per_window=rate.get("max_per_10s"),
        lint=LintSettings(**value.get("lint", {})),
        suppress=tuple([suppress] if isinstance(suppress, str) else suppress),
    )
