"""Nothing that a pull request changes makes another key, or another ledger, of what was sent already."""

from pathlib import Path
from typing import Any

import pytest

from runner.compare.merged_lockfiles import find_lost_attributes
from runner.declare.settings import find_ledger_ids, load_all_settings
from runner.declare.tree import Tree
from runner.declare.yaml.scalar_types import compose_all, convert_node
from runner.declare.yaml.syntax import YamlFault
from runner.git.repository import find_repository
from runner.ledger.record import Record
from tests.support.clones import ATTRIBUTES, Clone, git_output
from tests.support.ledger_contexts import ID_A


def convert(text: str) -> tuple[Any, list[YamlFault]]:
    (root,) = compose_all(text)
    return convert_node(root)


@pytest.mark.parametrize(
    "text",
    [
        "revision: 1.0",
        "revision: 10.0",
        "revision: -0.0",
        "revision: !!float 1",
        "revision: !!float 1.0",
        "revision: !!float 1e0",
        "revision: !!float inf",
        "revision: !!int 1_0",
        'revision: !!int "1\\n"',
        "vars: {a: &a 1.0}\nrevision: *a",
        "x-a: &a\n  vars: {revision: &b 1.0}\n  revision: *b\n<<: *a",
        "vars: &a {revision: 1.0}\n<<: *a",
        "limits: {recipients_per_apply: 5.0}",
        "environments: {a: {limits: {recipients_per_apply: 5.0}}}",
    ],
)
def test_a_whole_number_has_one_form(text: str) -> None:
    assert next(fault.code for fault in convert(text)[1]) in {"wrong-type", "yaml-tag"}


def test_numbers_of_recipients_are_data_with_their_fraction() -> None:
    assert convert("vars: {price: 1.0}\nrevision: 1") == ({"vars": {"price": 1.0}, "revision": 1}, [])
    recipient = "to: [{type: user, email: a@example.com, vars: {price: 1.0}}]"
    assert convert(recipient)[0]["to"][0]["vars"] == {"price": 1.0}


@pytest.mark.parametrize("fields", [{"revision": 1.0}, {"to": 5}, {"forgotten": "yes"}])
def test_a_record_that_could_not_be_read_again_is_not_written(fields: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="another type"):
        Record("a" * 32, "run-1", "claimed", **fields).to_line()


# What msgrun.yaml was, and what commits make of it. None of the second names the ledger.
NAMED = f"ledger: {ID_A}\n"
REMOVALS = {
    "removed": (NAMED, "region: eu\n"),
    "a comment": (NAMED, f"# {ID_A}\n"),
    "another key": (NAMED, f"x-ledger: {ID_A}\n"),
    "below another key": (NAMED, f"x-a: {{ledger: {ID_A}}}\n"),
    "empty": (NAMED, f'ledger: "" # ledger: {ID_A}\n'),
    "null": (NAMED, f"ledger: # {ID_A}\n"),
    "a quoted key": (f'"ledger": {ID_A}\n', f"# {ID_A}\n"),
    "an escaped key": (f'"l\\x65dger": {ID_A}\n', "{}\n"),
    "an escaped id": (f'ledger: "\\x30{ID_A[1:]}"\n', "{}\n"),
    "on a line of its own": (f"ledger:\n  {ID_A}\n", "ledger:\n"),
    "an alias": (f"x-a: &a {ID_A}\nledger: *a\n", f"x-a: &a {ID_A}\n"),
    "a second document": (NAMED, f"{{}}\n---\n{NAMED}"),
}


@pytest.mark.parametrize("name", REMOVALS)
def test_the_check_of_a_pull_request_reads_the_id_however_it_is_written(name: str) -> None:
    before, now = (find_ledger_ids(text.encode()) for text in REMOVALS[name])
    assert (before["default"], now["default"]) == (ID_A, "")


def test_the_check_of_a_pull_request_refuses_it(author: Clone) -> None:
    settings = (author.path / "msgrun.yaml").read_text("utf-8")
    author.write("msgrun.yaml", settings + NAMED)
    base = author.commit()
    author.write("msgrun.yaml", f"{settings}environments: {{eu: {{ledger: {ID_A}}}}}\n")  # an environment of its own
    author.commit()
    assert author.msgrun("lock", "verify", "--against", base).code == 0
    author.write("msgrun.yaml", f"{settings}# {ID_A}\n")
    author.commit()
    ran = author.msgrun("lock", "verify", "--against", base)
    assert (ran.code, f"these commits take the ledger {ID_A} of the environment default out" in ran.err) == (5, True)


# What a pull request makes of the files .gitattributes, of which the one at the top has merge=union.
ATTRIBUTE_FILES = {
    "removed": {".gitattributes": ""},
    "binary": {".gitattributes": "messages.lock binary\n"},
    "no merge": {".gitattributes": f"{ATTRIBUTES}messages.lock -merge\n"},
    "one side": {".gitattributes": f"{ATTRIBUTES}* merge=ours\n"},
    "a macro": {".gitattributes": f"[attr]fine -merge\n{ATTRIBUTES}*.lock fine\n"},
    "unspecified": {".gitattributes": f"{ATTRIBUTES}m*.lock !merge\n"},
    "a nearer one": {"mail/.gitattributes": "*.lock merge\n"},
}


# Those that make git write the file in another form, so that a new clone cannot read it, by the attribute that does it.
OTHER_FORMS = {"text": "text", "eol": "eol=crlf", "filter": "filter=lfs", "ident": "ident"}
OTHER_FORMS["working-tree-encoding"] = "working-tree-encoding=UTF-16LE"
ATTRIBUTE_FILES |= {name: {".gitattributes": f"{ATTRIBUTES}*.lock {text}\n"} for name, text in OTHER_FORMS.items()}


@pytest.mark.parametrize("name", ATTRIBUTE_FILES)
def test_a_lockfile_that_git_no_longer_merges_is_found(tmp_path: Path, name: str) -> None:
    git_output(tmp_path, "init", "--quiet")
    (tmp_path / ".gitattributes").write_text(ATTRIBUTES)
    (tmp_path / "mail").mkdir()
    commit(tmp_path / "mail", "{}\n")
    base = git_output(tmp_path, "rev-parse", "HEAD")
    (tmp_path / ".gitattributes").write_text(f"{ATTRIBUTES}*.png binary\n")
    commit(tmp_path / "mail", "{} # another\n")
    repository = find_repository(tmp_path)
    assert repository
    root = tmp_path / "mail"
    settings = load_all_settings(Tree(root)).values()
    assert find_lost_attributes(repository, base, root, settings) == []
    for path, text in ATTRIBUTE_FILES[name].items():
        (tmp_path / path).write_text(text)
    commit(root, "{} # a third\n")
    lost = find_lost_attributes(repository, base, root, settings)
    assert lost[0] == ("mail/messages.lock", name if name in OTHER_FORMS else "merge")


def test_a_lockfile_that_git_writes_in_another_form_is_named_on_top_and_fails_the_check(author: Clone) -> None:
    base = author.git("rev-parse", "HEAD")
    author.write(".gitattributes", f"{ATTRIBUTES}*.lock working-tree-encoding=UTF-16LE\n")
    author.commit(".gitattributes")
    refused = author.msgrun("lock", "verify", "--against", base)
    assert (refused.code, "git writes messages.lock in another form" in refused.err) == (5, True)
    comment = author.path.parent / "comment.md"
    author.msgrun("plan", "--against", base, "--comment", str(comment))
    assert "`messages.lock`: `written as it is` → `changed by git" in comment.read_text("utf-8")


def test_it_is_named_on_top_and_fails_the_check(author: Clone) -> None:
    base = author.git("rev-parse", "HEAD")
    author.write(".gitattributes", "")
    author.commit()
    assert "these commits take merge=union from messages.lock" in author.msgrun("lock", "verify", "--against", base).err
    comment = author.path.parent / "comment.md"
    author.msgrun("plan", "--against", base, "--comment", str(comment))
    assert "`messages.lock`: `merge=union` → `not merged line by line" in comment.read_text("utf-8")


def commit(folder: Path, settings: str | None) -> None:
    file = folder / "msgrun.yaml"
    file.unlink() if settings is None else file.write_text(settings)
    git_output(folder, "add", "--all", ":/")
    git_output(folder, "commit", "--quiet", "--message", "change")
