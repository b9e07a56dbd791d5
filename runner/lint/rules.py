"""The rules by code: what each rule finds, why that matters, and how to fix it.

`bad_example` and `good_example` are keys of a declaration, as YAML. The tests run every rule on its own two examples.
"""

from dataclasses import dataclass

from runner.errors import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `title` says in one line what it finds, `reason` why that matters, `fix` what to do."""

    code: str
    severity: Severity
    title: str
    reason: str
    fix: str
    bad_example: str
    good_example: str


def _error(code: str, title: str, reason: str, fix: str, bad: str, good: str) -> Rule:
    return Rule(code, Severity.ERROR, title, reason, fix, bad, good)


def _warning(code: str, title: str, reason: str, fix: str, bad: str, good: str) -> Rule:
    return Rule(code, Severity.WARNING, title, reason, fix, bad, good)


_ALL = (
    _error(
        "null-text",
        "a value is None, nan, NULL, null, NaT or undefined, and is printed",
        "A program wrote out a value that it did not have, and the customer reads “Hi None”.",
        "leave the cell blank, so that it is noticed, and give the text a default: {{ … | default('there') }}",
        'body: "<p>Hi {{ first_name }}</p>"\nvars: {first_name: None}',
        'body: "<p>Hi {{ first_name }}</p>"\nvars: {first_name: Ann}',
    ),
    _error(
        "single-brace",
        "a placeholder of another tool is left over: {first_name}, [FIRST_NAME], *|FNAME|*, %NAME%",
        "msgrun fills {{ first_name }} alone. Anything else is sent as it stands, to everybody.",
        "write {{ first_name }}",
        'body: "<p>Hi {first_name}</p>"',
        'body: "<p>Hi {{ product }}</p>"',
    ),
    _warning(
        "empty-value",
        "a value was empty and left a hole: “Hi ,”, a double space, an empty ()",
        "A default of nothing, or an if without an else, leaves its comma and spaces behind.",
        "move the punctuation into the condition, or give the value a default that reads well",
        "body: '<p>Hi {{ first_name | default(\"\") }}, welcome</p>'",
        "body: '<p>Hi {{ first_name | default(\"there\") }}, welcome</p>'",
    ),
    _warning(
        "http-link",
        "a link goes to http://, not https://",
        "Mail clients and proxies warn about it, and whoever shares the network reads and changes what is behind it.",
        "write https://",
        "body: '<p><a href=\"http://example.com\">Read on</a></p>'",
        "body: '<p><a href=\"https://example.com\">Read on</a></p>'",
    ),
    _error(
        "local-link",
        "a link leads to localhost or into a private network",
        "It works on your machine only.",
        "link to the public address",
        "body: '<p><a href=\"http://localhost:3000/export\">Export</a></p>'",
        "body: '<p><a href=\"https://example.com/export\">Export</a></p>'",
    ),
    _warning(
        "staging-link",
        "a link leads to a staging or test host",
        "Customers cannot log in there, or land among test data.",
        "link to production",
        "body: '<p><a href=\"https://staging.example.com\">Export</a></p>'",
        "body: '<p><a href=\"https://app.example.com\">Export</a></p>'",
    ),
    _error(
        "empty-link",
        "a link without an address",
        "The reader clicks, and nothing happens.",
        "write the address, or remove the link",
        "body: '<p><a href=\"\">Read on</a></p>'",
        "body: '<p><a href=\"https://example.com\">Read on</a></p>'",
    ),
    _error(
        "malformed-link",
        "a link that is misspelt: htps://, http//, https:/, a host with two dots",
        "No browser can open it.",
        "write https:// and the host",
        "body: '<p><a href=\"htps://example.com\">Read on</a></p>'",
        "body: '<p><a href=\"https://example.com\">Read on</a></p>'",
    ),
    _error(
        "relative-link",
        "a link without https:// and a host: /account, www.example.com, ann@example.com",
        "A message has no address of its own, so nothing completes the link: it leads nowhere.",
        "write the full address, with https://",
        "body: '<p><a href=\"/account\">Your account</a></p>'",
        "body: '<p><a href=\"https://example.com/account\">Your account</a></p>'",
    ),
    _warning(
        "unencoded-value",
        "a value in the query of a link without urlencode, with a character such as + or &",
        "In a URL + means a space, & begins the next parameter, and # ends the query: the page gets another value.",
        "write {{ … | urlencode }}",
        "body: '<a href=\"https://example.com/?e={{ mail }}\">Go</a>'\nvars: {mail: a+b@example.com}",
        "body: '<a href=\"https://example.com/?e={{ mail | urlencode }}\">Go</a>'\nvars: {mail: a+b@example.com}",
    ),
    _error(
        "unclosed-quote",
        "an attribute whose quote is missing",
        "The text up to the next quote becomes part of the attribute, and the reader does not see it.",
        'add the quote: href="…"',
        'body: \'<p><a href="https://example.com>Shop</a> or <a href="https://example.com">ask</a></p>\'',
        'body: \'<p><a href="https://example.com">Shop</a> or <a href="https://example.com">ask</a></p>\'',
    ),
    _error(
        "misspelt-attribute",
        "a misspelt attribute: herf, scr, atl",
        "It has no effect: the link leads nowhere, the image is not shown.",
        "correct its name",
        "body: '<p><a herf=\"https://example.com\">Read on</a></p>'",
        "body: '<p><a href=\"https://example.com\">Read on</a></p>'",
    ),
    _error(
        "mojibake",
        "a text in a wrong encoding: JosÃ© is José",
        "A program wrote UTF-8, and another one read it as something else, so the reader sees garbled letters.",
        "write the text again, or export the table again as UTF-8",
        'body: "<p>Hi JosÃ©</p>"',
        'body: "<p>Hi José</p>"',
    ),
    _error(
        "entity-shown",
        "an HTML entity in plain text: &amp; in a subject (a warning in a body without tags)",
        "A subject is no HTML: the reader sees &amp; as it stands.",
        "write the character itself",
        'subject: "Terms &amp; conditions"',
        'subject: "Terms & conditions"',
    ),
    _warning(
        "clipped-body",
        "an email of more than 102 KB",
        "Gmail shows the first 102 KB and hides the rest, with the way to unsubscribe, behind a link.",
        "shorten it, or link to a page with the rest",
        "body: \"<p>{{ 'long ' * 30000 }}</p>\"",
        "body: \"<p>{{ 'long ' * 3000 }}</p>\"",
    ),
    _error(
        "unclosed-tag",
        "a tag is never closed (a warning for <p>, whose end may be left out)",
        "A <b> or an <a> without an end takes in everything after it, the footer too.",
        "close it where it should end",
        'body: "<p>Sorry for <b>the trouble</p><p>Bye</p>"',
        'body: "<p>Sorry for <b>the trouble</b></p><p>Bye</p>"',
    ),
    _warning(
        "stray-tag",
        "an end tag closes nothing",
        "Often the other half of a tag that went elsewhere; </p> alone even makes an empty paragraph.",
        "remove it, or open the tag where it should begin",
        'body: "<p>Hello</b> you</p>"',
        'body: "<p>Hello you</p>"',
    ),
    _error(
        "unknown-tag",
        "a tag that HTML does not know",
        "What stands in angle brackets is not shown: of “Write to <ann@example.com>” the reader sees “Write to”.",
        "write &lt; for a literal <, or use a tag of HTML",
        'body: "<p>Write to <support@example.com></p>"',
        'body: "<p>Write to &lt;support@example.com&gt;</p>"',
    ),
    _error(
        "script",
        "<script>, or a link to javascript:",
        "No mail client runs it; some show the code, and filters take the message for an attack.",
        "remove it (JSON-LD, <script type=application/ld+json>, is fine)",
        'body: "<p>Hi</p><script>track()</script>"',
        'body: "<p>Hi</p>"',
    ),
    _error(
        "event-handler",
        "an inline event handler such as onclick",
        "It is script: removed by every client, and a sign of an attack to filters.",
        "remove it; a link does without",
        'body: \'<p><a href="https://example.com" onclick="track()">Go</a></p>\'',
        "body: '<p><a href=\"https://example.com\">Go</a></p>'",
    ),
    _error(
        "form",
        "<form> in a message",
        "Most mail clients remove or block forms, so answers get lost where the reader believes they were sent.",
        "link to a page with the form",
        "body: '<form action=\"https://example.com\"><button>Yes</button></form>'",
        "body: '<p><a href=\"https://example.com\">Answer</a></p>'",
    ),
    _error(
        "iframe",
        "<iframe>, <object> or <embed> in a message",
        "Mail clients and the messenger remove them: the reader sees a gap.",
        "show an image that links to the page",
        "body: '<iframe src=\"https://example.com\"></iframe>'",
        "body: '<p><a href=\"https://example.com\">Watch</a></p>'",
    ),
    _warning(
        "image-alt",
        "an image without alt",
        "With images off, and for who listens to the message, there is nothing, or a file's name.",
        'say what it shows: alt="…", or alt="" for decoration',
        "body: '<p><img src=\"https://example.com/a.png\"></p>'",
        'body: \'<p><img src="https://example.com/a.png" alt="A pony"></p>\'',
    ),
    _warning(
        "image-https",
        "an image that does not come from https://",
        "Clients block it or show a warning; one without a host, or with data:, is not shown at all.",
        "put it on a host with https:// and write its full address",
        'body: \'<p><img src="http://example.com/a.png" alt="A pony"></p>\'',
        'body: \'<p><img src="https://example.com/a.png" alt="A pony"></p>\'',
    ),
    _warning(
        "text-outside-block",
        "text that stands beside the blocks instead of in one",
        "Between paragraphs it gets neither their spacing nor their style, and each client lays it out differently.",
        "put it into a <p>",
        'body: "<p>Hi Ann</p> we are back."',
        'body: "<p>Hi Ann</p><p>we are back.</p>"',
    ),
    _warning(
        "long-subject",
        "a subject of more than 100 characters",
        "Phones show about 40 characters, inboxes some 70; the rest is not read.",
        "say the one thing first, the rest in the body",
        f'subject: "{"We are very sorry about what happened " * 3}"',
        'subject: "Sorry about the outage"',
    ),
    _warning(
        "shouting-subject",
        "a subject in capitals, or with !! or ??",
        "It reads as spam, to people and to filters.",
        "write it as you would to one person",
        'subject: "IMPORTANT NEWS ABOUT YOU"',
        'subject: "News about your account"',
    ),
    _warning(
        "no-unsubscribe",
        "an email to many recipients without a word about unsubscribing",
        "To many it is a mailing: laws and mailbox providers ask for a way out, or readers take the spam button.",
        "say how to unsubscribe, or ignore the rule where the message is about the recipient's own account",
        'body: "<p>Our news</p>"',
        'body: "<p>Our news</p><p>No more of this? Just reply “unsubscribe”.</p>"',
    ),
    _warning(
        "no-expires",
        "a message without expires",
        "Without it, a job that runs again in half a year still sends: to recipients added since, with old news.",
        "expires: a day after which nobody should get it any more",
        "name: price-change   # and no expires",
        "expires: 2999-12-01",
    ),
    _warning(
        "no-conversation",
        "a message that opens no conversation",
        "If an answer of Intercom gets lost, nobody can tell whether it was sent: reconcile looks for conversations.",
        "create_conversation_without_contact_reply: true, or ignore the rule where the inbox should stay free of it",
        "name: price-change   # and nothing about a conversation",
        "create_conversation_without_contact_reply: true",
    ),
)
RULES: dict[str, Rule] = {rule.code: rule for rule in _ALL}
