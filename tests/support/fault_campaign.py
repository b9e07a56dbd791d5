"""Real applies against a server that breaks; they are killed, stopped, starved and robbed of their disk.

The witness is the server's log (intercom_server.py), the defendant is the ledger, read here by a few lines that are not
the product's. A loss is any disagreement: a message that was made and that the ledger calls neither sent nor unknown,
one that it calls sent and that was never made, a wrong id, or a recipient who is neither sent nor unknown when all is
done.

A power cut is kill -9 on a slow disk, and then of the lockfile and of its journal, each by itself, whatever was
appended after the last fsync that ended is cut off at a random byte; of half of the cuts the bytes behind it turn to
zeros instead, as file systems leave them that write the length before the data.
"""

import contextlib
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.support.forked import Forked, Process
from tests.support.processes import SUPPORT, environment, start_intercom
from tests.support.project import ROOT, people_message

BREAK = "from tests.support.shim.sitecustomize import break_process; break_process()"
RANK = ["claimed", "unknown", "refused", "released", "sent"]
DISTURBANCES = [
    "kill", "power", "stop", "two", "disk", "power", "eight", "kill", "clock", "lost", "term", "end",
    "dns", "no dns", "tls", "no tls", "ipv6",
]  # fmt: skip
NAME = "intercom.test"  # of the server's certificate; whoever wants HTTPS needs the name
OFF = 900.0  # seconds between a claim and its message from which on a clock was wrong
TORN = re.compile(rb'\{"key":"([0-9a-f]{32})"(?:,"attempt":"([^"]+)")?')
HEADER = '{"msgrun_lock":1,"workspace":"acme","salt_check":""}\n'
SETTINGS = """\
salt: s3cret
limits: {recipients_per_message: 1000000, recipients_per_apply: 1000000}
abort_if: {unknown: 1000000, refused: "100%", after: 1000000}
rate: {share: 1, max_per_10s: RATE}
"""


@dataclass
class FaultCampaign:
    """A project in a git repository, the server in a process of its own, and the applies between them."""

    root: Path
    recipients: int
    email: bool
    seed: str
    rate: int = 3000
    limit: int = 0
    latency: float = 0.01
    faults: str = "all"
    opens: bool = False
    extra: tuple[str, ...] = ()
    secure: bool = False
    outside: Path | None = None  # where log and output go, if not into the project
    is_measured: bool = False  # with the start of a Python, and in the processor time of children
    asked: int = 0  # unknown before reconcile
    left: int = 0
    wrong_clock: int = 0
    running: list[Process] = field(default_factory=list)
    codes: Counter[int] = field(default_factory=Counter)
    said: str = ""

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.lockfile, self.synced, self.notes = (self.root / name for name in ("messages.lock", "synced", "notes"))
        self.log, self.output = ((self.outside or self.root) / name for name in ("made.jsonl", "said.txt"))
        subprocess.run(["git", "init", "-q", str(self.root)], check=True)
        self.journal = self.root / ".git/msgrun/messages.lock.journal"
        (self.root / "messages").mkdir()
        flag = f"create_conversation_without_contact_reply: {str(self.opens).lower()}\n"
        message = people_message("news", "email" if self.email else "id", flag)
        (self.root / "messages/news.yaml").write_text(message)
        (self.root / "msgrun.yaml").write_text(SETTINGS.replace("RATE", str(self.rate)))
        self.lockfile.write_text(HEADER)
        self.people = [f"u{number:05}" for number in range(self.recipients)]
        self.names = {self.key(who): who for who in self.people}
        rows = (f"{who}@example.com\n" if self.email else f"{who}\n" for who in self.people)
        (self.root / "people.csv").write_text("who\n" + "".join(rows))
        options = ["--seed", self.seed, "--faults", self.faults, "--limit", str(self.limit)]
        options += ["--latency", str(self.latency), *self.extra]
        if self.secure:
            options += ["--tls", *(str(certificate(self.root / name)) for name in ("trusted", "wrong"))]
        self.server = start_intercom(self.log, *options)
        self.url, self.secure_url = self.server.url, f"https://{NAME}:{self.server.secure_port}"
        self.environment = environment(self.url) | {
            "PYTHONPATH": os.pathsep.join([str(SUPPORT / "shim"), str(ROOT)]),
            "FAULTS_TIMEOUT": "1.2",
            "FAULTS_NOTES": str(self.notes),
        }

    def key(self, who: str) -> str:
        """A delivery's key, by section 5 of the design."""
        kind, value = ("email", f"{who}@example.com") if self.email else ("id", who)
        parts = json.dumps(["s3cret", "news", 1, kind, value], separators=(",", ":"))
        return hashlib.sha256(parts.encode()).hexdigest()[:32]

    def begin_anew(self) -> None:
        """As if nothing had ever been sent."""
        self.log.write_text("")
        self.journal.unlink(missing_ok=True)
        self.lockfile.write_text(HEADER)

    def close(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()
        self.server.close()

    def start(self, *command: str, most: int = 0, **environment: str) -> Process:
        """Starts an apply, or another command; no file of it may grow beyond `most` bytes."""
        arguments = ["-C", str(self.root), *(command or ("apply", "--yes"))]
        env = self.environment | environment
        process: Process
        with self.output.open("ab" if self.is_running else "wb") as out:
            if self.is_measured or "FAULTS_CLOCK" in env:  # a clock is set before msgrun imports it
                words = [sys.executable, "-m", "runner", *arguments]
                process = subprocess.Popen(words, env=env, stdout=out, stderr=out)
            else:
                process = Forked(arguments, out, env, most=most, before=BREAK)
        self.running.append(process)
        return process

    @property
    def is_running(self) -> bool:
        return any(process.poll() is None for process in self.running)

    def end(self, *processes: Process, seconds: float = 600) -> None:
        """Waits for the ends, and counts the exit codes."""
        for process in processes:
            self.codes[process.wait(timeout=seconds)] += 1
            self.running.remove(process)
        self.said = self.output.read_text(errors="replace")

    def wait_for(self, process: Process, count: int) -> None:
        """Waits until about so many more messages were made, and then some random moments."""
        until, size = time.monotonic() + 60, self.size() + 105 * count
        while process.poll() is None and self.size() < size and time.monotonic() < until:
            time.sleep(0.002)
        time.sleep(self.chance.uniform(0, 0.05))

    def size(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0

    def made(self) -> dict[str, list[str]]:
        """The ids of the messages that each recipient got, by the server's log."""
        found: dict[str, list[str]] = {}
        for line in self.log.read_text().splitlines() if self.log.exists() else []:
            entry = json.loads(line)
            assert entry["body"] == f"Ponies for {entry['to']}{'@example.com' * self.email}", entry
            found.setdefault(entry["to"], []).append(entry["id"])
        return found

    def known(self) -> dict[str, tuple[str, set[str]]]:
        """What the ledger says of each recipient: sent, unknown, refused or free; and the ids of what was sent."""
        attempts: dict[tuple[str, str], dict[str, Any]] = {}
        for path in (self.lockfile, self.journal):
            for line in path.read_bytes().split(b"\n") if path.exists() else []:
                try:
                    record = json.loads(line)
                except ValueError:
                    torn = TORN.match(line)  # of a claim that was cut off: it was never sent, and is told as unknown
                    record = (
                        {"key": torn[1].decode(), "attempt": (torn[2] or b"torn").decode(), "status": "claimed"}
                        if torn
                        else {}
                    )
                if "attempt" in record:
                    attempt = (self.names[record["key"]], record["attempt"])
                    if RANK.index(record["status"]) >= RANK.index(attempts.get(attempt, record)["status"]):
                        attempts[attempt] = record
        found: dict[str, tuple[str, set[str]]] = {}
        order = ["sent", "unknown", "claimed", "refused", "released"]
        for (contact, _), record in sorted(attempts.items(), key=lambda item: order.index(item[1]["status"])):
            status, ids = found.setdefault(contact, (record["status"].replace("claimed", "unknown"), set()))
            if record["status"] == "sent":
                ids.add(record.get("id", ""))
            found[contact] = (status, ids)
        return found

    def is_done(self) -> bool:
        """Whether every recipient is sent or unknown: an apply would send nothing more."""
        known = self.known()
        return all(known.get(who, ("free", set()))[0] in {"sent", "unknown"} for who in self.people)

    def faults_found(self, *, is_over: bool) -> tuple[list[str], list[str]]:
        """Duplicates and losses."""
        known, made = self.known(), self.made()
        duplicates = [f"{who} got {ids}" for who, ids in made.items() if len(ids) > 1]
        losses = []
        for who in self.people:
            status, ids = known.get(who, ("free", set()))
            got = made.get(who, [])
            if got and status not in {"sent", "unknown"}:
                losses.append(f"{who}: made, and the ledger says {status}")
            elif status == "sent" and not got:
                losses.append(f"{who}: never made, and the ledger says sent")
            elif status == "sent" and len(got) == 1 and ids != set(got):
                losses.append(f"{who}: made as {got}, and the ledger says {ids}")
            elif is_over and status not in {"sent", "unknown"}:
                losses.append(f"{who}: left {status} in the end")
        return duplicates, losses

    def cut_power(self) -> None:
        """Takes from each file what no finished fsync made durable, from a random byte on."""
        durable: dict[str, int] = {}
        for line in self.synced.read_text().splitlines() if self.synced.exists() else []:
            size, _, path = line.partition(" ")
            durable[path] = int(size)
        for path in (self.lockfile, self.journal):
            if (kept := durable.get(str(path.resolve()))) is not None:
                size = path.stat().st_size
                at = self.chance.randint(min(kept, size), size)
                os.truncate(path, at)
                if self.chance.random() < 0.5:
                    os.truncate(path, size)
        self.synced.unlink(missing_ok=True)

    def disturb(self, what: str, count: int, pause: float) -> None:  # noqa: C901, PLR0912, PLR0915  # a table
        """One apply, or several, and what happens to them."""
        chance = self.chance
        match what:
            case "kill" | "lost":
                process = self.start()
                self.wait_for(process, count)
                process.kill()
                self.end(process)
                if what == "lost":  # git reset, or a checkout of an old commit: the journal knows
                    self.lockfile.write_text(HEADER)
            case "power":
                process = self.start(FAULTS_SYNCED=str(self.synced), FAULTS_DISK="0.03")
                self.wait_for(process, count)
                process.kill()
                self.end(process)
                self.cut_power()
            case "stop":
                process = self.start()
                self.wait_for(process, count)
                process.send_signal(signal.SIGSTOP)
                time.sleep(chance.uniform(pause / 2, pause))
                process.send_signal(signal.SIGCONT)
                time.sleep(0.3)
                process.send_signal(chance.choice([signal.SIGKILL, signal.SIGTERM]))
                self.end(process)
            case "two" | "eight":
                several = [self.start() for _ in range(2 if what == "two" else 8)]
                self.wait_for(several[0], count)
                for process in several:
                    if chance.random() < 0.7:  # the others end in order
                        process.kill()
                    else:
                        process.terminate()
                self.end(*several)
            case "disk":
                sizes = [path.stat().st_size for path in (self.lockfile, self.journal) if path.exists()]
                process = self.start(most=max(sizes) + chance.randint(1, 400 * count))
                self.end(process)
            case "clock":
                process = self.start(FAULTS_CLOCK="0.4:-3600")
                self.wait_for(process, count)
                process.terminate()
                self.end(process)
            case "term":
                process = self.start()
                self.wait_for(process, count)
                process.terminate()
                self.end(process)
            case "end":
                self.end(self.start("apply", "--yes", "--limit", str(count)))
            case "dns" | "no dns":  # for a second; or for longer than a run is patient, and then it releases and stops
                found = "0.02:1" if what == "dns" else "0.02:60"
                self.end(self.start("apply", "--yes", "--limit", str(count), **self.by_name(found)))
            case "tls":  # whenever nobody listens to HTTP, the certificate is wrong
                process = self.start(**self.by_name())
                self.wait_for(process, max(count, self.recipients // 10))
                process.terminate()
                self.end(process)
            case "no tls":  # nobody trusts the certificate
                time.sleep(2.2)  # slow answers to the run before make their message late
                size, process = self.size(), self.start(**self.by_name(is_trusted=False))
                time.sleep(chance.uniform(1, 3))
                process.terminate()
                self.end(process)
                assert self.size() == size, "something was made although the certificate was wrong"
            case "ipv6":
                url = self.url.replace("127.0.0.1", "[::1]" if "::1" in self.server.hosts else "127.0.0.1")
                process = self.start(INTERCOM_BASE_URL=url)
                self.wait_for(process, count)
                process.kill()
                self.end(process)

    def by_name(self, dns: str = "0:0", *, is_trusted: bool = True) -> dict[str, str]:
        """The environment of a process that talks to the server over HTTPS; `dns` is FAULTS_DNS of the shim."""
        found = {"INTERCOM_BASE_URL": self.secure_url, "FAULTS_NAME": NAME, "FAULTS_DNS": dns}
        return found | ({"REQUESTS_CA_BUNDLE": str(self.root / "trusted")} if is_trusted else {})

    def reconciled(self) -> tuple[int, int, int]:
        """Asks Intercom what is unknown: how many there were, how many of those left were made, and how many are left.

        What a clock that was set back wrote down is left out of those that were made.
        """
        before = self.unknown()
        process = self.start("reconcile", "--yes", "--wait", "4s")
        time.sleep(self.chance.uniform(0.5, 3))
        process.kill()
        self.end(process)
        for _ in range(3):
            self.end(self.start("reconcile", "--yes", "--wait", "4s"))
            after = self.unknown()
            made = {who for who in after if who in self.made()}
            if not made:
                break
        self.unsettled = sorted(made - self.by_a_wrong_clock(made))
        return len(before), len(after), len(made) - len(self.unsettled)

    def unknown(self) -> list[str]:
        """Who is unknown by the ledger."""
        return [who for who, (status, _) in self.known().items() if status == "unknown"]

    def by_a_wrong_clock(self, people: set[str]) -> set[str]:
        """Of these people, those whose open attempts all tell another time than that of their message."""
        told: dict[tuple[str, str], set[tuple[str, float]]] = {}
        for line in self.lockfile.read_bytes().split(b"\n"):
            with contextlib.suppress(ValueError):
                record = json.loads(line)
                if record.get("at"):
                    moment = datetime.fromisoformat(record["at"]).timestamp()
                    told.setdefault((self.names[record["key"]], record["attempt"]), set()).add(
                        (record["status"], moment)
                    )
        at = {entry["to"]: entry["at"] for entry in map(json.loads, self.log.read_text().splitlines())}
        near = {
            who
            for (who, _), facts in told.items()
            if who in people
            and not any(status == "released" for status, _ in facts)
            and any(abs(at[who] - moment) <= OFF for _, moment in facts)
        }
        return people - near

    def counts(self) -> dict[str, int]:
        """What the server counted, and what the shim noted."""
        with urllib.request.urlopen(f"{self.url}/counts", timeout=10) as reply:
            found: dict[str, Any] = json.load(reply)
        self.windows = {int(window): count for window, count in found.pop("windows").items()}
        notes = self.notes.read_text().splitlines() if self.notes.exists() else []
        return found | Counter(f"fault {line}" for line in notes)


def certificate(path: Path) -> Path:
    """A certificate for the name with its key, signed by itself: trusted by whoever has the file."""
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={NAME} -keyout {path}.key -out {path}"
    subprocess.run([*command.split(), "-addext", f"subjectAltName=DNS:{NAME}"], check=True, capture_output=True)
    with path.open("a") as both:
        both.write(Path(f"{path}.key").read_text())
    return path


def conduct(campaign: FaultCampaign, restarts: int, pause: float) -> tuple[Counter[str], list[str], list[str]]:
    """Disturbs so many applies, lets the job be finished, and judges after every step."""
    chance, tried = campaign.chance, Counter[str]()
    order = list(DISTURBANCES)
    chance.shuffle(order)
    order = [order[number % len(order)] for number in range(restarts)]
    duplicates: dict[str, None] = {}
    losses: dict[str, None] = {}

    def judge(*, is_over: bool = False) -> None:
        for found, all_found in zip(campaign.faults_found(is_over=is_over), (duplicates, losses), strict=True):
            all_found.update(dict.fromkeys(found))

    for what in order:
        campaign.disturb(what, 1 + int(chance.uniform(0, 1.6) * campaign.recipients / restarts), pause)
        tried[what] += 1
        judge()
    for _ in range(40):  # faults of the server's stop a run after some hundred deliveries
        campaign.end(campaign.start())
        judge()
        if campaign.is_done():
            break
    time.sleep(2.5)  # slow answers of the server's make their message late
    judge(is_over=True)
    if campaign.opens:
        campaign.asked, campaign.left, campaign.wrong_clock = campaign.reconciled()
        losses.update(dict.fromkeys(f"{who}: made, and reconcile leaves it unknown" for who in campaign.unsettled))
        judge(is_over=True)
    return tried, list(duplicates), list(losses)
