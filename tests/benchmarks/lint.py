"""What lint costs beside the plan it comes before: processor time of both over the same recipients, in turn.

    python tests/benchmarks/lint.py [RECIPIENTS] [RUNS]

Prints the median of lint / plan for templates of three kinds, and what a delivery costs more. The goal is 1.5.
"""

import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from runner.declare.project_reader import load_project
from runner.declare.recipient_problems import find_recipient_problems
from runner.declare.settings import Settings, load_settings
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.tree import Tree
from runner.ledger.facts import Facts
from runner.lint.findings import Findings
from runner.lint.linter import MessageLinter
from runner.lint.rules import RULES
from runner.plan.message_planner import PlanOptions
from runner.plan.plan import make_plan

HEAD = """\
name: outage
message_type: email
subject: "Sorry, {{ first_name }}: {{ product }} was down"
from: {type: admin, id: "1"}
vars: {product: Ponies}
expires: 2999-12-01
to: {csv: ../audiences/a.csv, type: user, email: "{{ email }}"}
body: |
"""
TEXT = "<p>That was our fault: a certificate ran out, and the one who was to renew it was on holiday.</p>\n" * 8
BODIES = {
    "plain": "<p>Hi {{ first_name }},</p>\n<p>{{ product }} was down for {{ minutes }} minutes.</p>\n" + TEXT,
    "branches": "<p>Hi {{ first_name }},</p>\n{% if credit %}<p>We put {{ credit }} on your account.</p>{% endif %}\n"
    + TEXT,
    "links": '<p>Hi {{ nick | default("") }}, <a href="{{ link }}">look</a>.</p>\n' + TEXT,
    "tags that vary": "{% if credit %}<div>{% endif %}<p>Hi {{ first_name }}</p>{% if credit %}</div>{% endif %}\n"
    + TEXT,
}
RECIPIENTS, RUNS = 50_000, 5


def main() -> None:
    recipients = int(sys.argv[1]) if len(sys.argv) > 1 else RECIPIENTS
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else RUNS
    print(f"{'template':<16} {'lint/plan':>9} {'goal':>5} {'plan':>8} {'lint':>8}   µs a delivery")
    for name, body in BODIES.items():
        with tempfile.TemporaryDirectory() as folder:
            prepare(Path(folder), body, recipients)
            pairs = [(planned(Path(folder)), linted(Path(folder))) for _ in range(runs)]
        ratio = statistics.median(lint / plan for plan, lint in pairs)
        plan, lint = (statistics.median(column) / recipients * 1e6 for column in zip(*pairs, strict=True))
        print(f"{name:<16} {ratio:>9.2f} {1.5:>5} {plan:>8.1f} {lint:>8.1f}")


def prepare(root: Path, body: str, recipients: int) -> None:
    (root / "messages").mkdir()
    (root / "audiences").mkdir()
    (root / "messages/outage.yaml").write_text(HEAD + "".join(f"  {line}\n" for line in body.splitlines()))
    with (root / "audiences/a.csv").open("w") as table:
        table.write("email,first_name,minutes,credit,nick,link\n")
        for n in range(recipients):
            credit, nick = ("12.00 EUR" if n % 2 else ""), ("Ann" if n % 3 else "")
            table.write(f"person{n}@example.com,Person {n},{n % 60},{credit},{nick},https://example.com/reset/{n}\n")


def planned(root: Path) -> float:
    tree = Tree(root)
    begin = time.process_time()
    project = load_project(tree, load_settings(tree, None), RenderMonitor())
    make_plan(project, Facts(), datetime.now(UTC), PlanOptions())
    return time.process_time() - begin


def linted(root: Path) -> float:
    tree = Tree(root)
    begin = time.process_time()
    project = load_project(tree, load_settings(tree, None), RenderMonitor())
    findings = Findings(RULES)
    for declaration in project.declarations:
        message = MessageLinter(declaration, Settings(), findings)
        find_recipient_problems(declaration, "", message.check_delivery)
        message.finish()
    findings.to_problems()
    return time.process_time() - begin


if __name__ == "__main__":
    main()
