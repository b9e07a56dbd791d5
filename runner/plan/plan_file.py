"""The plan file: a line a message in git, so that a pull request's diff shows what it would send.

A function of the declarations alone: neither ledger nor clock matters, so an expired message keeps its line.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import orjson

from runner.errors import Place, Problem, ProblemsFound
from runner.plan.guards import Guard, format_recipients

_FIELDS: dict[str, type] = {
    "name": str, "revision": int, "type": str, "sender": str, "recipients": int, "digest": str,
}  # fmt: skip


_LEAST = {"revision": 1, "recipients": 0}


_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


_CONFLICT = (b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>")


_SHOWN = 19  # characters that tell one digest from another


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """What a plan file says of one message: who sends what to how many. `number` is its line, 0 if it is in no file."""

    name: str
    revision: int
    type: str
    sender: str
    recipients: int
    digest: str
    line_number: int = field(default=0, compare=False)

    def to_line(self) -> bytes:
        """As a line of the file."""
        return orjson.dumps({name: getattr(self, name) for name in _FIELDS}) + b"\n"

    def differences(self, other: "PlanEntry") -> list[str]:
        """What is declared (self) otherwise than another line says."""
        told = [
            f"{name} {getattr(self, name)}, not {getattr(other, name)}"
            for name in ("revision", "type", "sender")
            if getattr(self, name) != getattr(other, name)
        ]
        if self.recipients != other.recipients:
            told.append(f"{format_recipients(self.recipients)}, not {other.recipients:,}")
        if self.digest != other.digest:
            alone = "" if told else "other texts or other recipients: "
            told.append(f"{alone}digest {self.digest[:_SHOWN]}, not {other.digest[:_SHOWN]}")
        return told


@dataclass(frozen=True, slots=True)
class PlanFileChange:
    """How the declarations differ from a plan file in one message; `told` says it in words, `number` is its line."""

    kind: Literal["new", "changed", "removed"]
    name: str
    detail: str
    line_number: int = 0


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan file: its path from the root, and its lines by the message's name. `exists` is false for a missing one."""

    path: str
    entries: Mapping[str, PlanEntry]
    exists: bool = True

    @property
    def write_command(self) -> str:
        """The command that writes it: a named environment has a file of its own."""
        environment = self.path.removeprefix("messages.").removesuffix("plan").rstrip(".")
        return f"msgrun -e {environment} plan --write" if environment else "msgrun plan --write"

    def guard(self, declared: PlanEntry, sends: int) -> Guard | None:
        """Why `sends` deliveries of a message must not go out, if so."""
        if not sends:
            return None
        agreed = self.entries.get(declared.name)
        hint = f"{self.write_command} writes what is declared now; have that reviewed"
        if agreed is None:
            missing = f"has no line for {declared.name}" if self.exists else "does not exist, and require_plan is true"
            return Guard(
                "plan", f"{self.path} {missing}: {format_recipients(sends)} would get it", hint, (declared.name,)
            )
        place = f"{self.path}:{agreed.line_number}"
        if (declared.revision, declared.type, declared.sender, declared.digest) != (
            agreed.revision, agreed.type, agreed.sender, agreed.digest,
        ):  # fmt: skip
            told = "; ".join(declared.differences(agreed))
            return Guard("plan", f"{declared.name} is not what {place} agrees to: {told}", hint, (declared.name,))
        if sends > agreed.recipients:
            told = (
                f"{declared.name} would go to {format_recipients(sends)}, and {place} agrees to {agreed.recipients:,}"
            )
            return Guard("plan", told, f"{hint}; or send in parts: --limit {agreed.recipients}", (declared.name,))
        return None

    def changes(self, declared: Iterable[PlanEntry], *, is_full_selection: bool) -> list[PlanFileChange]:
        """What is out of date, by name. Unless `whole`, some messages were selected, and none counts as removed."""
        found = []
        names = set()
        for line in declared:
            names.add(line.name)
            agreed = self.entries.get(line.name)
            if agreed is None:
                found.append(PlanFileChange("new", line.name, format_recipients(line.recipients)))
            elif told := line.differences(agreed):
                found.append(PlanFileChange("changed", line.name, "; ".join(told), agreed.line_number))
        removed = [line for name, line in self.entries.items() if is_full_selection and name not in names]
        found.extend(
            PlanFileChange("removed", line.name, format_recipients(line.recipients), line.line_number)
            for line in removed
        )
        return sorted(found, key=lambda change: change.name)

    def new_content(self, declared: Iterable[PlanEntry], *, is_full_selection: bool) -> bytes:
        """The file for what is declared now. Unless `whole`, lines of other messages stay as they are."""
        lines = {} if is_full_selection else dict(self.entries)
        lines.update({line.name: line for line in declared})
        return b"".join(lines[name].to_line() for name in sorted(lines))


def parse_plan_file(path: str, data: bytes) -> PlanFile:
    """Reads a plan file; blank lines, any order and Windows line ends are fine. Raises ProblemsFound, with all."""
    problems: list[Problem] = []
    lines: dict[str, PlanEntry] = {}
    for number, text in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not text.strip():
            continue
        found = _line(text.strip(), Place(path, number))
        if isinstance(found, Problem):
            problems.append(found)
        elif found.name in lines:
            told = f"{found.name} has a second line; the first is {path}:{lines[found.name].line_number}"
            problems.append(Problem("plan-twice", Place(path, number), told, _anew(path)))
        else:
            lines[found.name] = found
    if problems:
        raise ProblemsFound(problems)
    return PlanFile(path, lines)


def _line(text: bytes, place: Place) -> PlanEntry | Problem:
    if text.startswith(_CONFLICT):
        told = "a merge left its conflict here: two changes met in this part of the plan"
        return Problem("plan-conflict", place, told, _anew(place.path))
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return Problem("plan-form", place, "this is no line of a plan file", _anew(place.path))
    if not isinstance(value, dict) or value.keys() != _FIELDS.keys():
        told = f"a line of a plan file is a JSON object of {', '.join(_FIELDS)}"
        return Problem("plan-form", place, told, _anew(place.path))
    for name, kind in _FIELDS.items():
        found = value[name]
        is_small = isinstance(found, int) and found < _LEAST.get(name, 0)
        if type(found) is not kind or is_small or (name == "digest" and not _DIGEST.fullmatch(str(found))):
            return Problem("plan-form", place, f"{name} has the wrong form", _anew(place.path))
    return PlanEntry(**value, line_number=place.line)


def _anew(path: str) -> str:
    return f"{PlanFile(path, {}).write_command} writes the file anew; have the difference reviewed"
