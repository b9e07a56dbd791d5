"""A sandbox in a process of its own, until it is killed. Prints its address.

python tests/support/sandbox_process.py --log FILE [--workspace ID] [--latency S] [--trouble SPEC] [--seed N]
"""

import argparse
import threading
from pathlib import Path

from runner.sandbox import SANDBOX_WORKSPACE_ID, Sandbox, Trouble

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", type=Path)
    parser.add_argument("--workspace", default=SANDBOX_WORKSPACE_ID)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--trouble", action="append", default=[])
    parser.add_argument("--seed", type=int, default=0)
    options = vars(parser.parse_args())
    trouble = Trouble.from_specs(options.pop("trouble"), options.pop("seed"))
    with Sandbox(rate_limit=1_000_000, trouble=trouble, **options) as sandbox:
        print(f"sandbox on {sandbox.url}", flush=True)
        threading.Event().wait()
