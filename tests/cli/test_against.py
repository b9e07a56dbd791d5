"""`plan --against REF`: what a plan changes, read from real git repositories in whatever state they are."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner.compare import renames
from runner.git.repository import Repository
from runner.ledger.record import salt_check
from runner.sandbox import Sandbox
from tests.support import golden
from tests.support.project import SEED, Folder

NEWS = """\
name: news
message_type: email
subject: "News for {{ name }}: | `@octocat` #1"
body: |
  <p>Hi {{ name }},</p>
  <p>the export is <a href="https://a.example/old">ready</a> from 1 March on.</p>
from: {type: admin, id: 7}
to: {csv: ../people.csv, type: user, email: "{{ email }}"}
"""
PEOPLE = "email,name\nann@example.com,Ann\nbo@example.com,Bo\ncy@example.com,Cy\n"


def git(folder: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


@pytest.fixture
def here(folder: Folder) -> Folder:
    """A project with two messages, committed as `main` in a repository of its own."""
    folder.message(NEWS, "news")
    folder.message(SEED, "seed")
    folder.write("people.csv", PEOPLE)
    git(folder.path, "init", "-q", "-b", "main")
    commit(folder)
    return folder


def commit(folder: Folder) -> None:
    git(folder.path, "add", "-A")
    git(folder.path, "commit", "-q", "-m", "a commit")


def changes(folder: Folder, ref: str = "main", *more: str) -> dict[str, Any]:
    ran = folder.run("plan", "--against", ref, "--format", "json", *more)
    found: dict[str, Any] = json.loads(ran.out)["changes"]
    return found


def kinds(folder: Folder, *more: str) -> dict[str, str]:
    return {change["name"]: change["change"] for change in changes(folder, "main", *more)["messages"]}


def change(folder: Folder, name: str) -> dict[str, Any]:
    return next(found for found in changes(folder)["messages"] if found["name"] == name)


def edit(folder: Folder, name: str, before: str, after: str) -> None:
    path = folder.path / name
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_nothing_changed(here: Folder) -> None:
    assert kinds(here) == {"news": "unchanged", "seed": "unchanged"}
    assert "2 unchanged\n\nmsgrun plan · workspace of the token\n" in here.run("plan", "--against", "main").out


def test_renaming_a_file_or_moving_rows_changes_nothing(here: Folder) -> None:
    (here.path / "messages" / "seed.yaml").rename(here.path / "messages" / "other.yaml")
    here.write("people.csv", "name,email\nCy,cy@example.com\nBo,BO@example.com \nAnn,ann@example.com\n")
    assert kinds(here) == {"news": "unchanged", "seed": "unchanged"}


def test_every_kind_of_change_in_every_form(here: Folder) -> None:
    edit(here, "messages/news.yaml", "1 March", "1 April")
    edit(here, "messages/news.yaml", "/old", "/new")
    edit(here, "messages/news.yaml", "id: 7}", "id: 8}\nexpires: 2999-01-01\nrevision: 2")
    here.write("people.csv", PEOPLE.replace("bo@", "bob@").replace("Cy", "Cyd") + "di@example.com,Di\n")
    (here.path / "messages" / "seed.yaml").unlink()
    here.message(SEED.replace("seed", "renamed"), "renamed")
    here.message(SEED.replace("seed", "fresh").replace("Ponies", "Horses"), "fresh")
    named = git(here.path, "rev-parse", "main")
    for form, name in (
        ("text", "against.txt"),
        ("markdown", "against.md"),
        ("json", "against.json"),
        ("github", "against.github.txt"),
    ):
        out = here.run("plan", "--against", "main", "--format", form).out
        golden.check(name, out.replace(named, "0" * 40).replace(named[:10], "0" * 10))
    shown = here.run("plan", "--against", "main", "--format", "markdown", "--show-values").out
    golden.check("against-shown.md", shown.replace(named[:10], "0" * 10))


def test_the_same_recipient_is_the_sample_on_both_sides(here: Folder) -> None:
    edit(here, "messages/news.yaml", "Hi {{ name }}", "Dear {{ name }}")
    here.write("people.csv", "email,name\ncy@example.com,Cy\nann@example.com,Ann\n")
    out = here.run("plan", "--against", "main", "--show-values").out
    assert "- Hi Cy,\n" in out
    assert "+ Dear Cy,\n" in out


def test_a_source_that_reads_the_same_is_told(here: Folder) -> None:
    edit(here, "messages/news.yaml", "<p>Hi", "<p class='x'>Hi")
    assert "the compared recipient's text is the same" in here.run("plan", "--against", "main").out


def test_other_values_of_the_same_recipients_are_a_change(here: Folder) -> None:
    here.write("people.csv", PEOPLE.replace("Cy", "Cyd"))
    found = change(here, "news")
    assert found["change"] == "changed"
    assert found["audience"] == {"added": 0, "removed": 0, "same": 3, "altered": 1}


def test_a_column_that_no_text_uses_is_no_change(here: Folder) -> None:
    here.write("people.csv", "email,name,plan\nann@example.com,Ann,a\nbo@example.com,Bo,b\ncy@example.com,Cy,c\n")
    assert kinds(here)["news"] == "unchanged"


def test_an_include_counts_as_text(here: Folder) -> None:
    here.write("messages/foot.j2", "Bye {{ name }}")
    edit(here, "messages/news.yaml", "on.</p>", 'on.</p>{% include "foot.j2" %}')
    commit(here)
    here.write("messages/foot.j2", "Farewell {{ name }}")
    assert "Farewell" in here.run("plan", "--against", "main").out


def test_a_rename_of_a_sent_message_is_told_even_where_it_is_allowed(here: Folder, intercom: Sandbox) -> None:
    assert here.run("apply", "--yes").code == 0
    commit(here)
    edit(here, "messages/seed.yaml", "name: seed", "name: sown")
    ran = here.run("plan", "--against", "main")
    assert ran.code == 5
    assert "[repeat]" in ran.out
    assert "looks like" not in ran.out, "the guard has said it"
    ran = here.run("plan", "--against", "main", "--allow-repeat")
    assert ran.code == 0
    assert "sown looks like seed under another name: the same text, and 1 of the same recipients" in ran.out
    assert "1 recipient of seed got it already, and would get it again" in ran.out
    assert "seed is removed, and 1 recipient got it already" in ran.out
    assert len(intercom.messages) == 4


def test_a_released_draft_may_be_sent_from_now_on(here: Folder) -> None:
    here.message(SEED + "not_before: 2099-01-01\n", "seed")
    commit(here)
    here.message(SEED, "seed")
    warning = "seed may be sent from now on: its not_before, 2099-01-01, is deleted"
    assert here.run("plan", "--against", "main").out.count(warning) == 1
    here.message(SEED + "not_before: 2098-01-01\n", "seed")
    assert "from now on" not in here.run("plan", "--against", "main").out


def test_a_rename_to_others_is_none(here: Folder) -> None:
    edit(here, "messages/seed.yaml", "name: seed", "name: sown")
    edit(here, "messages/seed.yaml", "536e564f316c83104c000020", "somebody-else")
    assert "looks like" not in here.run("plan", "--against", "main").out


def test_a_selection_compares_itself_alone(here: Folder) -> None:
    here.message(SEED.replace("seed", "gone"), "gone")
    here.message(SEED.replace("seed", "sub"), "sub/gone")
    commit(here)
    (here.path / "messages" / "gone.yaml").unlink()
    (here.path / "messages" / "sub" / "gone.yaml").unlink()
    here.message(SEED.replace("seed", "other"), "sub/other")
    messages = str(here.path / "messages")
    assert kinds(here, f"{messages}/sub") == {"other": "new", "sub": "removed"}
    assert kinds(here, f"{messages}/news.yaml") == {"news": "unchanged"}


def test_neither_work_tree_nor_index_is_touched(here: Folder) -> None:
    here.write(".gitattributes", "*.csv filter=evil export-ignore\n")
    git(here.path, "config", "filter.evil.smudge", f"touch {here.path}/evil; cat")
    commit(here)
    edit(here, "messages/news.yaml", "1 March", "1 April")
    git(here.path, "add", "-A")
    before = (git(here.path, "status", "--porcelain"), (here.path / ".git" / "index").read_bytes())
    assert kinds(here)["news"] == "changed"
    assert (git(here.path, "status", "--porcelain"), (here.path / ".git" / "index").read_bytes()) == before
    assert not (here.path / "evil").exists()


def test_links_are_files_of_the_project_or_nothing(here: Folder, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.csv"
    outside.write_text(PEOPLE.replace("Ann", "Secret"))
    (here.path / "people.csv").rename(here.path / "real.csv")
    (here.path / "people.csv").symlink_to("real.csv")
    commit(here)
    (here.path / "people.csv").unlink()
    here.write("people.csv", PEOPLE)
    assert kinds(here)["news"] == "unchanged"
    (here.path / "people.csv").unlink()
    (here.path / "people.csv").symlink_to(outside)
    commit(here)
    (here.path / "people.csv").unlink()
    here.write("people.csv", PEOPLE)
    found = changes(here)
    assert {change["name"]: change["change"] for change in found["messages"]} == {
        "news": "uncompared", "seed": "unchanged",
    }  # fmt: skip
    assert "people.csv is a link that leads nowhere" in found["notes"][0]


def test_a_ref_with_problems_is_told_and_the_rest_compared(here: Folder) -> None:
    here.write("messages/broken.yaml", "name: [\n")
    here.message(SEED.replace("seed", "faulty") + "bdy: x\n", "faulty")
    commit(here)
    (here.path / "messages" / "broken.yaml").unlink()
    here.message(SEED.replace("seed", "faulty"), "faulty")
    found = changes(here)
    assert {change["name"]: change["change"] for change in found["messages"]} == {
        "faulty": "uncompared", "news": "unchanged", "seed": "unchanged",
    }  # fmt: skip
    assert found["notes"][0].startswith("not all can be compared: main has 2 problems, the first at messages/")
    assert "not all can be compared" in here.run("plan", "--against", "main", "--format", "markdown").out


def test_settings_with_problems_leave_nothing_to_compare_with(here: Folder) -> None:
    here.write("msgrun.yaml", "slat: x\n")
    commit(here)
    (here.path / "msgrun.yaml").unlink()
    found = changes(here)
    assert {change["change"] for change in found["messages"]} == {"uncompared"}
    assert found["notes"] == [
        "nothing can be compared: main has 1 problem, the first at msgrun.yaml:1:1: there is no key slat here"
    ]


def test_an_environment_that_was_not_there_is_compared_with_the_default_one(here: Folder) -> None:
    here.write("msgrun.yaml", "environments: {staging: {}}\n")
    found = json.loads(here.run("-e", "staging", "plan", "--against", "main", "--format", "json").out)["changes"]
    assert {change["change"] for change in found["messages"]} == {"unchanged"}
    note = "main declares no environment staging: it is compared in its environment default"
    assert found["notes"] == [note]


def test_a_project_below_the_top_of_its_repository(folder: Folder, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "a file").write_text("x")
    git(tmp_path, "add", "a file")
    git(tmp_path, "commit", "-q", "-m", "before there was a project")
    below = Folder(tmp_path / "apps" / "news ö", folder.capture)
    below.message(SEED)
    assert kinds(below) == {"seed": "new"}
    commit(below)
    assert kinds(below) == {"seed": "unchanged"}
    below.message(SEED.replace("Hey", "Ho"))
    assert "  subject:\n    - Hey\n    + Ho\n" in below.run("plan", "--against", "main").out


@pytest.mark.parametrize("ref", ["nope", "--output=x", "main:messages", "HEAD~99", ""])
def test_what_is_no_commit_is_wrong_usage(here: Folder, ref: str) -> None:
    ran = here.run("plan", f"--against={ref}")
    assert ran.code == 64
    assert f"{ref} is not a commit of this repository" in ran.err
    assert list(here.path.glob("x")) == []


def test_a_shallow_clone_says_what_to_fetch_and_that_helps(
    here: Folder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    git(here.path, "checkout", "-q", "-b", "change")
    edit(here, "messages/seed.yaml", "Hey", "Ho")
    commit(here)
    clone = Folder(tmp_path_factory.mktemp("clones") / "clone", here.capture)
    origin = f"file://{here.path}"
    git(here.path, "clone", "-q", "--depth=1", "--branch=change", origin, str(clone.path))
    ran = clone.run("plan", "--against", "origin/main")
    assert ran.code == 64
    way = "git fetch --depth=1 origin +main:refs/remotes/origin/main"
    assert f"a shallow or single-branch clone lacks it: {way}" in ran.err
    git(clone.path, *way.split()[1:])
    assert "  subject:\n    - Hey\n    + Ho\n" in clone.run("plan", "--against", "origin/main").out


def test_without_git_there_is_nothing_to_compare_with(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.message(SEED)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", os.fspath(folder.path.parent))
    ran = folder.run("plan", "--against", "main")
    assert ran.code == 64
    assert "there is no main to compare with: this is not a git repository" in ran.err


def test_a_sent_message_with_another_name_and_another_text_is_told(here: Folder, intercom: Sandbox) -> None:
    assert here.run("apply", "--yes").code == 0
    commit(here)
    edit(here, "messages/news.yaml", "name: news", "name: gazette")
    edit(here, "messages/news.yaml", "1 March", "2 March")
    ran = here.run("plan", "--against", "main")
    told = "gazette looks like news under another name: the same file, and 3 of the same recipients"
    assert f"{told}; 3 recipients of news got it already, and would get gazette too" in ran.out
    assert len(intercom.messages) == 4


def test_a_raised_revision_tells_who_would_get_it_again(here: Folder, intercom: Sandbox) -> None:
    assert here.run("apply", "--yes").code == 0
    commit(here)
    edit(here, "messages/seed.yaml", "name: seed", "name: seed\nrevision: 2")
    out = here.run("plan", "--against", "main").out
    warning = "    ! the recipient got revision 1 already, and gets this too"
    assert out.count(warning) == 1
    assert warning in here.run("plan").out, "the ledger alone shows it"
    assert len(intercom.messages) == 4


def test_another_sender_is_no_change_of_the_text(here: Folder) -> None:
    edit(here, "messages/news.yaml", "id: 7", "id: 8")
    out = here.run("plan", "--against", "main").out
    assert "changed  news\n  from.id: 7 -> 8\n\n" in out


def test_other_line_ends_of_a_checkout_are_no_change(here: Folder) -> None:
    here.write("messages/body.j2", "<p>Hi</p>\n{% include 'foot.j2' %}\n")
    here.write("messages/foot.j2", "<p>Bye</p>\n<p>now</p>\n")
    edit(
        here, "messages/seed.yaml", "body: Ponies, cute small horses or something more sinister?", "body_file: body.j2"
    )
    commit(here)
    for path in [*here.path.glob("messages/*"), here.path / "people.csv"]:
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert kinds(here) == {"news": "unchanged", "seed": "unchanged"}


def test_a_variable_of_the_project_counts_where_a_text_uses_it(here: Folder) -> None:
    here.write("msgrun.yaml", "vars: {product: Ponies}\n")
    edit(here, "messages/news.yaml", "the export", "the export of {{ product }}")
    commit(here)
    here.write("msgrun.yaml", "vars: {product: Horses, unused: x}\n")
    assert kinds(here) == {"news": "changed", "seed": "unchanged"}
    assert "the export of Horses" in here.run("plan", "--against", "main").out


def test_a_variable_of_the_project_counts_where_an_address_uses_it(here: Folder) -> None:
    to = 'to: {csv: ../users.csv, type: user, email: "{{ user }}@{{ domain }}"}\n'
    here.write("users.csv", "user\nann\nbo\n")
    here.write("msgrun.yaml", "vars: {domain: good.example.com}\n")
    here.message(NEWS[: NEWS.index("to:")].replace("{{ name }}", "you") + to, "news")
    commit(here)
    assert kinds(here)["news"] == "unchanged"
    here.write("msgrun.yaml", "vars: {domain: evil.example.com}\n")
    assert change(here, "news")["audience"] == {"added": 2, "removed": 2, "same": 0, "altered": 0}


def test_an_edit_after_sending_is_told_by_its_guard(here: Folder, intercom: Sandbox) -> None:
    assert here.run("apply", "--yes").code == 0
    commit(here)
    edit(here, "messages/seed.yaml", "Hey", "Ho")
    ran = here.run("plan", "--against", "main", "--format", "markdown")
    assert ran.code == 5
    assert "> - **edited** seed was edited after it was sent to 1 recipient" in ran.out
    assert "```diff\n- Hey\n+ Ho\n```" in ran.out
    assert len(intercom.messages) == 4
    out = here.run("plan", "--against", "main").out
    assert "--against " not in out, "it is shown already"
    undo = "  Undo the edit of seed, if it is a mistake"
    restore = f"{undo}:\n    git restore --staged --worktree messages/seed.yaml\n"
    assert restore in out
    see = "  See the edit of seed:\n    msgrun plan --against"
    assert f"{see} HEAD\n{restore}" in here.run("plan").out
    before = git(here.path, "log", "-1", "--format=%h", "--", "messages/seed.yaml")
    commit(here)
    restore = f"{undo}:\n    git restore --source={before} messages/seed.yaml\n"
    assert f"{see} {before}\n{restore}  Or keep" in here.run("plan").out
    git(here.path, "restore", f"--source={before}", "messages/seed.yaml")
    assert here.run("plan").code == 0
    git(here.path, "restore", "messages/seed.yaml")
    shutil.rmtree(here.path / ".git")
    assert f"Next:\n{undo}\n  Or keep" in here.run("plan").out


def test_the_text_before_an_edit_is_the_one_that_was_sent(here: Folder, intercom: Sandbox) -> None:
    edit(here, "messages/seed.yaml", "Hey", "Hi")  # sent before it is committed
    assert here.run("apply", "--yes").code == 0
    commit(here)
    sent = git(here.path, "rev-parse", "--short", "HEAD")
    for old, new in (("Hi", "Ho"), ("name: seed", "name: seed  # a note")):
        edit(here, "messages/seed.yaml", old, new)
        commit(here)
    out = here.run("plan").out
    assert f"msgrun plan --against {sent}\n" in out
    assert f"git restore --source={sent} messages/seed.yaml\n" in out
    git(here.path, "restore", f"--source={sent}", "messages/seed.yaml")
    assert here.run("plan").code == 0
    assert len(intercom.messages) == 4


def test_commands_of_git_keep_the_folder_of_the_project(here: Folder, intercom: Sandbox) -> None:
    assert here.run("apply", "--yes").code == 0
    commit(here)
    edit(here, "messages/seed.yaml", "Hey", "Ho")
    above = Folder(here.path.parent, here.capture)
    out = above.run("-C", here.path.name, "plan").out
    (command,) = re.findall(r"^ +(git -C .* restore .*)$", out, re.MULTILINE)
    subprocess.run(command, shell=True, check=True, cwd=here.path.parent)  # as a person pastes it
    assert here.run("plan").code == 0
    assert len(intercom.messages) == 4


def test_edits_that_one_command_shows_are_one_step(here: Folder, intercom: Sandbox) -> None:
    assert here.run("apply", "--yes").code == 0
    commit(here)
    edit(here, "messages/seed.yaml", "Hey", "Ho")
    edit(here, "messages/news.yaml", "1 March", "2 March")
    out = here.run("plan").out
    assert out.count("msgrun plan --against HEAD\n") == 1
    assert "  See the edit of news and seed:\n" in out
    assert len(intercom.messages) == 4


def test_an_edit_of_the_projects_vars_is_shown_where_it_is(here: Folder, intercom: Sandbox) -> None:
    here.write("msgrun.yaml", "vars: {product: Ponies}\n")
    edit(here, "messages/seed.yaml", "Hey", "Hey from {{ product }}")
    commit(here)
    sent = git(here.path, "rev-parse", "--short", "HEAD")
    assert here.run("apply", "--yes").code == 0
    here.write("msgrun.yaml", "vars: {product: Horses}\n")
    commit(here)
    out = here.run("plan").out
    see = f"Undo the edit in msgrun.yaml, if it is a mistake. See it:\n    git diff {sent} -- msgrun.yaml\n"
    assert f"msgrun plan --against {sent}\n" in out
    assert see in out
    assert len(intercom.messages) == 4


def test_of_a_text_that_no_commit_has_no_commit_is_named(here: Folder, intercom: Sandbox) -> None:
    edit(here, "messages/seed.yaml", "Hey", "Hi")
    assert here.run("apply", "--yes").code == 0
    edit(here, "messages/seed.yaml", "Hi", "Ho")
    commit(here)
    assert "\nNext:\n  Undo the edit of seed, if it is a mistake\n  Or keep" in here.run("plan").out
    assert len(intercom.messages) == 4


def test_a_message_of_many_files_keeps_the_general_steps_and_git_gets_no_endless_list(
    here: Folder, intercom: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert here.run("apply", "--yes").code == 0
    names = [f"{'d' * 200}/{number}.j2" for number in range(60)]
    for name in names:
        here.write(f"messages/{name}", "x\n")
    edit(here, "messages/seed.yaml", "Hey", "'" + "".join(f'{{% include "{name}" %}}' for name in names) + "'")
    commit(here)
    asked: list[str] = []
    ask = Repository.try_git
    monkeypatch.setattr(Repository, "try_git", lambda self, *args: asked.append(args[0]) or ask(self, *args))
    out = here.run("plan").out
    assert "seed was edited after it was sent" in out
    assert "plan --against" not in out
    assert "diff" not in asked
    assert len(intercom.messages) == 4


def test_samples_of_two_recipients_are_told(here: Folder) -> None:
    edit(here, "messages/seed.yaml", "536e564f316c83104c000020", "somebody-else")
    edit(here, "messages/seed.yaml", "Hey", "Ho")
    out = here.run("plan", "--against", "main").out
    assert "audience: 1 added, 1 removed" in out
    assert "the two samples are of different recipients" in out


def test_a_side_that_cannot_be_rendered_is_told(here: Folder) -> None:
    edit(here, "messages/seed.yaml", "Hey", "Hey {{ missing }}")
    commit(here)
    edit(here, "messages/seed.yaml", "Hey {{ missing }}", "Hey")
    assert "so the texts are compared as they are written" in (out := here.run("plan", "--against", "main").out)
    assert "  subject:\n    - Hey {{ missing }}\n    + Hey\n" in out


def test_a_template_that_takes_too_long_at_the_ref_ends(here: Folder) -> None:
    slow = "{% for a in range(9999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    edit(here, "messages/news.yaml", 'email: "{{ email }}"', f"email: '{slow}{{{{ email }}}}'")
    commit(here)
    edit(here, "messages/news.yaml", slow, "")
    assert "3 added, 1 unreadable" in here.run("plan", "--against", "main").out


def test_records_that_a_branch_drops_from_the_lockfile_are_neither_planned_again_nor_kept_quiet(
    here: Folder, intercom: Sandbox
) -> None:
    assert here.run("apply", "--yes").code == 0
    commit(here)
    assert len(intercom.messages) == 4
    git(here.path, "checkout", "-q", "-b", "change")
    kept = [
        line for line in (here.path / "messages.lock").read_text().splitlines(keepends=True) if '"news"' not in line
    ]
    here.write("messages.lock", "".join(kept))
    commit(here)
    forget(here)
    assert here.run("plan").out.count("3 to send") == 2, "without the other side nothing tells that it was sent"
    ran = here.run("plan", "--against", "main", "--format", "markdown")
    assert "**0 to send**" in ran.out
    told = "these commits change messages.lock: 0 records added, 3 removed; what is removed would be sent again"
    assert told in ran.out.replace("\\", "")


def test_a_lockfile_that_the_ref_is_ahead_with_is_believed_and_is_no_change_of_the_branch(
    here: Folder, intercom: Sandbox
) -> None:
    git(here.path, "branch", "change")
    assert here.run("apply", "--yes").code == 0
    commit(here)
    assert len(intercom.messages) == 4
    git(here.path, "checkout", "-q", "change")
    forget(here)
    ran = here.run("plan", "--against", "main")
    assert "4 already sent.\n" in ran.out
    assert "these commits change" not in ran.out + ran.err


def forget(folder: Folder) -> None:
    """As in a fresh clone: git's journal is not there."""
    shutil.rmtree(folder.path / ".git" / "msgrun")


GUARDED = {
    "lock": ("lock: other.lock\n", "messages.lock", "other.lock"),
    "workspace": ("workspace: acme\n", "", "acme"),
    "region": ("region: eu\n", "us", "eu"),
    "environments.prod.salt": ("environments: {prod: {salt: x}}\n", "check 9165df25", f"check {salt_check('x')}"),
    "limits.recipients_per_message": ("limits: {recipients_per_message: 90000}\n", "10,000", "90,000"),
    "limits.recipients_per_apply": ("limits: {recipients_per_apply: 90000}\n", "10,000", "90,000"),
    "abort_if.unknown": ("abort_if: {unknown: 900}\n", "3", "900"),
    "abort_if.refused": ("abort_if: {refused: 100%}\n", "20%", "100%"),
    "abort_if.after": ("abort_if: {after: 9000}\n", "50", "9,000"),
    "suppress": ("suppress: [none.csv]\n", "", "none.csv"),
    "api_version": ('api_version: "2.5"\n', "2.14", "2.5"),
    "rate.share": ("rate: {share: 1}\n", "0.8", "1"),
    "rate.max_per_10s": ("rate: {max_per_10s: 5000}\n", "", "5,000"),
    "lint.ignore": ("lint: {ignore: [unclosed-tag]}\n", "", "unclosed-tag"),
    "lint.unsubscribe_above": ("lint: {unsubscribe_above: 9000}\n", "100", "9,000"),
    "environments.prod.lock": ("environments: {prod: {lock: x.lock}}\n", "messages.prod.lock", "x.lock"),
    "environments.prod.limits.recipients_per_apply": (
        "environments: {prod: {limits: {recipients_per_apply: 7}}}\n", "10,000", "7",
    ),
    "environments.prod": ("", "lock: messages.prod.lock, workspace: not pinned", ""),
    "environments.test": (
        "environments: {prod: {}, test: {workspace: t}}\n", "", "lock: messages.test.lock, workspace: t",
    ),
}  # fmt: skip


OF_THE_PROJECT = [name for name in GUARDED if not name.startswith("environments")]


@pytest.mark.parametrize("names", [OF_THE_PROJECT, *([name] for name in GUARDED if name not in OF_THE_PROJECT)])
def test_every_changed_guard_is_named(here: Folder, names: list[str]) -> None:
    here.write("none.csv", "email\nzoe@example.com\n")
    here.write("msgrun.yaml", "environments: {prod: {}}\n")
    commit(here)
    settings: dict[str, Any] = {} if "environments" in names[0] else {"environments": {"prod": {}}}
    for name in names:
        for key, value in (yaml.safe_load(GUARDED[name][0]) or {}).items():
            settings[key] = settings.get(key, {}) | value if isinstance(value, dict) else value
    here.write("msgrun.yaml", yaml.safe_dump(settings))
    found = [guard for guard in changes(here)["guards"] if guard["name"] in names]
    expected = [{"name": name, "before": GUARDED[name][1], "now": GUARDED[name][2]} for name in names]
    assert sorted(found, key=str) == sorted(expected, key=str)


@pytest.mark.parametrize("name", ["lock", "abort_if.refused"])
def test_a_changed_guard_is_the_first_thing_that_a_reviewer_sees(here: Folder, name: str) -> None:
    text, before, now = GUARDED[name]
    here.write("msgrun.yaml", text)
    markdown = here.run("plan", "--against", "main", "--format", "markdown").out
    line = f"> - `{name}`: {f'`{before}`' if before else 'none'} → {f'`{now}`' if now else 'none'}"
    assert markdown.split("\n\n")[1].splitlines()[:2] == [
        "> [!CAUTION]", "> **These commits change what guards the sending:**",
    ]  # fmt: skip
    assert line in markdown.split("\n\n")[1].splitlines()
    told = f"changed guard {name}: {before or 'none'} -> {now or 'none'}"
    assert told in here.run("plan", "--against", "main").out.split("Changes against")[0]
    annotated = here.run("plan", "--against", "main", "--format", "github").out
    assert f"::warning title=msgrun plan::{told.replace('%', '%25')}" in annotated


def test_a_long_list_of_changed_guards_is_cut_and_counted_in_every_form(here: Folder) -> None:
    lines = "".join(f"  e{number:03}: {{workspace: {'w' * 64}}}\n" for number in range(100))
    here.write("msgrun.yaml", f"environments:\n{lines}")
    for form in ("text", "markdown", "github"):
        out = here.run("plan", "--against", "main", "--format", form).out
        assert "e000: none " in out.replace("`", "").replace("→", "->")
        assert re.search(r"and \d+ more changed guards", out)
        assert len(out) < 20_000


def test_contacts_that_a_suppression_list_loses_are_a_changed_guard(here: Folder) -> None:
    here.write("msgrun.yaml", "suppress: [lists/*.csv]\n")
    here.write("lists/a.csv", "email\nzoe@example.com\nyan@example.com\n")
    commit(here)
    assert changes(here)["guards"] == []
    here.write("lists/a.csv", "email\nzoe@example.com\n")
    assert changes(here)["guards"] == [
        {"name": "suppress lists/*.csv", "before": "2 identifiers", "now": "1, 1 removed"}
    ]
    (here.path / "lists/a.csv").unlink()
    here.write("lists/b.csv", "email\n")
    assert changes(here)["guards"] == [
        {"name": "suppress lists/*.csv", "before": "2 identifiers", "now": "0, 2 removed"}
    ]


def test_without_a_change_no_guard_is_named(here: Folder) -> None:
    here.write("msgrun.yaml", "vars: {a: b}\n")
    assert changes(here)["guards"] == []
    assert "guard" not in here.run("plan", "--against", "main").out


def test_other_columns_of_a_suppression_list_are_a_changed_guard(here: Folder) -> None:
    here.write("export.csv", "Email,Other\nno@example.com,yes@example.com\n")
    here.write("msgrun.yaml", "suppress: {csv: export.csv, columns: {Email: email}}\n")
    commit(here)
    here.write("msgrun.yaml", "suppress: {csv: export.csv, columns: {Other: email}}\n")
    guard, lost = changes(here)["guards"]
    assert (guard["name"], lost["name"]) == ("suppress", "suppress export.csv, not declared any more")
    assert '{\\"Email\\": \\"email\\"}' in guard["before"]
    assert '{\\"Other\\": \\"email\\"}' in guard["now"]


def test_of_many_copies_of_a_removed_message_only_the_first_are_compared(here: Folder) -> None:
    (here.path / "messages/news.yaml").unlink()
    for number in range(12):
        here.write(f"messages/copy{number:02}.yaml", NEWS.replace("name: news", f"name: copy{number:02}"))
    warnings = [change["warnings"] for change in changes(here)["messages"] if change["name"].startswith("copy")]
    assert all("and 3 of the same recipients" in warning for (warning,) in warnings[:10])
    assert all("as other messages do; whether" in warning for (warning,) in warnings[10:])
    assert len(warnings) == 12


def test_messages_whose_lists_find_the_same_people_are_compared_without_their_rows(
    here: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.write("a.csv", "email,name\nann@example.com,Ann\n")
    for name in "no", "same", "less":
        here.write(f"{name}.csv", "email\nno@example.com\n" + ("yes@example.com\n" if name != "less" else ""))
    head = NEWS[: NEWS.index("to:")]

    def write(text: str, lists: tuple[str, ...]) -> None:
        for number, name in enumerate(lists):
            to = f"to: {{csv: ../a.csv, type: user, email: '{{{{ email }}}}', exclude: ../{name}.csv}}\n"
            declared = head.replace("name: news", f"name: news{number}").replace("export", text) + to
            here.write(f"messages/news{number}.yaml", declared)

    write("export", ("no",) * 12)
    commit(here)
    read = list[str]()
    compared = renames.compare_audiences
    monkeypatch.setattr(renames, "compare_audiences", lambda *args: read.append(args[1].name) or compared(*args))
    write("report", (*("same",) * 11, "less"))
    guards = [guard["now"] for guard in changes(here)["guards"]]
    assert guards.count("as before; news11 lacks 1 of its contacts") == 11
    assert set(read) <= {"news11"}


def test_many_messages_of_one_text_under_new_names_have_a_few_warnings_each(here: Folder) -> None:
    def write(name: str) -> None:
        here.write(
            "messages/news.yaml", "---\n".join(NEWS.replace("name: news", f"name: {name}{n}") for n in range(40))
        )

    write("old")
    commit(here)
    write("new")
    warnings = [len(change["warnings"]) for change in changes(here)["messages"] if change["name"].startswith("new")]
    assert (len(warnings), max(warnings)) == (40, 11)


def test_a_message_that_requires_no_subscription_any_more_stands_on_top(here: Folder) -> None:
    news = NEWS + "require_subscription: Newsletter\n"
    here.message(news, "news")
    commit(here)
    for now in ("Offers", ""):
        here.message(NEWS + f"require_subscription: {now}\n" if now else NEWS, "news")
        guards = changes(here, "HEAD")["guards"]
        assert guards == [{"name": "news: require_subscription", "before": "Newsletter", "now": now}]
    comment = here.run("plan", "--against", "HEAD", "--format", "markdown").out
    assert "what guards the sending" in comment.partition("2 to send")[0]
    here.message(news, "news")
    assert changes(here, "main~1")["guards"] == []


def test_a_message_that_ignores_a_rule_from_now_on_stands_on_top(here: Folder) -> None:
    here.message(NEWS + "quiet_hours: ignore\n", "news")
    assert changes(here, "HEAD")["guards"] == [{"name": "news: quiet_hours", "before": "", "now": "ignore"}]
    commit(here)
    here.message(NEWS, "news")
    assert changes(here, "HEAD")["guards"] == []
