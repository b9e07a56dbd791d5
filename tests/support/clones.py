"""Clones of a bare remote, and the command in them as a person or a CI job runs it."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from runner.sandbox import Sandbox
from tests.support.forked import run_forked
from tests.support.project import Ran, run_in_process

SETTINGS = 'salt: "rehearsal"\nfrom: {type: admin, id: "394051"}\n'
HEADER = '{"msgrun_lock":1,"workspace":"","salt_check":"%s"}\n'
ATTRIBUTES = "messages.lock -text merge=union\n"


def message(name: str, *ids: str, body: str = "Ponies") -> str:
    to = "".join(f"  - {{type: user, id: {found}}}\n" for found in ids)
    return f"name: {name}\nmessage_type: inapp\nbody: {body}\nto:\n{to}"


@dataclass
class Clone:
    """A work tree, git in it, and the command as a CI job or a person runs it there."""

    path: Path
    intercom: Sandbox
    env: dict[str, str] = field(default_factory=dict)

    def git(self, *args: str, fails: bool = False) -> str:
        done = subprocess.run(["git", *args], cwd=self.path, capture_output=True, text=True, check=False)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return (done.stderr if fails else done.stdout).strip()

    def write(self, name: str, text: str | bytes) -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())

    def remove_settings(self, *names: str) -> None:
        """Removes keys from msgrun.yaml, each of which is on a line of its own."""
        lines = (self.path / "msgrun.yaml").read_text("utf-8").splitlines(keepends=True)
        self.write("msgrun.yaml", "".join(line for line in lines if line.partition(":")[0] not in names))

    def commit(self, *paths: str) -> str:
        self.git("add", "--all", *paths)
        self.git("commit", "--quiet", "--message", "change")
        return self.git("rev-parse", "HEAD")

    def msgrun(self, *args: str, token: str = "secret-token") -> Ran:
        """`msgrun ARGS` in this process; without a token as in a fork."""
        ran = run_in_process(args, self.path, self._environment(token))
        print(args, ran.code, ran.out, ran.err, sep="\n")
        return ran

    def process(self, *args: str, token: str = "secret-token") -> Ran:
        """`msgrun ARGS` in a process of its own, which may run at the same time as others."""
        ran = Ran(*run_forked(args, self.path, self._environment(token)))
        print(args, ran.code, ran.out, ran.err, sep="\n")
        return ran

    def _environment(self, token: str) -> dict[str, str]:
        return {**os.environ, "INTERCOM_BASE_URL": self.intercom.url, "INTERCOM_ACCESS_TOKEN": token, **self.env}

    def sent(self) -> list[tuple[str, str]]:
        """The (recipient, body) of every message that Intercom made."""
        return sorted((found["payload"]["to"]["id"], found["payload"]["body"]) for found in self.intercom.messages)


def tip(origin: Path, branch: str = "main") -> str:
    """The newest commit of a branch on the remote."""
    return git_output(origin, "rev-parse", f"refs/heads/{branch}")


def git_output(origin: Path, *args: str) -> str:
    """Runs git in the remote. Returns what it prints."""
    done = subprocess.run(["git", "-C", str(origin), *args], capture_output=True, text=True, check=True)
    return done.stdout.strip()
