"""How fast the command starts: processor time against `python -c pass`, in turn, so that noise is fair to both.

    python tests/benchmarks/startup.py [RUNS]

Prints the median of the ratios, pair by pair. The goals are those of the design: 3 for --version, 11 for validate.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

DECLARATION = """\
name: outage-apology
message_type: email
subject: "Sorry, {{ first_name }}"
body: |
  <p>Hi {{ first_name }},</p>
  <p>{{ product }} was down for you. It is back.</p>
from: {type: admin, id: "394051"}
vars: {product: Ponies}
to: {type: user, email: ann@example.com, vars: {first_name: Ann}}
"""
RUNS = 21


def seconds(command: list[str], folder: Path) -> float:
    """Processor time of a whole process, user and system."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} exited with {process.returncode}")
    return used.ru_utime + used.ru_stime


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    commands = {
        "msgrun --version": (["-m", "runner", "--version"], 3),
        "msgrun validate (one file)": (["-m", "runner", "validate"], 11),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "messages").mkdir()
        (folder / "messages/outage.yaml").write_text(DECLARATION)
        print(f"{'command':<28} {'ratio':>6} {'goal':>5}   {'cpu ms':>7}   python -c pass, ms")
        for told, (args, goal) in commands.items():
            pairs = []
            for _ in range(runs + 1):
                ours = seconds([sys.executable, *args], folder)
                pairs.append((ours, seconds([sys.executable, "-c", "pass"], folder)))
            ratios = [ours / bare for ours, bare in pairs[1:]]
            ours, bare = (1000 * statistics.median(column) for column in zip(*pairs[1:], strict=True))
            print(f"{told:<28} {statistics.median(ratios):>6.1f} {goal:>5}   {ours:>7.0f}   {bare:.0f}")


if __name__ == "__main__":
    main()
