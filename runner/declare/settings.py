"""Reads msgrun.yaml into the settings of one environment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from runner.declare import schema
from runner.declare.contact_files import ContactFiles, parse_contact_files
from runner.declare.sender import Sender, parse_sender
from runner.declare.similar_names import did_you_mean
from runner.declare.tree import Tree
from runner.declare.unread_files import refuse_misnamed_settings
from runner.declare.yaml.document import Document, read_documents
from runner.errors import Place, Problem, ProblemsFound, UsageMistake
from runner.ledger.address import (
    CREDENTIALS_HINT,
    BranchAddress,
    LedgerAddress,
    LockfileAddress,
    default_lockfile,
    file_stem,
    has_credentials,
    has_password,
    may_be_database,
    parse_address,
)

SETTINGS_FILE = "msgrun.yaml"
DEFAULT_ENVIRONMENT = "default"
DEFAULT_API_VERSION = "2.14"
_NEWEST = (999, 0)
_DEFAULT_LOCK = default_lockfile(file_stem(None))


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """The largest number of deliveries that one run may send, of one message and of all."""

    recipients_per_message: int = 10_000
    recipients_per_apply: int = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class AbortConditions:
    """When a run stops by itself.

    It stops after `unknown` unknown outcomes in a row. It also stops if the share of refusals is at least `refused` (0
    to 1) once `after` deliveries were tried.
    """

    unknown: int = 3
    refused: float = 0.2
    after: int = 50


@dataclass(frozen=True, slots=True, eq=False)
class LintSettings:
    """The settings of `msgrun lint`.

    `select` and `ignore` are codes of rules; an empty `select` means all rules. An email to more than
    `unsubscribe_above` recipients counts as a mailing.
    """

    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    unsubscribe_above: int = 100


@dataclass(frozen=True, slots=True, eq=False)
class Settings:
    """The settings of one environment, with defaults for keys that msgrun.yaml leaves out.

    `lock` is the address of the ledger. `ledger_id` is the id that this ledger must have; it is empty if msgrun.yaml
    names none for this very environment. `remote` is the URL of the git remote that is asked whether the ledger moved;
    it may be empty. `stem` begins the names of the environment's files. `sender` is the default sender. `rate_share` is
    the share of Intercom's rate limit that all programs may use together. `max_per_window` is a number of requests in
    10 seconds; None means that only `rate_share` limits a run. `suppress` are the files of the suppression list.
    """

    environment: str = DEFAULT_ENVIRONMENT
    workspace: str = ""
    region: str = "us"
    api_version: str = DEFAULT_API_VERSION
    lock: LedgerAddress = _DEFAULT_LOCK
    ledger_id: str = ""
    remote: str = ""
    stem: str = file_stem(None)
    require_plan: bool = False
    salt: str = ""
    sender: Sender | None = None
    vars: Mapping[str, Any] = field(default_factory=dict)
    limits: Limits = Limits()
    abort_conditions: AbortConditions = AbortConditions()
    rate_share: float = 0.8
    max_per_window: int | None = None
    lint: LintSettings = LintSettings()
    suppress: tuple[ContactFiles, ...] = ()

    @property
    def plan_file(self) -> str:
        """The path of the plan file, relative to the root."""
        return f"{self.stem}.plan"


def version_number(api_version: str) -> tuple[int, int]:
    """Returns an API version as two numbers to compare: major and minor. `Preview` is newer than all others."""
    if api_version == "Preview":
        return _NEWEST
    major, _, minor = api_version.partition(".")
    return int(major), int(minor)


def environment_names(tree: Tree) -> list[str | None]:
    """Returns None for the unnamed environment, then the names in msgrun.yaml, sorted. Raises ProblemsFound."""
    return [None, *sorted(_read_settings(tree).get("environments", {}))]


def load_settings(tree: Tree, environment: str | None, salt: str | None = None) -> Settings:
    """Returns the settings of an environment; None is the unnamed one. `salt` overrides that of msgrun.yaml.

    Raises ProblemsFound if msgrun.yaml has errors, and UsageMistake if it does not declare the environment.
    """
    value = _read_settings(tree)
    environments: dict[str, Any] = value.get("environments", {})
    if environment is not None and environment not in environments:
        known_names = sorted(environments)
        hint = did_you_mean(environment, known_names) or (f"there are {', '.join(known_names)}" if known_names else "")
        raise UsageMistake(f"{SETTINGS_FILE} declares no environment {environment}", hint)
    return _build_settings(environment, value, salt)


def load_all_settings(tree: Tree, salt: str | None = None) -> dict[str | None, Settings]:
    """Returns the settings of every environment: the unnamed one, then the others by name.

    msgrun.yaml is read once. `salt` overrides its salt. Raises ProblemsFound.
    """
    value = _read_settings(tree)
    return {name: _build_settings(name, value, salt) for name in [None, *sorted(value.get("environments", {}))]}


def _build_settings(environment: str | None, value: dict[str, Any], salt: str | None = None) -> Settings:
    """Returns the settings of an environment, from all of msgrun.yaml. `salt` overrides its salt."""
    overrides = value["environments"][environment] if environment is not None else {}
    merged = {**value, **overrides, "vars": {**value.get("vars", {}), **overrides.get("vars", {})}}
    stem, own = file_stem(environment), value if environment is None else overrides
    merged["lock"] = _choose_address(value, own, stem)
    merged["ledger"], merged["stem"] = own.get("ledger", ""), stem
    merged["salt"] = salt if salt is not None else merged.get("salt", "")
    return _convert_settings(environment or DEFAULT_ENVIRONMENT, merged)


def _choose_address(value: dict[str, Any], overrides: dict[str, Any], stem: str) -> LedgerAddress:
    """Returns the address of an environment's ledger: its own `lock`, a `git+` address of the project, or a lockfile.

    Environments can share a `git+` address, because each has a file of its own on the branch. They cannot share a
    lockfile.
    """
    if lock := overrides.get("lock"):
        return parse_address(lock, stem)
    shared = parse_address(value["lock"], stem) if value.get("lock") else None
    return shared if isinstance(shared, BranchAddress) else default_lockfile(stem)


def _read_settings(tree: Tree) -> dict[str, Any]:
    document = _read_settings_document(tree)
    return document.value if document else {}


def _read_settings_document(tree: Tree) -> Document | None:
    if (tree.root / SETTINGS_FILE).is_symlink():
        hint = "make it a file of its own"
        raise ProblemsFound([Problem("file-outside", Place(SETTINGS_FILE), f"{SETTINGS_FILE} is a link", hint)])
    if not (tree.root / SETTINGS_FILE).exists():
        refuse_misnamed_settings(tree, SETTINGS_FILE)
        return None
    items = list(read_documents(tree, SETTINGS_FILE))
    problems = [item for item in items if isinstance(item, Problem)]
    documents = [item for item in items if isinstance(item, Document)]
    if len(documents) > 1:
        problems.append(documents[1].problem("one-document", (), f"{SETTINGS_FILE} holds one document"))
    for document in documents[:1]:
        problems.extend(schema.check_document(document, "project"))
        if not problems:
            problems.extend(
                [*_find_lock_problems(document), *_find_remote_problems(document), *_find_variable_problems(document)]
            )
    if any(problem.is_error for problem in problems):
        raise ProblemsFound(problems)
    return documents[0] if documents else None


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
    if may_be_database(lock) and has_password(lock):
        message = "a password does not belong into a file that is committed"
        hint = (
            "take it out, and change it; libpq finds it in PGPASSWORD, ~/.pgpass or a service file, or set MSGRUN_LOCK"
        )
        return replace(document.problem("lock-password", path, message, hint), excerpt="")
    try:
        return parse_address(lock, stem)
    except UsageMistake as error:
        return replace(document.problem("lock-address", path, error.message, error.hint), excerpt="")


def _find_remote_problems(document: Document) -> list[Problem]:
    """Returns the problem of a `remote:` with credentials. Its line is not quoted."""
    if not has_credentials(document.value.get("remote", "")):
        return []
    message = "remote contains credentials, and everybody who can read the repository can read them"
    hint = f"take them out, and revoke them; {CREDENTIALS_HINT}"
    return [replace(document.problem("remote-credentials", ("remote",), message, hint), excerpt="")]


def _find_variable_problems(document: Document) -> list[Problem]:
    problems = []
    for mapping_path, mapping in _list_settings_mappings(document):
        for name in mapping.get("vars", {}):
            if not name.isidentifier():
                message = f"{name} cannot be a variable: letters, digits and underscores, the first no digit"
                problems.append(document.problem("variable-name", (*mapping_path, "vars", name), message, at_key=True))
    return problems


def _list_settings_mappings(document: Document) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    """Returns the mappings that contain settings, with their paths: the document itself, then each environment."""
    environments = document.value.get("environments", {})
    return [((), document.value), *((("environments", name), mapping) for name, mapping in environments.items())]


def _convert_settings(environment: str, value: Mapping[str, Any]) -> Settings:
    sender = value.get("from")
    abort_if = dict(value.get("abort_if", {}))
    if "refused" in abort_if:
        abort_if["refused"] = float(abort_if["refused"].rstrip("%")) / 100
    rate = value.get("rate", {})
    return Settings(
        environment=environment,
        workspace=str(value.get("workspace", "")),
        region=value.get("region", "us"),
        api_version=value.get("api_version", DEFAULT_API_VERSION),
        lock=value["lock"],
        ledger_id=value["ledger"],
        remote=value.get("remote", ""),
        stem=value["stem"],
        require_plan=value.get("require_plan", False),
        salt=value["salt"],
        sender=parse_sender(sender) if sender else None,
        vars=value["vars"],
        limits=Limits(**value.get("limits", {})),
        abort_conditions=AbortConditions(**abort_if),
        rate_share=rate.get("share", 0.8),
        max_per_window=rate.get("max_per_10s"),
        lint=LintSettings(**value.get("lint", {})),
        suppress=parse_contact_files(value.get("suppress", [])),
    )
