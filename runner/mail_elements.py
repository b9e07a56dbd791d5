"""The elements and attributes of HTML that mails use, and that all browsers and mail clients read in the same way.

Of all others, such as the elements of forms and new ones of the HTML standard, no reader of HTML can say how every
recipient sees them.
"""

import re


def split_names(names: str) -> frozenset[str]:
    """Returns the words of a text, as a set."""
    return frozenset(names.split())


_ELEMENTS = split_names(
    "a abbr acronym address area article aside b big blockquote body br caption center cite code col colgroup dd del "
    "dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 head header hr html i img ins kbd li "
    "link main map mark meta nav ol p picture pre q s samp script section small source span strike strong style sub "
    "sup table tbody td tfoot th thead time title tr tt u ul var wbr xml"
)
_ATTRIBUTES = split_names(
    "abbr align alink alt as axis background bgcolor border bordercolor bottommargin cellpadding cellspacing char "
    "charset cite class clear color cols colspan compact content coords datetime decoding dir editable face frame "
    "headers height hidden href hreflang hspace http-equiv id ismap itemid itemprop itemref itemscope itemtype label "
    "lang language leftmargin link loading marginheight marginwidth media multiline name noshade nowrap property rel "
    "repeater rev rightmargin role rowspan rules scope shape singleline size sizes span src srcset start style "
    "summary tabindex target text title topmargin translate type usemap valign value version vertical-align vlink "
    "vspace width xmlns"
)
OFFICE_ELEMENT = re.compile(r"(?:o|v|w|m|x|st1):\w+")  # of Word and Outlook; others show the text inside
_INERT_ATTRIBUTE = re.compile(r"(?:data|aria|mc|ep|v|o|w|x|xml|xmlns)[-:].*", re.DOTALL)


def is_mail_element(name: str) -> bool:
    """Returns whether mails use an element, by its name in lower case."""
    return name in _ELEMENTS or OFFICE_ELEMENT.fullmatch(name) is not None


def is_mail_attribute(name: str) -> bool:
    """Returns whether mails use an attribute, by its name in lower case."""
    return name in _ATTRIBUTES or is_inert_attribute(name)


def is_inert_attribute(name: str) -> bool:
    """Returns whether an attribute changes nothing of a text, whatever its value is."""
    return _INERT_ATTRIBUTE.fullmatch(name) is not None
