"""What a preview costs: many messages with twenty recipients each, one message with a large audience, and a change.

    python tests/benchmarks/preview.py [RECIPIENTS] [RUNS]

Prints seconds of the clock and of the processors for `preview` and for the `plan` of the same project, in turn, and the
ratios of their processor seconds. Then how long `preview --serve` takes to show a change of one of the many messages.
The goals: 100 messages in under 3 s of two idle cores, a large audience in 1.1 of the time that the plan takes to read
it, and a change within a second.
"""

import http.client
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from measuring import Command, cpu, in_turn, ratio, typical, wall

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
    print(f"{'':<40} {'preview':>8} {'cpu':>8} {'plan':>8} {'cpu':>8} {'ratio':>6}")
    for messages, people in ((MESSAGES, SHOWN), (1, recipients)):
        with tempfile.TemporaryDirectory() as folder:
            prepare(Path(folder), messages, people)
            # A large audience is compared in one process: the plan alone is shared among several.
            msgrun = [sys.executable, "-m", "runner", *(["--jobs", "1"] if messages == 1 else [])]
            shown = ["--recipients", str(SHOWN)] if messages > 1 else []
            found = in_turn(
                {
                    "preview": Command([*msgrun, "preview", *shown], Path(folder)),
                    "plan": Command([*msgrun, "plan"], Path(folder)),
                },
                runs,
            )
            name = f"{messages:,} messages, {people:,} recipients each"
            seconds = [typical(found[command], of) for command in ("preview", "plan") for of in (wall, cpu)]
            columns = " ".join(f"{number:>7.2f}s" for number in seconds)
            print(f"{name:<40} {columns} {ratio(found['preview'], found['plan'], cpu):>6.2f}", flush=True)
            if messages > 1:
                changes = sorted(time_changes(Path(folder), runs))
                print(f"{'a change of one of them, --serve':<40} {changes[len(changes) // 2]:>7.2f}s", flush=True)


def time_changes(root: Path, times: int) -> list[float]:
    """Returns the seconds from each change of a file until a browser with the pages of before is told."""
    command = [sys.executable, "-m", "runner", "preview", "--serve"]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout
    url = urlsplit(process.stdout.readline().strip())
    message, seconds = root / "messages/7.yaml", []
    for version in range(1, times + 1):
        connection = http.client.HTTPConnection(url.netloc, timeout=60)
        connection.request("GET", f"{url.path}events?{version}")
        events = connection.getresponse()
        began = time.perf_counter()
        message.write_text(f"{message.read_text()}  <p>Once more.</p>\n")
        while b"changed" not in events.readline():
            pass
        seconds.append(time.perf_counter() - began)
        connection.close()
    process.terminate()
    process.wait()
    return seconds


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
