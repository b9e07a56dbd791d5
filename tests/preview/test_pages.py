"""The pages escape what they show, load only their own files, and stay small."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.preview.conftest import read_page

PAGES = ["index", "pages/receipt", "pages/tips-export", "pages/hostile", "pages/empty"]


class _Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


def elements(gallery: Path, page: str) -> _Elements:
    return _Elements((gallery / f"{page}.html").read_text("utf-8"))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_its_own_files_alone(gallery: Path, page: str) -> None:
    found = elements(gallery, page)
    loaded = [tag["src"] for tag in found.named("script")] + [tag["href"] for tag in found.named("link")]
    assert all(re.fullmatch(r"(\.\./)?assets/[\w.]+|data:,", address or "") for address in loaded), loaded
    assert not {"img", "object", "embed", "base"} & {name for name, _ in found.tags}
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]


@pytest.mark.parametrize("page", PAGES)
def test_a_policy_comes_before_all_that_it_governs(gallery: Path, page: str) -> None:
    metas = elements(gallery, page).named("meta")
    policy = next(meta["content"] for meta in metas if meta.get("http-equiv"))
    assert metas[1].get("http-equiv") == "Content-Security-Policy"
    assert policy
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "frame-src 'none'" in policy
    assert "connect-src" not in policy


@pytest.mark.parametrize("page", PAGES[1:4])
def test_each_body_is_in_a_sandbox_that_permits_nothing(gallery: Path, page: str) -> None:
    frames = elements(gallery, page).named("iframe")
    assert frames
    for frame in frames:
        assert frame["sandbox"] == ""
        assert set(frame) <= {"sandbox", "loading", "referrerpolicy", "title", "srcdoc", "style"}
        head = (frame["srcdoc"] or "").partition("<body")[0]
        assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in head


def test_a_hostile_subject_is_text_wherever_it_stands(gallery: Path) -> None:
    for page in PAGES:
        assert "<script>document" not in (gallery / f"{page}.html").read_text("utf-8")
    assert "&lt;script&gt;document.title" in read_page(gallery, "hostile")


def test_ids_are_unique_and_labels_lead_to_something(gallery: Path) -> None:
    found = elements(gallery, "pages/receipt")
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = [
        attributes[key]
        for _, attributes in found.tags
        for key in ("aria-controls", "aria-labelledby", "for")
        if key in attributes
    ]
    assert set(named) <= set(ids)


def test_what_worries_comes_first(gallery: Path) -> None:
    names = re.findall(r'<a class="name" href="pages/([\w-]+)', (gallery / "index.html").read_text("utf-8"))
    assert names[0] == "hostile"
    assert sorted(names) == ["empty", "hostile", "receipt", "tips-export"]


def test_the_frame_around_the_bodies_is_small(gallery: Path) -> None:
    total = sum(path.stat().st_size for path in gallery.rglob("*") if path.is_file())
    assert total < 200_000, total


def test_an_empty_audience_has_a_page(gallery: Path) -> None:
    assert "It has no recipients" in read_page(gallery, "empty")


def test_the_index_says_what_is_sent_not_how_many_people_get_it(gallery: Path) -> None:
    index = " ".join((gallery / "index.html").read_text("utf-8").split())
    assert "to send: 7 emails and 2 in-app messages, in 3 of 4 declarations. A person in several audiences" in index
