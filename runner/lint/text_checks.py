"""Checks words: null values that are printed, subjects, links."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from runner.privacy import AnyText

ValueFormatter = Callable[[str], AnyText]  # how a message shows a recipient's value: `mark_private`, or `str` as it is
# As programs print them. Other spellings are left out: Null and Nan are people's names, none and nil are words.
NULL_WORDS = ("None", "nan", "NaN", "NULL", "null", "undefined", "NaT")
_NULL_PATTERN = "|".join(NULL_WORDS)
_ONLY_NULLS = re.compile(rf"(?:{_NULL_PATTERN})(?:\s+(?:{_NULL_PATTERN}))*")
# A name made of parts of which one is missing: "Ann None", "nan Smith". A sentence is longer, or has small letters.
_PARTLY_NULL = re.compile(
    rf"(?:[^\W\d_a-z]\S*\s+){{1,2}}(?:{_NULL_PATTERN})|(?:{_NULL_PATTERN})(?:\s+[^\W\d_a-z]\S*){{1,2}}"
)
_URL = re.compile(r"\bhttps?://[^\s<>\"'“”„]+", re.IGNORECASE)
_URL_START = re.compile(r"\s*(https?)://([^/?#\s]*)", re.IGNORECASE)
_IP_ADDRESS = re.compile(r"[\d.]+|[0-9a-f:.]*:[0-9a-f:.]*")
_STAGING_WORDS = frozenset({"staging", "stage", "stg", "preprod", "uat", "qa", "dev", "test", "testing", "sandbox"})
_CERTAIN_STAGING_WORDS = frozenset({"staging", "stg", "preprod", "uat"})
# Public sites with such a word in their host names, e.g. dev.mysql.com.
_PUBLIC_SITES = (".azure.com", ".mysql.com", ".intercom.com")
_LOCAL_DOMAINS = (
    ".localhost",
    ".local",
    ".internal",
    ".test",
    ".lan",
    ".home.arpa",
    ".ngrok.io",
    ".ngrok.app",
    ".ngrok-free.app",
)
_UNSUBSCRIBE = re.compile(
    r"unsubscri|opt[- ]?out|(?:email|e-mail|mail|notification|communication)s? (?:preferences|settings)|"
    r"stop (?:getting|receiving) (?:these|such|our|this)|no longer (?:want|wish) to (?:get|receive)|"
    r"abmeld|abbestell|austragen|d[ée]sabonn|d[ée]sinscri|dar(?:te|se|me)? de baja|cancelar (?:la |tu )?suscripci|"
    r"cancellati|disiscri|annulla(?:re)? l.iscrizione|uitschrijv|afmeld|avregistrer|avsluta prenumeration|"
    r"cancelar (?:a )?(?:inscri|assinatura)|wypis|отпис|配信停止|退订|取消订阅",
    re.IGNORECASE,
)
MAX_SUBJECT_LENGTH = 100
_MIN_LETTERS = 8
_MAX_ACRONYM_LENGTH = 3  # letters; most names made of capitals have no more


class Fault(NamedTuple):
    """What a rule finds. `hint` is the step that fixes it; if it is empty, the rule's own fix is shown."""

    code: str
    message: AnyText
    hint: str = ""


def find_null_word(value: str) -> str:
    """Returns the first null word of a value, if the value is such words only, or a name with one.

    Returns an empty text for any other value.
    """
    text = value.strip()
    if _ONLY_NULLS.fullmatch(text):
        return text.split()[0]
    if _PARTLY_NULL.fullmatch(text):
        return next(word for word in text.split() if word in NULL_WORDS)
    return ""


def find_links(text: str) -> Iterator[tuple[int, str]]:
    """Returns the URLs in running text, each after its offset."""
    return ((match.start(), match.group().rstrip(".,;:!?)]")) for match in _URL.finditer(text))


def check_url(url: str, format_value: ValueFormatter = str) -> Fault | None:
    """Returns the worst fault of a URL; None if it has none.

    `format_value` returns the host as the message may show it.
    """
    match = _URL_START.match(url)
    if not match:
        return Fault("script", "a link to javascript:") if url.strip().lower().startswith("javascript:") else None
    host = match[2].rpartition("@")[2].lower()
    host = host[1 : host.find("]")] if host.startswith("[") else host.partition(":")[0]
    if _is_local(host):
        return Fault("local-link", "this link leads to " + format_value(host) + ", which customers cannot reach")
    if _is_staging(host):
        message = "this link leads to " + format_value(host) + ", by its name not what customers use"
        return Fault("staging-link", message)
    if match[1].lower() == "http":
        return Fault("http-link", "this link goes to http://")
    return None


def check_image_url(src: str) -> str:
    """Returns the message about the URL of an image; an empty text if the URL is in order."""
    text = src.strip().lower()
    if text.startswith(("https://", "cid:")):
        return ""
    origin = text.partition(":")[0] + ":" if re.match(r"(http|data|file):", text) else "an address without a host"
    return f"this image comes from {origin}"


def is_shouting(text: str) -> bool:
    """Returns whether a text of several words is mostly capitals, or contains `!!` or `??`."""
    letters = [character for character in text if character.isalpha()]
    capitals = sum(map(str.isupper, letters))
    # NASA & IBM are names. A text that shouts has several longer words in capitals.
    has_capital_words = sum(word.isupper() and len(word) > _MAX_ACRONYM_LENGTH for word in re.findall(r"\w+", text)) > 1
    is_mostly_capitals = (
        has_capital_words and len(text.split()) > 1 and len(letters) >= _MIN_LETTERS and capitals > 0.7 * len(letters)
    )
    return is_mostly_capitals or bool(re.search(r"!!|\?\?", text))


def mentions_unsubscribe(text: str) -> bool:
    """Returns whether a text says, in one of the common languages, how to unsubscribe."""
    return _UNSUBSCRIBE.search(text) is not None


def iter_strings(value: Any) -> Iterable[str]:
    """Yields the texts in a variable, at any depth of its lists and mappings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from iter_strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from iter_strings(item)


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(_LOCAL_DOMAINS):
        return True
    if not _IP_ADDRESS.fullmatch(host):
        return False
    import ipaddress  # noqa: PLC0415  # keeps lint fast: only a link to an IP address needs it

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_private or address.is_loopback or address.is_unspecified or address.is_link_local


def _is_staging(host: str) -> bool:
    if host.endswith(_PUBLIC_SITES):
        return False
    labels = host.split(".")
    # The last two labels are a registered domain. Its first word is not checked: dev.to is a public site. The words
    # after a dash are: acme-staging.com. A common word before a dash often means something else, as in
    # test-drive.example.com.
    label_words = [re.split(r"[-_]", label) for label in labels[:-2]]
    first_words = [words[0] for words in label_words if len(words) == 1 or words[0] in _CERTAIN_STAGING_WORDS]
    other_words = [word for words in label_words for word in words[1:]]
    return not _STAGING_WORDS.isdisjoint([*first_words, *other_words, *"".join(labels[-2:-1]).split("-")[1:]])
