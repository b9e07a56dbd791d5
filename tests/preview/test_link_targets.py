"""The host of a link is where a browser goes, and it is never shortened."""

import pytest

from runner.compare.link_hosts import find_host
from runner.preview.link_targets import split_address


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://shop.example/a?b=@c#d", "shop.example"),
        ("https://shop.example@evil.test/shop.example", "evil.test"),
        ("https://a@b@evil.test?x", "evil.test"),
        ("https:/\\evil.test\\shop.example", "evil.test"),
        ("https:evil.test", "evil.test"),
        (" \x01hT\ntp://evil.\ttest:8080/x", "evil.test"),
        ("//evil.test", "evil.test"),
        ("\\\\evil.test/a", "evil.test"),
        ("mailto:ann@shop.example", ""),
        ("/path", ""),
        ("#", ""),
        ("", ""),
    ],
)
def test_the_host_is_where_a_browser_goes(address: str, host: str) -> None:
    assert split_address(address)[1] == host


def test_a_host_beyond_ascii_has_its_name_in_the_dns() -> None:
    assert split_address("https://sh\u043ep.example/a")[1] == "sh\u043ep.example (xn--shp-ted.example)"


def test_a_long_address_is_shortened_in_its_middle_and_a_long_host_is_not() -> None:
    host = "a" * 200 + ".example"
    start, shown, rest = split_address(f"https://{'u' * 90}@{host}/begin{'x' * 300}end")
    assert shown == host
    assert (start[:9], start[-2:], len(start)) == ("https://u", "u@", 40)
    assert (rest[:6], rest[-3:], len(rest)) == ("/begin", "end", 44)
    assert "…" in start
    assert "…" in rest


def test_a_host_is_compared_in_lower_case_without_the_dot_at_its_end() -> None:
    assert find_host("HTTPS://Evil.Test./x") == "evil.test"
