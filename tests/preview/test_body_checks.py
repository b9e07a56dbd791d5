"""What is checked of a body is what is sent, and what is shown of it is masked."""

from runner.preview.body_checks import check_body
from runner.privacy import Private, Text


def test_links_and_images_have_their_texts_and_faults() -> None:
    checks = check_body(
        '<a href="https://example.com/a">Our <b>page</b></a><a href="#">x</a>'
        '<img src="http://h.example/a.png"><img src="https://h.example/b.png" alt="B">',
        is_email=True, show_values=True,
    )  # fmt: skip
    assert [(link.address, link.text, bool(link.fault)) for link in checks.links] == [
        ("https://example.com/a", "Our page", False), ("#", "x", True),
    ]  # fmt: skip
    assert [bool(image.fault) for image in checks.images] == [True, False]
    assert "no alt text" in checks.images[0].fault


def test_plain_text_has_links_too() -> None:
    checks = check_body("See https://example.com/a.", is_email=True, show_values=True)
    assert [link.address for link in checks.links] == ["https://example.com/a"]


def test_a_value_in_a_link_is_checked_and_masked() -> None:
    body = Text(('<a href="', Private("localhost:3000/ann"), '">x</a>'))
    checks = check_body(body, is_email=True, show_values=False)
    assert checks.links[0].address == "***"
    assert "ann" not in checks.links[0].fault
    assert checks.size == len('<a href="localhost:3000/ann">x</a>')


def test_a_value_beside_a_link_does_not_hide_its_fault() -> None:
    link = '<p>Hi <a href="/page">x</a></p>'
    for value in ("Ann", "<i>Ann</i>"):
        body = Text((f"{link[:6]}", Private(value), link[6:], Private(value)))
        checks = check_body(body, is_email=True, show_values=False)
        assert [(each.address, bool(each.fault)) for each in checks.links] == [("/page", True)]
        assert checks.size == len(link) + 2 * len(value)


def test_what_clients_lack_is_named_with_its_source() -> None:
    checks = check_body('<div style="display: flex"><video></video></div>', is_email=True, show_values=True)
    assert [note.feature for note in checks.clients] == ["display: flex", "<video>"]
    assert all(note.source.startswith("https://www.caniemail.com/features/") for note in checks.clients)
    assert not check_body('<div style="display: flex">', is_email=False, show_values=True).clients


def test_a_link_to_a_new_host_comes_first_and_a_repeated_one_is_listed_once() -> None:
    many = "".join(f'<a href="https://a.example/{number}">{number}</a>' for number in range(120))
    new = '<!--[if mso]><v:rect href="https://evil.test/o"></v:rect><![endif]-->'
    new += '<a href="https://evil.test"><img alt="Buy"></a>'
    body = f"{many}{new}{new}"
    checks = check_body(body, is_email=True, show_values=True, new_hosts=frozenset({"evil.test"}))
    assert [(link.text, link.target[1]) for link in checks.links[:3]] == [
        ("(image: Buy)", "evil.test"), ("(in Outlook alone)", "evil.test"), ("0", "a.example"),
    ]  # fmt: skip
    assert [link.is_new_host for link in checks.links[:3]] == [True, True, False]
    assert (len(checks.links), checks.unlisted_links) == (100, 22)
