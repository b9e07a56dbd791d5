"""What others do with the same work: a bare loop, mailmerge, check-jsonschema and octoDNS, each as its own manual says.

A peer gets an environment of its own, which is kept for the next time. Where pip cannot get it, it is left out, and
the table says so.
"""

import subprocess
import sys
from pathlib import Path

import people
from measuring import Command

LOOP = """\
import csv, hashlib, json, sys
from jinja2 import Environment
subject, body = (Environment(autoescape=escaped).from_string(text) for escaped, text in (
    (False, sys.argv[2]), (True, open("messages/outage.html.j2").read())))
total = 0
with open(sys.argv[1], newline="", encoding="utf-8") as handle:
    for row in csv.DictReader(handle):
        row["product"] = "Ponies"
        payload = {"message_type": "email", "template": "plain", "subject": subject.render(row),
                   "body": body.render(row), "from": {"type": "admin", "id": "394051"},
                   "to": {"type": "user", "email": row["email"]}}
        digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
        total += 1
print(total, digest)
"""
_PACKAGES = ("mailmerge", "check-jsonschema", "octodns")
_DNS = """\
providers:
  ours: {class: octodns.provider.yaml.YamlProvider, directory: ./zones}
  theirs: {class: octodns.provider.yaml.YamlProvider, directory: ./target}
zones:
  example.com.: {sources: [ours], targets: [theirs]}
"""


class Peers:
    """The peers that could be had; `missing` says why the others are not."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.versions: dict[str, str] = {}
        self.missing: dict[str, str] = {}
        for package in _PACKAGES:
            self._fetch(package)

    def program(self, package: str, name: str) -> str:
        return str(self._folder / package / "bin" / name)

    def _fetch(self, package: str) -> None:
        python = self.program(package, "python")
        if not Path(python).exists():
            subprocess.run([sys.executable, "-m", "venv", str(self._folder / package)], check=True)
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            told = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
            self.missing[package] = told[-1]
            return
        asked = f"from importlib.metadata import version; print(version({package!r}))"
        self.versions[package] = subprocess.run(
            [python, "-c", asked], capture_output=True, text=True, check=True
        ).stdout.strip()


def bare_loop(root: Path) -> Command:
    """The work of a plan, but for all that makes it one: read, render twice, dump, hash."""
    return Command([sys.executable, "-c", LOOP, "people.csv", people.SUBJECT], root)


def mailmerge(peers: Peers, root: Path, count: int) -> Command:
    """The same message to so many, dry: https://github.com/awdeorio/mailmerge#example."""
    root.mkdir(parents=True)
    people.table(root / "mailmerge_database.csv", count)
    head = f"TO: {{{{ email }}}}\nFROM: us@example.com\nSUBJECT: {people.SUBJECT}\nCONTENT-TYPE: text/html\n\n"
    text = f'{{% set product = "Ponies" %}}{head}{people.BODY}'
    (root / "mailmerge_template.txt").write_text(text)
    (root / "mailmerge_server.conf").write_text("[smtp_server]\nhost = 127.0.0.1\nport = 25\n")
    return Command([peers.program("mailmerge", "mailmerge"), "--dry-run", "--no-limit"], root)


def check_jsonschema(peers: Peers, schema: Path, root: Path) -> Command:
    """The schema alone: no templates, no audiences, no names that must be unique."""
    files = sorted(str(path) for path in (root / "messages").iterdir())
    return Command([peers.program("check-jsonschema", "check-jsonschema"), "--schemafile", str(schema), *files], root)


def octodns(peers: Peers, root: Path, count: int) -> Command:
    """A plan of so many new DNS records, dry: https://octodns.readthedocs.io."""
    (root / "zones").mkdir(parents=True)
    (root / "target").mkdir()
    (root / "config.yaml").write_text(_DNS)
    (root / "target/example.com.yaml").write_text("--- {}\n")
    with (root / "zones/example.com.yaml").open("w") as handle:
        handle.write("---\n")
        for number in range(count):
            address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
            handle.write(f"host{number:07}: {{ttl: 300, type: A, value: {address}}}\n")
    return Command([peers.program("octodns", "octodns-sync"), "--config-file", "config.yaml", "--force"], root)
