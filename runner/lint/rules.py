"""The rules by code: how severe a finding is, and how to fix it.

What each rule finds and why stands in `runner/report/explanations/`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.errors import Severity
from runner.shown_command import shown_command

if TYPE_CHECKING:
    from runner.declare.settings import LintSettings


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `fix` says what to do about a finding: it is the hint of findings that have none of their own."""

    code: str
    severity: Severity
    fix: str


def _error(code: str, fix: str) -> Rule:
    return Rule(code, Severity.ERROR, fix)


def _warning(code: str, fix: str) -> Rule:
    return Rule(code, Severity.WARNING, fix)


_ALL = (
    _error(
        "null-text",
        "leave the cell blank, so that it is noticed, and give the text a default: {{ … | default('there') }}",
    ),
    _error("single-brace", "write {{ first_name }}"),
    _error("filler-text", "write the text that belongs here"),
    _warning("empty-value", "move the punctuation into the condition, or give the value a default that reads well"),
    _warning("http-link", "write https://"),
    _error("local-link", "link to the public address"),
    _warning("staging-link", "link to production"),
    _error("empty-link", "write the address, or remove the link"),
    _error("malformed-link", "write https:// and the host"),
    _error("relative-link", "write the full address, with https://"),
    _warning("unencoded-value", "write {{ … | urlencode }}"),
    _error("unclosed-quote", 'add the quote: href="…"'),
    _error("value-in-markup", 'put it into a text, or into quotes: title="{{ … }}"'),
    _error("misspelt-attribute", "correct its name"),
    _error("mojibake", "write the text again, or export the table again as UTF-8"),
    _error("entity-shown", "write the character itself"),
    _warning("clipped-body", "shorten it, or link to a page with the rest"),
    _error("unclosed-tag", "close it where it should end"),
    _warning("unclosed-comment", "end it with #} where it should end"),
    _warning("stray-tag", "remove it, or open the tag where it should begin"),
    _error("unknown-tag", "write &lt; for a literal <, or use a tag of HTML"),
    _error("script", "remove it (JSON-LD, <script type=application/ld+json>, is fine)"),
    _error("event-handler", "remove it; a link does without"),
    _error("form", "link to a page with the form"),
    _error("iframe", "show an image that links to the page"),
    _warning("image-alt", 'say what it shows: alt="…", or alt="" for decoration'),
    _warning("image-https", "put it on a host with https:// and write its full address"),
    _warning("text-outside-block", "put it into a <p>"),
    _warning("long-subject", "say the one thing first, the rest in the body"),
    _warning("shouting-subject", "write it as you would to one person"),
    _warning(
        "no-unsubscribe",
        "say how to unsubscribe, or ignore the rule where the message is about the recipient's own account",
    ),
    _warning("no-expires", "expires: a day after which it is not sent any more"),
    _warning(
        "no-conversation",
        "create_conversation_without_contact_reply: true, or ignore the rule where the inbox should stay free of it",
    ),
)
RULES: dict[str, Rule] = {rule.code: rule for rule in _ALL}


def enabled_codes(settings: "LintSettings", select: Iterable[str] = (), ignore: Iterable[str] = ()) -> frozenset[str]:
    """Returns the codes of the rules to check: those selected, or else all, without those that are ignored.

    A command's `select` replaces that of msgrun.yaml, and its `ignore` adds to that of msgrun.yaml.
    """
    return frozenset(select or settings.select or RULES) - {*ignore, *settings.ignore}


def rules_hint() -> str:
    """Returns the hint for a code that no rule has."""
    return f"{shown_command('explain')} lists the rules"
