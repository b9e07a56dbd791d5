"""The rules by code: how severe a finding is, and how to fix it.

What each rule finds and why stands in `runner/report/explanations/`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.errors import Severity

if TYPE_CHECKING:
    from runner.declare.settings import LintSettings


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `fix` says what to do about a finding: it is the hint of findings that have none of their own."""

    code: str
    severity: Severity
    fix: str


_ERROR, _WARNING = Severity.ERROR, Severity.WARNING
_ALL = (
    Rule(
        "null-text",
        _ERROR,
        "leave the cell blank, so that it is noticed, and give the text a default: {{ … | default('there') }}",
    ),
    Rule("single-brace", _ERROR, "write {{ first_name }}"),
    Rule("filler-text", _ERROR, "write the text that belongs here"),
    Rule(
        "empty-value", _WARNING, "move the punctuation into the condition, or give the value a default that reads well"
    ),
    Rule("http-link", _WARNING, "write https://"),
    Rule("local-link", _ERROR, "link to the public address"),
    Rule("staging-link", _WARNING, "link to production"),
    Rule("empty-link", _ERROR, "write the address, or remove the link"),
    Rule("malformed-link", _ERROR, "write https:// and the host"),
    Rule("relative-link", _ERROR, "write the full address, with https://"),
    Rule("unencoded-value", _WARNING, "write {{ … | urlencode }}"),
    Rule("unclosed-quote", _ERROR, 'add the quote: href="…"'),
    Rule("value-in-markup", _ERROR, 'put it into a text, or into quotes: title="{{ … }}"'),
    Rule("misspelt-attribute", _ERROR, "correct its name"),
    Rule("mojibake", _ERROR, "write the text again, or export the table again as UTF-8"),
    Rule("entity-shown", _ERROR, "write the character itself"),
    Rule("clipped-body", _WARNING, "shorten it, or link to a page with the rest"),
    Rule("unclosed-tag", _ERROR, "close it where it should end"),
    Rule("unclosed-comment", _WARNING, "end it with #} where it should end"),
    Rule("stray-tag", _WARNING, "remove it, or open the tag where it should begin"),
    Rule("unknown-tag", _ERROR, "write &lt; for a literal <, or use a tag of HTML"),
    Rule("script", _ERROR, "remove it (JSON-LD, <script type=application/ld+json>, is fine)"),
    Rule("event-handler", _ERROR, "remove it; a link does without"),
    Rule("form", _ERROR, "link to a page with the form"),
    Rule("iframe", _ERROR, "show an image that links to the page"),
    Rule("uncommon-html", _WARNING, "use an element that every mail client knows, such as <p>, <table> or <img>"),
    Rule("image-alt", _WARNING, 'say what it shows: alt="…", or alt="" for decoration'),
    Rule("image-https", _WARNING, "put it on a host with https:// and write its full address"),
    Rule("text-outside-block", _WARNING, "put it into a <p>"),
    Rule("long-subject", _WARNING, "say the one thing first, the rest in the body"),
    Rule("shouting-subject", _WARNING, "write it as you would to one person"),
    Rule(
        "no-unsubscribe",
        _WARNING,
        "say how to unsubscribe, or ignore the rule where the message is about the recipient's own account",
    ),
    Rule("doubtful-address", _WARNING, "correct the address in its source, or take the recipient out"),
    Rule("no-expires", _WARNING, "expires: a day after which it is not sent any more"),
    Rule(
        "no-conversation",
        _WARNING,
        "create_conversation_without_contact_reply: true, or ignore the rule to keep these messages out of the inbox",
    ),
)
RULES: dict[str, Rule] = {rule.code: rule for rule in _ALL}


def enabled_codes(settings: "LintSettings") -> frozenset[str]:
    """Returns the codes of the rules to check: those selected, or else all, without those that are ignored."""
    return frozenset(settings.select or RULES) - {*settings.ignore}
