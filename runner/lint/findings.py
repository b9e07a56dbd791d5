"""Collects findings: one for each rule and place, with the number of recipients that show it.

A rule about how a project works is one finding for all messages, with their number.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from runner.declare.declaration import Declaration
from runner.declare.yaml.document import YamlPath
from runner.errors import Place, Problem, Severity
from runner.lint.ignore_comments import check_ignore_codes, read_ignore_comments
from runner.lint.rules import RULES
from runner.lint.template_layout import Layout
from runner.lint.text_checks import Fault
from runner.privacy import AnyText

MAX_IGNORES = 1000  # comments of one text that are read
MAX_PLACES = 200  # of one message: to find each reads the text once, and the faults repeat


@dataclass(slots=True)
class _Finding:
    """A finding. `recipient` names the first recipient that shows it; a static finding has none.

    `count` is the number of recipients that show it, `total` the number of recipients that were checked.
    `last_recipient` is the one that was counted last: a text may have several faults for one recipient.
    """

    message: AnyText
    hint: str
    severity: Severity
    excerpt: AnyText
    recipient: str
    count: int = 0
    total: int = 0
    last_recipient: str = ""


class Findings:
    """Collects the findings of a project.

    `enabled_codes` are the rules to look for. MessageFindings leaves out the others; `add` does not.
    """

    def __init__(self, enabled_codes: Iterable[str]) -> None:
        self.enabled_codes = frozenset(enabled_codes)
        self._findings: dict[tuple[str, Place], _Finding] = {}
        self._comment_problems: dict[tuple[Place, AnyText], Problem] = {}
        self._without_conversation: list[tuple[Place, AnyText]] = []  # messages that open none

    def __len__(self) -> int:
        """Returns the number of rules and places that have a finding."""
        return len(self._findings)

    def to_problems(self) -> list[Problem]:
        """Returns the findings as problems, followed by the problems of the ignore comments."""
        problems = [
            Problem(
                code,
                place,
                finding.message,
                finding.hint or RULES[code].fix,
                finding.severity,
                finding.excerpt,
                _name_recipients(finding),
            )
            for (code, place), finding in self._findings.items()
        ]
        for place, excerpt in self._without_conversation[:1]:
            rule, message = RULES["no-conversation"], _describe_without_conversation(len(self._without_conversation))
            problems.append(Problem(rule.code, place, message, rule.fix, rule.severity, excerpt))
        return [*problems, *self._comment_problems.values()]

    def add(
        self, fault: Fault, place: Place, excerpt: AnyText, recipient: str = "", *, as_warning: bool = False
    ) -> None:
        """Adds a finding, unless there is one with this code and place, and counts the recipient for it.

        A static finding has no recipient. `as_warning` makes an error a warning.
        """
        severity = Severity.WARNING if as_warning else RULES[fault.code].severity
        finding = self._findings.setdefault(
            (fault.code, place), _Finding(fault.message, fault.hint, severity, excerpt, recipient)
        )
        if recipient and finding.recipient and recipient != finding.last_recipient:
            finding.count += 1
            finding.last_recipient = recipient

    def add_without_conversation(self, place: Place, excerpt: AnyText) -> None:
        """Adds a message that opens no conversation. The finding is reported once, at the first, with their number."""
        self._without_conversation.append((place, excerpt))

    def add_recipient_total(self, keys: Iterable[tuple[str, Place]], recipients: int) -> None:
        """Adds the number of recipients that were checked to the findings with these keys."""
        for key in keys:
            if finding := self._findings.get(key):
                finding.total += recipients

    def add_warnings(self, problems: Iterable[Problem]) -> None:
        """Adds the problems of the ignore comments themselves, each once."""
        for problem in problems:
            self._comment_problems.setdefault((problem.place, problem.message), problem)


class MessageFindings:
    """Collects the findings of one message, and leaves out those that its comments ignore."""

    def __init__(self, findings: Findings, declaration: Declaration) -> None:
        self._findings = findings
        self._document = declaration.document
        # What is being written may have gaps. A template of its own may be that of other messages too.
        self._draft_path = declaration.place.path if declaration.is_draft else None
        self._ignores = read_ignore_comments(declaration.document)
        self._places: dict[tuple[int, int], tuple[Place, AnyText]] = {}
        self._counted_keys: set[tuple[str, Place]] = set()
        self._codes_by_template_line: dict[tuple[str, int], frozenset[str]] = {}
        findings.add_warnings(self._ignores.problems)

    def read_comments(self, layout: Layout) -> None:
        """Reads the comments of a template and its includes: `{# msgrun: ignore=CODE #}`, and what takes in text."""
        for offset, line_offset, codes in layout.ignores[:MAX_IGNORES]:
            place, excerpt = layout.find_place(offset)
            names = [code.strip() for code in codes.split(",") if code.strip()]
            self._findings.add_warnings(check_ignore_codes(names, place, excerpt))
            key = (place.path, place.line + line_offset)
            self._codes_by_template_line[key] = self._codes_by_template_line.get(key, frozenset()) | frozenset(names)
        for start in layout.swallowing_comments:
            message = "this comment goes on to the first #} after it, and takes text with it"
            self.add_at_offset(layout, start, Fault("unclosed-comment", message))

    def close(self, recipients: int) -> None:
        """Completes the findings, once so many recipients were checked."""
        self._findings.add_recipient_total(self._counted_keys, recipients)

    def is_enabled(self, code: str) -> bool:
        """Returns whether the project asks for a rule."""
        return code in self._findings.enabled_codes

    def add_at_offset(
        self, layout: Layout, start: int, fault: Fault, recipient: str = "", *, as_warning: bool = False
    ) -> None:
        """Adds a finding at a character of a layout, unless a comment ignores it.

        After MAX_PLACES it is added at the start of the layout, where each rule is reported once.
        """
        if fault.code in self._findings.enabled_codes:
            key = (id(layout), start)
            if key not in self._places and len(self._places) >= MAX_PLACES:
                key = (id(layout), 0)
            if key not in self._places:
                self._places[key] = layout.find_place(key[1])
            self._add(fault, *self._places[key], recipient, layout.origin.path, as_warning=as_warning)

    def add_at_path(self, path: YamlPath, fault: Fault) -> None:
        """Adds a finding at a value of the declaration; for a missing key, at its mapping."""
        if fault.code in self._findings.enabled_codes:
            place = self._document.place(path)
            self._add(fault, place, self._document.excerpt(place.line), "", path)

    def add_without_conversation(self) -> None:
        """Adds that the message opens no conversation, unless a comment ignores it."""
        if self.is_enabled("no-conversation") and not self._ignores.covers("no-conversation"):
            place = self._document.place(())
            self._findings.add_without_conversation(place, self._document.excerpt(place.line))

    def _add(
        self, fault: Fault, place: Place, excerpt: AnyText, recipient: str, path: YamlPath, *, as_warning: bool = False
    ) -> None:
        code = fault.code
        is_ignored = code in self._codes_by_template_line.get((place.path, place.line), ())
        if not is_ignored and not self._ignores.covers(code, path):
            is_warning = as_warning or place.path == self._draft_path
            self._findings.add(fault, place, excerpt, recipient, as_warning=is_warning)
            if recipient:
                self._counted_keys.add((code, place))


def _name_recipients(finding: _Finding) -> str:
    """Returns which recipients show a finding; an empty text for a static finding."""
    if finding.count == finding.total > 1:
        return f"all {finding.total:,} recipients"
    if finding.count > 1:
        others = finding.count - 1
        return f"{finding.recipient}, and {others:,} more {'recipient' if others == 1 else 'recipients'}"
    return finding.recipient


def _describe_without_conversation(count: int) -> str:
    if count == 1:
        return "this opens no conversation, so reconcile cannot find out what became of it"
    others = "1 more message" if count == 2 else f"{count - 1:,} more messages"  # noqa: PLR2004  # this and another one
    return f"this and {others} open no conversation, so reconcile cannot find out what became of them"
