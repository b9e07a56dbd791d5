"""When trouble strikes: the next answers in a queue, a share of all, or every answer about one recipient.

As JSON, for PUT /_sandbox/trouble:
`{"next": ["500_after", "ok"], "share": {"500_after": 0.02}, "for": {"536e…": "404"}, "seed": 1,
"routes": {"GET /me": {"next": ["401"]}}}`; the first three are about POST /messages. On the command line:
`next=500_after,ok`, `share=500_after:0.02`, `for=536e…:404`, each with an optional `GET /me ` in front.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from runner.sandbox.trouble_kinds import TroubleError, TroubleKind, read_trouble_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


MESSAGES_ROUTE = "POST /messages"


_NONE = TroubleKind()


_SPEC = re.compile(r"(?:(?P<route>[A-Z]+ /\S*) )?(?P<way>next|share|for)=(?P<value>.+)", re.DOTALL)


_PAIR = re.compile(r"(?P<name>.+?):(?P<kind>slow:[\d.]+|\w+)", re.DOTALL)


_SHARE = re.compile(r"(?P<kind>.+):(?P<share>[\d.]+)")


@dataclass(slots=True)
class _Plan:
    """The trouble of one route; a recipient's own comes before the queue, the queue before the share."""

    queue: deque[TroubleKind] = field(default_factory=deque)
    shares: dict[TroubleKind, float] = field(default_factory=dict)
    people: dict[str, TroubleKind] = field(default_factory=dict)


class Trouble:
    """Decides, for each request, what is to go wrong with it; safe to ask and to change from many threads.

    A share is decided by the seed, the recipient, and how often it was asked about: not by the order in which
    threads come, so that a campaign with the same seed meets the same trouble.
    """

    def __init__(
        self,
        *,
        next: Sequence[str] = (),  # noqa: A002 - the word of the control endpoint and of the command line
        share: Mapping[str, float] | None = None,
        recipients: Mapping[str, str] | None = None,
        seed: int = 0,
        routes: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        document = {"next": list(next), "share": dict(share or {}), "for": dict(recipients or {})}
        self._lock = threading.Lock()
        self.replace({**document, "seed": seed, "routes": dict(routes or {})})

    @classmethod
    def from_specs(cls, specs: Iterable[str], seed: int = 0) -> Trouble:
        """Read the command line's texts; TroubleError says what is wrong with one."""
        trouble = cls(seed=seed)
        for spec in specs:
            trouble.add(spec)
        return trouble

    def add(self, spec: str) -> None:
        """Add what one text of the command line says."""
        found = _SPEC.fullmatch(spec)
        if found is None:
            raise TroubleError(f"{spec!r} is not next=KIND,… nor share=KIND:0.1 nor for=IDENTIFIER:KIND")
        value = found["value"]
        with self._lock:
            plan = self._plans.setdefault(found["route"] or MESSAGES_ROUTE, _Plan())
            match found["way"]:
                case "next":
                    plan.queue.extend(read_trouble_kind(kind.strip()) for kind in value.split(","))
                case "share":
                    pair = _match(_SHARE, value, spec)
                    plan.shares[read_trouble_kind(pair["kind"])] = float(pair["share"])
                case _:
                    pair = _match(_PAIR, value, spec)
                    plan.people[pair["name"]] = read_trouble_kind(pair["kind"])

    def replace(self, document: Mapping[str, object]) -> None:
        """Put other trouble in place of all there was; TroubleError where it cannot be read."""
        strange = sorted(set(document) - {"next", "share", "for", "seed", "routes"})
        if strange:
            raise TroubleError(f"unknown: {', '.join(strange)}")
        routes, seed = document.get("routes", {}), document.get("seed", 0)
        if not isinstance(routes, dict) or not isinstance(seed, int):
            raise TroubleError("routes is an object, seed a number")
        plans = {str(route): _read_plan(plan) for route, plan in routes.items()}
        if MESSAGES_ROUTE not in plans:
            plans[MESSAGES_ROUTE] = _read_plan(
                {key: document[key] for key in ("next", "share", "for") if key in document}
            )
        with self._lock:
            self._plans = plans
            self._seed = seed
            self._asked: Counter[str] = Counter()

    def choose(self, route: str, names: Sequence[str] = ()) -> TroubleKind:
        """Choose what is to go wrong with one request; `names` are the identifiers of its recipient."""
        with self._lock:
            plan = next((plan for pattern, plan in self._plans.items() if fnmatchcase(route, pattern)), None)
            if plan is None:
                return _NONE
            person = next((plan.people[name] for name in names if name in plan.people), None)
            if person is not None:
                return person
            if plan.queue:
                return plan.queue.popleft()
            return self._draw(plan, f"{route}\n{names[0] if names else ''}") if plan.shares else _NONE

    def list_queued(self) -> dict[str, list[str]]:
        """List what is still queued, by route."""
        with self._lock:
            return {route: [kind.name for kind in plan.queue] for route, plan in self._plans.items()}

    def _draw(self, plan: _Plan, subject: str) -> TroubleKind:
        self._asked[subject] += 1
        text = f"{self._seed}\n{subject}\n{self._asked[subject]}"
        lot = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
        for kind, share in plan.shares.items():
            if lot < share:
                return kind
            lot -= share
        return _NONE


def _read_plan(document: object) -> _Plan:
    plan = document if isinstance(document, dict) else {"next": document}
    queue, shares, people = plan.get("next", []), plan.get("share", {}), plan.get("for", {})
    if not (isinstance(queue, list) and isinstance(shares, dict) and isinstance(people, dict)):
        raise TroubleError("next is a list of kinds, share and for are objects")
    if not all(isinstance(share, (int, float)) for share in shares.values()):
        raise TroubleError("a share is a number from 0 to 1")
    return _Plan(
        deque(read_trouble_kind(kind) for kind in queue),
        {read_trouble_kind(kind): float(share) for kind, share in shares.items()},
        {str(name): read_trouble_kind(kind) for name, kind in people.items()},
    )


def _match(pattern: re.Pattern[str], value: str, spec: str) -> re.Match[str]:
    found = pattern.fullmatch(value)
    if found is None:
        raise TroubleError(f"{spec!r} needs a colon: share=KIND:0.1 or for=IDENTIFIER:KIND")
    return found
