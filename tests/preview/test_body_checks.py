"""What is checked of a body is what is sent, and what is shown of it is masked."""

from runner.preview.body_checks import check_body
from runner.privacy import Private, Text


def test_links_and_images_have_their_texts() -> None:
    checks = check_body(
        '<a href="https://example.com/a">Our <b>page</b></a><a href="#">x</a>'
        '<img src="http://h.example/a.png"><img src="https://h.example/b.png" alt="B">',
        is_email=True, show_values=True,
    )  # fmt: skip
    assert [(link.address, link.text) for link in checks.links] == [("https://example.com/a", "Our page"), ("#", "x")]
    assert [(image.address, image.text) for image in checks.images] == [
        ("http://h.example/a.png", ""), ("https://h.example/b.png", "B"),
    ]  # fmt: skip


def test_plain_text_has_links_too() -> None:
    checks = check_body("See https://example.com/a.", is_email=True, show_values=True)
    assert [link.address for link in checks.links] == ["https://example.com/a"]


def test_a_value_in_a_link_is_masked_and_counts_for_the_size() -> None:
    body = Text(('<a href="', Private("localhost:3000/ann"), '">x</a>'))
    checks = check_body(body, is_email=True, show_values=False)
    assert checks.links[0].address == "***"
    assert checks.size == len('<a href="localhost:3000/ann">x</a>')


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
