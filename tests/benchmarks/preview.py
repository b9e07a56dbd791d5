"""What a preview costs: many messages with twenty recipients each, and one message with a large audience.

    python tests/benchmarks/preview.py [RECIPIENTS] [RUNS]

Prints processor seconds of `preview` and of the `plan` of the same project, in turn, and their ratio. The goals: 100
messages in under 3 s on an idle core, and a large audience in 1.1 of the time that the plan takes to read it.
"""

import sys
import tempfile
from pathlib import Path

from measuring import Command, cpu, in_turn, ratio, typical

HEAD = """\
name: outage-{number}
message_type: email
subject: "Sorry, {{{{ first_name }}}}: {{{{ product }}}} was down"
template: plain
from: {{type: admin, id: "1"}}
vars: {{product: Ponies}}
expires: 2999-12-01
create_conversation_without_contact_reply: true
to: {{csv: ../people.csv, type: user, email: "{{{{ email }}}}"}}
body: |
  <p>Hi {{{{ first_name }}}},</p>
  {{% if credit %}}<p>We put {{{{ credit }}}} on your account.</p>{{% endif %}}
"""
TEXT = "  <p>That was our fault: a certificate ran out, and who was to renew it was on holiday.</p>\n" * 8
LINK = '  <p><a href="https://example.com/unsubscribe">Unsubscribe</a></p>\n'
MESSAGES, SHOWN = 100, 20
RECIPIENTS, RUNS = 200_000, 3


def main() -> None:
    recipients = int(sys.argv[1]) if len(sys.argv) > 1 else RECIPIENTS
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else RUNS
    print(f"{'project':<40} {'preview':>8} {'plan':>8} {'ratio':>6}")
    for messages, people in ((MESSAGES, SHOWN), (1, recipients)):
        with tempfile.TemporaryDirectory() as folder:
            prepare(Path(folder), messages, people)
            msgrun = [sys.executable, "-m", "runner", "--jobs", "1"]
            shown = ["--recipients", str(SHOWN)] if messages > 1 else []
            found = in_turn(
                {
                    "preview": Command([*msgrun, "preview", *shown], Path(folder)),
                    "plan": Command([*msgrun, "plan"], Path(folder)),
                },
                runs,
            )
        name = f"{messages:,} messages, {people:,} recipients each"
        seconds = [typical(found[command], cpu) for command in ("preview", "plan")]
        print(f"{name:<40} {seconds[0]:>7.2f}s {seconds[1]:>7.2f}s {ratio(found['preview'], found['plan'], cpu):>6.2f}")


def prepare(root: Path, messages: int, people: int) -> None:
    (root / "messages").mkdir()
    (root / "messages.lock").write_text('{"msgrun_lock":1,"workspace":"","salt_check":"9165df25"}\n')
    (root / "msgrun.yaml").write_text("limits: {recipients_per_message: 10000000, recipients_per_apply: 100000000}\n")
    for number in range(messages):
        (root / f"messages/{number}.yaml").write_text(HEAD.format(number=number) + TEXT + LINK)
    with (root / "people.csv").open("w") as table:
        table.write("email,first_name,credit\n")
        for number in range(people):
            table.write(f"person{number}@example.com,Person {number},{'12.00 EUR' if number % 2 else ''}\n")


if __name__ == "__main__":
    main()
