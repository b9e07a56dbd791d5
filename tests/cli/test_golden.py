"""What people read, kept as golden files: each is a command's whole output."""

import json
import os
import re

import pytest

from runner.declare.keys_and_digests import delivery_key
from runner.report.layout import fits
from tests.support import golden
from tests.support.project import SEED, Folder, run_in_process
from tests.support.terminal import run_on_terminal

NEWS = """\
name: news
message_type: email
subject: News for {{ name }}
body: <p>Hi {{ name }}</p>
from: {type: admin, id: 7}
to:
  - {type: user, id: "1", vars: {name: Ann}}
  - {type: user, id: "2", vars: {name: Bo}}
  - {type: user, id: "3", vars: {name: Cy}}
  - {type: user, id: "4", vars: {name: Di}}
  - {type: user, email: el@example.com, vars: {name: El}}
  - {type: user, user_id: fi-6, vars: {name: Fi}}
"""


def remember(folder: Folder, value: str, attempt: str, status: str, **more: object) -> None:
    record = {
        "key": delivery_key("", "news", 1, "id", value), "attempt": attempt, "status": status,
        "message": "news", "revision": 1,
        "to": f"id:{value}", "digest": "v1:0", "at": "2026-11-01T10:00:00Z", **more,
    }  # fmt: skip
    with (folder.path / "messages.lock").open("a") as handle:
        handle.write(json.dumps(record) + "\n")


def every_state(folder: Folder) -> None:
    folder.message(NEWS, "news")
    folder.message(SEED.replace("seed", "old") + "expires: 2020-01-01\n", "old")
    content = json.loads(folder.run("plan", "--format", "json").out)["deliveries"][0]["digest"]
    remember(folder, "1", "a-1", "sent", id="2001", digest=content)
    remember(folder, "2", "a-2", "sent", id="2002")
    remember(folder, "3", "a-3", "claimed")
    remember(folder, "4", "a-4", "claimed")
    plan = json.loads(folder.run("plan", "--format", "json").out)
    digest = next(found["digest"] for found in plan["deliveries"] if found["to"] == "id:4")
    remember(folder, "4", "a-4", "refused", code="not_found", request_id="r-77", digest=digest)


def test_a_plan_with_every_action(folder: Folder) -> None:
    every_state(folder)
    golden.check("plan.txt", folder.run("plan").out)
    golden.check("plan-shown.txt", folder.run("plan", "--show-values", "--limit", "1").out)
    golden.check("plan.json", folder.run("plan", "--format", "json").out)


def test_the_status_of_every_state(folder: Folder) -> None:
    every_state(folder)
    golden.check("status.txt", run_in_process(["status"], folder.path, os.environ).out)
    golden.check("status.json", folder.run("status", "--format", "json").out)


SALE = """\
name: summer-sale-for-members
message_type: inapp
body: <p>Hi {{ name }}, the <b>summer sale</b> for members begins on Monday.</p><p>All saddles at half the price!</p>
from: {type: admin, id: 7}
to: {csv: ../members.csv, type: user, email: "{{ email }}"}
revision: 2
not_before: 2020-06-01
expires: 2999-12-24T18:00:00+01:00
"""
LATER = """\
name: tips
message_type: email
subject: Five tips for {{ name }}
body: Ride.
from: {type: admin, id: 7}
to: {csv: ../members.csv, type: user, email: "{{ email }}"}
not_before: 2999-01-01T09:00:00Z
"""


def several_messages(folder: Folder) -> None:
    every_state(folder)
    folder.write("msgrun.yaml", "workspace: acme\n")
    folder.write(
        "members.csv",
        "email,name\n" + "".join(f"{name}@example.com,{name.title()}\n" for name in ("ann", "bo", "cy", "di")),
    )
    folder.message(SALE, "sale")
    folder.message(LATER, "tips")
    remember(folder, "9", "b-1", "sent", id="2009", message="summer-sale-for-members", at="2026-10-01T08:00:00Z")
    remember(folder, "3", "a-5", "unknown", contact="536e564f316c83104c000020", at="2026-11-02T10:00:00Z")


ON_A_TERMINAL = {
    "plan": ["plan"],
    "status": ["status"],
    "status-message": ["status", "news"],
    "status-to": ["status", "--to", "id:2"],
}


@pytest.mark.parametrize("name", ON_A_TERMINAL)
@pytest.mark.parametrize("columns", [100, 60, 30])
@pytest.mark.parametrize("term", ["xterm-256color", "dumb"])
def test_a_terminal_gets_lines_that_fit_it(folder: Folder, name: str, columns: int, term: str) -> None:
    several_messages(folder)
    text = run_on_terminal(folder.path, *ON_A_TERMINAL[name], columns=columns, term=term)
    golden.check(f"terminal/{name}-{columns}{'' if term == 'dumb' else '-colour'}.txt", text)


def test_all_messages_are_shown_on_demand_with_a_sample_of_their_bodies(folder: Folder) -> None:
    several_messages(folder)
    text = run_on_terminal(folder.path, "plan", "--all", "-v", columns=80, term="dumb")
    golden.check("terminal/plan-all-80.txt", text)


def problems_of_every_kind_of_place(folder: Folder) -> None:
    folder.message(
        "name: news item\nmessage_type: inapp\ntemplate: personal\nfrom: {type: user, id: 7}\nbdy: x\n"
        "to: {type: lead, email: ann@example.com}\n",
        "schema",
    )
    folder.message(NEWS.replace("<p>Hi {{ name }}</p>", "|\n  <p>Hi</p>\n  <p>{{ nam }}</p>"), "template")
    folder.message("name: [\n", "syntax")
    folder.write(
        "people.csv", 'email,name\nann@example.com,Ann\nbo@example.com,"Bo\nson"\ncy@example.com\n\nel@example.com, \n'
    )
    audience = NEWS[: NEWS.index("to:")].replace("news", "audience")
    folder.message(audience + "to: {csv: ../people.csv, type: user, email: '{{ email }}'}\n", "audience")


def test_problems_of_every_kind_of_place(folder: Folder) -> None:
    problems_of_every_kind_of_place(folder)
    golden.check("problems.txt", folder.run("validate").out)
    golden.check("problems-shown.txt", folder.run("validate", "--show-values").out)
    golden.check("problems.github.txt", folder.run("validate", "--format", "github").out)


@pytest.mark.parametrize("columns", [100, 60])
@pytest.mark.parametrize("term", ["xterm-256color", "dumb"])
def test_problems_on_a_terminal(folder: Folder, columns: int, term: str) -> None:
    problems_of_every_kind_of_place(folder)
    text = run_on_terminal(folder.path, "validate", columns=columns, term=term)
    golden.check(f"terminal/problems-{columns}{'' if term == 'dumb' else '-colour'}.txt", text)
    assert fits(re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines(), columns)
