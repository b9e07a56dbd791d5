"""No page of a preview makes a browser ask a host: no address is left in the tree that a browser makes of a body."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.lint.html_events import read_events
from runner.preview.body_frame import neutralise_body

LINK = "<link rel=preconnect href=//evil.example>"
ADDRESSES = [
    LINK, "<a href=//evil.example>x</a>", "<img src=//evil.example/a>", "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;//evil.example'>", "<svg><a xlink:href=//evil.example>x</a></svg>",
]  # fmt: skip
FOLLOWED = {"href", "src", "srcset", "xlink:href", "action", "formaction", "data", "poster", "background", "ping"}
# Where the parser of the standard library and a browser do not agree what is a tag. % is what they hide.
FORMS = [
    "%", "<svg><style><p>%</style></svg>", "<svg><script><p>%</script></svg>", "<math><style><p>%</style></math>",
    "<!-->%-->", "<!--->%-->", "<!--x--!>%-->", "<!-- -- >%-->", "<!--a<!--b-->%-->", "<style></style x>%</style>",
    "<script></script/x>%</script>", "<script><!--<script></script>%--></script>", '<textarea><a title="</textarea>%">',
    '<title><a title="</title>%">x', '<xmp><a title="</xmp>%">x', '<iframe><a title="</iframe>%">x',
    '<noembed><p title="</noembed>%">x', '<noframes><p title="</noframes>%">x', '<noscript><p title="</noscript>%">x',
    "<plaintext>%", '<p title="a"b=">%">', "<p title='a'b='>%'>", "<p a='>%'b>", "<p/title='%'>", "<p title=`>%`>",
    "<p x=a'>%<p y='>", '</p "a>%">', "<![CDATA[>%]]>", "<svg><![CDATA[>%]]></svg>", "<?x>%?>", "<!doctype '>%'>",
    "<p\x00a='>%'>", "<p\x0ca='>%'>", "<p\x0ba='>%'>", "<p\u00a0a='>%'>", "<a<b title='>%'>", "<template>%</template>",
    "<p a==>%", "<p =a='>%'>", "<![if x]>%<![endif]>", "<!--[if x]>%<![endif]-->", "<select><option>%</select>",
    "<math><mi><mglyph><style><!--</style>%-->", "<table><style>%</style>", "</ >%", "</>%", "<p title=&quot;>%&quot;>",
]  # fmt: skip


def hosts_of(body: str) -> list[str]:
    """What a browser's tree has of the host in attributes that it may load or follow."""
    return [
        f"{event.name} {name}={value}"
        for event in read_events(neutralise_body(body))
        for name, value in event.attributes.items()
        if "evil.example" in value and name in FOLLOWED and not value.startswith("data:")
    ]


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_address_is_left_for_a_browser(address: str) -> None:
    for form in FORMS:
        body = f"<p>Hi</p>{form.replace('%', address)}"
        assert hosts_of(body) == [], (form, neutralise_body(body))
        tree = list(read_events(neutralise_body(body)))
        assert not [event for event in tree if event.name in {"link", "base"}], form
        assert not [event for event in tree if "http-equiv" in event.attributes], form


PIECES = st.sampled_from(
    [*ADDRESSES, *"<>/!-'\"=` \n&;[]?a", "<!--", "-->", "--!>", "<p ", "<style>", "</style", "<svg>", "</svg>",
     "<title>", "</title>", "<math>", "<script>", "</script", "<textarea>", "</textarea>", "<![CDATA[", "]]>", "&quot;",
     "title=", "href=//evil.example "]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14))
def test_no_mixture_of_markup_leaves_one(pieces: list[str]) -> None:
    assert hosts_of("".join(pieces)) == []
