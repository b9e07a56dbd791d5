"""What a review shows of a plan, and what GitHub's workflow gets of plan and apply."""

import html
import re
from pathlib import Path

import pytest

from runner.report.markdown_results import MAX_COMMENT_LENGTH
from runner.sandbox import Sandbox
from tests.cli.test_golden import every_state
from tests.support import golden
from tests.support.project import SEED, Folder

NASTY = """\
name: nasty
message_type: email
subject: "`@octocat` | {{ name }} ![x](https://evil.example/t.gif) #1 <script>"
body: |
  <p>Hi {{ name }},</p>
  ```
  </details></code> <img src="https://evil.example/t.gif"> ![x](https://evil.example/t.gif)
  ````html
  /close @octocat #12 $x$
from: {type: admin, id: 7}
to:
  - {type: user, email: "evil|`@example.com", vars: {name: "<b>@mallory</b> | ```"}}
{% if never_given %}x{% endif %}
"""


@pytest.fixture
def step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of a step of GitHub's workflow, as the runner makes them."""
    for name in ("summary", "output"):
        (tmp_path / name).write_text("")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    return tmp_path


def outputs(step: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in (step / "output").read_text().splitlines())


def nasty(folder: Folder) -> None:
    text = NASTY.replace("{% if never_given %}x{% endif %}\n", "").replace(
        "/close", "{% if nme %}x{% endif %}\n  /close"
    )
    folder.message(text, "nasty")
    folder.write("msgrun.yaml", "workspace: acme\n")


def test_a_plan_with_every_action_as_markdown(folder: Folder) -> None:
    every_state(folder)
    golden.check("plan.md", folder.run("plan", "--format", "markdown").out)
    golden.check("plan-shown.md", folder.run("plan", "--format", "markdown", "--show-values", "--limit", "1").out)


def test_a_plan_with_every_action_as_annotations(folder: Folder) -> None:
    every_state(folder)
    golden.check("plan.github.txt", folder.run("plan", "--format", "github").out)


def test_a_plan_of_a_message_that_tries_to_be_markup(folder: Folder) -> None:
    nasty(folder)
    golden.check("nasty.md", folder.run("plan", "--format", "markdown").out)
    golden.check("nasty-shown.md", folder.run("plan", "--format", "markdown", "--show-values").out)
    golden.check("nasty.github.txt", folder.run("plan", "--format", "github").out)


def test_problems_as_a_comment(folder: Folder) -> None:
    folder.message(SEED.replace("Hey", "{{ name }} `@octocat`"), "seed")
    ran = folder.run("plan", "--format", "markdown")
    assert ran.code == 1
    golden.check("problems.md", ran.out)


def test_a_ledger_that_says_no_as_a_comment(folder: Folder) -> None:
    folder.message(SEED)
    folder.write("msgrun.yaml", "salt: another\n")
    ran = folder.run("plan", "--format", "markdown")
    assert ran.code == 5
    assert ran.out.startswith("<!-- msgrun plan: default -->\n")
    assert "> [!CAUTION]\n> **Stopped.** the salt is not the one" in ran.out
    assert "::error title=msgrun::the salt is not" in folder.run("plan", "--format", "github").out


def test_a_comment_is_never_too_long_and_cut_between_messages(folder: Folder) -> None:
    body = "".join(f"<p>word{number} &amp; more words of a paragraph</p>" for number in range(100))
    for number in range(120):
        folder.message(SEED.replace("seed", f"m-{number:03}").replace("Ponies, cute", body), f"m-{number:03}")
    out = folder.run("plan", "--format", "markdown").out
    assert len(out) <= MAX_COMMENT_LENGTH
    assert out.count("<details>") == out.count("</details>") > 0
    assert len(re.findall(r"^`{3,}$", out, re.MULTILINE)) * 2 == len(re.findall(r"^`{3,}", out, re.MULTILINE))
    assert re.search(r"\n\nand \d+ more messages, whose texts", out)
    assert "| `m-119`<br>" in out
    assert out.rstrip().splitlines()[-1].startswith("Digest `sha256:")


def test_a_table_too_long_for_a_comment_says_how_much_more_there_is(folder: Folder) -> None:
    for number in range(400):
        folder.message(SEED.replace("seed", f"message-with-a-long-name-{number:03}"), f"m-{number:03}")
    out = folder.run("plan", "--format", "markdown").out
    assert len(out) <= MAX_COMMENT_LENGTH
    assert re.search(r"\| and \d+ more messages, to \d+ recipients: .* and \d+ more \|", out)


def test_the_table_fits_into_a_comment_of_github(folder: Folder) -> None:
    every_state(folder)
    news = (folder.path / "messages/news.yaml").read_text()
    for name in ("www." + "a_" * 15 + "b" * 60, "customers/emea/price-change-announcement-2027-enterprise"):
        folder.message(news.replace("name: news", f"name: {name}"), name[:3])
    out = folder.run("plan", "--format", "markdown").out
    lines = [line for line in out.splitlines() if line.startswith("| ")]
    assert len(lines) == 6
    columns = zip(*(line[2:-2].split(" | ") for line in lines if "---" not in line), strict=True)
    # The longest word of each column, at 8 pixels a character and with GitHub's padding of 13 on both sides.
    widest = [
        max(len(html.unescape(word)) for cell in column for word in re.split(r" |-|/|<[^>]*>", cell))
        for column in columns
    ]
    assert sum(8 * width + 26 for width in widest) <= 780


def test_a_plan_adds_to_the_files_of_the_step(folder: Folder, step: Path) -> None:
    (step / "output").write_text("other=1")
    (step / "summary").write_text("# others\n")
    folder.message(SEED)
    assert folder.run("plan", "--detailed-exitcode").code == 2
    assert (step / "output").read_text() == (
        "other=1\nhas_changes=true\nrecipients=1\n"
        "digest=sha256:7acc4b89b134d1ece5f6fd78ca3c74e2598f1aba18f0065b7e62fa1732fce013\n"
        "unknown=0\nstale=false\nexitcode=2\n"
    )
    summary = (step / "summary").read_text()
    assert summary.startswith("# others\n<!-- msgrun plan: default -->\n")
    assert summary.count("<!-- msgrun") == 1
    assert "**1 to send, of 1 message**" in summary


def test_an_apply_adds_what_it_did(folder: Folder, step: Path, intercom: Sandbox) -> None:
    folder.message(SEED)
    assert folder.run("apply", "--yes").code == 0
    assert outputs(step)["exitcode"] == "0"
    assert outputs(step)["recipients"] == "1"
    summary = (step / "summary").read_text()
    planned = "What it had planned, before it sent:\n\n<!-- msgrun plan: default -->\n"
    assert "**1 to send, of 1 message**" in summary.partition(planned)[2]
    assert summary.startswith("### What was done\n\n**1 sent**\n"), "the result stands before the plan"
    assert folder.run("apply", "--yes").code == 0
    assert outputs(step)["has_changes"] == "false"
    assert len(intercom.messages) == 1


def test_unknown_outcomes_of_a_run_are_counted(folder: Folder, step: Path, intercom: Sandbox) -> None:
    folder.message(SEED)
    intercom.trouble.add("next=500_after")
    assert folder.run("apply", "--yes").code == 4
    assert outputs(step)["unknown"] == "1"
    assert "- **unknown** `seed` `id:536e564f316c83104c000020`" in (step / "summary").read_text()
    folder.message(SEED.replace("name: seed", "name: other"), "other")
    for done in ("1 sent", "nothing was sent"):
        (step / "summary").unlink()
        ran = folder.run("apply", "--yes")
        assert (ran.code, "1 unknown from earlier runs" in ran.out) == (4, True)
        summary = (step / "summary").read_text()
        assert summary.startswith(f"### What was done\n\n**{done} · 1 unknown from earlier runs**\n\nNext:\n\n- ")
        assert "\n\nExit code 4: whether some deliveries arrived is unknown.\n\n" in summary
        assert outputs(step)["unknown"] == "1"


def test_problems_guards_and_wrong_usage_still_have_an_exit_code(folder: Folder, step: Path) -> None:
    folder.message(SEED.replace("Hey", "{{ name }}"))
    assert folder.run("plan").code == 1
    none = dict.fromkeys(("has_changes", "recipients", "digest", "unknown", "stale"), "")
    assert outputs(step) == {**none, "exitcode": "1"}
    assert "**There is no plan, and nothing can be sent: 1 problem.**" in (step / "summary").read_text()
    folder.message(SEED)
    assert folder.run("plan", "--expect", "sha256:" + "0" * 64).code == 5
    assert outputs(step)["exitcode"] == "5"
    assert outputs(step)["recipients"] == "1"
    assert folder.run("plan", "--no-such-option").code == 64
    assert outputs(step)["exitcode"] == "64"
    assert outputs(step)["digest"] == "", "what an earlier command planned is not this one's"
    assert folder.run("apply").code == 5
    assert outputs(step)["exitcode"] == "5"
    assert "**Stopped.**" in (step / "summary").read_text()


def test_a_comment_is_written_beside_the_text_of_the_log(folder: Folder) -> None:
    every_state(folder)
    ran = folder.run("plan", "--comment", "comment.md", "--all")
    assert ran.out == folder.run("plan", "--all").out
    assert (folder.path / "comment.md").read_text() == folder.run("plan", "--format", "markdown").out


def test_of_a_body_with_more_than_a_simple_layout_comment_and_plan_name_the_preview(folder: Folder) -> None:
    words = (
        "laid out with <table>, <tbody>, <tr> and 1 more; the preview shows how it looks, and this text only its words"
    )
    folder.message(SEED.replace("Ponies", "<table><tr><td>Ponies"))
    comment = folder.run("plan", "--format", "markdown").out
    escaped = words.replace("<", "&lt;").replace(">", "&gt;")
    assert f"\n\nL{escaped[1:]}:\n\n```" in comment
    assert f"    ! {words}: msgrun preview seed\n" in folder.run("plan", "-v").out
    folder.message(SEED.replace("Ponies", "<p>Ponies"))
    assert "the preview shows" not in folder.run("plan", "--format", "markdown").out + folder.run("plan", "-v").out


def test_a_comment_says_why_there_is_no_plan(folder: Folder) -> None:
    folder.message(SEED.replace("Hey", "{{ name }}"))
    ran = folder.run("plan", "--comment", "comment.md")
    assert ran.code == 1
    assert "messages/message.yaml:3:11: error: " in ran.out
    assert (folder.path / "comment.md").read_text() == folder.run("plan", "--format", "markdown").out
    folder.message(SEED)
    folder.write("msgrun.yaml", "salt: another\nworkspac: x\n")
    assert folder.run("plan", "--comment", "comment.md").code == 1
    assert "msgrun.yaml:2:1" in (folder.path / "comment.md").read_text()
    folder.write("msgrun.yaml", "salt: another\n")
    assert folder.run("plan", "--comment", "comment.md").code == 5
    assert "**Stopped.** the salt is not the one" in (folder.path / "comment.md").read_text()
    (folder.path / "comment.md").unlink()
    assert folder.run("plan").code == 5
    assert not (folder.path / "comment.md").exists(), "the path is that of one command"


def test_a_comment_goes_through_no_link(folder: Folder, tmp_path: Path) -> None:
    folder.message(SEED)
    (folder.path / "comment.md").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for path in ("comment.md", str(tmp_path / "link")):
        ran = folder.run("plan", "--comment", path)
        assert (ran.code, "is a link" in ran.err) == (5, True)
    assert not (tmp_path / "elsewhere").exists()


def test_the_log_of_annotations_shows_the_plan_and_nothing_in_it_is_a_command(folder: Folder) -> None:
    folder.message(SEED.replace("Hey", '"::error::x"').replace("body: ", "body: |\n  ::error::y\n  "))
    for more in ([], ["-v"]):
        out = folder.run("plan", "--format", "github", *more).out
        assert "Plan: 1 to send" in out
        commands = [line for line in out.splitlines() if line.lstrip().startswith("::")]
        assert all(line.startswith(("::notice title=", "::warning ")) for line in commands)


def test_a_stale_saved_plan_is_an_output_of_its_own(folder: Folder, step: Path, intercom: Sandbox) -> None:
    folder.message(SEED)
    assert folder.run("plan", "--out", "plan.json").code == 0
    folder.message(SEED.replace("Ponies", "Horses"))
    ran = folder.run("apply", "--yes", "--plan", "plan.json")
    assert (ran.code, outputs(step)["stale"], outputs(step)["exitcode"]) == (5, "true", "5")
    assert "in CI, approve the newest run" in " ".join(ran.out.split())
    assert folder.run("apply", "--yes", "--plan", "plan.json", "--expect", "sha256:" + "0" * 64).code == 5
    assert outputs(step)["stale"] == "false", "another guard stops it too"
    assert intercom.messages == []


def test_other_commands_leave_the_files_alone(folder: Folder, step: Path) -> None:
    folder.message(SEED)
    assert folder.run("validate").code == 0
    assert (step / "output").read_text() == (step / "summary").read_text() == ""


def test_files_that_cannot_be_written_change_no_exit_code(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(folder.path / "no" / "file"))
    folder.message(SEED)
    ran = folder.run("plan", "--detailed-exitcode")
    assert ran.code == 2
    assert "GitHub's files of this step cannot be written" in ran.err


def test_a_summary_that_is_nearly_full_is_left_as_it_is(folder: Folder, step: Path) -> None:
    (step / "summary").write_text("x" * 900_000)
    folder.message(SEED)
    assert folder.run("plan").code == 0
    assert (step / "summary").stat().st_size == 900_000
    assert outputs(step)["exitcode"] == "0"


def test_annotations_name_files_from_the_workspace(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(folder.path.parent))
    folder.message(SEED.replace("Hey", "{{ name }}"))
    out = folder.run("validate", "--format", "github").out
    assert out.startswith(f"::error file={folder.path.name}/messages/message.yaml,line=3,")


def test_a_comment_of_the_sandbox_says_so(folder: Folder) -> None:
    folder.message(SEED + "not_before: 2999-01-01T09:30:00Z\n")
    out = folder.run("--sandbox", "plan", "--format", "markdown").out
    assert "## msgrun plan: environment `default`, in the sandbox (nothing leaves the machine)\n" in out
    assert "| `seed`<br>email · admin `394051` · never expires | 1 | 0 | 1 excluded |" in out


def test_a_text_that_is_sent_later_is_reviewed_now(folder: Folder) -> None:
    folder.message(SEED + "not_before: 2999-01-01T09:30:00Z\n")
    out = folder.run("plan", "--format", "markdown").out
    assert "<summary><code>seed</code>: 0 to send, 1 not before 2999-01-01T09:30:00Z</summary>" in out
    assert "**Subject** `Hey`" in out


def test_a_comment_about_nothing(folder: Folder) -> None:
    out = folder.run("plan", "--format", "markdown").out
    assert "**0 to send**\n\nNo message is declared.\n\nDigest" in out


def test_a_ledger_that_says_no_is_in_the_summary(folder: Folder, step: Path) -> None:
    folder.message(SEED)
    folder.write("msgrun.yaml", "salt: another\n")
    assert folder.run("plan").code == 5
    assert (step / "summary").read_text().startswith("<!-- msgrun plan: default -->\n")
    assert "**Stopped.** the salt is not the one" in (step / "summary").read_text()


def test_a_run_that_stopped_says_why_in_the_summary(folder: Folder, step: Path, intercom: Sandbox) -> None:
    folder.message(SEED)
    folder.write(".msgrun/stop", "")
    assert folder.run("apply", "--yes").code == 75
    assert "### What was done\n\n**1 left**\n\n> [!CAUTION]\n> **Stopped.**" in (step / "summary").read_text()
    assert outputs(step)["exitcode"] == "75"
    assert intercom.messages == []
