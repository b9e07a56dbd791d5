import json

from tests.support.project import ROOT, SEED, Folder

QUIET = SEED + "expires: 2999-12-01\ncreate_conversation_without_contact_reply: true\n"
LOUD = QUIET.replace("Ponies, cute small horses", '"<p>See <a href=http://localhost>this</a>,').replace(
    "sinister?", 'sinister?</p>"'
)


def test_a_message_without_findings_is_counted_and_exits_with_0(folder: Folder) -> None:
    folder.message(QUIET)
    ran = folder.run("lint")
    assert (ran.code, ran.out) == (0, "1 message to 1 recipient: no problems\n")


def test_a_finding_of_severity_error_exits_with_1_and_a_warning_with_0(folder: Folder) -> None:
    folder.message(LOUD)
    ran = folder.run("lint")
    assert ran.code == 1
    assert "messages/message.yaml:4:15: error: this link leads to localhost" in ran.out
    assert ran.out.endswith("1 message to 1 recipient: 1 error\n")
    folder.message(SEED)
    ran = folder.run("lint")
    assert ran.code == 0
    assert "[no-expires]" in ran.out
    assert "[no-conversation]" in ran.out


def test_fix_says_so_where_nothing_has_one_fix(folder: Folder) -> None:
    folder.message(LOUD)
    assert folder.run("lint", "--fix").out.startswith("Nothing was fixed: each of these has to be corrected by hand.\n")
    folder.message(QUIET)
    assert "Nothing was fixed" not in folder.run("lint", "--fix").out


def test_a_message_that_is_not_valid_has_only_what_validate_finds(folder: Folder) -> None:
    folder.message(LOUD.replace("plain", "fancy"))
    ran = folder.run("lint")
    assert ran.code == 1
    assert "[not-a-choice]" in ran.out
    assert "local-link" not in ran.out
    folder.message(LOUD.replace("See", "{{ nobody }}"))
    ran = folder.run("lint")
    assert "[undefined-variable]" in ran.out
    assert "local-link" not in ran.out


def test_the_valid_messages_are_linted_beside_one_that_is_not(folder: Folder) -> None:
    folder.message(LOUD, "loud")
    folder.message(LOUD.replace("plain", "fancy").replace("name: seed", "name: wrong"), "wrong")
    out = folder.run("lint").out
    assert "messages/wrong.yaml" in out
    assert "messages/loud.yaml:4:15: error: this link leads to localhost" in out
    assert out.endswith("1 message to 1 recipient is valid, 1 file is not: 2 errors\n")


def test_a_warning_of_validate_stands_beside_the_findings(folder: Folder) -> None:
    folder.message(LOUD.replace("message_type: email", "message_type: inapp").replace("template: plain\n", ""))
    ran = folder.run("lint")
    assert "[subject-unused]" in ran.out
    assert "[local-link]" in ran.out


def test_an_address_without_a_dot_and_a_greeted_null_are_found(folder: Folder) -> None:
    folder.message(
        f"{QUIET.partition('to:')[0]}to:\n- {{type: user, email: finn@customers}}\n- {{type: user, email: a@b.c}}\n"
    )
    out = folder.run("lint").out
    assert "no dot behind the @: the address of recipient 1 [doubtful-address]" in out
    assert "^" * len("finn@customers") in out
    folder.message(QUIET.replace("Ponies, cute small horses", "Hi None, small horses"))
    assert '"Hi None" is sent as it stands [null-text]' in folder.run("lint").out
    folder.message(QUIET.replace("2999-12-01", "31.12.2099"))
    assert "did you mean 2099-12-31?" in folder.run("validate").out


def test_msgrun_yaml_selects_and_ignores_rules(folder: Folder) -> None:
    folder.message(SEED)
    assert "no-expires" in folder.run("lint").out
    folder.write("msgrun.yaml", "lint: {select: [no-expires, no-conversation], ignore: [no-expires]}\n")
    out = folder.run("lint").out
    assert "no-expires" not in out
    assert "no-conversation" in out
    folder.write("msgrun.yaml", "lint: {select: [http-link]}\n")
    assert folder.run("lint").out.endswith("no problems\n")


def test_a_rule_that_does_not_exist_is_a_problem_with_a_hint(folder: Folder) -> None:
    folder.message(SEED)
    folder.write("msgrun.yaml", "lint: {ignore: [no-expire]}\n")
    ran = folder.run("lint")
    assert ran.code == 1
    assert "msgrun.yaml:1:17: error: " in ran.out
    assert "did you mean no-expires?" in ran.out


def test_messages_that_open_no_conversation_are_one_finding_with_their_number(folder: Folder) -> None:
    for name in ("a", "b", "c"):
        folder.message(SEED.replace("seed", name), name)
    folder.message(SEED.replace("seed", "d") + "create_conversation_without_contact_reply: true\n", "d")
    folder.message("# msgrun: ignore=no-conversation\n" + SEED.replace("seed", "e"), "e")
    folder.write("msgrun.yaml", "lint: {select: [no-conversation]}\n")
    out = folder.run("lint").out
    told = "this and 2 more messages open no conversation, so reconcile cannot find out what became of them"
    assert f"messages/a.yaml:1:1: warning: {told} [no-conversation]" in out
    assert out.endswith("5 messages to 5 recipients: 1 warning\n")


def test_an_older_api_version_has_no_conversations_to_open(folder: Folder) -> None:
    folder.message(SEED)
    folder.write("msgrun.yaml", 'api_version: "1.4"\n')
    assert "no-conversation" not in folder.run("lint").out


def test_the_limit_of_a_mailing_is_a_setting(folder: Folder) -> None:
    folder.message(QUIET)
    folder.write("msgrun.yaml", "lint: {unsubscribe_above: 0}\n")
    assert "this goes to 1 recipient and does not say how to unsubscribe" in folder.run("lint").out


def test_values_are_masked_off_a_terminal(folder: Folder) -> None:
    folder.write("a.csv", "email,site\nann@example.com,http://ann.example.com/secret\n")
    text = QUIET.replace("Ponies,", "See {{ site }}").replace(
        "{type: user, id: 536e564f316c83104c000020}", "{csv: ../a.csv, type: user, email: '{{ email }}'}"
    )
    folder.message(text)
    for form in ("text", "json", "github", "sarif"):
        ran = folder.run("lint", "--format", form)
        assert "http-link" in ran.out
        assert "ann" not in ran.out
        assert "secret" not in ran.out


def test_what_a_value_brings_in_is_masked_wherever_a_message_names_it(folder: Folder) -> None:
    folder.write("a.csv", "id,site,h\n1,https://secret.staging.example.com/,<secret-tag>{secret_brace}\n")
    text = QUIET.replace("Ponies,", "See {{ site }} {{ h | safe }} {{ h }} ")
    to = "{type: user, id: 536e564f316c83104c000020}"
    folder.message(text.replace(to, "{csv: ../a.csv, type: user, id: '{{ id }}'}"))
    ran = folder.run("lint")
    assert "[staging-link]" in ran.out
    assert "[unknown-tag]" in ran.out
    assert "secret" not in ran.out
    assert "secret.staging.example.com" in folder.run("lint", "--show-values").out


def test_findings_as_json_and_annotations(folder: Folder) -> None:
    folder.message(LOUD)
    (problem,) = json.loads(folder.run("lint", "--format", "json").out)["problems"]
    assert (problem["code"], problem["line"], problem["severity"]) == ("local-link", 4, "error")
    assert folder.run("lint", "--format", "github").out.startswith("::error file=messages/message.yaml,line=4,")


def test_what_init_writes_has_no_findings(folder: Folder) -> None:
    assert folder.run("init", str(folder.path / "new")).code == 0
    assert folder.run("-C", str(folder.path / "new"), "lint").out == "1 message to 2 recipients: no problems\n"


def test_the_repositorys_own_messages_have_no_findings(folder: Folder) -> None:
    ran = folder.run("-C", str(ROOT), "lint")
    assert ran.code == 0
    assert ran.out.endswith(": no problems\n")
