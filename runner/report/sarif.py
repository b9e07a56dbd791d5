"""Problems as SARIF 2.1.0, which code scanning services read. Source: OASIS, SARIF 2.1.0 with errata 01.

GitHub shows a rule's help beside its alert, and follows an alert from commit to commit by its fingerprint.
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


def document(found: Iterable[Problem], *, show_values: bool, path_prefix: str = "") -> str:
    """Problems as one run of one tool. `folder` is where the project lies in the repository: empty, or ending in /."""
    problems = list(found)
    codes = sorted({problem.code for problem in problems})
    seen: Counter[str] = Counter()
    run = {
        "tool": {"driver": {"name": "msgrun", "version": __version__, "rules": [_descriptor(code) for code in codes]}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "results": [
            _result(problem, codes.index(problem.code), path_prefix, seen, show_values=show_values)
            for problem in problems
        ],
    }
    return orjson.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, option=orjson.OPT_INDENT_2).decode()


def _descriptor(code: str) -> dict[str, Any]:
    """What is known of a rule; the codes of validate explain themselves in each message."""
    rule = RULES.get(code)
    if rule is None:
        return {"id": code}
    return {
        "id": code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.reason},
        "help": {"text": f"{rule.reason}\nFix: {rule.fix}", "markdown": _help(rule)},
        "defaultConfiguration": {"level": str(rule.severity)},
    }


def _help(rule: Rule) -> str:
    examples = "".join(
        f"\n\n{title}:\n\n```yaml\n{example}\n```"
        for title, example in (("Bad", rule.bad_example), ("Good", rule.good_example))
    )
    return f"{rule.reason}\n\n**Fix**: {rule.fix}{examples}"


def _result(problem: Problem, rule: int, folder: str, seen: Counter[str], *, show_values: bool) -> dict[str, Any]:
    place = problem.place
    path = folder + reveal_or_mask(place.path, show_values=show_values)
    who = f" ({problem.recipient})" if problem.recipient else ""
    hint = f"\nhint: {problem.hint}" if problem.hint else ""
    # Neither the line, which moves, nor the message, which may count: the source line and what stands there before.
    line = reveal_or_mask(problem.excerpt, show_values=False).strip()
    mark = hashlib.sha256(f"{path}\n{problem.code}\n{line}".encode()).hexdigest()
    seen[mark] += 1
    return {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": str(problem.severity),
        "message": {"text": reveal_or_mask(f"{problem.message}{who}{hint}", show_values=show_values)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(path), "uriBaseId": _ROOT},
                    "region": {"startLine": place.line, "startColumn": place.column},
                }
            }
        ],
        "partialFingerprints": {"msgrun/v1": f"{mark[:32]}:{seen[mark]}"},
    }
