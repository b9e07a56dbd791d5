"""Every comment that people read, rendered by the parser that GitHub uses: only our own markup is in it."""

import re

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options

from tests.support.golden import GOLDEN

OURS = {
    "h2", "p", "strong", "code", "blockquote", "ul", "li", "br", "br/", "table", "thead", "tbody", "tr", "th", "td",
    "details", "summary", "pre",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(path.name for path in GOLDEN.glob("*.md")))
def test_a_comment_holds_only_our_own_markup(name: str) -> None:
    text = (GOLDEN / name).read_text(encoding="utf-8")
    assert re.match(r"<!-- msgrun plan: [\w-]+ -->\n## ", text)
    page = cmarkgfm.github_flavored_markdown_to_html(text, options=Options.CMARK_OPT_UNSAFE)
    tags = re.findall(r"<(/?)([a-z0-9]+)[^>]*>", page)
    assert {tag for _, tag in tags} <= OURS
    for tag in ("details", "blockquote", "table", "pre"):
        assert tags.count(("", tag)) == tags.count(("/", tag)), tag
    outside = re.sub(r"<(pre|code)\b.*?</\1>", "", page, flags=re.DOTALL)
    assert not re.search(r"[@#]\w", re.sub(r"<[^>]*>", "", outside))
