"""Problems as SARIF 2.1.0, which code scanning services read. Source: OASIS, SARIF 2.1.0 with errata 01.

GitHub shows the help of a rule next to its alert. It recognises an alert in later commits by its fingerprint.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import orjson

from runner import __version__
from runner.errors import Problem
from runner.lint.rules import RULES, Rule
from runner.privacy import reveal_or_mask

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"


def document(items: Iterable[Problem], *, show_values: bool, path_prefix: str = "") -> str:
    """Problems as one run of one tool.

    `path_prefix` is the folder of the project in the repository: empty, or ending in /.
    """
    problems = list(items)
    codes = sorted({problem.code for problem in problems})
    occurrences: Counter[str] = Counter()
    run = {
        "tool": {
            "driver": {"name": "msgrun", "version": __version__, "rules": [_describe_rule(code) for code in codes]}
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "results": [
            _format_result(problem, codes.index(problem.code), path_prefix, occurrences, show_values=show_values)
            for problem in problems
        ],
    }
    return orjson.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, option=orjson.OPT_INDENT_2).decode()


def _describe_rule(code: str) -> dict[str, Any]:
    """The description of a rule. A code of validate has none, because its messages explain themselves."""
    rule = RULES.get(code)
    if rule is None:
        return {"id": code}
    return {
        "id": code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.reason},
        "help": {"text": f"{rule.reason}\nFix: {rule.fix}", "markdown": _format_help(rule)},
        "defaultConfiguration": {"level": str(rule.severity)},
    }


def _format_help(rule: Rule) -> str:
    examples = "".join(
        f"\n\n{title}:\n\n```yaml\n{example}\n```"
        for title, example in (("Bad", rule.bad_example), ("Good", rule.good_example))
    )
    return f"{rule.reason}\n\n**Fix**: {rule.fix}{examples}"


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
    fingerprint = hashlib.sha256(f"{path}\n{problem.code}\n{line}".encode()).hexdigest()
    occurrences[fingerprint] += 1
    return {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": str(problem.severity),
        "message": {"text": f"{reveal_or_mask(problem.message, show_values=show_values)}{recipient}{hint}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(path), "uriBaseId": _ROOT},
                    "region": {"startLine": place.line, "startColumn": place.column},
                }
            }
        ],
        "partialFingerprints": {"msgrun/v1": f"{fingerprint[:32]}:{occurrences[fingerprint]}"},
    }
