"""A saved plan: the keys and digests of what it sends; apply may send any subset of that, and nothing else.

It is the JSON of a plan, written with one delivery a line, so that a million of them are read in little memory.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import orjson

from runner.declare.identity import DIGEST_VERSION
from runner.errors import Place, Problem, ProblemsFound
from runner.ledger.facts import Facts
from runner.ledger.record import salt_check
from runner.plan.guards import Guard

FORMAT_VERSION = 1


_ENTRY = 32  # bytes: a key, and a digest without its version


_BUCKET = 2  # bytes of a key that name its bucket


_KEY = re.compile(r"[0-9a-f]{32}")


_DIGEST = re.compile(DIGEST_VERSION + r"[0-9a-f]{32}")


_TEXTS = ("environment", "workspace", "digest")


MessageRevision = tuple[str, int]


class SavedPlan:
    """What a saved plan says of itself, and for every delivery that it sends the key and the digest.

    `sends` counts them by message (name, revision). A delivery takes 32 bytes, in a bucket for the start of its key.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.environment = self.workspace = self.salt_check = ""
        self.send_counts: Counter[MessageRevision] = Counter()
        self._buckets: dict[bytes, bytearray] = {}

    def __contains__(self, key: str) -> bool:
        """Whether the plan sends the delivery with this key; a ledger may hold keys of any form."""
        return bool(_KEY.fullmatch(key) and self._digest(key))

    def allows(self, key: str, digest: str) -> bool:
        """Whether the plan sends exactly this delivery."""
        return self._digest(key) == digest

    def mismatches(self, environment: str, workspace: str, salt: str) -> list[Guard]:
        """Why nothing of it may be sent from here at all, if so; a `workspace` that is not known yet is empty."""
        told = []
        if self.environment != environment:
            words = f"for environment {self.environment}, and this is {environment}"
            told.append((words, "choose the environment with -e"))
        if self.workspace and workspace and self.workspace != workspace:
            words = f"for workspace {self.workspace}, and this is {workspace}"
            told.append((words, "save a plan for this one: msgrun plan --out"))
        if self.salt_check and self.salt_check != salt_check(salt):
            told.append(("with another salt", "put back salt: of msgrun.yaml, or MSGRUN_SALT"))
        return [Guard("plan", f"{self.path} was made {words}", hint) for words, hint in told]

    def undeclared_guards(
        self, declared: Collection[MessageRevision], facts: Facts, *, is_full_selection: bool
    ) -> list[Guard]:
        """The messages that it sends and that are not declared. Unless `whole`, only some were selected by name."""
        names = {name for name, _ in declared}
        missing = [
            found for found in self.send_counts if found not in declared and (is_full_selection or found[0] in names)
        ]
        shares = [SavedPlanMessage(self, *message) for message in sorted(missing)]
        return [guard for share in shares for guard in share.guards(facts)]

    def add(self, delivery: Mapping[str, Any]) -> bool:
        """Takes a delivery of the document, if the plan sends it; whether it has the right form."""
        key, digest, name, revision = (delivery.get(part) for part in ("key", "digest", "message", "revision"))
        if not (isinstance(key, str) and isinstance(digest, str) and isinstance(name, str)):
            return False
        if type(revision) is not int or not _KEY.fullmatch(key) or not _DIGEST.fullmatch(digest):
            return False
        if delivery.get("action") == "send":
            raw = bytes.fromhex(key)
            bucket = self._buckets.setdefault(raw[:_BUCKET], bytearray())
            bucket += raw + bytes.fromhex(digest.removeprefix(DIGEST_VERSION))
            self.send_counts[name, revision] += 1
        return True

    def _digest(self, key: str) -> str:
        """The digest that a key is sent with; empty if it is not sent."""
        raw = bytes.fromhex(key)
        bucket = self._buckets.get(raw[:_BUCKET], b"")
        at = bucket.find(raw)
        while at % _ENTRY and at >= 0:  # found across the border of two entries, or in a digest
            at = bucket.find(raw, at + 1)
        return DIGEST_VERSION + bucket[at + len(raw) : at + _ENTRY].hex() if at >= 0 else ""


def parse_saved_plan(path: str, lines: Iterable[bytes]) -> SavedPlan:
    """Reads a saved plan, in a stream if it has one delivery a line. Raises ProblemsFound."""
    plan, rest = SavedPlan(path), []
    for number, line in enumerate(lines, 1):
        text = line.strip().removesuffix(b",")
        if text.startswith(b'{"key":'):
            delivery = _object(text)
            if delivery is None or not plan.add(delivery):
                raise _problem(path, "this is no delivery of a plan", number)
        else:
            rest.append(line)
    head = _object(b"".join(rest))
    if head is None:
        raise _problem(path, "this is no plan: it is damaged, cut off, or something else")
    if head.get("format_version") != FORMAT_VERSION:
        raise _problem(path, f"format_version is {head.get('format_version')}, and this msgrun reads {FORMAT_VERSION}")
    if not all(isinstance(head.get(name), str) for name in _TEXTS) or not isinstance(head.get("deliveries"), list):
        raise _problem(path, f"this is no plan: it lacks {', '.join(_TEXTS)} or deliveries")
    if not all(isinstance(delivery, dict) and plan.add(delivery) for delivery in head["deliveries"]):
        raise _problem(path, "one of its deliveries has the wrong form")
    plan.environment, plan.workspace = head["environment"], head["workspace"]
    plan.salt_check = str(head.get("salt_check") or "")
    return plan


class SavedPlanMessage:
    """One message's part of a saved plan, asked about its declared deliveries as they pass, in any order."""

    def __init__(self, plan: SavedPlan, name: str, revision: int) -> None:
        self._plan = plan
        self._name = name
        self._revision = revision
        self._fits = False
        self._as_planned = 0
        self._otherwise = 0

    def exclusion_reason(self, key: str, digest: str, *, is_sent: bool) -> str:
        """Why the plan does not send a declared delivery; empty if it does. `sent`: it went out already."""
        if self._plan.allows(key, digest):
            self._fits = True
            self._as_planned += not is_sent
            return ""
        if key in self._plan:
            self._otherwise += not is_sent
            return "declared otherwise than the saved plan has it"
        return "the saved plan does not send it"

    def count_undeclared(self, facts: Facts) -> int:
        """How many deliveries the plan sends that are no longer declared, and did not go out either."""
        states = (facts.state(key) for key in facts.keys_of(self._name, self._revision) if key in self._plan)
        sent = sum(state is not None and state.status == "sent" for state in states)
        return self._plan.send_counts[self._name, self._revision] - sent - self._as_planned - self._otherwise

    def guards(self, facts: Facts) -> list[Guard]:
        """That the plan no longer fits: it has something left to send, and nothing is declared as planned.

        What went out as planned fits for good, so that a run may be repeated.
        """
        gone = self.count_undeclared(facts)
        if self._fits or not (self._otherwise or gone):
            return []
        parts = [(self._otherwise, "declared otherwise"), (gone, "no longer declared")]
        told = " and ".join(f"{number} {words}" for number, words in parts if number)
        return [
            Guard(
                "plan",
                f"{self._plan.path} no longer fits {self._name}: what it would send is {told}",
                "look at what is declared now, and save a new plan: msgrun plan --out",
                (self._name,),
            )
        ]


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _problem(path: str, message: str, line: int = 1) -> ProblemsFound:
    hint = "msgrun plan --out writes one"
    return ProblemsFound([Problem("saved-plan", Place(path, line), message, hint)])
