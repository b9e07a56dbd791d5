"""Whatever a pull request changes, its review shows it: no change of a setting hides the others."""

import json
import re
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from runner.cli import against
from runner.compare import guard_settings
from runner.compare.declared_fields import FieldChange
from runner.compare.guard_settings import compare_guard_settings
from runner.declare.audience.suppression import parse_contact_files
from runner.declare.recipient_rules import Redirect, parse_allow_list
from runner.declare.settings import Settings
from runner.report.comparison_text import describe_guard_changes
from runner.sandbox import Sandbox
from tests.support.clones import ATTRIBUTES, Clone, message
from tests.support.pushed_projects import AUTHOR, copy_project, restore

SETTINGS = (
    'salt: "{salt}"\nfrom: {{type: admin, id: "{sender}"}}\nlock: {lock}\nlimits: {{recipients_per_message: {limit}}}\n'
)
FILES = {
    ".gitattributes": ATTRIBUTES,
    ".gitignore": ".msgrun/\n",
    "messages/first.yaml": message("first", "aaa1", "aaa2"),
    "messages/second.yaml": message("second", "bbb1"),
}
BASE = {"salt": "rehearsal", "sender": "394051", "lock": "git+origin", "limit": "100"}
HOSTILE = {**BASE, "limit": "1000000"}
EVIL = "postgresql://evil.example/x"
UNREAD = "The ledger was not read: how much of this was sent already is not known"


@pytest.fixture
def reviewed(intercom: Sandbox) -> Clone:
    """A project on a branch's ledger, of whose three deliveries two are sent; on a branch of its own."""

    def make(folder: Path) -> None:
        author = copy_project({**FILES, "msgrun.yaml": SETTINGS.format(**BASE)}, folder, intercom)
        assert author.msgrun("lock", "begin").code == 0
        author.commit()
        author.git("push", "--quiet", "origin", "main")
        assert author.msgrun("apply", "--yes", "messages/first.yaml").code == 0
        author.git("checkout", "--quiet", "-b", "request")

    return Clone(restore("reviewed", make) / AUTHOR, intercom)


def change(clone: Clone, **changes: str) -> None:
    """Commits other settings, and another text of a message."""
    before = (clone.path / "msgrun.yaml").read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in before if line.startswith(("ledger:", "remote:"))]
    clone.write("msgrun.yaml", SETTINGS.format(**{**HOSTILE, **changes}) + "".join(kept))
    clone.write("messages/second.yaml", message("second", "bbb1", "bbb2", body="Phishing"))
    clone.commit()


def review(clone: Clone, code: int = 5) -> str:
    """The comment of a review; `code` is the exit code of the plan."""
    path = clone.path.parent / "comment.md"
    assert clone.msgrun("plan", "--against", "main", "--comment", str(path)).code == code
    comment = path.read_text("utf-8").replace("&#8203;", "").replace("\\", "")  # what keeps Markdown from reading it
    print(comment)
    return comment


def assert_shows_all(comment: str) -> None:
    """The changed guards come first, then every message with its text and its differences."""
    assert comment.index("These commits change what guards the sending") < comment.index("to send")
    assert "`limits.recipients_per_message`: `100` → `1,000,000`" in comment
    assert "Phishing" in comment
    assert "- Ponies\n+ Phishing" in comment
    assert "1 added" in comment


def test_another_host_in_lock_hides_nothing_and_is_compared_with_the_ledger_of_the_base(reviewed: Clone) -> None:
    change(reviewed, lock=EVIL)
    comment = review(reviewed)
    assert_shows_all(comment)
    assert f"`lock`: `git+origin` → `{EVIL}`" in comment
    assert "evil.example/x#msgrun, which is not asked before they are merged" in comment
    assert "made with the ledger of main, origin#msgrun-ledger:messages.lock" in comment
    assert "**2 to send, of 1 message** · 2 sent" in comment
    assert "merge it only if the person who ran" in comment
    assert "MSGRUN_LOCK" not in comment


def test_without_a_ledger_of_the_base_the_review_says_that_none_was_read(reviewed: Clone) -> None:
    reviewed.git("push", "--quiet", "origin", "--delete", "msgrun-ledger")
    for ref in reviewed.git("for-each-ref", "--format=%(refname)", "refs/msgrun").splitlines():
        reviewed.git("update-ref", "-d", ref)
    change(reviewed, lock=EVIL)
    comment = review(reviewed)
    assert_shows_all(comment)
    assert UNREAD in comment
    assert "**4 to send, of 2 messages, if none of it was sent before**" in comment


def test_nor_does_another_salt(reviewed: Clone) -> None:
    change(reviewed, salt="other")
    comment = review(reviewed)
    assert_shows_all(comment)
    assert "`salt`: `check" in comment
    assert "These commits change salt:, and with another salt nothing that was sent is recognised" in comment
    assert UNREAD in comment
    assert "do not merge it" in comment
    assert "rehearsal" not in comment


def test_nor_both_at_once(reviewed: Clone) -> None:
    change(reviewed, lock=EVIL, salt="other")
    comment = review(reviewed)
    assert_shows_all(comment)
    assert "`lock`: `git+origin`" in comment
    assert "`salt`: `check" in comment
    assert UNREAD in comment


@pytest.mark.parametrize("lock", ["git+origin#elsewhere", "git+nowhere", "sent.lock"])
def test_nor_another_place_without_a_host(reviewed: Clone, lock: str) -> None:
    change(reviewed, lock=lock)
    comment = review(reviewed)
    assert_shows_all(comment)
    assert "**2 to send, of 1 message** · 2 sent" in comment


def test_nor_a_message_with_an_error(reviewed: Clone) -> None:
    change(reviewed)
    reviewed.write("messages/second.yaml", "name: second\n")
    reviewed.commit()
    comment = review(reviewed, code=1)
    assert comment.index("`limits.recipients_per_message`") < comment.index("There is no plan")
    assert comment.startswith("<!-- msgrun plan: default -->\n")


def test_nor_a_link_in_the_place_of_a_ledger(reviewed: Clone) -> None:
    change(reviewed, lock="messages.lock")
    (reviewed.path / "messages.lock").symlink_to("/etc/passwd")
    reviewed.commit()
    comment = review(reviewed)
    assert_shows_all(comment)
    assert "could not be checked" in comment


def test_nor_another_environment_whose_ledger_is_on_another_host(reviewed: Clone) -> None:
    settings = (reviewed.path / "msgrun.yaml").read_text("utf-8")
    reviewed.write("msgrun.yaml", f"{settings}environments: {{prod: {{lock: {EVIL}}}}}\n")
    reviewed.commit()
    comment = review(reviewed, code=0)
    assert f"`environments.prod`: none → `lock: {EVIL}" in comment
    assert "the plan of one environment. Each of these has its own: `prod`" in comment


def test_of_more_changed_files_of_ci_than_can_be_read_the_folder_is_named(
    reviewed: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(against, "_MAX_NAMES", 100)
    for number in range(9):
        reviewed.write(f".github/workflows/{number}{'x' * 50}.yml", "on: push")
    reviewed.commit()
    assert "`.github`: none → `new, so CI may run another program`" in review(reviewed, code=0)


def test_changed_files_of_ci_come_with_the_changed_guards(reviewed: Clone) -> None:
    reviewed.write(".github/workflows/msgrun.yml", "env: {MSGRUN_PACKAGE: evil}\n")
    reviewed.write(".gitlab-ci.yml", "include: evil\n")
    reviewed.commit()
    comment = review(reviewed, code=0)
    assert "These commits change what guards the sending" in comment
    assert "`.github/workflows/msgrun.yml`: none → `new, so CI may run another program`" in comment
    assert "`.gitlab-ci.yml`: none" in comment


def test_the_sender_of_all_messages_is_a_guard(reviewed: Clone) -> None:
    change(reviewed, sender="394052")
    assert "`from`: `394051` → `394052`" in review(reviewed)


@pytest.mark.parametrize(
    "link",
    [
        "https://ponles.example/a",
        "//ponles.example",
        "https:&#47;&#47;ponles.example",
        "https:/\\\\ann@PONLES.example/x",
    ],
)
def test_new_hosts_in_links_are_named(reviewed: Clone, link: str) -> None:
    body = f"'<a href=\"{link}\">x</a>'".replace("\\\\", "\\")
    reviewed.write("messages/second.yaml", message("second", "bbb1", body=body))
    reviewed.commit()
    assert "new hosts in links, which no message of main has: ponles.example" in review(reviewed, code=0)


@pytest.mark.parametrize("host", ["ponles{# x #}.example", "ponles.{{ 'example' }}", "pon{{- 'les' -}}.example"])
def test_a_new_host_in_a_text_without_a_sample_is_named_as_it_is_rendered(reviewed: Clone, host: str) -> None:
    head = message("second", "bbb1", body=f"|\n  <a href=https://{host}/a>x</a>").partition("to:")[0]
    reviewed.write("messages/second.yaml", f"{head}to: {{intercom: {{segment: Trial}}}}\n")
    reviewed.commit()
    assert "new hosts in links, which no message of main has: ponles.example" in review(reviewed, code=0)


def test_two_long_lists_of_a_guard_are_compared_in_linear_time() -> None:
    before, now = (", ".join(f"*@{prefix}-{number}.example" for number in range(20_000)) for prefix in ("old", "new"))
    start = time.process_time()
    (line,) = describe_guard_changes([FieldChange("only", before, f"{now}, *@evil.example")])
    assert time.process_time() - start < 5  # seconds; entry by entry it takes more than 20
    assert "20,001 entries, added: *@new-0.example" in line


PUT_TOGETHER = "{{ ''pon'' ~ ''les.example'' }}"


@pytest.mark.parametrize(
    ("body", "host"),
    [
        (f'{{% if k == 2 %}}<a href="https://{PUT_TOGETHER}">x</a>{{% endif %}} x', "ponles.example"),
        (f"Write to pay@{PUT_TOGETHER}", "ponles.example"),
        ('<a href="https://{{ shop }}les.example">x</a>', "***les.example"),
    ],
)
def test_a_host_that_a_template_puts_together_for_some_recipients_is_named(
    reviewed: Clone, body: str, host: str
) -> None:
    to = "".join(f"\n  - {{type: user, id: a{k}, vars: {{k: {k}, shop: pon}}}}" for k in range(4))
    text = message("second", "bbb1", body=f"'{body}'")
    reviewed.write("messages/second.yaml", text.partition("to:")[0] + f"to:{to}\n")
    reviewed.commit()
    assert f"new hosts in links, which no message of main has: {host}" in review(reviewed, code=0)


@pytest.mark.parametrize("source", ["intercom: {segment: Trial}", "csv: ../people.csv, email: '{{ email }}'"])
def test_contacts_that_a_list_of_a_message_lost_are_a_changed_guard(reviewed: Clone, source: str) -> None:
    text = message("news", "aaa1").partition("to:")[0]
    reviewed.write("messages/news.yaml", f"{text}to: {{type: user, {source}, exclude: ../no.csv}}\n")
    reviewed.write("people.csv", "email\nann@example.com\n")
    reviewed.write("no.csv", "email\nbo@example.com\ncy@example.com\n")
    reviewed.commit()
    reviewed.git("branch", "--quiet", "before")
    reviewed.write("no.csv", "email\nbo@example.com\n")
    reviewed.commit()
    ran = reviewed.msgrun("plan", "--against", "before", "--format", "markdown")
    assert "`news: contacts of to.exclude`: `2 identifiers` → `1, 1 removed`" in ran.out.partition("\n\n**")[0]
    reviewed.write("no.csv", "email\nbo@example.com\ncy@example.com\ndi@example.com\n")
    reviewed.commit()
    ran = reviewed.msgrun("plan", "--against", "before", "--format", "markdown")
    assert "These commits change" not in ran.out
    assert "`contacts of to.exclude`: `2 identifiers` → `3, 0 removed`" in ran.out


LINKS = [
    # the author's text, and the host that a browser or a mail client goes to
    ('<a href="ht&#9;tps:/&#9;/pon&#10;les.example">x</a>', "ponles.example"),
    ('<a href="https://%70onles%2Eexample">x</a>', "ponles.example"),
    ('<a href="https://ponles\u3002example">x</a>', "ponles.example"),
    ('<a href="https://a@b@ponles.example">x</a>', "ponles.example"),
    (f'<a href="https://{"a" * 300}@ponles.example">x</a>', "ponles.example"),
    ('<a href="https://3221226219/">x</a>', "3221226219"),
    ('<a href="https://[2001:db8::7]/">x</a>', "[2001:db8::7]"),
    ("<a href=\"https://{{ 'pon' ~ 'les' }}.example/\">x</a>", "ponles.example"),
    ('<a href="https://{% if 1 %}ponles.example{% endif %}">x</a>', "ponles.example"),
    ("<a href=\"{{ 'https://ponles-example' | replace('-', '.') }}\">x</a>", "ponles.example"),
    ("<base href=\"https://{{ 'pon' }}les.example\"><a href='/pay'>x</a>", "ponles.example"),
    ('<a href="mailto:pay@ponles.example">x</a>', "ponles.example"),
    ("Pay at ponles.example/pay", "ponles.example"),
    ("Pay at www.ponles.example", "www.ponles.example"),
]


def test_a_new_host_is_named_however_it_is_written_or_put_together(
    reviewed: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.compare.comparison._MAX_HOSTS", 99)
    for number, (body, _) in enumerate(LINKS):
        text = json.dumps(body.replace("les", f"les{number}"))
        name = "second" if number == len(LINKS) - 1 else f"l{number}"  # a changed one, and new ones
        reviewed.write(f"messages/{name}.yaml", message(name, "bbb1", body=text))
    reviewed.commit()
    (named,) = re.findall("new hosts in links, which no message of main has: (.*)", review(reviewed, code=0))
    hosts = {host.replace("les", f"les{number}") for number, (_, host) in enumerate(LINKS)}
    assert {entry.partition(" (")[0] for entry in named.split(", ")} == hosts
    reviewed.git("checkout", "--quiet", "-b", "merged")
    assert "new hosts" not in reviewed.msgrun("plan", "--against", "merged", "--format", "markdown").out


AUDIENCE_LINKS = [
    f"https://acme.example:{'x' * 201}@evil1.example/pay", "https://evil2&#9;.example/", "https://evil3\u3002example/",
    "https://evil4%2eexample/", "https://evil5{% if true %}.example{% endif %}/pay",
    "https://{{ contact.id }}.evil6.example/pay", "https://u-{{ contact.id }}.evil7.example/pay",
    "https://{{ contact.id }}.{{ contact.id }}.evil8.example/pay",
]  # fmt: skip


def test_of_an_audience_that_is_not_read_hosts_are_named_however_they_are_written(reviewed: Clone) -> None:
    body = json.dumps("".join(f'<a href="{link}">x</a>' for link in AUDIENCE_LINKS))
    text = message("second", "bbb1", body=body).partition("to:")[0] + "to: {intercom: {segment: abc123}}\n"
    reviewed.write("messages/second.yaml", text)
    reviewed.commit()
    comment = review(reviewed, code=0)
    (named,) = re.findall("new hosts in links, which no message of main has: (.*)", comment)
    assert {f"evil{number}.example" for number in range(1, 9)} <= set(re.findall(r"evil\d\.example", named))


def test_a_comment_of_a_template_that_never_ends_is_read_in_no_time(reviewed: Clone) -> None:
    signs = "{#" * 100_000 + "{{" * 100_000
    settings = (reviewed.path / "msgrun.yaml").read_text("utf-8")
    reviewed.write("msgrun.yaml", settings + f'vars: {{x: "{signs}"}}\n')
    reviewed.write("messages/second.yaml", message("second", "bbb1", body=json.dumps("{{ x[:1] }}")))
    reviewed.commit()
    start = time.monotonic()
    review(reviewed, code=0)
    assert time.monotonic() - start < 20


def test_how_many_recipients_have_texts_in_which_no_host_was_looked_for_is_said(reviewed: Clone) -> None:
    rows = [",".join([f"b{number}", *f"{number:011b}"]) for number in range(1100)]
    names = [f"f{number}" for number in range(11)]
    reviewed.write("a.csv", "\n".join([",".join(["id", *names]), *rows, ""]))
    body = json.dumps("Hi " + "".join(f"{{% if {name} == '1' %}}Part {name}{{% endif %}}" for name in names))
    text = (
        message("second", "bbb1", body=body).partition("to:")[0] + "to: {csv: ../a.csv, type: user, id: '{{ id }}'}\n"
    )
    reviewed.write("messages/second.yaml", text)
    reviewed.commit()
    assert "the texts that 100 recipients of second get, no new hosts were looked for" in review(reviewed)


def test_a_style_sheet_behind_what_is_shown_of_the_source_is_named_on_top(reviewed: Clone) -> None:
    body = f"<p>We will <b class=x>not</b> charge you.</p><!-- {'a' + chr(0x200B)}" + ("a\u200b" * 2_600) + " -->"
    text = message("second", "bbb1", body=json.dumps(body + "<style>.x{display:none}</style>"))
    reviewed.write("messages/second.yaml", text)
    reviewed.commit()
    assert "more characters of the source" in review(reviewed, code=0)


def test_a_new_kind_of_address_is_a_changed_guard(reviewed: Clone) -> None:
    head = message("second", "bbb1").partition("to:")[0]
    reviewed.write("messages/second.yaml", head + "to:\n- {type: user, user_id: '1'}\n- {type: user, user_id: '2'}\n")
    reviewed.git("add", "-A")
    reviewed.git("commit", "--quiet", "-m", "a base")
    reviewed.git("branch", "--quiet", "base")
    reviewed.write("messages/second.yaml", head + "to:\n- {type: user, user_id: '1'}\n- {type: user, id: '22'}\n")
    reviewed.commit()
    assert "`second: recipients by`: `user_id (2)` → `id and user_id`" in top_of_review(reviewed)


def test_what_decides_who_is_among_the_rows_of_an_audience_is_shown(reviewed: Clone) -> None:
    reviewed.write("a.csv", "user_id,email,work\n1,a@b.c,a@w.c\n")
    to = "{csv: ../a.csv, type: user, user_id: '{{ user_id }}', columns: {email: home}, where: \"user_id == '1'\"}"
    reviewed.write("messages/second.yaml", message("second", "bbb1").partition("to:")[0] + f"to: {to}\n")
    reviewed.commit()
    comment = review(reviewed, code=0)
    assert """`to.columns`: `{"email":"home"}`""" in comment
    assert "`to.where`: `user_id == '1'`" in comment


def test_a_host_of_a_recipients_own_value_is_not_named(reviewed: Clone) -> None:
    body = json.dumps("<a href='https://{{ site }}/'>x</a> {{ site }} {{ 'www.' ~ site }}")
    text = message("second", "bbb1", body=body).replace("id: bbb1}", "id: bbb1, vars: {site: private.example}}")
    reviewed.write("messages/second.yaml", text)
    reviewed.commit()
    comment = review(reviewed, code=0)
    assert "new hosts" not in comment
    assert "private.example" not in comment


def test_the_comment_names_the_commit_that_it_is_for(reviewed: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    change(reviewed)
    own = reviewed.git("rev-parse", "HEAD")
    assert f"Commit `{own[:10]}`, compared with `main (" in review(reviewed, code=0)
    reviewed.git("checkout", "--quiet", "--detach", "main")
    reviewed.git("merge", "--quiet", "--no-ff", "--no-edit", "request")
    merge = reviewed.git("rev-parse", "HEAD")
    # An author can make a merge with any files, of which its parents say nothing.
    assert f"Commit `{merge[:10]}`, compared with `main (" in review(reviewed, code=0)
    monkeypatch.setenv("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", own)
    assert f"Commit `{own[:10]}`, compared with `main (" in review(reviewed, code=0)
    monkeypatch.delenv("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA")
    monkeypatch.setenv("GITHUB_REF", "refs/pull/7/merge")
    assert f"Commit `{own[:10]}`, compared with `main (" in review(reviewed, code=0)


def test_a_new_environment_hides_no_guard_that_it_loosens(reviewed: Clone) -> None:
    """With `default_environment` it is where apply sends from then on."""
    own = (
        "default_environment: live\nenvironments:\n  live:\n    suppress: []\n    require_plan: false\n"
        "    limits: {recipients_per_apply: 1000000}\n    token_env: INTERCOM_OTHER_TOKEN\n"
        "    redirect: {type: user, id: evil1}\n    recipients: {unsubscribed: warn}\n"
    )
    before = (reviewed.path / "msgrun.yaml").read_text("utf-8")
    guarded = before + "suppress: [audiences/no.csv]\nrequire_plan: true\n"
    reviewed.write("audiences/no.csv", "email\nno@example.com\n")
    reviewed.write("msgrun.yaml", guarded)
    reviewed.commit()
    reviewed.git("branch", "--quiet", "guarded")
    reviewed.write("msgrun.yaml", guarded + own)
    reviewed.commit()
    ran = reviewed.msgrun("plan", "--against", "guarded", "--format", "markdown")
    top = ran.out.partition("| message")[0].replace("\\", "")
    for line in (
        "`default_environment`: none → `live`",
        "`environments.live.suppress`: `audiences/no.csv` → none",
        "`environments.live.require_plan`: `true` → `false`",
        "`environments.live.limits.recipients_per_apply`: `10,000` → `1,000,000`",
        "`environments.live.token_env`: none → `INTERCOM_OTHER_TOKEN`",
        "`environments.live.redirect`: none → `user by id evil1`",
        "`environments.live.recipients.unsubscribed`: `exclude` → `warn`",
    ):
        assert line in top, ran.out


ITEMS = [f"*@team-{number:02}.example.com" for number in range(40)]
FLOODS = {
    "environments": ("".join(f"  e{number:02}: {{only: {ITEMS[:20]}}}\n" for number in range(40)), {}),
    "files of CI": ("", {f".github/a{number:03}-{'x' * 100}.md": "a" for number in range(200)}),
    "pipelines": ("", {f".github/workflows/a{number:03}-{'x' * 100}.yml": "a" for number in range(200)}),
}


@pytest.mark.parametrize("name", FLOODS)
def test_many_changes_of_one_kind_push_out_no_other(reviewed: Clone, name: str) -> None:
    more, files = FLOODS[name]
    settings = (reviewed.path / "msgrun.yaml").read_text("utf-8")
    own = "suppress: no.csv\nrequire_plan: %s\nenvironments:\n  prod: {}\n%s"
    reviewed.write("msgrun.yaml", settings + own % ("true", ""))
    declared = message("news", "aaa1")
    for path, text in {
        "no.csv": "email\nno@example.com\n", "HOLD": "", ".github/workflows/msgrun.yml": "on: push",
        "messages/news.yaml": f"{declared}require_subscription: News\n",
    }.items():  # fmt: skip
        reviewed.write(path, text)
    reviewed.commit()
    reviewed.git("branch", "--quiet", "before")
    reviewed.write("msgrun.yaml", settings + own % ("false", more))
    for path, text in {
        "no.csv": "email\n", ".github/workflows/msgrun.yml": "on: x", "messages/news.yaml": declared, **files,
    }.items():  # fmt: skip
        reviewed.write(path, text)
    (reviewed.path / "HOLD").unlink()
    reviewed.commit()
    ran = reviewed.msgrun("plan", "--against", "before", "--format", "markdown")
    top = ran.out.partition("\n\n**")[0]
    for shown in ("`HOLD`", "`require_plan`", "`suppress no.csv`", "workflows/msgrun.yml`: `as", "`news: require_sub"):
        assert shown in top, top
    assert re.search(r"> - and \d+ more changed guards", top)


@pytest.mark.parametrize(
    ("before", "now", "shown"),
    [
        (
            ITEMS[:30],
            [*ITEMS[:30], "*@evil.example"],
            "`30 entries, removed: none` → `31 entries, added: *@evil.example`",
        ),
        (ITEMS[:30], ITEMS[:29], f"`30 entries, removed: {ITEMS[29]}` → `29 entries, added: none`"),
        (ITEMS[:30], [*ITEMS[1:30], "*@evil.example"], f"removed: {ITEMS[0]}` → `30 entries, added: *@evil.example`"),
        (["*@" + "x." * 250 + "example"], ["*@" + "x." * 250 + "evil"], "`….x.x.x.x.example` → `….x.x.x.x.evil`"),
    ],
)
def test_of_a_long_guard_the_difference_is_shown(
    reviewed: Clone, before: list[str], now: list[str], shown: str
) -> None:
    settings = (reviewed.path / "msgrun.yaml").read_text("utf-8")
    reviewed.write("msgrun.yaml", f"{settings}environments: {{prod: {{only: {before}}}}}\n")
    reviewed.commit()
    reviewed.git("branch", "--quiet", "before")
    reviewed.write("msgrun.yaml", f"{settings}environments: {{prod: {{only: {now}}}}}\n")
    reviewed.commit()
    ran = reviewed.msgrun("plan", "--against", "before", "--format", "markdown")
    assert shown in ran.out, ran.out[:1000]


def test_of_a_long_filter_whose_entries_change_places_the_difference_is_shown(reviewed: Clone) -> None:
    def message(taken: list[str], left_out: list[str]) -> str:
        where = f"{{{{ domain in {taken} and domain not in {left_out} }}}}"
        return (
            "name: filtered\nmessage_type: inapp\nbody: Hi\n"
            f'to: {{csv: domains.csv, type: user, user_id: "{{{{ domain }}}}", where: "{where}"}}\n'
        )

    reviewed.write("messages/domains.csv", "\n".join(["domain", *ITEMS]))
    reviewed.write("messages/filtered.yaml", message(ITEMS[:20], ITEMS[20:]))
    reviewed.commit()
    reviewed.git("branch", "--quiet", "before")
    reviewed.write("messages/filtered.yaml", message([*ITEMS[:19], ITEMS[20]], [ITEMS[19], *ITEMS[21:]]))
    reviewed.commit()
    ran = reviewed.msgrun("plan", "--against", "before", "--format", "markdown")
    (line,) = (line for line in ran.out.splitlines() if "`to.where`" in line and " → " in line)
    before, now = line.split(" → ")
    assert re.search(rf"{re.escape(ITEMS[19])}'\] and .* not in \['{re.escape(ITEMS[20])}", before), line
    assert re.search(rf"{re.escape(ITEMS[20])}'\] and .* not in \['{re.escape(ITEMS[19])}", now), line


@pytest.mark.parametrize("change", ["removed", "moved"])
def test_a_hold_that_is_taken_away_stands_on_top(change: str, reviewed: Clone) -> None:
    reviewed.write("HOLD", "an incident\n")
    reviewed.commit()
    reviewed.git("branch", "--quiet", "held")
    if change == "removed":
        (reviewed.path / "HOLD").unlink()
    else:
        reviewed.git("mv", "HOLD", "NOTES")
    reviewed.commit()
    ran = reviewed.msgrun("plan", "--against", "held")
    assert ran.out.startswith("! changed guard HOLD: nothing is sent -> removed, so that apply sends"), ran.out


SAMPLE = "Pay to IBAN DE99 https://ponles.example"
HIDING = {
    "a query": f"sql: \"select 'bbb1' as who, '{SAMPLE}' as x\"\n  type: user\n  id: '{{{{ who }}}}'",
    "a variable of contacts": f"intercom: {{segment: VIP}}\n  vars: {{x: '{SAMPLE}'}}",
}


@pytest.mark.parametrize("kind", HIDING)
def test_a_text_that_its_author_put_where_recipients_values_come_from_is_shown(kind: str, reviewed: Clone) -> None:
    head = message("second", "bbb1", body="'{{ x }}'").partition("to:")[0]
    reviewed.write("messages/second.yaml", f"{head}to:\n  {HIDING[kind]}\n")
    reviewed.commit()
    ran = reviewed.msgrun("plan", "--against", "main", "--format", "markdown")
    assert SAMPLE in ran.out, ran.out + ran.err
    assert "new hosts in links, which no message of main has: ponles.example" in ran.out


@pytest.mark.parametrize("to", ["{intercom: {segment: Trial}}", "{csv: ../a.csv, type: user, id: '{{ id }}'}"])
def test_a_new_name_hides_no_rule_that_it_lifts(reviewed: Clone, to: str) -> None:
    reviewed.write("a.csv", "id\nbbb1\n")
    reviewed.write("no.csv", "id\nbbb2\n")
    head = message("second", "bbb1").partition("to:")[0]
    guarded = f"{head}require_subscription: Newsletter\nto: {to[:-1]}, exclude: ../no.csv}}\n"
    reviewed.write("messages/second.yaml", guarded)
    reviewed.git("add", "-A")
    reviewed.git("commit", "--quiet", "-m", "a base")
    reviewed.git("branch", "--quiet", "base")
    reviewed.write("messages/second.yaml", f"{head.replace('name: second', 'name: third')}to: {to}\n")
    reviewed.commit()
    comment = reviewed.msgrun("plan", "--against", "base", "--format", "markdown").out.replace("&#8203;", "")
    top = comment[: comment.index("Compared" if "Compared" in comment else "compared with")]
    assert "`second: require_subscription`: `Newsletter` → `removed; third has none`" in top
    assert "`second: to.exclude`: `../no.csv` → `removed" in top
    assert "third looks like second under another name" in comment


@pytest.fixture
def listed(reviewed: Clone) -> Clone:
    """A project whose base has a message with an exclude list and a subscription."""
    reviewed.write("a.csv", "id\nbbb1\nbbb2\n")
    reviewed.write("no.csv", "id\nbbb2\n")
    reviewed.write("left.csv", "id\nzzz9\n")
    reviewed.write("messages/second.yaml", listed_message())
    reviewed.git("add", "-A")
    reviewed.git("commit", "--quiet", "-m", "a base")
    reviewed.git("branch", "--quiet", "base")
    return reviewed


def listed_message() -> str:
    to = "{csv: ../a.csv, type: user, id: '{{ id }}', exclude: ../no.csv}"
    return f"{message('second', 'bbb1').partition('to:')[0]}require_subscription: Newsletter\nto: {to}\n"


def top_of_review(clone: Clone) -> str:
    comment = clone.msgrun("plan", "--against", "base", "--format", "markdown").out.replace("&#8203;", "")
    return comment[: comment.index("compared with")]


def test_a_new_name_hides_no_rule_that_has_another_value_in_it(listed: Clone) -> None:
    new = listed_message().replace("second", "third").replace("no.csv", "left.csv").replace("Newsletter", "Service")
    listed.write("messages/second.yaml", new)
    listed.commit()
    top = top_of_review(listed)
    assert "`second: require_subscription`: `Newsletter` → `removed; third has Service`" in top
    assert "`second: to.exclude`: `../no.csv` → `removed; third lacks 1 of its contacts`" in top


def test_the_rules_of_a_removed_environment_are_named(reviewed: Clone) -> None:
    settings = (reviewed.path / "msgrun.yaml").read_text("utf-8")
    rules = "environments:\n  production: {require_plan: true, limits: {recipients_per_message: 2}}\n  staging: {}\n"
    reviewed.write("msgrun.yaml", settings + rules)
    reviewed.git("add", "-A")
    reviewed.git("commit", "--quiet", "-m", "a base")
    reviewed.git("branch", "--quiet", "base")
    for more in ("", "default_environment: live\n"):
        reviewed.write("msgrun.yaml", settings + f"{more}environments: {{live: {{}}}}\n")
        reviewed.commit()
        assert "`environments.production.require_plan`: `true` → `false`" in top_of_review(reviewed)
    reviewed.write("msgrun.yaml", settings + rules.replace("  production", "  live"))
    reviewed.commit()
    assert "require_plan" not in top_of_review(reviewed)


@pytest.mark.parametrize("change", ["another name", "another kind of address", "both"])
def test_a_list_that_finds_a_recipient_no_more_is_named_in_spite_of(reviewed: Clone, change: str) -> None:
    reviewed.write("a.csv", "user_id,iid,email,work\n1,x1,a@b.c,a@w.c\n2,x2,b@b.c,b@w.c\n")
    reviewed.write("no.csv", "email\nb@b.c\n")
    head = message("second", "bbb1").partition("to:")[0]
    to = "to: {csv: ../a.csv, type: user, user_id: '{{ user_id }}', exclude: ../no.csv}\n"
    reviewed.write("messages/second.yaml", head + to)
    reviewed.git("add", "-A")
    reviewed.git("commit", "--quiet", "-m", "a base")
    reviewed.git("branch", "--quiet", "base")
    to = to.replace("csv, type", "csv, columns: {email: home, work: email}, type")
    if change == "both":
        other = to.replace("user_id: '{{ user_id }}'", "id: '{{ iid }}'")
        reviewed.write("messages/second.yaml", head.replace("second", "third").replace("Ponies", "Horses") + other)
        expected = "`left out` → `removed; third has recipients by id, which were not compared`"
    elif change == "another name":
        reviewed.write("messages/second.yaml", head.replace("second", "third").replace("Ponies", "Horses") + to)
        expected = "`second: recipients on a list`: `left out` → `removed; third is sent to 1`"
    else:
        reviewed.write("messages/second.yaml", head + to.replace("user_id: '{{ user_id }}'", "id: '{{ iid }}'"))
        expected = "`second: recipients by`: `user_id` → `id`"
    reviewed.commit()
    assert expected in top_of_review(reviewed)


def test_a_copy_beside_a_message_that_expires_hides_no_rule(listed: Clone) -> None:
    copy = message("third", "bbb1").partition("to:")[0] + "to: {csv: ../a.csv, type: user, id: '{{ id }}'}\n"
    listed.write("messages/third.yaml", copy)
    listed.write("messages/second.yaml", listed_message() + "expires: 2020-01-01\n")
    listed.commit()
    top = top_of_review(listed)
    assert "`second: require_subscription`: `Newsletter` → `as before; third has none`" in top
    assert "`second: to.exclude`: `../no.csv` → `as before; third lacks 1 of its contacts`" in top
    listed.write("messages/second.yaml", listed_message().replace("Ponies", "Hello"))
    listed.commit()
    assert "`second: to.exclude`" in top_of_review(listed), "the new message has the text that the other one had"
    listed.write("messages/third.yaml", copy.replace("Ponies", "Your receipt of May is here"))
    listed.commit()
    assert "change what guards" not in top_of_review(listed)


def test_a_message_that_takes_the_text_of_a_removed_one_hides_no_rule(listed: Clone) -> None:
    (listed.path / "messages" / "second.yaml").unlink()
    listed.write("messages/first.yaml", message("first", "aaa1", "aaa2", body="Other"))
    listed.commit()
    assert "`second: require_subscription`: `Newsletter` → `removed; first has none`" in top_of_review(listed)


TEXT = "subject: Our news\nbody: <p>Hi, here is the news of May.</p>\n"
HEAD = "message_type: email\nfrom: {type: admin, id: '394051'}\n"


def news(name: str, more: str = "", text: str = TEXT, to: str = "") -> str:
    to = to or "csv: ../a.csv, type: user, id: '{{ id }}'"
    return f"name: {name}\n{HEAD}{text}{more}to: {{{to}}}\n"


RULES = ("require_subscription: Newsletter\n", "csv: ../a.csv, type: user, id: '{{ id }}', exclude: ../no.csv")
WANTED = f"{RULES[1]}, where: '{{{{ id == wanted }}}}'"
ALIKE = TEXT.replace("May.", "May!")
OTHER = "subject: A receipt\nbody: <p>You paid.</p>\n"


@pytest.mark.parametrize(
    "changes",
    [
        {"a": news("a", RULES[0] + "expires: 2026-01-01\n", TEXT, RULES[1]), "b": news("b", "", ALIKE)},
        {"a": news("a", "require_subscription: Testers\n", TEXT, RULES[1]), "c": news("c", "", ALIKE)},
        {"a": news("a", RULES[0] + "revision: 2\n", TEXT, RULES[1]), "c": news("c", "", ALIKE)},
        {"a": "", "b": news("b", "not_before: 2026-01-01\n", OTHER)},
        {"a": news("a", RULES[0], OTHER, RULES[1]), "b": news("b", "", TEXT)},
        {"a": news("a", f"{RULES[0]}vars: {{wanted: nobody}}\n", TEXT, WANTED), "c": news("c", "", ALIKE)},
    ],
    ids=["an existing one", "another subscription", "another revision", "a draft", "exchanged texts", "a variable"],
)
def test_another_message_in_the_place_of_one_with_rules_hides_none(listed: Clone, changes: dict[str, str]) -> None:
    (listed.path / "messages" / "second.yaml").unlink()
    variable = "vars: {wanted: bbb1}\n" if "vars" in changes["a"] else ""
    to = WANTED if variable else RULES[1]
    listed.write("messages/a.yaml", news("a", RULES[0] + variable, TEXT, to))
    listed.write("messages/b.yaml", news("b", "not_before: 2099-01-01\n" if changes["a"] == "" else "", OTHER))
    listed.commit()
    listed.git("branch", "--quiet", "--force", "base")
    for name, text in changes.items():
        listed.write(f"messages/{name}.yaml", text) if text else (listed.path / f"messages/{name}.yaml").unlink()
    listed.commit()
    assert "`a: to.exclude`: `../no.csv` → " in top_of_review(listed)


def test_a_changed_message_with_other_words_is_not_taken_for_one_with_rules(listed: Clone) -> None:
    listed.write("messages/a.yaml", news("a", RULES[0], TEXT, RULES[1]))
    listed.write("messages/b.yaml", news("b", "", OTHER))
    listed.commit()
    listed.git("branch", "--quiet", "--force", "base")
    listed.write("messages/a.yaml", news("a", RULES[0], ALIKE, RULES[1]))
    listed.write("messages/b.yaml", news("b", "", OTHER.replace("paid.", "paid!")))
    listed.commit()
    assert "change what guards" not in top_of_review(listed)


CHOOSING = {
    "id: \"{{ 'evil1' if plan == 'vip' else id }}\"": "`to.id`: `{{ 'evil1' if plan == 'vip' else id }}`",
    "id: '{{ id }}', quote: none": "`to.quote`: `none`",
    "id: '{{ id }}', encoding: windows-1252": "`to.encoding`: `windows-1252`",
    "id: '{{ id }}', where: '{{ plan == needed }}'": "`vars.needed`: `vip`",
    "id: '{{ id }}', where: '{{ plan == other }}'": (
        "`vars.other`: `of the column with this name, not of the variable`"
    ),
    "id: '{{ id }}', where: \"{{ plan != 'n\u043e' }}\"": (
        "`to.where`: `{{ plan != 'n<U+043E>' }} [letters of Cyrillic]`"
    ),
    "id: '{{ other }}'": "`to.id`: `{{ other }}`",
}


@pytest.mark.parametrize("to", CHOOSING)
def test_what_decides_who_gets_a_new_message_stands_beside_its_audience(reviewed: Clone, to: str) -> None:
    reviewed.write("a.csv", "id,plan,other\nbbb1,vip,ccc1\nbbb2,free,ccc2\n")
    text = news(
        "third", "vars: {needed: vip, other: vip}\n", "subject: Hi\nbody: Hi\n", f"csv: ../a.csv, type: user, {to}"
    )
    reviewed.write("messages/third.yaml", text)
    reviewed.commit()
    assert CHOOSING[to] in reviewed.msgrun("plan", "--against", "main", "--format", "markdown").out


def test_a_changed_variable_that_decides_who_gets_a_message_is_named(reviewed: Clone) -> None:
    reviewed.write("a.csv", "id,plan\nbbb1,vip\nbbb2,free\n")
    to = "csv: ../a.csv, type: user, id: '{{ id }}', where: '{{ plan == needed }}'"
    reviewed.write("messages/second.yaml", news("second", "vars: {needed: vip}\n", TEXT, to))
    reviewed.commit()
    reviewed.git("branch", "--quiet", "base")
    reviewed.write("messages/second.yaml", news("second", "vars: {needed: free}\n", TEXT, to))
    reviewed.commit()
    comment = reviewed.msgrun("plan", "--against", "base", "--format", "markdown").out
    assert "- `vars.needed`: `vip` → `free`" in comment


def test_a_path_with_a_comma_in_it_is_one_list(reviewed: Clone) -> None:
    settings = (reviewed.path / "msgrun.yaml").read_text()
    for name in ("lists/no.csv", "lists/old, lists/no.csv"):
        reviewed.write(name, "id\nzzz9\n")
    reviewed.write("msgrun.yaml", settings + "suppress: [lists/no.csv]\n")
    reviewed.commit()
    reviewed.git("branch", "--quiet", "base")
    reviewed.write("msgrun.yaml", settings + "suppress: ['lists/old, lists/no.csv']\n")
    reviewed.commit()
    assert '`suppress`: `lists/no.csv` → `"lists/old, lists/no.csv"`' in top_of_review(reviewed)


@pytest.mark.parametrize("host", ["customers.email", "table.email", "td.center"])
def test_a_name_with_a_dot_in_a_query_or_a_style_sheet_makes_no_host_known(reviewed: Clone, host: str) -> None:
    reviewed.write("a.csv", "id,email\nbbb1,a@b.c\n")
    body = "body: '<style>table.email, td.center {color: red}</style><p>Hi</p>'\n"
    to = "sql: \"select customers.id, customers.email from 'a.csv' as customers\", type: user, id: '{{ id }}'"
    reviewed.write("messages/second.yaml", news("second", "", f"subject: Hi\n{body}", to))
    reviewed.commit()
    reviewed.git("branch", "--quiet", "base")
    reviewed.write(
        "messages/first.yaml", message("first", "aaa1", "aaa2", body=f"<a href='https://{host}/pay'>pay</a>")
    )
    reviewed.commit()
    comment = reviewed.msgrun("plan", "--against", "base", "--format", "markdown").out.replace("&#8203;", "")
    assert f"new hosts in links, which no message of base has: {host}" in comment


@pytest.mark.parametrize(
    ("rule", "of_message"), [("suppress: [no.csv]\n", ""), ("", ", exclude: ../no.csv")], ids=["suppress", "exclude"]
)
def test_a_list_that_finds_a_recipient_no_more_is_named(reviewed: Clone, rule: str, of_message: str) -> None:
    settings = (reviewed.path / "msgrun.yaml").read_text()
    reviewed.write("msgrun.yaml", settings + rule)
    reviewed.write("a.csv", "user_id,email,work\n1,a@b.c,a@w.c\n2,b@b.c,b@w.c\n")
    reviewed.write("no.csv", "email\nb@b.c\n")
    text = message("second", "bbb1").partition("to:")[0]
    reviewed.write(
        "messages/second.yaml", f"{text}to: {{csv: ../a.csv, type: user, user_id: '{{{{ user_id }}}}'{of_message}}}\n"
    )
    reviewed.git("add", "-A")
    reviewed.git("commit", "--quiet", "-m", "a base")
    reviewed.git("branch", "--quiet", "base")
    reviewed.write(
        "messages/second.yaml",
        (reviewed.path / "messages/second.yaml")
        .read_text()
        .replace("csv, type", "csv, columns: {email: home, work: email}, type"),
    )
    reviewed.commit()
    reason = "`left out` → `1 is not found by it any more, and sent to`"
    assert f"`second: recipients on a list`: {reason}" in top_of_review(reviewed)


def test_a_new_name_hides_no_contact_that_its_list_lost(listed: Clone) -> None:
    (listed.path / "messages" / "second.yaml").unlink()
    listed.write("messages/third.yaml", listed_message().replace("second", "third").replace("Hi", "Hello"))
    listed.write("no.csv", "id\nzzz9\n")
    listed.commit()
    assert "`second: to.exclude`: `../no.csv` → `removed; third lacks 1 of its contacts`" in top_of_review(listed)


def test_a_default_environment_in_place_of_another_one_hides_no_guard(listed: Clone) -> None:
    settings = (listed.path / "msgrun.yaml").read_text("utf-8")
    strict = "{live: {require_plan: true, limits: {recipients_per_message: 2}}}"
    listed.write("msgrun.yaml", f"{settings}default_environment: live\nenvironments: {strict}\n")
    listed.commit()
    listed.git("branch", "--quiet", "--force", "base")
    listed.write("msgrun.yaml", f"{settings}default_environment: other\nenvironments: {{other: {{}}}}\n")
    listed.commit()
    top = top_of_review(listed)
    assert "`environments.other.require_plan`: `true` → `false`" in top
    assert "`environments.other.limits.recipients_per_message`: `2` → " in top


def test_an_environment_that_goes_hides_no_guard_whether_it_was_the_default_or_not(listed: Clone) -> None:
    settings = (listed.path / "msgrun.yaml").read_text("utf-8")
    strict = "environments: {live: {require_plan: true}}\n"
    for before, now, name in (
        (f"{settings}default_environment: live\n{strict}", settings, "require_plan"),
        (settings + strict, f"{settings}environments: {{other: {{}}}}\n", "environments.other.require_plan"),
    ):
        listed.write("msgrun.yaml", before)
        listed.commit()
        listed.git("branch", "--quiet", "--force", "base")
        listed.write("msgrun.yaml", now)
        listed.commit()
        assert f"`{name}`: `true` → `false`" in top_of_review(listed)


def test_a_variable_makes_no_host_known(listed: Clone) -> None:
    text = listed_message().replace("Ponies", "Ponies {{ contact.name }}")
    listed.write("messages/second.yaml", f"{text}vars: {{contact: {{name: Ann}}}}\n")
    listed.git("add", "-A")
    listed.git("commit", "--quiet", "--allow-empty", "-m", "a base")
    listed.git("branch", "--quiet", "--force", "base")
    listed.write("messages/third.yaml", message("third", "bbb7", body="'<a href=https://contact.name/pay>x</a>'"))
    listed.commit()
    comment = listed.msgrun("plan", "--against", "base", "--format", "markdown").out.replace("&#8203;", "")
    assert "new hosts in links, which no message of base has: contact.name" in comment


@pytest.mark.parametrize("pattern", ["lists/**/*.csv", "**/no*.csv", "lists/*.csv"])
def test_a_list_that_a_pattern_names_is_compared_with_all_its_files(reviewed: Clone, pattern: str) -> None:
    settings = (reviewed.path / "msgrun.yaml").read_text("utf-8")
    reviewed.write("msgrun.yaml", f"{settings}suppress: ['{pattern}']\n")
    reviewed.write("lists/no.csv", "id\nbbb1\n")
    reviewed.write("lists/eu/no.csv", "id\nzzz9\n")
    reviewed.write("lists/no-more.csv", "id\nzzz8\n")
    reviewed.git("add", "-A")
    reviewed.git("commit", "--quiet", "-m", "a base")
    reviewed.git("branch", "--quiet", "base")
    (reviewed.path / "lists" / "no.csv").unlink()
    reviewed.commit()
    assert ", 1 removed`" in top_of_review(reviewed)


DECIDING = {
    "a search that reads the same": (
        "to: {intercom: {search: {field: custom_attributes.plan, operator: '!=', value: free}}}",
        "value: free",
        "value: 'free AND external_id = test'",
    ),
    "the kind of a value in a search": (
        "to: {intercom: {search: {field: custom_attributes.level, operator: '=', value: 1}}}", "value: 1", "value: true"
    ),
    "a variable of where": (
        "to: {intercom: {segment: VIP}, where: \"contact.external_id in who\"}\nvars: {who: 'resident-01'}",
        "resident-01",
        "resident-01 resident-02",
    ),
    "a variable that a recipient has without a value": (
        "to: {type: user, id: bbb1, vars: {}}\nvars: {paid: 'yes'}", "vars: {}", "vars: {paid: null}"
    ),
    "the kind of a value": (
        "to: {type: user, id: bbb1}\nvars: {paid: 1}", "paid: 1", "paid: true"
    ),
    "the order in a mapping": (
        "to: {type: user, id: bbb1}\nvars: {paid: {keep: a, delete: b}}", "{keep: a, delete: b}", "{delete: b, keep: a}"
    ),
    "where of rows": (
        "to: {csv: ../a.csv, type: user, id: '{{ id }}', where: \"id != 'x'\"}", "!= 'x'", "!= 'y'"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DECIDING)
def test_a_message_is_unchanged_only_if_all_that_decides_it_is(reviewed: Clone, name: str) -> None:
    text, old, new = DECIDING[name]
    body = "'{% if paid | default(false) %}a{% else %}b{% endif %}'" if "paid" in text else "Hi"
    reviewed.write("a.csv", "id\nbbb1\n")
    before = message("second", "bbb1", body=body).partition("to:")[0] + text + "\n"
    reviewed.write("messages/second.yaml", before)
    reviewed.git("add", "-A")
    reviewed.git("commit", "--quiet", "-m", "a base")
    reviewed.git("branch", "--quiet", "base")
    assert old in before
    reviewed.write("messages/second.yaml", before.replace(old, new))
    reviewed.commit()
    ran = reviewed.msgrun("plan", "--against", "base", "--format", "json")
    (change,) = [each for each in json.loads(ran.out)["changes"]["messages"] if each["name"] == "second"]
    assert change["change"] == "changed"


def test_a_message_whose_files_the_base_cannot_read_loses_no_rule_unseen(reviewed: Clone) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 9\n"
    head = message("second", "bbb1").partition("to:")[0]
    to = "to: {csv: ../a.csv, type: user, id: '{{ id }}'}\n"
    reviewed.write("a.csv", pointer)
    reviewed.write("messages/second.yaml", f"{head}require_subscription: Newsletter\n{to}")
    reviewed.git("add", "-A")
    reviewed.git("commit", "--quiet", "-m", "a base")
    reviewed.git("branch", "--quiet", "base")
    reviewed.write("a.csv", "id\nbbb1\n")
    reviewed.write("messages/second.yaml", head + to)
    reviewed.commit()
    ran = reviewed.msgrun("plan", "--against", "base")
    assert ran.out.startswith("! changed guard second: require_subscription: Newsletter -> none"), ran.out


def test_the_ends_of_a_querys_lines_are_shown(reviewed: Clone) -> None:
    head = message("second", "bbb1").partition("to:")[0]
    query = "select id from 'a.csv' where true -- testers only\n    or false"
    reviewed.write("a.csv", "id\nbbb1\n")
    reviewed.write("messages/second.yaml", f"{head}to:\n  type: user\n  id: '{{{{ id }}}}'\n  sql: |\n    {query}\n")
    reviewed.commit()
    ran = reviewed.msgrun("plan", "--against", "main", "--format", "markdown")
    assert "testers only\\nor false" in ran.out, ran.out + ran.err


@pytest.mark.parametrize("key", ["redirect", "only", "test_recipients", "salt"])
def test_values_with_the_same_check_are_two_values(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_settings, "_fingerprint", lambda *_: "check 0")
    monkeypatch.setattr(guard_settings, "salt_check", lambda _: "0")
    values = {
        "redirect": [Redirect("user", "email", f"{name}@example.com") for name in "ab"],
        "only": [parse_allow_list([{"email": f"{name}@example.com"}]) for name in "ab"],
        "test_recipients": [(f"{name}@example.com",) for name in "ab"],
        "salt": ["a", "b"],
    }
    one, other = (Settings(**{key: value}) for value in values[key])
    (changed,) = compare_guard_settings({None: one}, {None: other})
    assert (changed.name, changed.now != changed.before) == (key, True)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("[no.csv, more.csv]", "['no.csv, more.csv']"),
        ("['a, b.csv', c.csv]", "[a, 'b.csv, c.csv']"),
        ("[{csv: a}]", """['{"csv": "a"}']"""),
    ],
)
def test_two_lists_that_read_the_same_are_two_values(before: str, now: str) -> None:
    one, other = (Settings(suppress=parse_contact_files(yaml.safe_load(each))) for each in (before, now))
    assert [each.name for each in compare_guard_settings({None: one}, {None: other})] == ["suppress"]


def test_a_number_of_5000_digits_in_a_text_does_not_end_the_comparison(reviewed: Clone) -> None:
    change(reviewed)
    reviewed.write("messages/second.yaml", message("second", "bbb1", body=f"'Phishing &#{'9' * 5000};'"))
    reviewed.commit()
    assert "`limits.recipients_per_message`: `100` → `1,000,000`" in review(reviewed, code=0)


WRITTEN = {
    "messages/second.yaml": ("Ponies", "Evil words"),
    "messages/inc.html": ("We love you.", "Evil words"),
    "messages/lib.html": ("Bye.", "Evil words"),
}


@pytest.mark.parametrize("path", WRITTEN)
def test_of_recipients_that_were_not_read_the_texts_are_shown_and_compared_as_they_are_written(
    path: str, reviewed: Clone
) -> None:
    head = message("second", "bbb1", body="\"{% include 'inc.html' %}{{ product }}\"").partition("to:")[0]
    reviewed.write("messages/second.yaml", f"{head}to: {{intercom: {{segment: VIP}}}}\nvars: {{product: Ponies}}\n")
    reviewed.write("messages/inc.html", "We love you.{% include 'lib.html' %}")
    reviewed.write("messages/lib.html", "Bye.")
    reviewed.commit()
    reviewed.git("branch", "before")
    reviewed.write(path, (reviewed.path / path).read_text("utf-8").replace(*WRITTEN[path]))
    reviewed.commit()
    comment = reviewed.msgrun("plan", "--against", "before", "--format", "markdown").out
    name = "variables" if path.endswith(".yaml") else f"`{path}`"
    changes = comment.partition(f"**Changes of the {name}**")[2]
    assert re.search(r"(?m)^\+ .*Evil words", changes)
    assert comment.count("Evil words") == 2
    reviewed.msgrun("preview", "--against", "before", "--out", "pages")
    page = (reviewed.path / "pages" / "pages" / "second.html").read_text("utf-8")
    assert page.count("Evil") >= 3


@pytest.mark.parametrize("place", ["project", "message"])
def test_a_new_host_in_a_variable_is_named(place: str, reviewed: Clone) -> None:
    words = "vars: {shop: 'https://ponles.example/x'}\n"
    text = message("second", "bbb1", body="'<a href=\"{{ shop }}\">x</a>'")
    if place == "project":
        reviewed.write("msgrun.yaml", (reviewed.path / "msgrun.yaml").read_text("utf-8") + words)
    reviewed.write("messages/second.yaml", text + (words if place == "message" else ""))
    reviewed.commit()
    assert "new hosts in links, which no message of main has: ponles.example" in review(reviewed, code=0)


# What made mail/ the root, what moves, and the folder in which the CI job works.
SETTINGS_OF_MAIL, FOLDER_OF_MAIL = "mail/msgrun.yaml", "mail/messages"
MOVES = {
    "up": (SETTINGS_OF_MAIL, "git mv mail/msgrun.yaml mail/messages . && touch mail/kept", "mail"),
    "behind a link": (SETTINGS_OF_MAIL, "git mv mail other && ln -s other mail", "mail"),
    "to another folder": (SETTINGS_OF_MAIL, "git mv mail other", "other"),
    "behind a nearer one": (SETTINGS_OF_MAIL, "mkdir mail/new && cp mail/msgrun.yaml mail/new", "mail/new"),
    "messages up": (FOLDER_OF_MAIL, "git mv mail/messages . && touch mail/kept", "mail"),
    "messages behind a link": (FOLDER_OF_MAIL, "git mv mail other && ln -s other mail", "mail"),
    "messages to another folder": (FOLDER_OF_MAIL, "git mv mail other", "other"),
    "messages behind nearer ones": (FOLDER_OF_MAIL, "mkdir mail/new && cp -r mail/messages mail/new", "mail/new"),
    "messages behind settings further up": (FOLDER_OF_MAIL, "echo 'workspace: acme1' > msgrun.yaml", "mail"),
    "messages behind a project further up": (FOLDER_OF_MAIL, "touch msgrun.yaml && cp -r mail/messages .", "mail"),
}


@pytest.mark.parametrize("name", MOVES)
def test_a_project_that_another_one_replaces_is_named_on_top_and_fails_the_check(author: Clone, name: str) -> None:
    marker, move, start = MOVES[name]
    author.git("rm", "--quiet", "-r", "messages.lock", "messages", "msgrun.yaml")
    if marker == SETTINGS_OF_MAIL:
        author.write(marker, 'salt: rehearsal\nfrom: {type: admin, id: "394051"}\n')
    author.write("mail/messages/first.yaml", message("first", "aaa1"))
    author.commit()
    author.git("branch", "base")
    subprocess.run(["sh", "-c", move], cwd=author.path, check=True)
    author.commit()
    checked = author.msgrun("-C", start, "lock", "verify", "--against", "base")
    assert checked.code == 5
    assert f"these commits replace {marker} by" in checked.err
    comment = author.path.parent / "comment.md"
    author.msgrun("-C", start, "plan", "--against", "base", "--comment", str(comment))
    assert f"`{marker}`: `of this project` → `replaced" in comment.read_text("utf-8")


def test_the_comments_of_two_projects_of_a_repository_have_marks_of_their_own(
    reviewed: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(reviewed.path))
    for folder in ("mail", "mail_", "push"):
        reviewed.write(f"{folder}/msgrun.yaml", (reviewed.path / "msgrun.yaml").read_text("utf-8"))
        reviewed.write(f"{folder}/messages/first.yaml", message("first", "aaa1"))
    reviewed.commit()
    comments = [
        reviewed.msgrun("-C", folder, "plan", "--format", "markdown").out for folder in (".", "mail", "mail_", "push")
    ]
    marks = [comment.partition("\n")[0] for comment in comments]
    assert marks[0] == "<!-- msgrun plan: default -->"
    assert len(set(marks)) == len(marks)
    assert "## msgrun plan: `mail/`, environment `default`" in comments[1]
