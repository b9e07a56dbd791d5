"""What became of messages that were sent: by run from the ledger, and as `status --online` last found it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from runner.characters import show_on_one_line
from runner.deliver.online_status import ONLINE_STATUSES
from runner.deliver.online_status_file import MessageOnlineStatus, OnlineStatusByMessage
from runner.ledger.facts import Facts
from runner.ledger.runs import RunEntry, list_runs
from runner.preview.views import AfterView, RunView, SentView

_MAX_RUNS = 10  # of a message; earlier ones are counted together
# Deliveries of a ledger whose runs are listed: to read the records of more takes a third of the time of the plan.
_MAX_DELIVERIES = 200_000
_COMMANDS = {"adopt": "adopted, nothing was posted", "resolve": "decided by a person"}


@dataclass(frozen=True, slots=True)
class SentHistory:
    """What the ledger and the file of `status --online` know, from which the view of each message is built."""

    facts: Facts = field(default_factory=Facts)
    statuses: OnlineStatusByMessage = field(default_factory=dict)

    def explain_sent(self, key: str) -> str:
        """Returns that a recipient got another text than the page shows, if its edit was accepted; else empty."""
        state = self.facts.state(key)
        return f"older text, edit accepted {_format_time(state.accepted_at)} UTC" if state and state.accepted_at else ""

    def build_views(self) -> Mapping[str, SentView]:
        """Returns the view of each message in the ledger by its name."""
        counts: dict[str, Counter[str]] = {}
        revisions: dict[str, set[int]] = {}
        for (name, revision, status), number in self.facts.counts().items():
            counts.setdefault(name, Counter())[status] += number
            revisions.setdefault(name, set()).add(revision)
        runs: dict[str, list[RunEntry]] = {}
        accepted: dict[str, list[RunEntry]] = {}
        for entry in list_runs(self.facts) if len(self.facts) <= _MAX_DELIVERIES else ():
            if entry.command == "accept":
                accepted.setdefault(entry.message, []).append(entry)
            elif entry.command != "resolve --duplicate" and entry.sent + entry.refused + entry.unknown:
                runs.setdefault(entry.message, []).append(entry)
        is_sent = {name for name, number in counts.items() if number["sent"] + number["refused"] + number["unknown"]}
        return {
            name: self._build(name, counts[name], runs.get(name, []), accepted.get(name, []), revisions[name])
            for name in is_sent
        }

    def _build(
        self, name: str, counts: Mapping[str, int], runs: Sequence[RunEntry], accepted: Sequence[RunEntry],
        revisions: AbstractSet[int],
    ) -> SentView:  # fmt: skip
        shown, earlier = runs[:_MAX_RUNS], runs[_MAX_RUNS:]
        statuses = sorted(
            ((revision, one) for (other, revision), one in self.statuses.items() if other == name), reverse=True
        )
        return SentView(
            counts={status: counts.get(status, 0) for status in ("sent", "refused", "unknown")},
            last=_format_time(max((entry.last for entry in runs), default="")),
            runs=tuple(_view_run(entry, has_revisions=len(revisions) > 1) for entry in shown),
            earlier_runs=len(earlier),
            accepted=tuple((_format_time(entry.last), entry.sent) for entry in accepted),
            after=tuple(self._view_online_status(revision, one) for revision, one in statuses if revision in revisions),
        )

    def _view_online_status(self, revision: int, statuses: MessageOnlineStatus) -> AfterView:
        return AfterView(
            revision=revision,
            as_of=_format_time(statuses.at),
            counts={status: statuses.counts.get(status, 0) for status in ONLINE_STATUSES},
            listed=tuple(
                (status, _format_time(at), show_on_one_line(state.record.to))
                for key, status, at in statuses.listed
                if (state := self.facts.state(key))
            ),
        )


def _view_run(entry: RunEntry, *, has_revisions: bool) -> RunView:
    first, last = _format_time(entry.first), _format_time(entry.last)
    same_day = first[:11] == last[:11]
    when = first if first == last else f"{first} to {last[11:] if same_day else last}"
    notes = [f"revision {entry.revision}"] if has_revisions else []
    notes += [_COMMANDS[entry.command]] if entry.command in _COMMANDS else []
    counts = {"sent": entry.sent, "refused": entry.refused, "unknown": entry.unknown}
    return RunView(when, ", ".join(notes), counts)


def _format_time(text: str) -> str:
    """Returns a time of a record as a person reads it: to the minute, in UTC."""
    return show_on_one_line(text[:16].replace("T", " "))
