"""The plan file: one line for each message, kept in git, so that the diff of a pull request shows what it would send.

It is a function of the declarations alone. Neither ledger nor clock matters, so an expired message keeps its line.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import orjson

from runner.declare.keys_and_digests import PLAN_DIGEST
from runner.errors import Place, Problem, ProblemsFound
from runner.plan.guards import Guard, WayOut, format_recipients
from runner.shown_command import shown_command

_FIELDS: dict[str, type] = {
    "name": str, "revision": int, "type": str, "sender": str, "recipients": int, "digest": str,
}  # fmt: skip
_MINIMUMS = {"revision": 1, "recipients": 0}
_CONFLICT_MARKERS = (b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>")
_DIGEST_PREFIX = 19  # characters of a digest that a message shows: enough to tell two apart


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """One message in a plan file: its sender, its content by digest, and its number of recipients.

    `line_number` is its line in the file, or 0 if it is in no file.
    """

    name: str
    revision: int
    type: str
    sender: str
    recipients: int
    digest: str
    line_number: int = field(default=0, compare=False)

    def to_line(self) -> bytes:
        """Returns the entry as a line of the file."""
        return orjson.dumps({name: getattr(self, name) for name in _FIELDS}) + b"\n"

    def differences(self, other: "PlanEntry") -> list[str]:
        """Returns in words how this entry, the declared one, differs from another one."""
        differences = [
            f"{name} {getattr(self, name)}, not {getattr(other, name)}"
            for name in ("revision", "type", "sender")
            if getattr(self, name) != getattr(other, name)
        ]
        if self.recipients != other.recipients:
            differences.append(f"{format_recipients(self.recipients)}, not {other.recipients:,}")
        if self.digest != other.digest:
            prefix = "" if differences else "other texts or other recipients: "
            differences.append(f"{prefix}digest {self.digest[:_DIGEST_PREFIX]}, not {other.digest[:_DIGEST_PREFIX]}")
        return differences


@dataclass(frozen=True, slots=True)
class PlanFileChange:
    """A difference between the declarations and a plan file in one message.

    `detail` describes it in words. `line_number` is the line of the message in the file, or 0 if it has none.
    """

    kind: Literal["new", "changed", "removed"]
    name: str
    detail: str
    line_number: int = 0


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan file: its path from the root, and its entries by message name. `exists` is false if it is missing."""

    path: str
    entries: Mapping[str, PlanEntry]
    exists: bool = True

    @property
    def write_command(self) -> str:
        """The command that writes the file. Each named environment has its own file."""
        environment = self.path.removeprefix("messages.").removesuffix("plan").rstrip(".")
        return shown_command("plan", "--write", environment=environment)

    @property
    def hint(self) -> str:
        """What to do about a file that is out of date or broken."""
        return f"{self.write_command} regenerates it; have the diff reviewed"

    def guard(self, declared: PlanEntry, sends: int) -> Guard | None:
        """Returns the guard that stops the sending of `sends` deliveries of a message; None if the file agrees to them.

        The file agrees if revision, type, sender and digest are the same, and it has at least `sends` recipients. If
        `sends` is 0 there is nothing to stop.
        """
        if not sends:
            return None
        agreed = self.entries.get(declared.name)
        hint = self.hint
        ways = (WayOut("Write the plan file again, and have its diff reviewed", self.write_command, is_shared=True),)
        if agreed is None:
            missing = f"has no line for {declared.name}" if self.exists else "does not exist, and require_plan is true"
            return Guard(
                "plan", f"{self.path} {missing}: {format_recipients(sends)} would get it", hint, (declared.name,), ways
            )
        place = f"{self.path}:{agreed.line_number}"
        if (declared.revision, declared.type, declared.sender, declared.digest) != (
            agreed.revision, agreed.type, agreed.sender, agreed.digest,
        ):  # fmt: skip
            detail = "; ".join(declared.differences(agreed))
            return Guard(
                "plan", f"{declared.name} is not what {place} agrees to: {detail}", hint, (declared.name,), ways
            )
        if sends > agreed.recipients:
            detail = (
                f"{declared.name} would go to {format_recipients(sends)}, and {place} agrees to {agreed.recipients:,}"
            )
            parts = WayOut("Or send in parts", shown_command("apply", "--limit", str(agreed.recipients)))
            hint = f"{hint}; or send in parts: --limit {agreed.recipients}"
            return Guard("plan", detail, hint, (declared.name,), (*ways, parts))
        return None

    def changes(self, declared: Iterable[PlanEntry], *, is_full_selection: bool) -> list[PlanFileChange]:
        """Returns what is out of date in the file, sorted by message name.

        Unless `is_full_selection`, the user selected only some messages, and no message counts as removed.
        """
        changes = []
        names = set()
        for entry in declared:
            names.add(entry.name)
            agreed = self.entries.get(entry.name)
            if agreed is None:
                changes.append(PlanFileChange("new", entry.name, format_recipients(entry.recipients)))
            elif differences := entry.differences(agreed):
                changes.append(PlanFileChange("changed", entry.name, "; ".join(differences), agreed.line_number))
        removed = [entry for name, entry in self.entries.items() if is_full_selection and name not in names]
        changes.extend(
            PlanFileChange("removed", entry.name, format_recipients(entry.recipients), entry.line_number)
            for entry in removed
        )
        return sorted(changes, key=lambda change: change.name)

    def new_content(self, declared: Iterable[PlanEntry], *, is_full_selection: bool) -> bytes:
        """Returns the content of the file for the current declarations.

        Unless `is_full_selection`, the lines of messages that are not in `declared` stay as they are.
        """
        entries = {} if is_full_selection else dict(self.entries)
        entries.update({entry.name: entry for entry in declared})
        return b"".join(entries[name].to_line() for name in sorted(entries))


def parse_plan_file(path: str, data: bytes) -> PlanFile:
    """Parses a plan file. Blank lines, any order of lines and Windows line ends are accepted.

    Raises ProblemsFound with every problem of the file.
    """
    hint = PlanFile(path, {}).hint
    problems: list[Problem] = []
    entries: dict[str, PlanEntry] = {}
    for line_number, text in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if not text.strip():
            continue
        entry = _parse_line(text.strip(), Place(path, line_number), hint)
        if isinstance(entry, Problem):
            problems.append(entry)
        elif entry.name in entries:
            message = f"{entry.name} appears twice; the first line is {path}:{entries[entry.name].line_number}"
            problems.append(Problem("plan-twice", Place(path, line_number), message, hint))
        else:
            entries[entry.name] = entry
    if problems:
        raise ProblemsFound(problems)
    return PlanFile(path, entries)


def _parse_line(text: bytes, place: Place, hint: str) -> PlanEntry | Problem:
    if text.startswith(_CONFLICT_MARKERS):
        return Problem("plan-conflict", place, "merge conflict marker", hint)
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return Problem("plan-form", place, "this is not a line of a plan file", hint)
    if not isinstance(value, dict) or value.keys() != _FIELDS.keys():
        message = f"a line of a plan file is a JSON object of {', '.join(_FIELDS)}"
        return Problem("plan-form", place, message, hint)
    for name, field_type in _FIELDS.items():
        field_value = value[name]
        is_small = isinstance(field_value, int) and field_value < _MINIMUMS.get(name, 0)
        if (
            type(field_value) is not field_type
            or is_small
            or (name == "digest" and not PLAN_DIGEST.fullmatch(str(field_value)))
        ):
            return Problem("plan-form", place, f"{name} has the wrong form", hint)
    return PlanEntry(**value, line_number=place.line)
