"""What words and addresses give away, and what they do not."""

import pytest

from runner.lint.links import check_url
from runner.lint.text_checks import is_shouting


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
