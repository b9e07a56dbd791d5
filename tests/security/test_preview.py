"""No page of a preview makes a browser ask a host: no address is left in the tree that a browser makes of a body."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.mail_display.html_events import read_events
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


# What a recipient reads, and the parser of the standard library does not, or the other way round.
HIDING = [
    '<title><a title="</title>You owe us money">x</a></title>', "<title><!--</title>You owe us money-->",
    '<textarea><a href=x title="</textarea>You owe us money">', "<svg><style><!--</style>--><p>You owe us money",
    "<svg><title><p>You owe us money</title></svg>", "<svg><text><![CDATA[You owe us money]]></text></svg>",
    "<xmp><p title='</xmp>You owe us money'>", "<style><a title='</style>You owe us money'>",
    "<noframes><!--</noframes>You owe us money-->", "<p title='a'b=''>You owe us money<p c=''>",
    "<!--->You owe us money-->", "<!--x--!>You owe us money-->", "<script><!--<script></script>-->You owe us money",
]  # fmt: skip


@pytest.mark.parametrize("body", HIDING)
def test_no_text_that_a_mail_client_shows_is_missing(body: str) -> None:
    texts = "".join(event.text for event in read_events(neutralise_body(body)) if event.kind == "text")
    assert "You owe us money" in texts


@pytest.mark.parametrize(
    "body",
    [
        "<p>Hi <b>Ann</b> <a href='#x' class=\"a\">x</a></p>",
        "<!--[if mso]><table><td><a href='https://h.example'><![endif]--><p>Hi</p><!--[if mso]></table><![endif]-->",
        "<head><title>x</title><style>@media (400px<width){p{color:red}}</style></head><p alt='a > b'>Hi</p>",
        "<![if !mso]><p>Hi</p><![endif]><ul><li>a<li>b</ul><table><tr><td>x</table>", "a<link href=x>b<source>c",
        "<style><!-- p{color:red} --></style><p>a<3 and b<c", '<p a"b=c>x</p ><base href=x>',
    ],
)  # fmt: skip
def test_ordinary_html_is_not_shown_as_its_source(body: str) -> None:
    assert "<pre>" not in neutralise_body(body)


@pytest.mark.parametrize("start", ["", "#", "data:"])
def test_a_frame_has_no_document(start: str) -> None:
    for name in ("srcdoc", "src"):
        frame = f'<iframe {name}="{start}&lt;link rel=preconnect href=//evil.example&gt;"></iframe>'
        assert neutralise_body(frame) == "<iframe></iframe>"


def test_a_long_body_that_may_be_read_in_two_ways_is_shown_as_its_source() -> None:
    assert "<pre>" in neutralise_body("<title><!--</title>-->" + "x" * 200_000)
    assert "<pre>" not in neutralise_body("<title>a</title><!--<p>-->" + "x" * 200_000)


PIECES = st.sampled_from(
    [*ADDRESSES, *"<>/!-'\"=` \n&;[]?a", "<!--", "-->", "--!>", "<p ", "<style>", "</style", "<svg>", "</svg>",
     "<title>", "</title>", "<math>", "<script>", "</script", "<textarea>", "</textarea>", "<![CDATA[", "]]>", "&quot;",
     "title=", "href=//evil.example "]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14))
def test_no_mixture_of_markup_leaves_one(pieces: list[str]) -> None:
    assert hosts_of("".join(pieces)) == []
