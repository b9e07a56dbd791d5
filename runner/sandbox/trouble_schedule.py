"""When trouble strikes: for the next requests in a queue, a share of all, or every request about one recipient.

As JSON, for PUT /_sandbox/trouble:

    {"next": ["500_after", "ok"], "share": {"500_after": 0.02}, "for": {"536e…": "404"}, "seed": 1,
     "routes": {"GET /me": {"next": ["401"]}}}

The first three keys are about POST /messages. On the command line: `next=500_after,ok`, `share=500_after:0.02`,
`for=536e…:404`, each with an optional route such as `GET /me ` in front.
"""

import hashlib
import re
import threading
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from runner.sandbox.trouble_kinds import SettingError, TroubleKind, read_trouble_kind

MESSAGES_ROUTE = "POST /messages"
_NO_TROUBLE = TroubleKind()
_SPEC = re.compile(r"(?:(?P<route>[A-Z]+ /\S*) )?(?P<way>next|share|for)=(?P<value>.+)", re.DOTALL)
_RECIPIENT_PAIR = re.compile(r"(?P<name>.+?):(?P<kind>slow:[\d.]+|\w+)", re.DOTALL)
_SHARE_PAIR = re.compile(r"(?P<kind>.+):(?P<share>[\d.]+)")


@dataclass(slots=True)
class _RouteTrouble:
    """The trouble of one route. That of a recipient comes before the queue, and the queue before the shares."""

    queue: deque[TroubleKind] = field(default_factory=deque)
    shares: dict[TroubleKind, float] = field(default_factory=dict)
    recipients: dict[str, TroubleKind] = field(default_factory=dict)


class Trouble:
    """Decides what goes wrong with each request. Many threads may use and change it at the same time.

    The seed, the recipient and the number of requests about that recipient decide whether a share strikes. The order of
    the threads does not, so a campaign with the same seed meets the same trouble.
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
    def from_specs(cls, specs: Iterable[str], seed: int = 0) -> "Trouble":
        """Returns the trouble that texts of the command line describe. Raises SettingError for an invalid one."""
        trouble = cls(seed=seed)
        for spec in specs:
            trouble.add(spec)
        return trouble

    def add(self, spec: str) -> None:
        """Adds the trouble that a text of the command line describes. Raises SettingError if the text is invalid."""
        spec_match = _SPEC.fullmatch(spec)
        if spec_match is None:
            raise SettingError(
                f"{spec!r} is not next=KIND,… nor share=KIND:0.1 nor for=IDENTIFIER:KIND, as in share=slow:2:1,"
                " where all answers are two seconds late"
            )
        value = spec_match["value"]
        with self._lock:
            route_trouble = self._troubles_by_route.setdefault(spec_match["route"] or MESSAGES_ROUTE, _RouteTrouble())
            match spec_match["way"]:
                case "next":
                    route_trouble.queue.extend(read_trouble_kind(kind.strip()) for kind in value.split(","))
                case "share":
                    pair = _match_or_raise(_SHARE_PAIR, value, spec)
                    route_trouble.shares[read_trouble_kind(pair["kind"])] = float(pair["share"])
                case _:
                    pair = _match_or_raise(_RECIPIENT_PAIR, value, spec)
                    route_trouble.recipients[pair["name"]] = read_trouble_kind(pair["kind"])

    def replace(self, document: Mapping[str, object]) -> None:
        """Replaces all trouble with that of a JSON document. Raises SettingError if the document is invalid."""
        if unknown_keys := sorted(set(document) - {"next", "share", "for", "seed", "routes"}):
            raise SettingError(f"unknown: {', '.join(unknown_keys)}")
        routes, seed = document.get("routes", {}), document.get("seed", 0)
        if not isinstance(routes, dict) or not isinstance(seed, int):
            raise SettingError("routes is an object, seed a number")
        troubles_by_route = {str(route): _read_route_trouble(route_trouble) for route, route_trouble in routes.items()}
        if MESSAGES_ROUTE not in troubles_by_route:
            troubles_by_route[MESSAGES_ROUTE] = _read_route_trouble(
                {key: document[key] for key in ("next", "share", "for") if key in document}
            )
        with self._lock:
            self._troubles_by_route = troubles_by_route
            self._seed = seed
            self._request_counts: Counter[str] = Counter()

    def choose(self, route: str, names: Sequence[str] = ()) -> TroubleKind:
        """Returns what goes wrong with one request. `names` are the identifiers of its recipient."""
        with self._lock:
            route_trouble = next(
                (
                    route_trouble
                    for pattern, route_trouble in self._troubles_by_route.items()
                    if fnmatchcase(route, pattern)
                ),
                None,
            )
            if route_trouble is None:
                return _NO_TROUBLE
            recipient_kind = next(
                (route_trouble.recipients[name] for name in names if name in route_trouble.recipients), None
            )
            if recipient_kind is not None:
                return recipient_kind
            if route_trouble.queue:
                return route_trouble.queue.popleft()
            return (
                self._choose_by_share(route_trouble, f"{route}\n{names[0] if names else ''}")
                if route_trouble.shares
                else _NO_TROUBLE
            )

    def show(self) -> dict[str, list[str]]:
        """Returns the names of the kinds that are still queued, by route."""
        with self._lock:
            return {
                route: [kind.name for kind in route_trouble.queue]
                for route, route_trouble in self._troubles_by_route.items()
            }

    def _choose_by_share(self, route_trouble: _RouteTrouble, subject: str) -> TroubleKind:
        self._request_counts[subject] += 1
        text = f"{self._seed}\n{subject}\n{self._request_counts[subject]}"
        point = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
        for kind, share in route_trouble.shares.items():
            if point < share:
                return kind
            point -= share
        return _NO_TROUBLE


def _read_route_trouble(document: object) -> _RouteTrouble:
    entries = document if isinstance(document, dict) else {"next": document}
    queue, shares, recipients = (
        entries.get("next", []),
        entries.get("share", {}),
        entries.get("for", {}),
    )
    if not (isinstance(queue, list) and isinstance(shares, dict) and isinstance(recipients, dict)):
        raise SettingError("next is a list of kinds, share and for are objects")
    if not all(isinstance(share, (int, float)) for share in shares.values()):
        raise SettingError("a share is a number from 0 to 1")
    return _RouteTrouble(
        deque(read_trouble_kind(kind) for kind in queue),
        {read_trouble_kind(kind): float(share) for kind, share in shares.items()},
        {str(name): read_trouble_kind(kind) for name, kind in recipients.items()},
    )


def _match_or_raise(pattern: re.Pattern[str], value: str, spec: str) -> re.Match[str]:
    match = pattern.fullmatch(value)
    if match is None:
        raise SettingError(f"{spec!r} needs a colon: share=KIND:0.1 or for=IDENTIFIER:KIND")
    return match
