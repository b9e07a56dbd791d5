"""What plan, validate and the ledger cost at size, beside a bare loop and the tools that people know, in one run.

    python tests/benchmarks/plan.py [--quick] [--recipients 1000000] [--times 3] [--peers FOLDER] [PART …]

Parts: plan, memory, growth, dry, files, ledger, dns; without any, all. `--quick` takes two minutes: 100,000 recipients,
each measured twice. The peers are fetched from PyPI into environments of their own, in FOLDER, which is kept.

Everything is a whole process, from its start to its end, on data made here from a seed. What is compared runs in turn,
and a ratio is the median of the ratios of the pairs: by the clock, and by processor time, which a busy machine changes
less. Memory is looked at in runs of its own: resident memory of the largest process, and of all of them, where what
they share counts once (PSS).

What the start costs is measured by startup.py.
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import peers as others
import people
from measuring import Command, Run, cpu, in_turn, peak, ratio, typical, wall
from peers import Peers

ROOT = Path(__file__).parent.parent.parent
MADE = frozenset({0, 5})  # a guard may say no to a plan: it was made all the same
LOAD = """\
import sys, time
from pathlib import Path
from runner.ledger.lockfile.files import LockfilePaths
from runner.ledger.lockfile.ledger import read_lockfile
began = time.perf_counter()
facts = read_lockfile(LockfilePaths(Path("messages.lock"), None, "messages.lock"))
print(len(facts), time.perf_counter() - began)
"""


@dataclass
class Bench:
    """Where it runs, and how much."""

    folder: Path
    recipients: int
    times: int
    peers: Path
    _fetched: Peers | None = field(default=None)

    @property
    def fetched(self) -> Peers:
        if self._fetched is None:
            self._fetched = Peers(self.peers)
        return self._fetched

    def project(self, count: int) -> Path:
        """The project with so many recipients, made once."""
        root = self.folder / f"people-{count}"
        if not root.exists():
            people.project(root, count)
        return root

    def remembering(self, count: int) -> Path:
        """The same, all of it sent."""
        root = self.folder / f"sent-{count}"
        if not root.exists():
            people.project(root, count)
            people.sent(root, root / "messages.lock", count)
        return root


def ours(root: Path, *words: str) -> Command:
    return Command([sys.executable, "-m", "runner", "--quiet", *words], root, MADE)


def plans(bench: Bench) -> None:
    """A plan against the bare loop; in both projects, one where nothing was sent and one where everything was."""
    count = bench.recipients
    new, sent = bench.project(count), bench.remembering(count)
    commands = {
        "bare": others.bare_loop(new),
        "one": ours(new, "--jobs", "1", "plan"),
        "two": ours(new, "--jobs", "2", "plan"),
        "one, all sent": ours(sent, "--jobs", "1", "plan"),
        "two, all sent": ours(sent, "--jobs", "2", "plan"),
    }
    runs = in_turn(commands, bench.times)
    _check(runs, "one", "two", f"Plan: {count:,} to send")
    _check(runs, "one, all sent", "two, all sent", f"Plan: nothing to send, {count:,} already sent")
    _say(f"bare loop, {count:,} recipients", runs["bare"], count)
    for name, goal in (("one", 0.65), ("two", 0.40), ("one, all sent", 0), ("two, all sent", 0)):
        number, _, ledger = name.partition(", ")
        told = f"plan, {number} process{'es' * (number == 'two')}{', ledger of as many' * bool(ledger)}"
        _say(told, runs[name], count, runs["bare"], goal=goal)


def memory(bench: Bench) -> None:
    root = bench.remembering(bench.recipients)
    for jobs in ("1", "2"):
        found = peak(ours(root, "--jobs", jobs, "plan"))
        told = f"memory, {bench.recipients:,} recipients and as many in the ledger, --jobs {jobs}"
        print(f"{told:<64} {found.own:>6.0f} MiB, with children {found.all:.0f} MiB   goal 128")


def growth(bench: Bench) -> None:
    """From a thousand recipients on, tenfold each time, with a ledger of as many."""
    count = 1000
    while count <= bench.recipients:
        new, sent = bench.project(count), bench.remembering(count)
        commands = {"one": ours(new, "--jobs", "1", "plan"), "default": ours(new, "plan"), "sent": ours(sent, "plan")}
        runs = in_turn(commands, bench.times)
        told = ", ".join(
            f"{name} {typical(found, wall):.2f} s ({count / typical(found, wall):,.0f}/s)"
            for name, found in runs.items()
        )
        print(f"growth, {count:>9,} recipients: {told}; {peak(commands['sent']).all:.0f} MiB")
        count *= 10


def dry(bench: Bench) -> None:
    """A dry run of mailmerge. It prints every message and has a constant rate, so it gets fewer."""
    if not _there(bench, "mailmerge"):
        return
    few, many = 10_000, bench.recipients
    root = bench.project(many)
    theirs = others.mailmerge(bench.fetched, bench.folder / "mailmerge", few)
    commands = {"theirs": theirs, "one": ours(root, "--jobs", "1", "plan"), "two": ours(root, "--jobs", "2", "plan")}
    runs = in_turn(commands, bench.times)
    version, rate = bench.fetched.versions["mailmerge"], few / typical(runs["theirs"], wall)
    print(f"mailmerge {version} --dry-run: {rate:,.0f} rows a second")
    for name in ("one", "two"):
        rates = [many / one.wall * other.wall / few for one, other in zip(runs[name], runs["theirs"], strict=True)]
        print(
            f"plan, {name} process{'es' * (name == 'two')}: {many / typical(runs[name], wall):,.0f} rows a second, "
            f"{statistics.median(rates):.1f} times   goal 30"
        )


def files(bench: Bench, count: int = 1000) -> None:
    if not _there(bench, "check-jsonschema"):
        return
    root = bench.folder / "files"
    people.many_files(root, count)
    schema = ROOT / "schema/message.schema.json"
    commands = {"theirs": others.check_jsonschema(bench.fetched, schema, root), "ours": ours(root, "validate")}
    runs = in_turn(commands, bench.times)
    _say(f"check-jsonschema {bench.fetched.versions['check-jsonschema']}, {count:,} files", runs["theirs"], count)
    _say(f"validate, {count:,} files, templates included", runs["ours"], count, runs["theirs"], goal=0.4)


def ledger(bench: Bench) -> None:
    count = bench.recipients
    root = bench.remembering(count)
    size = (root / "messages.lock").stat().st_size
    print(f"ledger of {count:,} deliveries: {size / 1e6:,.0f} MB, {size / count:.0f} bytes a delivery")
    load = Command([sys.executable, "-c", LOAD], root)
    loaded = [float(run.output.split()[1]) for run in in_turn({"load": load}, bench.times)["load"]]
    print(f"load: {statistics.median(loaded):.2f} s   goal {3 * count / 1e6:g}")
    for words in (["status"], ["status", "--format", "json"], ["lock", "stats"], ["lock", "compact"]):
        command = ours(root, *words)
        runs = in_turn({"ours": command}, bench.times)["ours"]
        print(f"{' '.join(words)}: {typical(runs, wall):.2f} s, {peak(command).own:.0f} MiB")


def dns(bench: Bench, count: int = 10_000) -> None:
    """octoDNS' plan of new records, for orientation: it does other work."""
    if not _there(bench, "octodns"):
        return
    command = others.octodns(bench.fetched, bench.folder / "dns", count)
    runs = in_turn({"dns": command}, bench.times)["dns"]
    _say(f"octoDNS {bench.fetched.versions['octodns']}, plan of {count:,} records", runs, count)


PARTS: dict[str, Callable[[Bench], None]] = {
    "plan": plans, "memory": memory, "growth": growth, "dry": dry, "files": files, "ledger": ledger, "dns": dns,
}  # fmt: skip


def _say(told: str, runs: list[Run], count: int, against: list[Run] | None = None, *, goal: float = 0) -> None:
    """A line of the table."""
    seconds, used = typical(runs, wall), typical(runs, cpu)
    line = f"{told:<48} {seconds:>7.2f} s {used:>7.2f} s of processors {count / seconds:>10,.0f}/s"
    if against:
        line += f"   {ratio(runs, against, wall):.2f} ({ratio(runs, against, cpu):.2f} of processors)"
    print(line + (f"   goal {goal}" if goal else ""))


def _check(runs: dict[str, list[Run]], one: str, two: str, told: str) -> None:
    """That all the work was done, and that one process and two say the same."""
    outputs = {run.output for name in (one, two) for run in runs[name]}
    if len(outputs) != 1 or told not in outputs.pop():
        raise SystemExit(f"{one} and {two} do not say the same, or not what they should")


def _there(bench: Bench, package: str) -> bool:
    reason = bench.fetched.missing.get(package)
    if reason:
        print(f"{package}: left out, {reason}")
    return reason is None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--recipients", type=int)
    parser.add_argument("--times", type=int)
    parser.add_argument("--peers", type=Path, default=Path(tempfile.gettempdir()) / "msgrun-peers")
    args = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    print(f"{cores} cores, Python {platform.python_version()}, {platform.system()} on {platform.machine()}, ", end="")
    print(f"load {os.getloadavg()[0]:.1f} at the start")
    with tempfile.TemporaryDirectory() as folder:
        recipients = args.recipients or (100_000 if args.quick else 1_000_000)
        bench = Bench(Path(folder), recipients, args.times or (2 if args.quick else 3), args.peers)
        for name in args.parts or PARTS:
            PARTS[name](bench)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
