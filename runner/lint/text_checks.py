"""What is wrong with words: values that are none, placeholders of other tools, subjects, links."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

ValueFormatter = Callable[[str], str]  # how a message names what may be a recipient's: `private`, or as it is


# As programs write them. Null and Nan are people's names, none and nil are words.
NULL_WORDS = ("None", "nan", "NaN", "NULL", "null", "undefined", "NaT")


_NULL = "|".join(NULL_WORDS)


_ONLY_NULLS = re.compile(rf"(?:{_NULL})(?:\s+(?:{_NULL}))*")


# A name put together of parts, one of them missing: "Ann None", "nan Smith". A sentence is longer, or goes on small.
_PARTLY_NULL = re.compile(rf"(?:[^\W\d_a-z]\S*\s+){{1,2}}(?:{_NULL})|(?:{_NULL})(?:\s+[^\W\d_a-z]\S*){{1,2}}")


_BRACES = re.compile(r"(?<![\w{/])\$?\{\s*[A-Za-z_][\w.]{0,60}\s*\}(?![}/])|\*\|\s*\w[\w:]*\s*\|\*|%%\w+%%")


_URL = re.compile(r"\bhttps?://[^\s<>\"'“”„]+", re.IGNORECASE)


_SCHEME = re.compile(r"\s*(https?)://([^/?#\s]*)", re.IGNORECASE)


_ADDRESS = re.compile(r"[\d.]+|[0-9a-f:.]*:[0-9a-f:.]*")


_STAGING = frozenset({"staging", "stage", "stg", "preprod", "uat", "qa", "dev", "test", "testing", "sandbox"})


_SURELY_STAGING = frozenset({"staging", "stg", "preprod", "uat"})


# Public sites whose own name has such a word.
_PUBLIC = (".azure.com", ".mysql.com", ".intercom.com")


_LOCAL = (
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


_FEW_LETTERS = 8


_SHORT_NAME = 3  # letters; most names made of capitals have no more


def find_null_word(value: str) -> str:
    """The word in a value that a program wrote for nothing, if the value is such words, or a name with one."""
    text = value.strip()
    if _ONLY_NULLS.fullmatch(text):
        return text.split()[0]
    if _PARTLY_NULL.fullmatch(text):
        return next(word for word in text.split() if word in NULL_WORDS)
    return ""


def find_placeholders(text: str) -> Iterator[tuple[int, str]]:
    """The placeholders of other tools in a text, with their offsets."""
    return ((found.start(), found.group()) for found in _BRACES.finditer(text))


def find_links(text: str) -> Iterator[tuple[int, str]]:
    """The addresses in a running text, with their offsets."""
    return ((found.start(), found.group().rstrip(".,;:!?)]")) for found in _URL.finditer(text))


def check_url(url: str, show: ValueFormatter = str) -> tuple[str, str] | None:
    """The code of the rule that a link breaks, and what to say of it; the worst alone. `show` names the host."""
    found = _SCHEME.match(url)
    if not found:
        return ("script", "a link to javascript:") if url.strip().lower().startswith("javascript:") else None
    host = found[2].rpartition("@")[2].lower()
    host = host[1 : host.find("]")] if host.startswith("[") else host.partition(":")[0]
    if _is_local(host):
        return "local-link", f"this link leads to {show(host)}, which customers cannot reach"
    if _is_staging(host):
        return "staging-link", f"this link leads to {show(host)}, by its name not what customers use"
    if found[1].lower() == "http":
        return "http-link", "this link goes to http://"
    return None


def check_image_url(src: str) -> str:
    """What is wrong with the address of an image, or nothing."""
    text = src.strip().lower()
    if text.startswith(("https://", "cid:")):
        return ""
    shown = text.partition(":")[0] + ":" if re.match(r"(http|data|file):", text) else "an address without a host"
    return f"this image comes from {shown}"


def is_shouting(text: str) -> bool:
    """Whether most of a text of several words is capitals, or it ends its sentences twice."""
    letters = [sign for sign in text if sign.isalpha()]
    capitals = sum(map(str.isupper, letters))
    # NASA & IBM are names: somebody who shouts does it in several words of more letters.
    is_words = sum(word.isupper() and len(word) > _SHORT_NAME for word in re.findall(r"\w+", text)) > 1
    loud = is_words and len(text.split()) > 1 and len(letters) >= _FEW_LETTERS and capitals > 0.7 * len(letters)
    return loud or bool(re.search(r"!!|\?\?", text))


def mentions_unsubscribe(text: str) -> bool:
    """Whether a text tells, in one of the common languages, how to get no more of this."""
    return _UNSUBSCRIBE.search(text) is not None


def iter_strings(value: Any) -> Iterable[str]:
    """The texts in a variable, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from iter_strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from iter_strings(item)


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(_LOCAL):
        return True
    if not _ADDRESS.fullmatch(host):
        return False
    import ipaddress  # noqa: PLC0415  # only for the rare link without a name

    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_private or address.is_loopback or address.is_unspecified or address.is_link_local


def _is_staging(host: str) -> bool:
    if host.endswith(_PUBLIC):
        return False
    labels = host.split(".")
    # The last two are a name that somebody registered: dev.to is one; but acme-staging.com says what it is. A common
    # word at the start of a name is often about something else: test-drive.example.com.
    pieces = [re.split(r"[-_]", label) for label in labels[:-2]]
    first = [parts[0] for parts in pieces if len(parts) == 1 or parts[0] in _SURELY_STAGING]
    others = [part for parts in pieces for part in parts[1:]]
    return not _STAGING.isdisjoint([*first, *others, *"".join(labels[-2:-1]).split("-")[1:]])
