"""A saved plan: the keys and digests of the deliveries that it sends.

`apply` may send any subset of them, and nothing else. The file is the JSON of a plan, written with one delivery a
line, so that a million deliveries are read in little memory.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from runner.declare.audience.workspace_contacts import find_workspace_contacts
from runner.declare.declaration import Declaration
from runner.declare.keys_and_digests import DIGEST_VERSION, PLAN_DIGEST
from runner.declare.sender import Sender, parse_sender
from runner.declare.settings import DEFAULT_ENVIRONMENT
from runner.errors import GuardRefused, Place, Problem, ProblemsFound
from runner.ledger.facts import Facts
from runner.ledger.lines import parse_object
from runner.ledger.record import salt_check
from runner.plan.guards import Guard, format_recipients, stale_plan_guard
from runner.plan.sending_rules import SendingRules
from runner.shown_command import shown_command, shown_path

FORMAT_VERSION = 1
MAX_HEAD = 256 * 1024 * 1024  # bytes of the lines that are not one delivery each: all, if a plan is on one line
_ENTRY_SIZE, _BUCKET_PREFIX_SIZE = 32, 2  # bytes of a key and a digest without its version; of what a bucket shares
_KEY = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(DIGEST_VERSION + r"[0-9a-f]{32}")
_ADMIN_ID = re.compile(r"[0-9]{1,128}")
_FIELDS = {"environment": str, "workspace": str, "digest": str, "messages": list, "deliveries": list, "paths": list}
_CHANGED = "changed in Intercom since the plan was saved, so that another text would be sent"
_NEW = "came into the audience since the plan was saved"
MessageRevision = tuple[str, int]


class SavedPlan:
    """The head of a saved plan, and the key and digest of every delivery that it sends.

    `digest` is that of the plan, empty if an audience was not read. `names` are its messages, and `paths` the files and
    folders that it was made with, relative to the project's root; empty means all. `send_counts` is the number of these
    deliveries by message (name, revision). `sender_ids` are the admins' ids that were looked up when it was made; empty
    if Intercom was not asked. `rules` are those it was made with. A delivery takes 32 bytes. It is stored in a bucket
    with all deliveries whose keys begin with the same two bytes.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.environment = self.workspace = self.salt_check = self.digest = ""
        self.names: frozenset[str] = frozenset()
        self.paths: tuple[str, ...] = ()
        self.send_counts: Counter[MessageRevision] = Counter()
        self.sender_ids: dict[Sender, str] = {}
        self.rules: SendingRules = {}
        self._buckets: dict[bytes, bytearray] = {}

    def __contains__(self, key: str) -> bool:
        """Returns whether the plan sends the delivery with this key.

        False for a key of another form: ledgers may hold some.
        """
        return bool(_KEY.fullmatch(key) and self._find_digest(key))

    def allows(self, key: str, digest: str) -> bool:
        """Returns whether the plan sends the delivery with this key and exactly this digest."""
        return self._find_digest(key) == digest

    def require_made_for(self, environment: str, workspace: str, salt: str) -> None:
        """Raises GuardRefused if the plan is of another environment, workspace or salt.

        An empty `workspace` is not known yet, and is not compared.
        """
        made, save = f"{self.path} was made", f"save a plan for this one: {self.new_plan_command()}"
        if self.environment != environment:
            own = "" if self.environment == DEFAULT_ENVIRONMENT else self.environment
            hint = f"{save}; or send it there: {shown_command('apply', '--plan', self.path, environment=own)}"
            raise GuardRefused(f"{made} for environment {self.environment}, and this is {environment}", hint)
        if self.workspace and workspace and self.workspace != workspace:
            raise GuardRefused(f"{made} for workspace {self.workspace}, and this is {workspace}", save)
        if self.salt_check and self.salt_check != salt_check(salt):
            new = shown_command("plan", "--out", "plan.json")
            hint = f"save one of this project: {new}; or restore salt: of this one"
            raise GuardRefused(f"{made} in another project, with another salt", hint)

    def sender_guards(self, sender_ids: Mapping[Sender, str]) -> list[Guard]:
        """Returns a guard for each sender that now is another admin than when the plan was made."""
        return [
            Guard(
                "plan",
                f"{self.path} was made when {sender} was admin {saved_id}, and now it is admin {sender_ids[sender]}",
                f"list the admins: {shown_command('admins')}; then {self.new_plan_hint('--online')}",
            )
            for sender, saved_id in self.sender_ids.items()
            if sender_ids.get(sender, saved_id) != saved_id
        ]

    def undeclared_guards(
        self, declared: Collection[MessageRevision], facts: Facts, *, is_full_selection: bool
    ) -> list[Guard]:
        """Returns the guards of the messages (name, revision) that the plan sends and that are not declared.

        Unless `is_full_selection`, the user selected only some messages, and only the names in `declared` are checked.
        """
        revisions = dict(declared)
        missing = [
            message
            for message in self.send_counts
            if message not in declared and (is_full_selection or message[0] in revisions)
        ]
        return [
            guard
            for name, revision in sorted(missing)
            for guard in SavedPlanMessage(self, name, revision).guards(facts, declared_revision=revisions.get(name))
        ]

    def new_plan_command(self, *options: str) -> str:
        """Returns the command that saves a new plan in place of this one, of the same files."""
        return shown_command("plan", *map(shown_path, self.paths), *options, "--out", self.path)

    def new_plan_hint(self, *options: str) -> str:
        """Returns what to do about a plan that is out of date."""
        return f"save a new plan: {self.new_plan_command(*options)}; in CI, approve the newest run"

    def add(self, delivery: Mapping[str, Any]) -> bool:
        """Adds a delivery of the document, if its action is `send`. Returns whether the delivery has the right form."""
        key, digest, name, revision = (delivery.get(field) for field in ("key", "digest", "message", "revision"))
        if not (isinstance(key, str) and isinstance(digest, str) and isinstance(name, str)):
            return False
        if type(revision) is not int or not _KEY.fullmatch(key) or not _DIGEST.fullmatch(digest):
            return False
        if delivery.get("action") == "send":
            raw_key = bytes.fromhex(key)
            bucket = self._buckets.setdefault(raw_key[:_BUCKET_PREFIX_SIZE], bytearray())
            bucket += raw_key + bytes.fromhex(digest.removeprefix(DIGEST_VERSION))
            self.send_counts[name, revision] += 1
        return True

    def _find_digest(self, key: str) -> str:
        """Returns the digest of the delivery that the plan sends with this key; empty if it sends none."""
        raw_key = bytes.fromhex(key)
        bucket = self._buckets.get(raw_key[:_BUCKET_PREFIX_SIZE], b"")
        offset = bucket.find(raw_key)
        while offset % _ENTRY_SIZE and offset >= 0:  # a match across two entries or in a digest is not a key
            offset = bucket.find(raw_key, offset + 1)
        return DIGEST_VERSION + bucket[offset + len(raw_key) : offset + _ENTRY_SIZE].hex() if offset >= 0 else ""


def parse_saved_plan(path: str, lines: Iterable[bytes]) -> SavedPlan:
    """Parses a saved plan, as a stream if it has one delivery a line. Raises ProblemsFound with the first problem."""
    plan, head_lines, head_size = SavedPlan(path), [], 0
    for number, line in enumerate(lines, 1):
        text = line.strip().removesuffix(b",")
        if text.startswith(b'{"key":'):
            delivery = parse_object(text)
            if delivery is None or not plan.add(delivery):
                raise _create_error(path, "this is not a delivery of a plan", number)
        else:
            head_lines.append(line)
            head_size += len(line)
            if head_size > MAX_HEAD:
                raise _create_error(path, f"this is not a plan: it has more than {MAX_HEAD >> 20} MiB", number)
    head = _parse_head(path, b"".join(head_lines))
    if not all(isinstance(delivery, dict) and plan.add(delivery) for delivery in head["deliveries"]):
        raise _create_error(path, "one of its deliveries has the wrong form")
    plan.environment, plan.workspace, plan.digest = head["environment"], head["workspace"], head["digest"]
    plan.names = frozenset(str(item.get("name")) for item in head["messages"] if isinstance(item, dict))
    plan.paths = tuple(head["paths"])
    plan.salt_check = str(head.get("salt_check") or "")
    plan.sender_ids = _parse_sender_ids(path, head.get("senders", []))
    plan.rules = _parse_rules(path, head.get("rules", {}))
    return plan


def _parse_head(path: str, data: bytes) -> dict[str, Any]:
    """Returns the document without the deliveries that have a line each. Raises ProblemsFound."""
    head = parse_object(data)
    if head is None or "format_version" not in head:
        raise _create_error(path, "this is not a saved plan, or it is damaged or cut off")
    if (version := head["format_version"]) != FORMAT_VERSION:
        raise _create_error(path, f"this plan has version {version}, and msgrun reads {FORMAT_VERSION}")
    head.setdefault("paths", [])
    if "digest" in head and head["digest"] is None:
        head["digest"] = ""  # an audience was not read: its deliveries are not in the plan
    if not all(isinstance(head.get(name), kind) for name, kind in _FIELDS.items()):
        raise _create_error(path, f"this is not a plan: it lacks {', '.join(_FIELDS)}")
    is_digest = not head["digest"] or PLAN_DIGEST.fullmatch(head["digest"])
    if not (is_digest and all(isinstance(selected, str) for selected in head["paths"])):
        raise _create_error(path, "its digest or its paths have the wrong form")
    return head


class SavedPlanMessage:
    """The part of a saved plan that concerns one message.

    The planner passes it every declared delivery of the message, in any order. It counts those that the plan sends.
    `in_workspace`: the audience is in the workspace, where it changes by itself.
    """

    def __init__(self, plan: SavedPlan, name: str, revision: int, *, in_workspace: bool = False) -> None:
        self._plan = plan
        self._in_workspace = in_workspace
        self._name = name
        self._revision = revision
        self._has_match = False
        self._matching_count = 0
        self._different_count = 0

    @classmethod
    def find(cls, plan: SavedPlan | None, declaration: Declaration) -> "SavedPlanMessage | None":
        """Returns the part of a saved plan that concerns a declared message; None without a plan."""
        in_workspace = find_workspace_contacts(declaration.audience) is not None
        return cls(plan, declaration.name, declaration.revision, in_workspace=in_workspace) if plan else None

    def exclusion_reason(self, key: str, digest: str, *, is_sent: bool) -> str:
        """Returns why the plan does not send a declared delivery; empty if it sends it.

        `is_sent` says that the ledger has the delivery as sent.
        """
        if self._plan.allows(key, digest):
            self._has_match = True
            self._matching_count += not is_sent
            return ""
        if key in self._plan:
            self._different_count += not is_sent
            return _CHANGED if self._in_workspace else "changed since the plan was saved"
        return _NEW if self._in_workspace else "the saved plan does not send it"

    def count_undeclared(self, facts: Facts) -> int:
        """Returns the number of deliveries that the plan sends, that are no longer declared and that were not sent."""
        states = (facts.state(key) for key in facts.keys_of(self._name, self._revision) if key in self._plan)
        sent = sum(state is not None and state.status == "sent" for state in states)
        return self._plan.send_counts[self._name, self._revision] - sent - self._matching_count - self._different_count

    def guards(self, facts: Facts, declared_revision: int | None = None) -> list[Guard]:
        """Returns a guard if the plan has deliveries left to send, but no declared delivery is as planned.

        `declared_revision` is the one of the message, if it is not that of the plan.

        A delivery that was sent as planned still counts as planned, so that a run may be repeated.
        """
        undeclared = self.count_undeclared(facts)
        if self._has_match or not (self._different_count or undeclared):
            return []
        changed = f"what it sends to {format_recipients(self._different_count)} changed since"
        are = "is" if undeclared == 1 else "are"
        removed = f"{format_recipients(undeclared)} that it sends to {are} no longer declared"
        if declared_revision is not None:
            removed = f"it sends revision {self._revision}, and revision {declared_revision} is declared"
        description = ", and ".join([changed] * bool(self._different_count) + [removed] * bool(undeclared))
        hint = self._plan.new_plan_hint(*(["--online"] if self._in_workspace else []))
        message = f"{self._plan.path} is out of date for {self._name}: {description}"
        return [stale_plan_guard(message, hint, (self._name,))]


def _parse_sender_ids(path: str, items: Any) -> dict[Sender, str]:
    """Returns the ids of the senders that were looked up. Raises ProblemsFound if they have another form."""
    sender_ids = {}
    if not isinstance(items, list):
        raise _create_error(path, "one of its senders has the wrong form")
    for item in items:
        fields = item if isinstance(item, dict) else {}
        kinds = [kind for kind in ("email", "name") if isinstance(fields.get(kind), str)]
        admin_id = str(fields.get("id"))
        if len(kinds) != 1 or not _ADMIN_ID.fullmatch(admin_id):
            raise _create_error(path, "one of its senders has the wrong form")
        sender_ids[parse_sender({kinds[0]: fields[kinds[0]]})] = admin_id
    return sender_ids


def _parse_rules(path: str, rules: Any) -> SendingRules:
    """Returns the rules that the plan was made with. Raises ProblemsFound if they have another form."""
    if not isinstance(rules, dict) or not all(isinstance(of_owner, dict) for of_owner in rules.values()):
        raise _create_error(path, "its rules have the wrong form")
    return {owner: {name: str(rule) for name, rule in of_owner.items()} for owner, of_owner in rules.items()}


def _create_error(path: str, message: str, line: int = 1) -> ProblemsFound:
    hint = f"save a new plan: {shown_command('plan', '--out', 'plan.json')}"
    return ProblemsFound([Problem("saved-plan", Place(path, line), message, hint)])
