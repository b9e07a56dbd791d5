"""Checks URLs: links that are misspelt, that cannot work from a message, or that lead where customers are not."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from runner.declare.similar_names import closest_match
from runner.lint.html import VALUE_CHAR
from runner.lint.template_layout import RAW_VALUE_CHAR
from runner.lint.text_checks import Fault, ValueFormatter

_URL = re.compile(r"\b(?:https?|h[tx]?t?ps?)://[^\s<>\"'“”„]+", re.IGNORECASE)
_URL_START = re.compile(r"\s*(https?)://([^/?#\s]*)", re.IGNORECASE)
_AUTHORITY = re.compile(r"\s*https?://([^/?#]*)", re.IGNORECASE)
_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):")
_SCHEMES = ("https", "http", "mailto", "tel")
_MIN_SIMILARITY = 0.75  # of difflib: htps and https have 0.89, maps and mailto 0.4
_LOCAL_SCHEMES = frozenset({"file", "about", "blob", "chrome", "res", "view-source", "content"})
_SCRIPT_SCHEMES = frozenset({"javascript", "vbscript"})
_BROKEN_START = re.compile(
    r"\s*(?:"
    r"https?[;,.]?/{1,3}(?=\w)"  # http//example.com
    r"|https?[;,]//?"
    r"|https?:(?!//)"  # https:/example.com
    r"|https?:///"
    r"|https?://(?:https?|www\.https?)(?=[:/])"  # https://https://example.com
    r"|https?://(?=\s*$|[?#])"  # no host
    r"|https?://\s"
    r")",
    re.IGNORECASE,
)
_SPACE_INSIDE = re.compile(r"\S\s+\S")
# What follows a second ? belongs to the value before it. An address in the query may bring its own: ?next=/a?b=c.
_SECOND_QUERY = re.compile(r"[^?#]*\?[^?#/:]*\?[\w.-]+=")
_QUERY_WITHOUT_MARK = re.compile(r"[^?#]*&(?:amp;)?utm_\w+=")
_BROKEN_HOST = re.compile(r"\.\.|^\.|\.$|[,;\s\"'()*!$%]|^-|^ww\.|^w{4,}\.", re.IGNORECASE)
# What ends or changes a value in a query. A value that is encoded already has %2B for a plus sign.
_UNENCODED = re.compile(r"[\s+&#<>\"\\]|%(?![0-9A-Fa-f]{2})|[^\x00-\x7f]")
_HOST_START = re.compile(r"//|www\.|[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|io|app|eu|de|fr|es|it|nl)\b", re.IGNORECASE)
_IP_ADDRESS = re.compile(r"[\d.]+|[0-9a-f:.]*:[0-9a-f:.]*")
_VALUE_START = (VALUE_CHAR, RAW_VALUE_CHAR)
_STAGING_WORDS = frozenset({"staging", "stage", "stg", "preprod", "uat", "qa", "dev", "test", "testing", "sandbox"})
_CERTAIN_STAGING_WORDS = frozenset({"staging", "stg", "preprod", "uat"})
# Public sites with such a word in their host names, e.g. dev.mysql.com.
_PUBLIC_SITES = (".azure.com", ".mysql.com", ".intercom.com")
_LOCAL_DOMAINS = (
    *(".localhost", ".local", ".localdomain", ".internal", ".intranet", ".test", ".lan", ".corp", ".home"),
    *(".home.arpa", ".ngrok.io", ".ngrok.app", ".ngrok-free.app"),
)
# Sources: RFC 6068 (mailto), RFC 3966 (tel), RFC 5724 (sms).
_CONTACT_SCHEMES = ("mailto", "tel", "sms")
_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"{}]+@[^\s@<>()\[\],;:\"{}.]+(?:\.[^\s@<>()\[\],;:\"{}.]+)+")
_DOUBLED = re.compile(r"//|(?:mailto|tel|sms|https?):", re.IGNORECASE)
_TRUNK_PREFIX = re.compile(r"\+\d{1,3}[\s.-]*\(0\)")
_MIN_DIGITS = 2  # 110 and *21# are numbers, too


def find_links(text: str) -> Iterator[tuple[int, str]]:
    """Returns the URLs in running text, each after its offset."""
    return ((match.start(), match.group().rstrip(".,;:!?)]")) for match in _URL.finditer(text))


def check_url(url: str, format_value: ValueFormatter = str) -> Fault | None:
    """Returns the worst fault of a URL that stands in a text or an attribute; None if it has none.

    `format_value` returns a part of the URL as the message may show it. A printed value is a run of VALUE_CHAR.
    """
    scheme_match = _SCHEME.match(url)
    scheme = scheme_match[1].lower() if scheme_match else ""
    if scheme in _SCRIPT_SCHEMES:
        return Fault("script", f"a link to {scheme}:")
    if scheme in _LOCAL_SCHEMES or re.match(r"\s*(?:[A-Za-z]:[\\/]|\\\\)", url):
        return Fault("local-link", "this link leads to a file of the reader's own computer")
    if scheme in _CONTACT_SCHEMES:
        return _check_contact_link(url, scheme, format_value)
    if fault := _check_spelling(url, scheme, format_value) or _check_characters(url, scheme):
        return fault
    match = _URL_START.match(url)
    return _check_host(match[2], match[1].lower(), format_value) if match else None


def check_anchor_url(url: str, format_value: ValueFormatter = str) -> Fault | None:
    """Returns the worst fault of the `href` of an <a>; None if it has none.

    A message has no address of its own, so a link without a host leads nowhere.
    """
    text, is_written = url.strip(), format_value is str  # a hint shows no recipient's value
    if not text:
        return Fault("empty-link", "this link has no address")
    if text in {"#", "#!"}:
        return Fault("empty-link", f"this link leads nowhere: {text} stands for an address that is to come")
    if fault := check_url(url, format_value):
        return fault
    if text.startswith((*_VALUE_START, "#")) or _SCHEME.match(text):
        return None
    if re.fullmatch(r"[^@/\s]+@[^@/\s]+\.[^@/\s]+", text):
        hint = f"write mailto:{text}" if is_written else "write mailto: before it"
        return Fault("relative-link", "this link is an email address without mailto:", hint)
    host_hint = f"write https://{text.lstrip('/')}" if is_written else "write https:// before it"
    hint = host_hint if _HOST_START.match(text) else ""
    return Fault("relative-link", format_value(text) + " is not a full address: in a message it leads nowhere", hint)


def check_query_value(value: str, variable: str, format_value: ValueFormatter = str) -> Fault | None:
    """Returns the fault of a value that is printed in the query of a URL without `urlencode`; None if it has none."""
    match = _UNENCODED.search(value)
    if not match:
        return None
    character = "a space" if match.group().isspace() else format_value(match.group())
    message = f"{variable} holds " + character + " here, which means something else in a URL"
    return Fault("unencoded-value", message, f"write {{{{ {variable} | urlencode }}}}")


def check_image_url(src: str) -> Fault | None:
    """Returns the fault of an image that is not loaded over HTTPS; None if it is."""
    text = src.strip().lower()
    if text.startswith(("https://", "cid:")):  # check_url reports cid:
        return None
    origin = text.partition(":")[0] + ":" if re.match(r"(http|data|file):", text) else "an address without a host"
    return Fault("image-https", f"this image comes from {origin}")


def _check_spelling(url: str, scheme: str, format_value: ValueFormatter) -> Fault | None:
    hint = "write https:// and the host"
    if match := _BROKEN_START.match(url):
        written = format_value(match.group().strip())
        return Fault("malformed-link", "this link begins with " + written + ", which is misspelt", hint)
    if scheme and scheme not in _SCHEMES and "." not in scheme:
        meant = closest_match(scheme, _SCHEMES, _MIN_SIMILARITY)
        if meant:
            slashes = "//" if meant.startswith("http") else ""
            return Fault("malformed-link", format_value(scheme) + ": is misspelt", f"write {meant}:{slashes}")
    match = _AUTHORITY.match(url.rstrip())
    host = match[1].rpartition("@")[2].partition(":")[0] if match and "[" not in match[1] else ""
    if host and not host.startswith(_VALUE_START) and _BROKEN_HOST.search(host):
        return Fault("malformed-link", format_value(host) + " is misspelt: no host is called that", "correct the host")
    return None


def _check_characters(url: str, scheme: str) -> Fault | None:
    """Returns the fault of what stands after the host, or of a link that nothing in a message answers to."""
    if scheme == "cid":
        message = "cid: means an attachment, and a message of Intercom's has none"
        return Fault("malformed-link", message, "put the file on a host with https:// and write its full address")
    if not scheme.startswith("http"):
        return None
    if _SECOND_QUERY.match(url):
        return Fault("malformed-link", "a second ? stands in this link", "write & in place of the second ?")
    if _QUERY_WITHOUT_MARK.match(url):
        return Fault("malformed-link", "this link has no ? before its first &", "write ? in place of the first &")
    if _SPACE_INSIDE.search(url):
        message = "a space stands in this link: some mail clients end it there"
        return Fault("unencoded-value", message, "write %20 in place of the space, or - if that is its address")
    return None


def _check_host(authority: str, scheme: str, format_value: ValueFormatter) -> Fault | None:
    host = authority.rpartition("@")[2].lower()
    host = host[1 : host.find("]")] if host.startswith("[") else host.partition(":")[0]
    if _is_local(host):
        return Fault("local-link", "this link leads to " + format_value(host) + ", which customers cannot reach")
    if _is_staging(host):
        message = "this link leads to " + format_value(host) + ", by its name not what customers use"
        return Fault("staging-link", message)
    if scheme == "http":
        return Fault("http-link", "this link goes to http://")
    return None


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(_LOCAL_DOMAINS):
        return True
    if not _IP_ADDRESS.fullmatch(host):
        # A name without a dot is one of the office's network. A printed value may hold dots.
        return "." not in host and VALUE_CHAR not in host and RAW_VALUE_CHAR not in host
    import ipaddress  # noqa: PLC0415  # keeps lint fast: only a link to an IP address needs it

    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host


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


def _check_contact_link(url: str, scheme: str, format_value: ValueFormatter) -> Fault | None:
    """Returns the fault of a link with one of _CONTACT_SCHEMES; None if it has none.

    `format_value` returns a part of the URL as the message may show it.
    """
    rest = url.strip()[len(scheme) + 1 :].strip()
    hint = "write it as in " + ("mailto:help@example.com" if scheme == "mailto" else f"{scheme}:+4930123456")
    if not rest.strip("/"):
        what = "address" if scheme == "mailto" else "number"
        return Fault("malformed-link", f"no {what} stands after {scheme}:", f"{hint}, or remove the link")
    if doubled := _DOUBLED.match(rest):
        written = format_value(f"{scheme}:{doubled[0]}")
        hint = f"remove {doubled[0] if doubled[0] == '//' else f'the first {scheme}:'}"
        return Fault("malformed-link", "this link begins with " + written + ", which is misspelt", hint)
    if VALUE_CHAR in rest or RAW_VALUE_CHAR in rest:
        return None
    target, _, query = rest.partition("?")
    if scheme == "mailto" and not query and "&" in target and "=" in target:
        message = format_value(target) + " has no ? before its first &"
        return Fault("malformed-link", message, "write ? in place of the first &")
    message = _check_addresses(target) if scheme == "mailto" else _check_number(unquote(target))
    return Fault("malformed-link", format_value(target) + message, hint) if message else None


def _check_addresses(target: str) -> str:
    """Returns what is wrong with the addresses of a mailto: link; empty if they are right, or if there are none."""
    addresses = [written.strip() for written in re.split("[,;]", unquote(target))]
    is_right = all(_ADDRESS.fullmatch(address) for address in addresses if address)
    return "" if is_right else " is not an email address"


def _check_number(target: str) -> str:
    """Returns what is wrong with a number; empty if it is right. Without one (sms:?body=…) the reader chooses."""
    if target and sum(character.isdigit() for character in target) < _MIN_DIGITS:
        return " is not a telephone number"
    is_wrong = _TRUNK_PREFIX.search(target)
    return " is dialled with the 0 in brackets, which is wrong after the country's code" if is_wrong else ""
