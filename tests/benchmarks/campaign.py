"""The fault campaign: real applies against a server that breaks, killed, stopped, starved and robbed of their disk.

    python tests/benchmarks/campaign.py --recipients 3000 --restarts 20 --seed 1 [--email] [--stop 60]

Prints what was tried and what came of it; exits with 1 on any duplicate and any loss. The witness is the server's log
(tests/support/intercom_server.py), the defendant is the ledger, read here by a few lines that are not the product's.

A loss is any disagreement: a message that was made and that the ledger calls neither sent nor unknown, one that it
calls sent and that was never made, a wrong id, or a recipient who is neither sent nor unknown when all is done.

A power cut is kill -9 on a slow disk, and then of the lockfile and of its journal, each by itself, whatever was
appended after the last fsync that ended is cut off at a random byte; of half of the cuts the bytes behind it turn to
zeros instead, as file systems leave them that write the length before the data.

In the end `reconcile` is asked, killed once, and asked again; the search index of the server lags and its reads have
faults too. Every delivery that was made must then be `sent`, and whatever is still unknown was never made. Nobody can
find what a clock that was set back by an hour wrote down as an hour old; that stays unknown, and is counted by itself.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.support.fault_campaign import FaultCampaign, conduct


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--recipients", type=int, default=3000)
    parser.add_argument("--restarts", type=int, default=20)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--email", action="store_true", help="recipients by email, who are looked up")
    parser.add_argument(
        "--silent", action="store_true", help="messages that open no conversation: nothing to reconcile"
    )
    parser.add_argument("--stop", type=float, default=4.0, help="seconds of the longest SIGSTOP")
    parser.add_argument("--limit", type=int, default=0, help="the server's limit in a window of ten seconds")
    parser.add_argument("--rate", type=int, default=3000, help="max_per_10s; over 5000, all lanes are used at once")
    parser.add_argument("--keep", metavar="FOLDER", help="where a project with duplicates or losses is copied to")
    parser.add_argument("--idle", type=float, default=0.4, help="seconds after which the server closes a connection")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        extra = ("--idle", str(args.idle), "--refuse", f"{max(150, args.recipients // 10)}:0.6")
        campaign = FaultCampaign(
            Path(folder).resolve(), args.recipients, args.email, args.seed, args.rate, args.limit,
            extra=extra, opens=not args.silent, secure=True,
        )  # fmt: skip
        try:
            started = time.monotonic()
            tried, duplicates, losses = conduct(campaign, args.restarts, args.stop)
            counts, made, known = campaign.counts(), campaign.made(), campaign.known()
            if args.keep and (duplicates or losses):
                shutil.copytree(campaign.root, args.keep, dirs_exist_ok=True)
        finally:
            campaign.close()
    statuses = Counter(status for status, _ in known.values())
    unknown = [who for who, (status, _) in known.items() if status == "unknown"]
    told = {
        "disturbances": ", ".join(f"{name} {count}" for name, count in sorted(tried.items())),
        "exit codes": ", ".join(f"{code}: {count}" for code, count in sorted(campaign.codes.items())),
        "faults": ", ".join(
            f"{name.removeprefix('fault ')} {count}" for name, count in sorted(counts.items()) if "fault" in name
        ),
        "server": ", ".join(f"{name} {count}" for name, count in sorted(counts.items()) if "fault" not in name),
        "seconds": f"{time.monotonic() - started:.0f}",
        "recipients": args.recipients,
        "sent": statuses["sent"],
        "unknown": f"{campaign.asked} before reconcile" if campaign.opens else len(unknown),
        "settled": f"{campaign.asked - campaign.left} by reconcile" if campaign.opens else "nothing can be",
        "left unknown": f"{len(unknown)}, of which made {sum(who in made for who in unknown)} "
        f"({campaign.wrong_clock} by a clock that was wrong)",
        "duplicates": len(duplicates),
        "losses": len(losses),
    }
    for name, value in told.items():
        print(f"{name:<13} {value}")
    print(*duplicates[:20], *losses[:20], sep="\n", end="")
    if losses:
        print(campaign.said[-3000:])
    sys.exit(1 if duplicates or losses else 0)


if __name__ == "__main__":
    main()
