"""Problems as SARIF 2.1.0, which code scanning services read. Source: OASIS, SARIF 2.1.0 with errata 01.

GitHub shows the help of a rule next to its alert. It recognises an alert in later commits by its fingerprint.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from runner import __version__
from runner.errors import Place, Problem, Severity
from runner.privacy import reveal_or_mask
from runner.report.explanations import Explanation, load_explanations
from runner.report.json_text import to_json

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LINK_SIGN = re.compile(r"[\\\[\]]")
_ROOT = "%SRCROOT%"
_LEVELS = frozenset(Severity)


def format_sarif(items: Iterable[Problem], *, show_values: bool, path_prefix: str = "") -> str:
    """Returns problems as one run of one tool.

    `path_prefix` is the folder of the project in the repository: empty, or ending in /.
    """
    problems = list(items)
    codes = sorted({problem.code for problem in problems})
    explanations = load_explanations() if codes else {}
    rules = [_describe_rule(code, explanations.get(code)) for code in codes]
    occurrences: Counter[str] = Counter()
    run = {
        "tool": {"driver": {"name": "msgrun", "version": __version__, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "results": [
            _format_result(problem, codes.index(problem.code), path_prefix, occurrences, show_values=show_values)
            for problem in problems
        ],
    }
    return to_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _describe_rule(code: str, explanation: Explanation | None) -> dict[str, Any]:
    """Returns the description of a code, with its example as help."""
    if explanation is None:
        return {"id": code}
    reason = explanation.reason or explanation.title
    fix = f"\nFix: {explanation.fix}" if explanation.fix else ""
    severity = explanation.severity
    return {
        "id": code,
        "shortDescription": {"text": explanation.title},
        "fullDescription": {"text": reason},
        "help": {"text": f"{reason}{fix}", "markdown": explanation.markdown},
        "defaultConfiguration": {"level": severity if severity in _LEVELS else str(Severity.ERROR)},
    }


def _format_result(
    problem: Problem, rule: int, path_prefix: str, occurrences: Counter[str], *, show_values: bool
) -> dict[str, Any]:
    place = problem.place
    path = path_prefix + place.path
    recipient = f" ({reveal_or_mask(problem.recipient, show_values=show_values)})" if problem.recipient else ""
    hint = f"\nhint: {problem.hint}" if problem.hint else ""
    # The line number and the message are left out, because both may change when other lines change: GitHub would show a
    # new alert. Equal source lines are numbered.
    line = reveal_or_mask(problem.excerpt, show_values=False).strip()
    fingerprint = hashlib.sha256(f"{path}\n{problem.code}\n{line}".encode(errors="surrogateescape")).hexdigest()
    occurrences[fingerprint] += 1
    return {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": str(problem.severity),
        "message": {
            "text": _escape_links(f"{reveal_or_mask(problem.message, show_values=show_values)}{recipient}{hint}")
        },
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(path, errors="surrogateescape"), "uriBaseId": _ROOT},
                    "region": _format_region(place),
                }
            }
        ],
        "partialFingerprints": {"msgrun/v1": f"{fingerprint[:32]}:{occurrences[fingerprint]}"},
    }


def _escape_links(text: str) -> str:
    """Returns a text without embedded links: in SARIF, `[words](address)` is one (3.11.6)."""
    return _LINK_SIGN.sub(r"\\\g<0>", text)


def _format_region(place: Place) -> dict[str, int]:
    end = {"endColumn": place.column + place.length} if place.length else {}
    return {"startLine": place.line, "startColumn": place.column, **end}
