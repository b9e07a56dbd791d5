"""Made-up audiences, declarations and lockfiles of any size, the same for the same seed."""

import random
from collections.abc import Iterator
from pathlib import Path

from runner.declare.keys_and_digests import delivery_key
from runner.declare.project_reader import load_project
from runner.declare.settings import load_settings
from runner.declare.template.render_monitor import RenderMonitor
from runner.declare.tree import Tree
from runner.ledger.record import Header, Record, salt_check

SALT = "s3cret"
COLUMNS = ("email", "first_name", "company", "minutes", "plan", "link")
FIRST = ("Ann", "Bo", "Cy", "Dörte", "Émile", "O'Neil", "Zoë", "Siân", "João", "Li", "Ng", "Jan-Peter")
COMPANIES = ("Smith & Sons", "Ponies <3 GmbH", "Acme", '"Quoted" Ltd', "Müller AG", "東京商事")
SUBJECT = "Sorry, {{ first_name }}: {{ product }} was down for {{ minutes }} minutes"
BODY = """\
<p>Hi {{ first_name }},</p>
<p>on Saturday between 09:12 and 10:03 UTC <b>{{ product }}</b> was down for {{ minutes }} minutes for {{ company }}.
We are sorry. You rely on us to answer your customers, and for most of an hour you could not.</p>
<p>What happened: a certificate that our load balancers use among themselves ran out. The alarm that should have told us
three weeks before went to a mailbox that nobody reads any more. When the first balancer was restarted it could not join
the others, and the traffic that it left to them was more than they could take.</p>
<p>What we have done since: certificates are renewed by a machine, and a second one counts the days that are left. The
alarm wakes somebody. A balancer that cannot join the others stays out, and nobody else is asked to do its work. We have
practised all of it, on a Tuesday, at noon.</p>
{% if plan == "pro" %}<p>Your plan has a service level. The credit for these {{ minutes }} minutes is on your next
invoice; you need not ask for it.</p>{% else %}<p>You lost nothing that was sent to you meanwhile: every conversation
is in your inbox, in the order in which it came.</p>{% endif %}
<p>The whole report, with a timeline and everything that we still have to do, is at <a href="{{ link }}">your status
page</a>. If you answer to this message it reaches a person who was there.</p>
<p>Yours,<br>the people behind {{ product }}</p>
"""
_FILE = """\
name: outage-{number:04}
message_type: email
subject: "{{{{ first_name }}}}, part {number} of the report"
body: |
  <p>Hi {{{{ first_name | default("there") }}}},</p>
  {{% if minutes > {minutes} %}}<p>{{{{ product }}}} was down for {{{{ minutes }}}} minutes.</p>{{% endif %}}
  <p>This is part {number} of what we have to say about it.</p>
from: {{type: admin, id: "394051"}}
vars: {{product: Ponies, minutes: {number}}}
to:
  - {{type: user, id: "{number:024x}", vars: {{first_name: Ann}}}}
  - {{type: user, email: person{number}@example.com, vars: {{first_name: Bo}}}}
"""


def rows(count: int, seed: int = 1) -> Iterator[tuple[str, ...]]:
    """Recipients in the order of COLUMNS; some values have what HTML or CSV must escape."""
    chance = random.Random(seed)
    for number in range(count):
        yield (
            f"person{number}@example.com",
            chance.choice(FIRST),
            chance.choice(COMPANIES),
            str(chance.randrange(3, 51)),
            "pro" if chance.random() < 1 / 3 else "free",
            f"https://status.example.com/r/{chance.getrandbits(48):012x}",
        )


def table(path: Path, count: int, columns: tuple[str, ...] = COLUMNS) -> None:
    """Writes an audience as CSV; a cell is quoted where it must be."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        handle.write(",".join(columns) + "\n")
        handle.writelines(",".join(map(_cell, row)) + "\n" for row in rows(count))


def project(root: Path, count: int) -> None:
    """Writes a project with one message to an audience of so many, and a lockfile that knows nothing yet."""
    (root / "messages").mkdir(parents=True)
    settings = f"salt: {SALT}\nlimits: {{recipients_per_message: {count}, recipients_per_apply: {count}}}\n"
    (root / "msgrun.yaml").write_text(settings)
    (root / "messages/outage.html.j2").write_text(BODY)
    (root / "messages/outage.yaml").write_text(
        f'name: outage\nmessage_type: email\nsubject: "{SUBJECT}"\nbody_file: outage.html.j2\n'
        'from: {type: admin, id: "394051"}\nvars: {product: Ponies}\n'
        'to: {csv: ../people.csv, type: user, email: "{{ email }}"}\n'
    )
    table(root / "people.csv", count)
    (root / "messages.lock").write_bytes(_header())


def sent(root: Path, path: Path, count: int) -> None:
    """Writes the lockfile that an apply of the project leaves behind: a record for each of the first so many."""
    tree = Tree(root)
    content = load_project(tree, load_settings(tree, None), RenderMonitor()).declarations[0].content
    chance = random.Random(2)
    with path.open("wb") as handle:
        handle.write(_header())
        for number in range(count):
            name = delivery_key(SALT, "outage", 1, "email", f"person{number}@example.com")
            record = Record(
                key=name, attempt=f"01JDB7Z0M3W9QK5T8N2R4X6Y1C-{number}", status="sent", message="outage", revision=1,
                to=f"email:~{name[:8]}", contact=f"{chance.getrandbits(96):024x}", id=str(2_000_000_000 + number),
                digest=f"v1:{chance.getrandbits(128):032x}", content=content, text=f"{chance.getrandbits(64):016x}",
                plan=f"sha256:{7:064x}", at="2026-11-22T10:00:00Z",
            )  # fmt: skip
            handle.write(record.to_line())


def many_files(root: Path, count: int) -> None:
    """Writes a project of so many small messages, each in a file of its own, with templates and two recipients."""
    (root / "messages").mkdir(parents=True)
    for number in range(count):
        (root / f"messages/part-{number:04}.yaml").write_text(_FILE.format(number=number, minutes=number % 60))


def _header() -> bytes:
    return Header("acme", salt_check(SALT)).to_line()


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if set(text) & {'"', ",", "\n"} else text
