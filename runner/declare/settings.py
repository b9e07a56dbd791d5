"""Reads msgrun.yaml into the settings of one environment."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from runner.declare import schema
from runner.declare.audience.suppression import ContactFiles, parse_contact_files
from runner.declare.message_files import find_unread_settings
from runner.declare.project_root import SETTINGS_FILE
from runner.declare.recipient_rules import AllowList, RecipientPolicy, Redirect, parse_allow_list, parse_redirect
from runner.declare.sender import Sender, parse_sender
from runner.declare.sending_times import Frequency, QuietHours, parse_frequency, parse_quiet_hours
from runner.declare.settings_problems import find_settings_problems
from runner.declare.similar_names import did_you_mean, list_first
from runner.declare.tree import Tree
from runner.declare.yaml.document import Document, decode, parse_documents, read_documents
from runner.errors import Place, Problem, ProblemsFound, UsageMistake
from runner.ledger.lock_address import BranchAddress, LedgerAddress, default_lockfile, file_stem, parse_address

DEFAULT_ENVIRONMENT = "default"  # how the environment without a name is called: `-e default`
_DEFAULT_API_VERSION = "2.14"
_NEWEST = (999, 0)
_CONVERSATIONS_SINCE = (2, 6)  # the first version with create_conversation_without_contact_reply
_DEFAULT_LOCK = default_lockfile(file_stem(None))


class Limits(NamedTuple):
    """The largest number of deliveries that one run may send, of one message and of all."""

    recipients_per_message: int = 10_000
    recipients_per_apply: int = 10_000


class AbortConditions(NamedTuple):
    """When a run stops by itself.

    It stops after `unknown` unknown outcomes in a row. It also stops if the share of refusals is at least `refused` (0
    to 1) once `after` deliveries were tried.
    """

    unknown: int = 3
    refused: float = 0.2
    after: int = 50


class LintSettings(NamedTuple):
    """The settings of `msgrun lint`.

    `select` and `ignore` are codes of rules; an empty `select` means all rules. An email to more than
    `unsubscribe_above` recipients counts as a mailing.
    """

    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    unsubscribe_above: int = 100


class Settings(NamedTuple):
    """The settings of one environment, with defaults for keys that msgrun.yaml leaves out.

    `default_environment` is that of commands without -e; it is empty if that is the unnamed one.
    `lock` is the address of the ledger. `ledger_id` is the id that this ledger must have; it is empty if msgrun.yaml
    names none for this very environment. `remote` is the URL of the git remote that is asked whether the ledger moved;
    it may be empty. `stem` begins the names of the environment's files. `sender` is the default sender. `rate_share` is
    the share of Intercom's rate limit that all programs may use together. `max_per_window` is a number of requests in
    10 seconds; None means that only `rate_share` limits a run. `suppress` are the files of the suppression list. `only`
    are the recipients that may be sent to; None allows all. `redirect` is the contact that gets every message; None if
    each goes to its recipient. `token_env` is the variable that holds the access token; empty for the usual ones.
    `test_recipients` are the email addresses that test-send may send to.
    """

    environment: str = DEFAULT_ENVIRONMENT
    default_environment: str = ""
    workspace: str = ""
    region: str = "us"
    api_version: str = _DEFAULT_API_VERSION
    lock: LedgerAddress = _DEFAULT_LOCK
    ledger_id: str = ""
    remote: str = ""
    stem: str = file_stem(None)
    require_plan: bool = False
    salt: str = ""
    sender: Sender | None = None
    vars: Mapping[str, Any] = {}
    limits: Limits = Limits()
    abort_conditions: AbortConditions = AbortConditions()
    recipients: RecipientPolicy = RecipientPolicy()
    rate_share: float = 0.8
    max_per_window: int | None = None
    lint: LintSettings = LintSettings()
    suppress: tuple[ContactFiles, ...] = ()
    only: AllowList | None = None
    redirect: Redirect | None = None
    quiet_hours: QuietHours | None = None
    frequency: Frequency | None = None
    token_env: str = ""
    test_recipients: tuple[str, ...] = ()

    @property
    def environment_name(self) -> str | None:
        """The name of the environment in msgrun.yaml; None for the unnamed one."""
        return None if self.environment == DEFAULT_ENVIRONMENT else self.environment

    @property
    def plan_file(self) -> str:
        """The path of the plan file, relative to the root."""
        return f"{self.stem}.plan"

    @property
    def can_open_conversation(self) -> bool:
        """Whether a message can open a conversation in this version of the API, by which reconcile finds it."""
        return version_number(self.api_version) >= _CONVERSATIONS_SINCE


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
    return _build_declared(environment, _read_settings(tree), salt)


def find_setting(tree: Tree, environment: str | None, key: str) -> Place:
    """Returns the place of a setting that holds in an environment; that of msgrun.yaml if it is not there any more."""
    document = _read_settings_document(tree)
    return document.place(setting_path(document, environment, key)) if document else Place(SETTINGS_FILE)


def setting_path(document: Document, environment: str | None, key: str) -> tuple[str, ...]:
    """Returns the path of a setting that holds in an environment: its own, or the project's."""
    overrides = document.value.get("environments", {}).get(environment, {})
    return ("environments", environment, key) if environment and key in overrides else (key,)


def load_chosen_settings(tree: Tree, chosen: str | None, salt: str | None = None) -> Settings:
    """Returns the settings of the environment that the user chose with -e: `default` is the unnamed one.

    None, without -e, is the `default_environment` of msgrun.yaml, else the unnamed one. Raises as `load_settings`.
    """
    value = _read_settings(tree)
    environment = chosen or value.get("default_environment")
    return _build_declared(None if environment == DEFAULT_ENVIRONMENT else environment, value, salt)


def _build_declared(environment: str | None, value: dict[str, Any], salt: str | None) -> Settings:
    environments = value.get("environments", {})
    if environment is not None and environment not in environments:
        names = sorted(environments)
        there_are = f"there is {list_first(names)}; " if names else ""
        hint = did_you_mean(environment, names) or f"{there_are}declare it below environments:, as {environment}: {{}}"
        raise UsageMistake(f"{SETTINGS_FILE} declares no environment {environment}", hint)
    return _build_settings(environment, value, salt)


def load_all_settings(tree: Tree, salt: str | None = None) -> dict[str | None, Settings]:
    """Returns the settings of every environment: the unnamed one, then the others by name.

    msgrun.yaml is read once. `salt` overrides its salt. Raises ProblemsFound.
    """
    value = _read_settings(tree)
    return {name: _build_settings(name, value, salt) for name in [None, *sorted(value.get("environments", {}))]}


def find_ledger_ids(content: bytes) -> dict[str, str]:
    """Returns the ids of ledgers that a msgrun.yaml names, by environment; empty ones for environments without.

    A file that is not valid today counts as well, as long as it is YAML: a commit may be old.
    """
    source = decode(SETTINGS_FILE, content)
    items = () if isinstance(source, Problem) else parse_documents(source)
    value: Any = next((item.value for item in items if isinstance(item, Document)), {})  # {}: nothing but comments
    if not isinstance(value, dict):
        return {}
    named = value.get("environments")
    environments = {DEFAULT_ENVIRONMENT: value, **(named if isinstance(named, dict) else {})}
    return {name: str(own.get("ledger") or "") for name, own in environments.items() if isinstance(own, dict)}


def _build_settings(environment: str | None, value: dict[str, Any], salt: str | None) -> Settings:
    """Returns the settings of an environment, from all of msgrun.yaml. `salt` overrides its salt."""
    overrides = value["environments"][environment] if environment is not None else {}
    merged = {**value, **overrides}
    variables, policy = ({**value.get(key, {}), **overrides.get(key, {})} for key in ("vars", "recipients"))
    stem, own = file_stem(environment), value if environment is None else overrides
    abort_if, rate = dict(merged.get("abort_if", {})), merged.get("rate", {})
    if "refused" in abort_if:
        abort_if["refused"] = float(abort_if["refused"].rstrip("%")) / 100
    return Settings(
        environment=environment or DEFAULT_ENVIRONMENT,
        default_environment=merged.get("default_environment", ""),
        workspace=str(merged.get("workspace", "")),
        region=merged.get("region", "us"),
        api_version=merged.get("api_version", _DEFAULT_API_VERSION),
        lock=_choose_address(value, own, stem),
        ledger_id=own.get("ledger", ""),
        remote=merged.get("remote", ""),
        stem=stem,
        require_plan=merged.get("require_plan", False),
        salt=salt if salt is not None else merged.get("salt", ""),
        sender=parse_sender(merged["from"]) if "from" in merged else None,
        vars=variables,
        limits=Limits(**merged.get("limits", {})),
        abort_conditions=AbortConditions(**abort_if),
        recipients=RecipientPolicy(**policy),
        rate_share=rate.get("share", 0.8),
        max_per_window=rate.get("max_per_10s"),
        lint=LintSettings(**merged.get("lint", {})),
        test_recipients=tuple(merged.get("test_recipients", ())),
        suppress=parse_contact_files(merged.get("suppress", [])),
        only=parse_allow_list(merged["only"]) if "only" in merged else None,
        redirect=parse_redirect(merged["redirect"]) if "redirect" in merged else None,
        quiet_hours=parse_quiet_hours(merged["quiet_hours"]) if "quiet_hours" in merged else None,
        frequency=parse_frequency(merged["frequency"]) if "frequency" in merged else None,
        token_env=merged.get("token_env", ""),
    )


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
        if misnamed := list(find_unread_settings(tree, SETTINGS_FILE)):
            raise ProblemsFound(misnamed)
        return None
    items = list(read_documents(tree, SETTINGS_FILE))
    problems = [item for item in items if isinstance(item, Problem)]
    documents = [item for item in items if isinstance(item, Document)]
    if len(documents) > 1:
        problems.append(documents[1].problem("one-document", (), f"{SETTINGS_FILE} holds one document"))
    for document in documents[:1]:
        violations = schema.find_violations(document, "project")
        problems.extend(schema.violation_problem(document, violation) for violation in violations)
        if not problems:
            problems.extend(find_settings_problems(document))
    if any(problem.is_error for problem in problems):
        raise ProblemsFound(problems)
    return documents[0] if documents else None
