# ruff: noqa: RUF001  # garbled letters resemble others
"""What words and addresses give away, and what they do not. Texts that a program read in a wrong encoding are found."""

import pytest

from runner.lint.links import check_url
from runner.lint.text_checks import find_mojibake, is_shouting

WORDS = (
    *("José", "Zoë", "Müller", "Renée", "Łódź", "Kraków", "Dvořák", "Ağrı", "İstanbul", "It’s", "“quoted”", "–", "€5"),
    *("naïve", "Ångström", "Åsa", "Österreich", "Straße", "Привет", "Ελλάδα", "日本語", "你好", "안녕", "👍", "ÉCOLE"),
    *("MÜNCHEN", "MUÑOZ", "ÖSTERREICH", "garçon", "Nguyễn", "שלום", "مرحبا", "…", "®", "©", "NÃO", "à", "Señor", "Gül"),
    *("Şahin", "Çelik", "5°C", "½", "proszę", "SÓNIA", "«Voilà»", "¿Qué?"),
)


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("staging.example.com", True),
        ("staging-eu.example.com", True),
        ("app-staging.example.com", True),
        ("shop.dev.example.com", True),
        ("acme-staging.com", True),
        ("test.example.com", True),
        ("test-drive.example.com", False),
        ("dev.to", False),
        ("www.example.com", False),
    ],
)
def test_a_host_is_of_staging_by_a_whole_part_of_its_name(host, told):
    found = check_url(f"https://{host}/a", lambda text: text)
    assert (found is not None and found[0] == "staging-link") == told


@pytest.mark.parametrize(
    ("subject", "loud"),
    [
        ("IMPORTANT NEWS ABOUT YOU", True),
        ("Hurry!!", True),
        ("NASA & IBM: UI", False),
        ("Your API and SDK news", False),
        ("WELCOME", False),
    ],
)
def test_names_made_of_capitals_do_not_shout(subject, loud):
    assert is_shouting(subject) == loud


def _misread(text, encoding):
    if encoding == "latin-1":
        return text.encode().decode("latin-1")
    return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in text.encode())


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
@pytest.mark.parametrize("word", WORDS)
def test_utf_8_in_a_wrong_encoding_is_found_with_what_it_means(word, encoding):
    for text in (_misread(word, encoding), f"Dear {_misread(word, encoding)}, hello"):
        found = list(find_mojibake(text))
        assert found
        assert all(part in text and meant in word for _, part, meant in found)


def test_what_was_misread_twice_and_what_was_lost_is_found():
    assert [part for _, part, _ in find_mojibake(_misread(_misread("José", "cp1252"), "cp1252"))] == ["ÃƒÂ©"]
    assert list(find_mojibake("Jos\ufffd")) == [(3, "\ufffd", "")]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_in_order_is_left_alone(word):
    assert list(find_mojibake(f"Dear {word}, {word.upper()}! {word}…")) == []


@pytest.mark.parametrize(
    "text",
    [
        *("NESCAFÉ®", "AMANHÃ”", "«AMANHÃ»", "MANHÃ…", "IKEÄ™", "« INCHALLÂ »", "«voilà»…", "“café”…", "É»", "ÅÄÖ®"),
        *(
            "À côté de «ÉTÉ»",
            "Ünï©ödé",
            "Ä–Ö",
            "TÊ’",
            "Îles—",
            "“Ö”",
            "“ESPAÑA”",
            "CAFÉ…",
            "À—B",
            "«Là», dit… «Ô»",
            "ß»",
        ),
    ],
)
def test_an_accent_before_punctuation_is_left_alone(text):
    assert list(find_mojibake(text)) == []


def test_it_is_found_in_texts_subjects_attributes_and_values(lint):
    to = [{"type": "user", "id": f"u{n}", "vars": {"n": name}} for n, name in enumerate(["Ann", "JosÃ©", "ÐŸÑ€Ð¸"])]
    body = "<p>Hi {{ n }}, cafÃ©! <img src='https://example.com/a.png' alt='CafÃ©'></p>"
    found = lint(body=body, subject="FÃ¼r â‚¬5", to=to)
    assert {f.code for f in found} == {"mojibake"}
    assert sorted(f.recipient for f in found) == ["", "", "", "recipient 2, and 1 more recipient"]
