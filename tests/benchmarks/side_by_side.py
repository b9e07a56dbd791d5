"""The same 2,000 messages through the same seeded faults: msgrun, a loop as people write it, and the official SDK.

    python3 -m venv /tmp/sdk && /tmp/sdk/bin/pip install python-intercom
    python tests/benchmarks/side_by_side.py [--messages 2000] [--seed 1] [--sdk /tmp/sdk/bin/python]

The loop is `requests` with urllib3's Retry(total=5) on 429 and 5xx, for POST too; the SDK has max_retries=5. All wait
two seconds at most for an answer (a slow one of the server's takes three), and eight threads send.

The faults are those after which all three go on: msgrun ends a run at a 408 and at an inbound conversation, and a 429
that says nothing of the wait costs each sender ten seconds.

Told wrongly: the sender was told that a message failed and it was made, or that it was sent and it was not. Left open:
the sender was told that nobody knows, which only msgrun says, and does not send again.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from tests.support.fault_campaign import FaultCampaign
from tests.support.intercom_server import FAULTS as ALL_FAULTS

SLOW = ("--slow", "3", "--idle", "1")
FAULTS = ",".join(f"{name}=0.006" for name in ALL_FAULTS if name not in {"408_after", "user_message", "429_mute"})
LOOP = """\
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry
session = requests.Session()
retry = Retry(total=5, backoff_factor=0.1, status_forcelist=[429, 500, 502, 503, 504], allowed_methods=None)
session.mount("http://", HTTPAdapter(max_retries=retry))
session.headers["Authorization"] = "Bearer x"
def send(who):
    body = {"message_type": "inapp", "body": f"Ponies for {who}", "from": {"type": "admin", "id": 394051},
            "to": {"type": "user", "id": who}}
    session.post(url + "/messages", json=body, timeout=2).raise_for_status()
"""
SDK = """\
from intercom import Intercom
from intercom import CreateMessageRequest_Inapp
client = Intercom(base_url=url, token="x", timeout=2)
def send(who):
    request = CreateMessageRequest_Inapp(
        body=f"Ponies for {who}", from_={"type": "admin", "id": 394051}, to={"type": "user", "id": who})
    client.messages.create(request=request, request_options={"max_retries": 5})
"""
DRIVER = """\
import json, sys
from concurrent.futures import ThreadPoolExecutor
url, people = sys.argv[1], json.load(sys.stdin)
SENDER
def tried(who):
    try:
        send(who)
    except Exception as error:
        return [who, type(error).__name__]
    return [who, ""]
with ThreadPoolExecutor(8) as pool:
    json.dump(list(pool.map(tried, people)), sys.stdout)
"""


def judged(campaign: FaultCampaign, told: dict[str, str], seconds: float) -> str:
    """A row of the table; `told` says sent, unknown or failed for each recipient."""
    time.sleep(3.5)  # what the server makes late
    made = {who: len(ids) for who, ids in campaign.made().items()}
    says = Counter(told.values())
    twice = sum(count > 1 for count in made.values())
    wrong = Counter(
        (told[who], made.get(who, 0) > 0)
        for who in campaign.people
        if (told[who] == "failed" and who in made) or (told[who] == "sent" and who not in made)
    )
    return (
        f"{twice:>10} {sum(made.values()) - len(made):>14} {wrong['failed', True]:>18} {wrong['sent', False]:>16} "
        f"{says['unknown']:>9} {says['sent']:>6} {seconds:>8.0f}"
    )


def with_msgrun(campaign: FaultCampaign) -> str:
    campaign.environment["FAULTS_TIMEOUT"] = "2"
    started = time.monotonic()
    campaign.end(campaign.start())
    seconds = time.monotonic() - started
    known = campaign.known()
    words = {"sent": "sent", "unknown": "unknown"}
    return judged(
        campaign, {who: words.get(known.get(who, ("free",))[0], "failed") for who in campaign.people}, seconds
    )


def with_script(campaign: FaultCampaign, python: str, sender: str) -> str:
    started = time.monotonic()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [python, "-c", DRIVER.replace("SENDER", sender), campaign.url],
        input=json.dumps(campaign.people), stdout=subprocess.PIPE, text=True, check=True, env=environment,
    )  # fmt: skip
    seconds = time.monotonic() - started
    return judged(campaign, {who: "failed" if error else "sent" for who, error in json.loads(done.stdout)}, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--sdk", help="the Python of an environment with python-intercom")
    args = parser.parse_args()
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{datetime.now(UTC).date()}, {machine}, {args.messages:,} messages, seed {args.seed}")
    print(f"{'':<22} {'duplicates':>10} {'extra messages':>14} {'failed, but made':>18} {'sent, but not':>16} ", end="")
    print(f"{'left open':>9} {'sent':>6} {'seconds':>8}")
    senders = {
        "msgrun": with_msgrun,
        "requests and Retry": lambda campaign: with_script(campaign, sys.executable, LOOP),
        "python-intercom": lambda campaign: with_script(campaign, args.sdk, SDK),
    }
    for name, send in senders.items():
        if name == "python-intercom" and not args.sdk:
            continue
        with tempfile.TemporaryDirectory() as folder:
            campaign = FaultCampaign(
                Path(folder).resolve(),
                args.messages,
                email=False,
                seed=args.seed,
                rate=100_000,
                faults=FAULTS,
                extra=SLOW,
            )
            try:
                print(f"{name:<22} {send(campaign)}", flush=True)
            finally:
                campaign.close()


if __name__ == "__main__":
    main()
