"""Checks of the workspace: whose token it is, what that may read, and whether workspace and senders are as declared."""

import contextlib
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runner.cli.connection import (
    CLOCK,
    SANDBOX_TOKEN,
    find_region_fault,
    find_workspace_fault,
    has_token,
    open_transport,
)
from runner.cli.context import Context
from runner.declare.project_root import SETTINGS_FILE
from runner.declare.sender import Sender
from runner.declare.settings import Settings
from runner.errors import MsgrunError
from runner.intercom.admins import Admin, SenderFault, find_admin, parse_admins
from runner.intercom.client import HOSTS, HttpTransport
from runner.intercom.identifiers import parse_id, parse_text
from runner.intercom.probe import Probe, parse_object
from runner.intercom.reply_meaning import account_hint, parse_error
from runner.intercom.transport import Access, NoReply, Reply
from runner.intercom.workspace import CONTACTS_PERMISSION
from runner.report.checkup_text import Check, Verdict
from runner.sandbox import Sandbox
from runner.shown_command import shown_command

_NAMES = ("token", "permissions", "workspace", "region", "api version", "senders", "rate limit", "clock")
# What each permission is for. The queries match no contact, so no personal data is sent.
_READS = (
    ("admins", "who sends cannot be checked", "GET", "/admins", None),
    (
        "contacts", "apply cannot look up its recipients", "POST", "/contacts/search",
        {"query": {"field": "id", "operator": "=", "value": "missing"}, "pagination": {"per_page": 1}},
    ),
    (
        "conversations", "reconcile cannot find what became of a delivery", "POST", "/conversations/search",
        {"query": {"field": "source.id", "operator": "=", "value": "0"}, "pagination": {"per_page": 1}},
    ),
)  # fmt: skip
# The names of the permissions in the Developer Hub. Source: Intercom's documentation of OAuth scopes.
_SCOPES = {
    "admins": "Read admins", "contacts": CONTACTS_PERMISSION, "conversations": "Read conversations",
}  # fmt: skip
_OK, _UNAUTHORIZED = 200, 401
_DENIED = (_UNAUTHORIZED, 403)
_MAX_DIFFERENCE = 5.0  # seconds between the clocks that are as good as none
_MAX_BEARABLE_DIFFERENCE = 300.0  # seconds: beyond it, `expires` and `not_before` are at quite another time
_BUSY_SHARE = 0.5  # of the rate limit, used by others: sending takes twice as long


@dataclass(frozen=True, slots=True)
class _Declared:
    """What the project says of the workspace. `ledger_workspace` is the one that the ledger names, or empty."""

    settings: Settings
    senders: Sequence[Sender]
    ledger_workspace: str
    is_sandbox: bool


def check_workspace(context: Context, senders: Sequence[Sender], ledger_workspace: str) -> list[Check]:
    """Returns the checks of the workspace."""
    is_sandbox = context.options.sandbox
    declared = _Declared(context.settings, senders, ledger_workspace, is_sandbox)
    try:
        with _open(declared) as (probe, access):
            return _check(probe, access, declared)
    except MsgrunError as error:
        verdict: Verdict = "fail" if is_sandbox or has_token(declared.settings) else "warn"
        return [Check("token", verdict, str(error.message), error.hint), *_skip(_NAMES[1:], "no access to Intercom")]


def _skip(names: Sequence[str], reason: str) -> list[Check]:
    return [Check(name, "skip", reason) for name in names]


@contextlib.contextmanager
def _open(declared: _Declared) -> Iterator[tuple[Probe, Access]]:
    if not declared.is_sandbox:
        transport, access = open_transport(declared.settings)
        yield Probe(transport, CLOCK), access
        return
    admins = [sender.value for sender in declared.senders if sender.kind != "id"]
    with Sandbox(admins=admins) as sandbox:  # without a file, so that nothing of it stays
        yield Probe(HttpTransport(sandbox.url, SANDBOX_TOKEN), CLOCK), Access()


def _check(probe: Probe, access: Access, declared: _Declared) -> list[Check]:
    version = declared.settings.api_version
    reply = probe.ask("GET", "/me", version=version)
    echo = check_version(reply, version)
    if echo.verdict == "fail":
        reply = probe.ask("GET", "/me")
    me = parse_object(reply)
    if me is None:
        failure = _explain_failure(reply, access)
        reason = "is not reached" if isinstance(reply, NoReply) else "does not accept the token"
        return [failure, *_skip(_NAMES[1:], f"Intercom {reason}")]
    replies = {name: probe.ask(method, path, body) for name, _, method, path, body in _READS}
    admins = parse_admins(parse_object(replies["admins"]))
    app = me.get("app")
    app = app if isinstance(app, dict) else {}
    return [
        _check_token(me, access, declared),
        _check_permissions(replies),
        _check_id_code(parse_id(app.get("id_code")), declared),
        _check_region(parse_id(app.get("region")).lower(), declared),
        echo,
        _check_senders(probe, admins, declared),
        check_rate_limit(probe),
        check_clock(probe),
    ]


def _explain_failure(reply: Reply | NoReply, access: Access) -> Check:
    if isinstance(reply, NoReply):
        fix = reply.fix or f"see whether {access.host} can be reached from here, and whether a proxy is needed"
        return Check("token", "fail", f"{access.host} is not reached: {reply.reason}", fix)
    code, message, _ = parse_error(reply)
    text = f"{access.host} answered HTTP status {reply.status}, {code}: {message}".rstrip(": ")
    hint = "" if reply.status == _UNAUTHORIZED else account_hint(reply, access)
    return Check("token", "fail", text, hint or access.hint)


def _check_token(me: dict[str, object], access: Access, declared: _Declared) -> Check:
    owner = f"{parse_text(me.get('name')) or 'an admin'} ({parse_id(me.get('id'))})"
    where = "the sandbox" if declared.is_sandbox else f"{access.token_variable}, accepted by {access.host}"
    return Check("token", "ok", f"of {owner}; {where}")


def _check_permissions(replies: dict[str, Reply | NoReply]) -> Check:
    statuses = {name: reply.status if isinstance(reply, Reply) else 0 for name, reply in replies.items()}
    if broken := [name for name, status in statuses.items() if status not in {_OK, *_DENIED}]:
        detail = f"{broken[0]} could not be read: HTTP status {statuses[broken[0]]}"
        return Check("permissions", "warn", detail, f"{shown_command('doctor')}, again in a minute")
    if lacking := [name for name, status in statuses.items() if status in _DENIED]:
        why = "; ".join(reason for name, reason, *_ in _READS if name in lacking)
        fix = f"Developer Hub, your app, Authentication, Edit: {', '.join(map(_SCOPES.__getitem__, lacking))}"
        verdict: Verdict = "fail" if "contacts" in lacking else "warn"  # without it, apply stops before its first claim
        return Check("permissions", verdict, f"may not read {' and '.join(lacking)}: {why}", fix)
    return Check("permissions", "ok", f"may read {', '.join(replies)}; whether it may send shows only when it sends")


def _check_id_code(id_code: str, declared: _Declared) -> Check:
    wanted = declared.settings.workspace
    if not id_code:
        fix = "use an access token of the app in that workspace"
        return Check("workspace", "fail", "GET /me does not name the workspace", fix)
    if declared.is_sandbox:
        return Check("workspace", "ok", f"{id_code}, which only exists on this machine")
    if fault := find_workspace_fault(id_code, wanted, declared.ledger_workspace):
        return Check("workspace", "fail", fault.message, fault.hint)
    if not wanted and declared.ledger_workspace:
        return Check("workspace", "ok", f"{id_code}, as the ledger says")
    if not wanted:
        detail = f"{id_code}, but {SETTINGS_FILE} does not pin it, so another token would send elsewhere"
        environment = declared.settings.environment_name
        place = f"{SETTINGS_FILE}, below environments.{environment}" if environment else SETTINGS_FILE
        return Check("workspace", "warn", detail, f"write workspace: {id_code} into {place}")
    return Check("workspace", "ok", f"{id_code}, as {SETTINGS_FILE} says")


def _check_region(region: str, declared: _Declared) -> Check:
    if not declared.is_sandbox and (fault := find_region_fault(region, declared.settings.region)):
        return Check("region", "fail", fault.message, fault.hint)
    return Check("region", "ok", region if region in HOSTS else "Intercom does not say it")


def _check_senders(probe: Probe, admins: Sequence[Admin] | None, declared: _Declared) -> Check:
    if not declared.senders:
        return Check("senders", "skip", "neither a message nor msgrun.yaml says who sends")
    if admins is None:
        return Check("senders", "skip", "the token may not list admins")
    results = {sender: find_admin(sender, admins) for sender in declared.senders}
    for sender, result in results.items():
        if isinstance(result, SenderFault) and not _exists(probe, sender):
            return Check("senders", "fail", result.message, result.hint)
    seatless = [admin for admin in results.values() if isinstance(admin, Admin) and admin.has_seat is False]
    if seatless:
        names = ", ".join(f"{admin.name} ({admin.id})" for admin in seatless)
        detail = f"no inbox seat: {names}; Intercom does not say whether one is needed to send"
        fix = f"see who has one: {shown_command('admins')}; or give it in Intercom: Settings, Teammates"
        return Check("senders", "warn", detail, fix)
    names = ", ".join(
        f"{result.name} ({result.id})" if isinstance(result, Admin) else str(sender)
        for sender, result in results.items()
    )
    return Check("senders", "ok", names)


def _exists(probe: Probe, sender: Sender) -> bool:
    """Returns whether an id that is not listed is that of an admin all the same, as far as Intercom says."""
    if sender.kind != "id":
        return False
    reply = probe.ask("GET", f"/admins/{sender.value}")
    return not (isinstance(reply, Reply) and parse_error(reply)[0] == "admin_not_found")


def check_version(reply: Reply | NoReply, version: str) -> Check:
    """Returns the check whether Intercom answers in the version that was asked for."""
    if isinstance(reply, NoReply):
        return Check("api version", "skip", "no answer")
    echo = reply.headers.get("intercom-version", "")
    fix = f'write api_version: "2.14" into {SETTINGS_FILE}'
    if parse_error(reply)[0] == "intercom_version_invalid":
        return Check("api version", "fail", f"Intercom does not know {version}", fix)
    if echo and echo != version:
        return Check(
            "api version",
            "fail",
            f"{version} was asked for, and Intercom answered in {parse_id(echo) or echo[:20]}",
            fix,
        )
    if not echo:
        return Check("api version", "ok", f"{version} was asked for; the answer names none")
    return Check("api version", "ok", f"Intercom answers in {version}")


def check_rate_limit(probe: Probe) -> Check:
    """Returns the check of the rate limit, in the window of the last answer."""
    view = probe.rate_limit
    if view is None or not view.limit:
        return Check("rate limit", "ok", "the answers do not show one")
    share = view.used_by_others / view.limit
    detail = f"{view.limit:,} requests in 10 seconds; other programs used {view.used_by_others:,} of them ({share:.0%})"
    if share >= _BUSY_SHARE:
        return Check("rate limit", "warn", detail, "send when they are quiet, or raise rate.share in msgrun.yaml")
    return Check("rate limit", "ok", detail)


def check_clock(probe: Probe) -> Check:
    """Returns the check of this machine's clock."""
    seconds = probe.clock_difference
    if seconds is None:
        return Check("clock", "skip", "the answers have no date")
    if abs(seconds) <= _MAX_DIFFERENCE:
        return Check("clock", "ok", f"at most {_MAX_DIFFERENCE:.0f} seconds from Intercom's")
    detail = f"this machine's clock is {abs(seconds):,.0f} seconds {'ahead of' if seconds > 0 else 'behind'} Intercom's"
    fix = "sudo sntp -sS time.apple.com" if platform.system() == "Darwin" else "sudo timedatectl set-ntp true"
    verdict: Verdict = "fail" if abs(seconds) > _MAX_BEARABLE_DIFFERENCE else "warn"
    return Check("clock", verdict, f"{detail}: expires and not_before come at another time", fix)
