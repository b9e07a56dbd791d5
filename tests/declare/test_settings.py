"""Settings, environments and the selection of declarations."""

from __future__ import annotations

import json

import pytest

from runner.declare.project_root import find_root
from runner.declare.sender import Sender
from runner.declare.settings import load_all_settings, load_chosen_settings, load_settings, version_number
from runner.errors import ProblemsFound, UsageMistake

SETTINGS = """\
workspace: 12
salt: 0123
from: {type: admin, id: 7}
vars: {a: 1, b: 1}
abort_if: {refused: 2.5%}
rate: {share: 0.5, max_per_10s: 3}
environments:
  live: {region: eu, vars: {b: 2}, lock: x/live.lock}
  test: {}
"""


def test_an_environment_replaces_and_merges(write):
    tree = write({"msgrun.yaml": SETTINGS})
    plain, live, test = (load_settings(tree, name) for name in (None, "live", "test"))
    assert (plain.environment, plain.region, plain.salt) == ("default", "us", "0123")
    assert (live.environment, live.region, live.sender) == ("live", "eu", Sender("id", "7"))
    assert [settings.lock.setting for settings in (plain, live, test)] == [
        "messages.lock", "x/live.lock", "messages.test.lock",
    ]  # fmt: skip
    assert live.vars == {"a": 1, "b": 2}
    assert (plain.abort_conditions.refused, plain.rate_share, plain.max_per_window, plain.workspace) == (
        0.025,
        0.5,
        3,
        "12",
    )
    assert load_settings(tree, "live", salt="s").salt == "s"


def test_an_environment_has_the_remote_of_the_project_and_its_own_ledger_id_only(write):
    live = "01J9ZQ4T8RXC2M7V5K3B6N1WDE"
    text = f"ledger: {'1' * 26}\nremote: git@a:b\nenvironments: {{live: {{ledger: {live}}}, test: {{}}}}\n"
    tree = write({"msgrun.yaml": text})
    read = [load_settings(tree, name) for name in (None, "live", "test")]
    assert [(settings.ledger_id, settings.remote) for settings in read] == [
        ("1" * 26, "git@a:b"),
        (live, "git@a:b"),
        ("", "git@a:b"),
    ]


def test_without_ledger_and_remote_both_are_empty(write):
    settings = load_settings(write({"msgrun.yaml": "salt: a\n"}), None)
    assert (settings.ledger_id, settings.remote) == ("", "")


@pytest.mark.parametrize(
    "remote",
    [
        "https://ann:s3cret@a.example/b.git",
        "https://s3cret@a.example/b.git",
        "HTTPS://ann:s3cret@a.example/b.git",
        "https://ann:s3/cret@a.example/b.git",
        "https://a.example/b.git?token=s3cret",
        "ssh://git:s3cret@a.example/b.git",
        "git:s3cret@a.example:b.git",
    ],
)
def test_credentials_in_remote_are_refused_and_not_repeated(write, remote):
    with pytest.raises(ProblemsFound) as found:
        load_settings(write({"msgrun.yaml": f"remote: {remote}\n"}), None)
    (problem,) = found.value.problems
    assert problem.code == "remote-credentials"
    assert "s3" not in f"{problem.message}{problem.hint}{problem.excerpt}"


@pytest.mark.parametrize(
    "remote",
    [
        "https://a.example:8443/@scope/b.git",
        "ssh://git@a.example:22/b.git",
        "git@a.example:b@c.git",
        "a.example:b/c@d.git",
        "git@[::1]:b.git",
        "git://a.example/b.git",
        "file:///srv/b.git",
    ],
)
def test_a_remote_without_credentials_is_accepted(write, remote):
    assert load_settings(write({"msgrun.yaml": f"remote: {remote}\n"}), None).remote == remote


@pytest.mark.parametrize(
    "remote",
    ["", "--upload-pack=id", "-u x:y", "../b.git", "vendor/repo", "/srv/b.git", "ext::id", "fd::1", "a::b", "file://a/b",
     "https://-oProxyCommand=id/b", "https://a b", "-a@b:c", "a@-b:c", "transport::https://a/b", "origin"],
)  # fmt: skip
def test_a_remote_that_is_no_url_is_refused(write, remote):
    with pytest.raises(ProblemsFound) as found:
        load_settings(write({"msgrun.yaml": f"remote: {json.dumps(remote)}\n"}), None)
    assert found.value.problems[0].code in {"remote-form", "blank"}


def test_without_a_file_there_are_defaults(write):
    settings = load_settings(write({}), None)
    assert (settings.api_version, settings.limits.recipients_per_apply, settings.abort_conditions.unknown) == (
        "2.14",
        10_000,
        3,
    )


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (SETTINGS, "did you mean live?"),
        ("", "declare it below environments:"),
        (SETTINGS.replace("live", "zz"), "test"),
    ],
)
def test_an_environment_must_be_declared(write, text, hint):
    with pytest.raises(UsageMistake) as found:
        load_settings(write({"msgrun.yaml": text}), "lvie")
    assert hint in found.value.hint


def test_faulty_settings_end_the_run_with_every_problem(write):
    with pytest.raises(ProblemsFound) as found:
        load_settings(write({"msgrun.yaml": "regoin: eu\nlock: 3\nsalt: [1]\n"}), None)
    assert [problem.code for problem in found.value.problems] == ["unknown-key", "wrong-type"]


def test_a_lockfile_stays_in_the_project_in_every_environment(write):
    with pytest.raises(ProblemsFound) as found:
        load_settings(write({"msgrun.yaml": "lock: /tmp/x\nenvironments:\n  a: {lock: b/../../x}\n"}), None)
    assert [(problem.code, problem.place.line) for problem in found.value.problems] == [
        ("file-outside", 1),
        ("file-outside", 3),
    ]


def test_the_root_is_the_nearest_with_settings_else_with_messages(write, tmp_path):
    write({"a/msgrun.yaml": "", "a/b/messages/x.yaml": "", "c/messages/x.yaml": ""})
    assert find_root(tmp_path / "a/b/messages") == tmp_path / "a"
    assert find_root(tmp_path / "c/messages") == tmp_path / "c"
    with pytest.raises(UsageMistake):
        find_root(tmp_path.parent.parent)


@pytest.mark.parametrize("git", ["a/b/.git/HEAD", "a/b/.git"])  # of a worktree and a submodule, it is a file
def test_a_project_around_a_git_repository_is_not_its_project(write, tmp_path, git):
    write({"a/msgrun.yaml": "", "a/messages/x.yaml": "", "a/b/c/x.yaml": "", git: ""})
    assert find_root(tmp_path / "a") == tmp_path / "a"
    for start in ("a/b", "a/b/c"):
        with pytest.raises(UsageMistake, match="above it in its git repository") as caught:
            find_root(tmp_path / start)
        assert caught.value.hint.endswith(f"is in {tmp_path / 'a'}: cd {tmp_path / 'a'}")


def test_paths_select(read, seed):
    files = {"messages/a/x.yaml": seed, "messages/b.yaml": seed.replace("seed", "b"), "messages/bad.yaml": "x: ["}
    assert [found.name for found in read(files).declarations] == ["b", "seed"]
    chosen = read(files, "messages/a")
    assert [found.name for found in chosen.declarations] == ["seed"]
    assert chosen.problems == ()
    assert len(read(files, ".").declarations) == 2
    with pytest.raises(UsageMistake) as found:
        read(files, "messages/badd.yaml")
    assert "did you mean" in found.value.hint


def test_a_name_is_compared_with_what_is_not_selected(read, seed):
    files = {"messages/a.yaml": seed, "messages/b.yaml": seed}
    found = read(files, "messages/b.yaml")
    assert [problem.code for problem in found.problems] == ["duplicate-name"]
    assert found.declarations == ()


def test_versions_compare_as_numbers():
    assert version_number("2.10") > version_number("2.9")
    assert version_number("Preview") > version_number("2.17")


def test_all_environments_are_read_at_once_and_there_are_at_most_a_hundred(write):
    def project(count):
        names = "".join(f"  e{number:03}: {{workspace: w{number}}}\n" for number in range(count))
        return write({"msgrun.yaml": f"salt: a\nenvironments:\n{names}"})

    settings = load_all_settings(project(100))
    assert list(settings) == [None, *(f"e{number:03}" for number in range(100))]
    assert settings["e007"].workspace == "w7"
    with pytest.raises(ProblemsFound) as raised:
        load_all_settings(project(101))
    assert [problem.code for problem in raised.value.problems] == ["too-many-environments"]


def test_without_a_choice_the_default_environment_is_used_and_default_names_the_unnamed_one(write):
    tree = write({"msgrun.yaml": "default_environment: live\n" + SETTINGS})
    names = [load_chosen_settings(tree, chosen).environment_name for chosen in (None, "default", "test")]
    assert names == ["live", None, "test"]
    assert load_settings(tree, None).environment_name is None


def test_without_default_environment_no_choice_is_the_unnamed_one(write):
    tree = write({"msgrun.yaml": SETTINGS})
    assert [load_chosen_settings(tree, chosen).environment for chosen in (None, "default")] == ["default", "default"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("default_environment: liev\nenvironments: {live: {}}\n", "unknown-environment"),
        ("default_environment: default\nenvironments: {live: {}}\n", "unknown-environment"),
        ("environments: {default: {}}\n", "environment-name"),
    ],
)
def test_a_default_environment_is_declared_and_no_environment_is_named_default(write, text, code):
    with pytest.raises(ProblemsFound) as raised:
        load_settings(write({"msgrun.yaml": text}), None)
    assert [problem.code for problem in raised.value.problems] == [code]
