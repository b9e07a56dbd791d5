"""What people read, kept as golden files: each is a command's whole output."""

import json

from runner.declare.identity import delivery_key
from tests.support import golden
from tests.support.project import SEED, Folder

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
    golden.check("status.txt", folder.run("status").out)
    golden.check("status.json", folder.run("status", "--format", "json").out)


def test_problems_of_every_kind_of_place(folder: Folder) -> None:
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
    golden.check("problems.txt", folder.run("validate").out)
    golden.check("problems-shown.txt", folder.run("validate", "--show-values").out)
    golden.check("problems.github.txt", folder.run("validate", "--format", "github").out)
