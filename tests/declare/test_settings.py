"""Settings, environments and the selection of declarations."""

from __future__ import annotations

import pytest

from runner.declare.project import find_root
from runner.declare.settings import load_settings, version_number
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
    assert (plain.environment, plain.lock, plain.region, plain.salt) == ("default", "messages.lock", "us", "0123")
    assert (live.environment, live.lock, live.region, live.sender) == ("live", "x/live.lock", "eu", "7")
    assert test.lock == "messages.test.lock"
    assert live.vars == {"a": 1, "b": 2}
    assert (plain.abort_conditions.refused, plain.rate_share, plain.max_per_window, plain.workspace) == (
        0.025,
        0.5,
        3,
        "12",
    )
    overridden = load_settings(tree, "live", salt="s", lock="l")
    assert (overridden.salt, overridden.lock) == ("s", "l")


def test_without_a_file_there_are_defaults(write):
    settings = load_settings(write({}), None)
    assert (settings.api_version, settings.limits.recipients_per_apply, settings.abort_conditions.unknown) == (
        "2.14",
        10_000,
        3,
    )


@pytest.mark.parametrize(
    ("text", "hint"), [(SETTINGS, "did you mean live?"), ("", ""), (SETTINGS.replace("live", "zz"), "test")]
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


def test_paths_select(read, seed):
    files = {"messages/a/x.yaml": seed, "messages/b.yaml": seed.replace("seed", "b"), "messages/bad.yaml": "x: ["}
    assert [found.name for found in read(files).declarations] == ["b", "seed"]
    chosen = read(files, "messages/a")
    assert [found.name for found in chosen.declarations] == ["seed"]
    assert chosen.problems == ()
    assert len(read(files, ".").declarations) == 2
    with pytest.raises(UsageMistake) as found:
        read(files, "messages/c.yaml")
    assert "did you mean" in found.value.hint


def test_a_name_is_compared_with_what_is_not_selected(read, seed):
    files = {"messages/a.yaml": seed, "messages/b.yaml": seed}
    found = read(files, "messages/b.yaml")
    assert [problem.code for problem in found.problems] == ["duplicate-name"]
    assert found.declarations == ()


def test_versions_compare_as_numbers():
    assert version_number("2.10") > version_number("2.9")
    assert version_number("Preview") > version_number("2.17")
