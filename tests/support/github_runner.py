"""A small stand-in for GitHub's runner: executes the steps of a job, or of the composite action, in real shells.

It knows the expressions, files and actions that our workflows use, and fails at any other.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.forked import program
from tests.support.project import ROOT

_HOLE = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
# What our steps call and no test should reach: pip, which would download, and GitHub's own command.
_PYTHON = """\
#!/bin/sh
[ "$1 $2 $3" = "-I -m venv" ] || exec {python} "$@"
mkdir -p "$4/bin"
printf '#!/bin/sh\\necho "$@" >> {log}\\n' > "$4/bin/pip"
printf '#!/bin/sh\\nexec {msgrun} "$@"\\n' > "$4/bin/msgrun"
chmod +x "$4/bin/pip" "$4/bin/msgrun"
"""
_GH = """\
#!/bin/sh
exec {python} {gh} "$@"
"""


class Missing(dict):
    """A context in which what is not there is empty, as in GitHub's expressions."""

    def __getattr__(self, name: str) -> Any:
        found = self.get(name, "")
        return Missing(found) if isinstance(found, dict) else found


@dataclass
class Job:
    """One run of a job on a machine of its own, which is lost with it."""

    home: Path
    clone: Any  # makes the work tree when the job checks out: (path, ref, depth) -> Clone
    event: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)
    needs: dict[str, Any] = field(default_factory=dict)
    artifacts: Path | None = None
    env: dict[str, str] = field(default_factory=dict)
    comments: Path | None = None
    lost_before: str = ""  # the name of the step at which the machine is lost

    def __post_init__(self) -> None:
        self.temp = self.home / "temp"
        self.temp.mkdir(parents=True)
        self.work = None
        self.steps: dict[str, Any] = {}
        self.failed = False
        self.log = ""
        self.codes: dict[str, int] = {}
        self.paths = [str(self.home / "bin")]
        (self.home / "bin").mkdir()
        for name, text in {"python3": _PYTHON, "gh": _GH}.items():
            file = self.home / "bin" / name
            gh = Path(__file__).with_name("gh.py")
            file.write_text(text.format(python=sys.executable, log=self.home / "pip.log", gh=gh, msgrun=program()))
            file.chmod(0o755)
        for name in ("output", "summary", "path"):
            (self.home / name).touch()

    @property
    def summary(self) -> str:
        return (self.home / "summary").read_text()

    def run(self, job: dict[str, Any], env: dict[str, str] | None = None) -> "Job":
        """Runs the steps of a job of a workflow."""
        self.env = {**(env or {}), **self.env}
        self.may_push = job.get("permissions", {}).get("contents") == "write"
        if "if" in job:
            assert self._is_true(job["if"]), job["if"]
        folder = self.value(job.get("directory", "."))
        for step in job["steps"]:
            if step.get("name") == self.lost_before:
                return self
            self._step(step, folder)
        self.outputs = {name: self.value(text) for name, text in job.get("outputs", {}).items()}
        return self

    def act(self, inputs: dict[str, str], action: Path = ROOT / "action.yml") -> "Job":
        """Runs the composite action; the job has checked out before."""
        declared = yaml.safe_load(action.read_text())
        assert set(inputs) <= set(declared["inputs"]), inputs
        needed = [name for name, found in declared["inputs"].items() if found.get("required")]
        assert set(needed) <= set(inputs), needed
        values = {name: self.value(found.get("default", "")) for name, found in declared["inputs"].items()}
        self.inputs = {**values, **inputs}
        for step in declared["runs"]["steps"]:
            assert "uses" in step or step["shell"] == "bash", step
            self._step(step, ".")
        self.outputs = {name: self.value(found["value"]) for name, found in declared["outputs"].items()}
        return self

    def value(self, text: Any) -> str:
        """A text with its expressions filled in."""
        return _HOLE.sub(lambda found: self._shown(self._evaluated(found[1])), str(text))

    def _shown(self, found: Any) -> str:
        return {True: "true", False: "false", None: ""}.get(found, found) if isinstance(found, bool) else str(found)

    def _is_true(self, condition: str) -> bool:
        inner = _HOLE.fullmatch(condition)
        return bool(self._evaluated(inner[1] if inner else condition))

    def _evaluated(self, expression: str) -> Any:
        """The value of an expression: its operators are Python's in other words."""
        text = re.sub(r"'([^']*)'", r'"\1"', expression)
        for theirs, ours in (("&&", " and "), ("||", " or ")):
            text = text.replace(theirs, ours)
        text = re.sub(r"!(?!=)", " not ", text)
        text = re.sub(r"(inputs|strategy)\.([a-z-]+)", lambda found: f'{found[1]}["{found[2]}"]', text)
        text = re.sub(r"(outputs)\.([a-z]+-[a-z-]+)", lambda found: f'{found[1]}["{found[2]}"]', text)
        contexts = {
            "github": Missing(self.event), "secrets": Missing(self.secrets), "needs": Missing(self.needs),
            "steps": Missing(self.steps), "runner": Missing({"temp": str(self.temp)}),
            "inputs": getattr(self, "inputs", {}), "strategy": {"job-index": 0},
            "cancelled": lambda: False, "always": lambda: True,
            "success": lambda: not self.failed, "failure": lambda: self.failed,
        }  # fmt: skip
        return eval(text.strip(), {"__builtins__": {}}, contexts)

    def _step(self, step: dict[str, Any], folder: str) -> None:
        condition = str(step.get("if", "success()"))
        if not re.search(r"\b(always|cancelled|failure|success)\(\)", condition):
            condition = f"success() && ({condition})"
        if not self._is_true(condition):
            self._note(step, "skipped", {})
            return
        before = (self.home / "output").read_text()
        code = self._used(step) if "uses" in step else self._ran(step, folder)
        lines = (self.home / "output").read_text()[len(before) :].splitlines()
        outputs = dict(line.split("=", 1) for line in lines)
        self.codes[step.get("name", step.get("uses", ""))] = code
        self.failed = self.failed or (code != 0 and not step.get("continue-on-error"))
        self._note(step, "success" if code == 0 else "failure", outputs)

    def _note(self, step: dict[str, Any], outcome: str, outputs: dict[str, str]) -> None:
        if "id" in step:
            self.steps[step["id"]] = {"outcome": outcome, "outputs": outputs}

    def _ran(self, step: dict[str, Any], folder: str) -> int:
        script = self.home / "script.sh"
        assert "${{" not in step["run"], "an expression in a script is a hole for whoever names branches"
        script.write_text(step["run"])
        own = {name: self.value(text) for name, text in step.get("env", {}).items()}
        added = (self.home / "path").read_text().splitlines()
        environment = {
            **os.environ, **self.work.env, **self.env, **own, "CI": "true", "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(self.home / "output"), "GITHUB_STEP_SUMMARY": str(self.home / "summary"),
            "GITHUB_PATH": str(self.home / "path"), "RUNNER_TEMP": str(self.temp), "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_WORKSPACE": str(self.work.path), "COMMENTS": str(self.comments or ""),
            "PATH": ":".join([*reversed(added), *self.paths, os.environ["PATH"]]),
        }  # fmt: skip
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)], cwd=self.work.path / folder,
            env=environment, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        told = f"## {step.get('name')}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        print(told)
        self.log += told
        return done.returncode

    def _used(self, step: dict[str, Any]) -> int:
        name, version = step["uses"].split("@")
        assert re.fullmatch(r"[0-9a-f]{40}", version), step["uses"]
        settings = {key: self.value(value) for key, value in step.get("with", {}).items()}
        actions = {
            "actions/checkout": self._checkout,
            "actions/upload-artifact": self._upload,
            "actions/download-artifact": self._download,
        }
        return actions[name](settings)

    def _checkout(self, settings: dict[str, str]) -> int:
        depth = int(settings.pop("fetch-depth", "1"))
        ref = settings.pop("ref", "") or self.event["sha"]
        self.work = self.clone(self.home / "work", ref, depth)
        if settings.pop("persist-credentials", "true").lower() != "true":  # a private repository tells nobody anything
            self.work.git("remote", "set-url", "origin", "/no/credentials")
        elif not self.may_push:
            self.work.git("remote", "set-url", "--push", "origin", "/may/only/read")
        assert not settings, settings
        return 0

    def _upload(self, settings: dict[str, str]) -> int:
        target = self.artifacts / settings["name"]
        takes_hidden = str(settings.get("include-hidden-files")).lower() == "true"
        patterns = settings["path"].split()
        files = {}
        for pattern in patterns:
            # Several paths: the artifact has them below the folder that all have in common, here the checkout.
            found = [Path(pattern)] if Path(pattern).is_absolute() else list(self.work.path.glob(pattern))
            for path in found:
                is_ours = path.is_relative_to(self.work.path)
                name = path.relative_to(self.work.path) if is_ours else Path(path.name)
                if takes_hidden or "/." not in f"/{name}":
                    files[name if len(patterns) > 1 else name.name] = path
        if not files:
            return int(settings.get("if-no-files-found") == "error")
        if target.exists():
            if settings.get("overwrite", "").lower() != "true":
                return 1
            shutil.rmtree(target)
        with (self.home / "output").open("a") as output:
            output.write(f"artifact-url=https://github.example/artifacts/{settings['name']}\n")
        for name, path in files.items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():  # of one path the artifact has what is in the folder
                shutil.copytree(path, target / name if len(files) > 1 else target, dirs_exist_ok=True)
            else:
                shutil.copy(path, target / name)
        return 0

    def _download(self, settings: dict[str, str]) -> int:
        shutil.copytree(self.artifacts / settings["name"], settings["path"], dirs_exist_ok=True)
        return 0
