"""What `init --github` and `--gitlab` write, and the composite action: correct by the tools of their trade."""

import itertools
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from runner.cli import scaffold
from runner.errors import UsageMistake
from runner.sandbox import Sandbox
from tests.support.clones import message
from tests.support.project import PACKAGE, ROOT, Folder

TOOLS = Path(sys.executable).parent
GITHUB = scaffold.workflow("github", "main", ".", PACKAGE)
GITLAB = scaffold.workflow("gitlab", "main", ".", PACKAGE)
ACTION = (ROOT / "action.yml").read_text()


def tool(name, *args, cwd):
    environment = {"PATH": f"{TOOLS}:/usr/bin:/bin"}
    done = subprocess.run(
        [str(TOOLS / name), *args], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def many_jobs():
    """Our workflows, in which many jobs apply one plan, as docs/scaling.md says."""
    docs = (ROOT / "docs/scaling.md").read_text()
    strategy, parallel = re.findall(r"```yaml\n(.*?)```", docs, re.DOTALL)
    (end,) = re.findall(r"add `(\S+ matrix\.job \S+)` to the name of the rescue file's artifact", docs)
    github = re.sub(r"    concurrency:\n      group: msgrun-apply\n.*\n", strategy, GITHUB)
    github = re.sub(r"(name: msgrun-rescue-.*)", rf"\1{end}", github)
    return github, re.sub(r"  resource_group: .*\n", parallel, GITLAB)


@pytest.fixture
def repository(tmp_path):
    """A repository with our workflow, one that uses our action, and the action."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    files = {".github/workflows/msgrun.yml": GITHUB, "action.yml": ACTION, ".gitlab-ci.yml": GITLAB}
    files[".github/workflows/jobs.yml"], files[".gitlab-ci-jobs.yml"] = many_jobs()
    (example,) = re.findall(r"```yaml\n(# \.github.*?)```", (ROOT / "docs/ci.md").read_text(), re.DOTALL)
    files[".github/workflows/example.yml"] = re.sub(r"\S+/msgrun@\S+", "./", example)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        (GITHUB, ("required reviewers", "INTERCOM_ACCESS_TOKEN", "rulesets", "msgrun-ledger", "CODEOWNERS")),
        (GITLAB, ("protect the environment", "INTERCOM_ACCESS_TOKEN", "Git push requests", "CODEOWNERS")),
    ],
)
def test_the_first_lines_name_all_that_is_set_up_at_the_host(text: str, settings: tuple[str, ...]) -> None:
    first_lines = "".join(itertools.takewhile(lambda line: line.startswith("#"), text.splitlines(keepends=True)))
    assert not [one for one in settings if one not in first_lines]


@pytest.mark.lint
def test_actionlint_and_shellcheck_find_nothing(repository):
    workflows = sorted(str(path) for path in (repository / ".github" / "workflows").iterdir())
    tool("actionlint", "-shellcheck", str(TOOLS / "shellcheck"), *workflows, cwd=repository)


@pytest.mark.lint
def test_this_projects_own_workflow_has_no_hole_either():
    workflow = str(ROOT / ".github" / "workflows" / "ci.yml")
    tool("actionlint", "-shellcheck", str(TOOLS / "shellcheck"), workflow, cwd=ROOT)
    assert "No findings" in tool("zizmor", "--offline", "--pedantic", workflow, cwd=ROOT)
    tool("shellcheck", str(ROOT / ".ci" / "run"), cwd=ROOT)


def test_this_projects_own_hooks_are_configured():
    tool("pre-commit", "validate-config", str(ROOT / ".pre-commit-config.yaml"), cwd=ROOT)


@pytest.mark.lint
def test_zizmor_finds_no_hole(repository):
    strictest = ("--offline", "--persona=auditor", "--no-progress")
    assert "No findings" in tool("zizmor", *strictest, ".github/workflows/msgrun.yml", "action.yml", cwd=repository)


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.github-workflows", ".github/workflows/msgrun.yml"),
        ("vendor.github-actions", "action.yml"),
        ("vendor.gitlab-ci", ".gitlab-ci.yml"),
        ("vendor.gitlab-ci", ".gitlab-ci-jobs.yml"),
    ],
)
def test_the_published_schemas_are_kept(schema, file, repository):
    tool("check-jsonschema", "--builtin-schema", schema, file, cwd=repository)


def scripts(text):
    """Every script in a file, joined as its system runs it."""

    def walk(value, name=""):
        if isinstance(value, dict):
            for key, found in value.items():
                yield from walk(found, key)
        elif name == "run" and isinstance(value, str):
            yield value
        elif name in {"script", "before_script", "after_script"}:
            yield "\n".join(value)
        elif isinstance(value, list):
            for found in value:
                yield from walk(found)

    return list(walk(yaml.safe_load(text)))


@pytest.mark.lint
@pytest.mark.parametrize("text", [ACTION, GITLAB], ids=["action", "gitlab"])
def test_shellcheck_finds_nothing_in_their_scripts(text, tmp_path):
    found = scripts(text)
    assert found
    for number, script in enumerate(found):
        (tmp_path / f"{number}.sh").write_text(f"set -e -o pipefail\n{script}")  # as both systems run them
        # That msgrun is a list in one of them, and code is set in another line, it cannot see.
        tool("shellcheck", "--shell=bash", "--severity=warning", f"{number}.sh", cwd=tmp_path)


@pytest.mark.parametrize("text", [GITHUB, GITLAB, ACTION], ids=["github", "gitlab", "action"])
def test_no_guard_is_ever_switched_off(text):
    for flag in ("--new-lock", "--no-fetch", "--allow-", "--retry-refused", "--show-values"):
        assert flag not in text


def test_only_the_job_that_was_approved_sees_the_secret_and_may_write():
    workflow = yaml.safe_load(GITHUB)
    jobs = workflow["jobs"]
    assert workflow["permissions"] == {}
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "review": {"contents": "read", "pull-requests": "write"},
        "plan": {"contents": "read"},
        "apply": {"contents": "write"},
    }
    assert [name for name, job in jobs.items() if "secrets." in str(job)] == ["apply"]
    assert jobs["apply"]["environment"] == "intercom"
    assert [step["name"] for step in jobs["apply"]["steps"] if "secrets." in str(step)] == ["Apply"]
    assert GITLAB.count("INTERCOM_ACCESS_TOKEN") == 1  # in the words about the settings


@pytest.mark.parametrize("text", [GITHUB, GITLAB, ACTION], ids=["github", "gitlab", "action"])
def test_the_rescue_file_is_kept_as_an_artifact_and_nothing_else_of_git(text):
    assert text.count(".git/msgrun/*.rescue") == 1
    assert "/.msgrun/" not in text  # a commit can write there
    assert "messages.lock" not in text
    steps = [*yaml.safe_load(GITHUB)["jobs"]["apply"]["steps"], *yaml.safe_load(ACTION)["runs"]["steps"]]
    kept = [step for step in steps if step.get("name") == "Keep the rescue file"]
    assert len(kept) == 2
    for step in kept:
        assert "always()" in step["if"]
        assert step["with"]["include-hidden-files"] is True
        assert step["with"]["if-no-files-found"] == "ignore"
    assert yaml.safe_load(GITLAB)["msgrun-apply"]["artifacts"]["when"] == "on_failure"


def test_only_the_review_needs_more_than_one_commit():
    checkouts = {
        name: [step["with"].get("fetch-depth") for step in job["steps"] if "checkout" in step.get("uses", "")]
        for name, job in yaml.safe_load(GITHUB)["jobs"].items()
    }
    assert checkouts == {"review": [2], "plan": [None], "apply": [None]}


def test_runs_that_send_wait_for_each_other_and_are_never_cut_off():
    apply = yaml.safe_load(GITHUB)["jobs"]["apply"]
    assert apply["concurrency"] == {"group": "msgrun-apply", "cancel-in-progress": False}
    gitlab = yaml.safe_load(GITLAB)["msgrun-apply"]
    assert (gitlab["resource_group"], gitlab["interruptible"], gitlab["rules"][0]["when"]) == (
        "msgrun-apply",
        False,
        "manual",
    )


def test_the_lines_of_the_docs_let_many_jobs_apply_one_plan():
    github, gitlab = map(yaml.safe_load, many_jobs())
    apply = github["jobs"]["apply"]
    assert apply["strategy"] == {"fail-fast": False, "matrix": {"job": [1, 2, 3, 4]}}
    assert "concurrency" not in apply
    (rescue,) = [step["with"]["name"] for step in apply["steps"] if step.get("name") == "Keep the rescue file"]
    assert rescue.endswith("-${{ matrix.job }}"), "each job has an artifact of its own"
    assert gitlab["msgrun-apply"]["parallel"] == 4
    assert "resource_group" not in gitlab["msgrun-apply"]


def test_actions_are_pinned_to_commits():
    docs = "".join((ROOT / "docs" / f"{name}.md").read_text() for name in ("ci", "scaling"))
    used = re.findall(r"uses: (actions/\S+)( # v\d+\.\d+\.\d+)?", GITHUB + docs)
    assert used
    for name, version in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", name), name
        assert version, name


def test_the_action_comments_as_the_workflow_does():
    (comment,) = [
        step["run"] for step in yaml.safe_load(GITHUB)["jobs"]["review"]["steps"] if step.get("name") == "Comment"
    ]
    (same,) = [step["run"] for step in yaml.safe_load(ACTION)["runs"]["steps"] if step["name"] == "Comment"]
    assert same.strip() == comment.strip()


def test_the_comment_links_the_preview_that_the_review_uploads():
    steps = yaml.safe_load(GITHUB)["jobs"]["review"]["steps"]
    names = [step.get("name", step.get("id")) for step in steps]
    assert names[names.index("Plan") :] == ["Plan", "Preview", "upload", "Link the preview", "Comment"]
    by_name = dict(zip(names, steps, strict=True))
    assert "--show-values" not in by_name["Preview"]["run"]
    assert by_name["Link the preview"]["env"] == {"PREVIEW": "${{ steps.upload.outputs.artifact-url }}"}
    assert by_name["Preview"]["continue-on-error"]


def test_init_writes_the_workflows_for_the_repositorys_branch_and_folder(folder: Folder, tmp_path: Path):
    def git(*args):
        subprocess.run(["git", "-C", str(tmp_path), *args], check=True, capture_output=True)

    git("init", "--quiet", "--initial-branch=trunk")
    git("remote", "add", "origin", "https://example.com/acme/mail.git")
    git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    ran = folder.run("init", "ops/mail", "--github", "--gitlab", "--from", PACKAGE)
    assert ran.code == 0
    assert "wrote    .github/workflows/msgrun.yml" in ran.out
    workflow = yaml.safe_load((tmp_path / ".github" / "workflows" / "msgrun.yml").read_text())
    assert workflow[True]["push"]["branches"] == ["trunk"]
    assert workflow["defaults"]["run"]["working-directory"] == "ops/mail"
    assert workflow["env"] == {"MSGRUN_PACKAGE": PACKAGE}
    assert "refs/heads/trunk" in workflow["jobs"]["plan"]["if"]
    pipeline = yaml.safe_load((tmp_path / ".gitlab" / "msgrun.yml").read_text())
    assert pipeline[".msgrun"]["variables"] == {"MSGRUN_PACKAGE": PACKAGE, "MSGRUN_DIRECTORY": "ops/mail"}
    for path in (".github/workflows/msgrun.yml", ".gitlab/msgrun.yml"):
        assert "__" not in (tmp_path / path).read_text()


def test_init_adds_to_a_project_without_a_ledger_a_workflow_and_a_ledger_on_a_branch(folder: Folder):
    (folder.path / "messages.lock").unlink()
    folder.write("msgrun.yaml", "# ours\nregion: eu")
    before = sorted(path.name for path in folder.path.iterdir())
    ran = folder.run("init", "--github", "--from", PACKAGE)
    assert (ran.code, ran.out) == (0, "wrote    .github/workflows/msgrun.yml\nextended msgrun.yaml\n")
    assert "\n    msgrun lock begin\n" in ran.err
    settings = (folder.path / "msgrun.yaml").read_text()
    assert settings == "# ours\nregion: eu\nlock: git+origin"
    assert sorted(path.name for path in folder.path.iterdir()) == sorted([*before, ".github"])
    assert folder.run("init", "--github", "--from", PACKAGE).out == "kept     .github/workflows/msgrun.yml\n"
    assert (folder.path / "msgrun.yaml").read_text() == settings


@pytest.mark.parametrize("environment", ["", "eu"])
def test_init_names_the_command_that_moves_a_lockfile_and_that_is_enough_for_ci(
    folder: Folder, tmp_path: Path, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch, environment: str
):
    own, stem = (["-e", environment], "messages.eu") if environment else ([], "messages")
    settings = "environments: {eu: {vars: {a: b}}}\n" if environment else "vars: {a: b}\n"
    (folder.path / "messages.lock").unlink()
    folder.write("msgrun.yaml", settings)
    folder.write(f"{stem}.lock", '{"msgrun_lock":1,"workspace":"","salt_check":"9165df25"}\n')
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path / "origin.git")], check=True)
    for args in (["init", "--quiet"], ["remote", "add", "origin", str(tmp_path / "origin.git")]):
        subprocess.run(["git", "-C", str(folder.path), *args], check=True)
    monkeypatch.setenv("INTERCOM_BASE_URL", intercom.url)
    monkeypatch.setenv("INTERCOM_ACCESS_TOKEN", "secret-token")
    folder.write("messages/first.yaml", 'from: {type: admin, id: "394051"}\n' + message("first", "aaa1", "aaa2"))
    assert folder.run(*own, "apply", "--yes", "--limit", "1").code == 0
    settings = (folder.path / "msgrun.yaml").read_text()  # with the remote of the first apply
    ran = folder.run("init", "--gitlab", "--from", PACKAGE)
    assert (ran.code, ran.out) == (0, "wrote    .gitlab/msgrun.yml\n")
    assert (folder.path / "msgrun.yaml").read_text() == settings
    assert f"Move the ledger {stem}.lock to a branch of the git remote" in ran.err
    monkeypatch.setenv("CI", "true")
    assert folder.run(*own, "apply", "--yes").code == 5
    assert (
        folder.run(*ran.err.partition("where CI needs it:\n    msgrun ")[2].partition("\n")[0].split(), "--yes").code
        == 0
    )
    assert folder.run(*own, "apply", "--yes").code == 0
    assert len(intercom.messages) == 2
    assert "lock: git+origin" in (folder.path / "msgrun.yaml").read_text()
    assert f"{stem}.lock" not in folder.run("init", "--gitlab", "--from", PACKAGE).err


def test_init_leaves_a_ledger_that_is_named_and_settings_that_it_cannot_read(folder: Folder):
    (folder.path / "messages.lock").unlink()
    for settings, code in (("lock: postgresql://db/x\n", 0), ("lock: sent.lock\n", 0), ("vars: [\n", 1)):
        folder.write("msgrun.yaml", settings)
        ran = folder.run("init", "--github", "--from", PACKAGE)
        assert (ran.code, (folder.path / "msgrun.yaml").read_text()) == (code, settings)
        assert ("msgrun.yaml names sent.lock, which is not there" in ran.err) == ("sent.lock" in settings)
        assert ("this is not YAML" in ran.out) == (code == 1)


def test_a_new_project_with_a_workflow_plans_before_there_is_a_remote_and_begins_once_there_is(
    folder: Folder, tmp_path: Path
):
    here = Folder(tmp_path / "new", folder.capture)
    ran = folder.run("init", "new", "--github", "--from", PACKAGE)
    assert (ran.code, (here.path / "messages.lock").exists()) == (0, False)
    assert "\n    msgrun lock begin\n" in ran.err
    planned = here.run("plan")
    assert planned.code == 0
    assert "is in no git repository, so it has no remote origin: git init, git remote add origin URL" in planned.err
    assert here.run("--sandbox", "apply", "--yes").code == 0
    assert here.run("lock", "begin").code == 6
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path / "origin.git")], check=True)
    for args in (["init", "--quiet"], ["remote", "add", "origin", str(tmp_path / "origin.git")]):
        subprocess.run(["git", "-C", str(here.path), *args], check=True)
    assert "push yours first: git push -u origin HEAD" in here.run("lock", "begin").err
    for args in (["add", "."], ["commit", "--quiet", "-m", "Begin"], ["push", "--quiet", "origin", "HEAD"]):
        subprocess.run(["git", "-C", str(here.path), *args], check=True)
    started, *written = here.run("lock", "begin").out.splitlines()
    assert started == "started origin#msgrun-ledger:messages.lock"
    assert [line.partition(":")[0] for line in written] == ["wrote ledger", "wrote remote"]
    assert here.run("lock", "begin").out == "origin#msgrun-ledger:messages.lock is there already\n"
    assert "no ledger" not in here.run("plan").err


def test_init_says_where_a_workflow_cannot_be_written(folder: Folder):
    folder.write("msgrun.yaml", "region: eu\n")
    folder.write(".gitlab", "a file")
    ran = folder.run("init", "--gitlab", "--from", PACKAGE)
    assert (ran.code, "cannot be written" in ran.err) == (64, True)


NAMES = [
    "main", "release/1.0",
    "it's", 'say-"hi"', "a#b", "#1", "!important", "a&b", "1.0", "true", "null", "é", "a,b", "a]b",
    "a+b", "-x", "a{b}c", "a%b", "a;b", "a|b", "a>b", "a'b\"c", "`x`", "$HOME", "$(x)",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_branch_and_a_folder_may_have_any_name_that_git_allows(name):
    github, gitlab = (yaml.safe_load(scaffold.workflow(system, name, name, PACKAGE)) for system in ("github", "gitlab"))
    (pattern,) = github[True]["push"]["branches"]  # YAML 1.1 takes `on` for true
    assert re.sub(r"\\(.)", r"\1", pattern) == name
    assert not re.search(r"(?<!\\)[*?+!\[]", pattern)
    compared = github["jobs"]["plan"]["if"].rpartition("github.ref == ")[2]
    assert compared == "'refs/heads/" + name.replace("'", "''") + "'"
    assert github["defaults"]["run"]["working-directory"] == name
    assert gitlab[".msgrun"]["variables"]["MSGRUN_DIRECTORY"].replace("$$", "$") == name


@pytest.mark.lint
def test_actionlint_finds_nothing_with_odd_names_either(tmp_path):
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    for number, name in enumerate(NAMES):
        path = tmp_path / ".github" / "workflows" / f"{number}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(scaffold.workflow("github", name, ".", PACKAGE))
    tool("actionlint", *sorted(str(path) for path in (tmp_path / ".github/workflows").iterdir()), cwd=tmp_path)


def test_a_name_that_github_takes_for_an_expression_is_refused():
    with pytest.raises(UsageMistake, match="cannot be written into a workflow"):
        scaffold.workflow("github", "a${{github.token}}", ".", PACKAGE)


def test_each_environment_has_a_workflow_of_its_own(folder: Folder):
    folder.write("msgrun.yaml", "environments: {staging: {}, prod: {}}\n")
    ran = folder.run("init", "--github", "--from", PACKAGE)
    assert "for the environment staging:\n    msgrun -e staging init --github\n" in ran.err
    ran = folder.run("-e", "staging", "init", "--github", "--gitlab", "--from", PACKAGE)
    assert (ran.code, "for the environment prod:\n" in ran.err) == (0, True)
    text = (folder.path / ".github/workflows/msgrun.staging.yml").read_text()
    workflow = yaml.safe_load(text)
    assert workflow["jobs"]["apply"]["environment"] == "intercom-staging"
    assert workflow["jobs"]["apply"]["concurrency"]["group"] == "msgrun-apply-staging"
    commands = re.findall(r"^ *(?:run: )?(msgrun .*)$", text, re.MULTILINE)
    assert len(commands) == 6
    assert all(command.startswith("msgrun -e staging ") for command in commands)
    pipeline = yaml.safe_load((folder.path / ".gitlab/msgrun.staging.yml").read_text())
    assert set(pipeline) == {f"{name}-staging" for name in (".msgrun", "msgrun-review", "msgrun-plan", "msgrun-apply")}
    assert pipeline["msgrun-apply-staging"]["environment"] == {"name": "intercom-staging"}


def test_the_ledger_of_an_environment_is_begun_too(folder: Folder):
    ledger = "01M80N0000000000000000000A"
    folder.write("msgrun.yaml", f"lock: git+origin\nledger: {ledger}\nenvironments: {{staging: {{}}}}\n")
    begin = "  Start the ledger, once: this pushes its branch to origin:\n    msgrun -e staging lock begin\n"
    assert begin in folder.run("-e", "staging", "init", "--github", "--from", PACKAGE).err
    folder.write("msgrun.yaml", f"lock: git+origin\nenvironments: {{staging: {{ledger: {ledger}}}}}\n")
    assert "lock begin" not in folder.run("-e", "staging", "init", "--gitlab", "--from", PACKAGE).err


def test_an_environment_that_is_not_declared_and_one_of_a_new_project_are_refused(folder: Folder):
    folder.write("msgrun.yaml", "environments: {staging: {}}\n")
    ran = folder.run("-e", "stagin", "init", "--github", "--from", PACKAGE)
    assert (ran.code, "declares no environment stagin" in ran.err) == (64, True)
    assert folder.run("-e", "staging", "init", "new").code == 64
    assert not (folder.path / ".github").exists()
    ran = folder.run("-e", "staging", "init")
    assert (ran.code, "hint: msgrun -e staging init --github\n" in ran.err) == (64, True)
    ran = folder.run("-e", "staging", "init", "new")
    assert (ran.code, "hint: begin the project first: msgrun init\n" in ran.err) == (64, True)


@pytest.mark.parametrize("text", [GITHUB, GITLAB, ACTION], ids=["github", "gitlab", "action"])
def test_nothing_is_installed_without_a_hash_but_the_pinned_msgrun(text):
    installs = re.findall(r"bin/pip\"? install (.*?)\)?'?$", text, re.MULTILINE)
    assert installs
    for own, other in zip(installs[::2], installs[1::2], strict=True):
        assert "--only-binary :all: --require-hashes --requirement" in own
        package = "$GITHUB_ACTION_PATH" if text == ACTION else "$MSGRUN_PACKAGE"
        assert other.endswith(f'--no-deps --no-build-isolation "{package}"')


def test_the_action_installs_every_dependency_in_the_version_that_the_tests_run_with():
    def read_pins(name):
        return set(re.findall(r"^([\w.-]+==[\w.]+)", (ROOT / name).read_text(), re.MULTILINE))

    pins = read_pins("requirements-action.txt")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    needed += [line for extra in ("postgres", "sql") for line in project["project"]["optional-dependencies"][extra]]
    assert {re.split(r"[<>=\[]", line)[0] for line in needed} <= {pin.partition("==")[0] for pin in pins}
    assert pins <= read_pins("requirements-test.txt")
