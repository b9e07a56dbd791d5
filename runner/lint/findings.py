"""What the rules found: one finding for each rule and place, however many recipients show it."""

from collections.abc import Iterable
from dataclasses import dataclass

from runner.declare.declaration import Declaration
from runner.declare.yaml.document import YamlPath
from runner.errors import Place, Problem, Severity
from runner.lint.ignore_comments import IgnoreComments, check_ignore_codes
from runner.lint.rules import RULES
from runner.lint.template_layout import Layout


@dataclass(slots=True)
class _Finding:
    message: str
    severity: Severity
    excerpt: str
    recipient: str
    count: int = 0
    of: int = 0


class Findings:
    """Collects for a project. Only `wanted` rules count."""

    def __init__(self, wanted: Iterable[str]) -> None:
        self.enabled_codes = frozenset(wanted)
        self._found: dict[tuple[str, Place], _Finding] = {}
        self._about_comments: dict[tuple[Place, str], Problem] = {}

    def to_problems(self) -> list[Problem]:
        """The findings as problems."""
        found = [
            Problem(
                code,
                place,
                finding.message,
                RULES[code].fix,
                finding.severity,
                finding.excerpt,
                _who(finding),
            )
            for (code, place), finding in self._found.items()
        ]
        return [*found, *self._about_comments.values()]

    def add(
        self, code: str, place: Place, excerpt: str, message: str, recipient: str = "", *, as_warning: bool = False
    ) -> None:
        """Adds a finding, or counts one more recipient who shows it; a static one has no recipient."""
        rule = RULES[code]
        severity = Severity.WARNING if as_warning else rule.severity
        finding = self._found.setdefault((code, place), _Finding(message, severity, excerpt, recipient))
        if recipient and finding.recipient:
            finding.count += 1

    def add_recipient_total(self, keys: Iterable[tuple[str, Place]], recipients: int) -> None:
        """Says among how many recipients findings were counted."""
        for key in keys:
            if finding := self._found.get(key):
                finding.of += recipients

    def add_warnings(self, problems: Iterable[Problem]) -> None:
        """Adds what is wrong with the comments themselves."""
        for problem in problems:
            self._about_comments.setdefault((problem.place, problem.message), problem)


class MessageFindings:
    """Collects for one message, and leaves out what its comments ignore."""

    def __init__(self, findings: Findings, declaration: Declaration) -> None:
        self._findings = findings
        self._document = declaration.document
        self._ignores = IgnoreComments(declaration.document)
        self._places: dict[tuple[int, int], tuple[Place, str]] = {}
        self._counted: set[tuple[str, Place]] = set()
        self._in_templates: dict[tuple[str, int], frozenset[str]] = {}
        findings.add_warnings(self._ignores.problems)

    def read_ignores(self, layout: Layout) -> None:
        """Takes the comments `{# msgrun: ignore=CODE #}` of a template and its includes into account."""
        for at, line, codes in layout.ignores:
            place, excerpt = layout.find_place(at)
            named = [code.strip() for code in codes.split(",") if code.strip()]
            self._findings.add_warnings(check_ignore_codes(named, place, excerpt))
            key = (place.path, place.line + line)
            self._in_templates[key] = self._in_templates.get(key, frozenset()) | frozenset(named)

    def close(self, recipients: int) -> None:
        """Ends the collecting; `recipients` is how many there were."""
        self._findings.add_recipient_total(self._counted, recipients)

    def is_enabled(self, code: str) -> bool:
        """Whether a rule is looked at."""
        return code in self._findings.enabled_codes

    def add_at_offset(
        self, layout: Layout, start: int, code: str, message: str, recipient: str = "", *, as_warning: bool = False
    ) -> None:
        """A finding at a character of a layout."""
        if code in self._findings.enabled_codes:
            key = (id(layout), start)
            if key not in self._places:
                self._places[key] = layout.find_place(start)
            self._add(code, *self._places[key], message, recipient, layout.origin.path, gentle=as_warning)

    def add_at_path(self, code: str, path: YamlPath, message: str) -> None:
        """A finding at a value of the declaration; for a missing key, at its mapping."""
        if code in self._findings.enabled_codes:
            place = self._document.place(path)
            self._add(code, place, self._document.excerpt(place.line), message, "", path)

    def _add(
        self,
        code: str,
        place: Place,
        excerpt: str,
        message: str,
        recipient: str,
        path: YamlPath,
        *,
        gentle: bool = False,
    ) -> None:
        is_ignored = code in self._in_templates.get((place.path, place.line), ())
        if not is_ignored and not self._ignores.covers(code, place, path):
            self._findings.add(code, place, excerpt, message, recipient, as_warning=gentle)
            if recipient:
                self._counted.add((code, place))


def _who(finding: _Finding) -> str:
    if finding.count == finding.of > 1:
        return f"all {finding.of:,} recipients"
    if finding.count > 1:
        others = finding.count - 1
        return f"{finding.recipient}, and {others:,} more {'recipient' if others == 1 else 'recipients'}"
    return finding.recipient
