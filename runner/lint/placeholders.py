"""Finds placeholders of other tools: mailing services, CRMs, mail merge, template languages.

The forms are those of the tools' public documentation; `tests/lint/test_placeholders.py` names the tool of each. Some
forms occur in no honest text, as `*|FNAME|*`. Others are ordinary punctuation, as `[Name]`: they count only around the
name of a field, such as `[First Name]`, so that `[1]`, `[sic]` and `[Update]` are left alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from runner.lint.text_checks import NULL_WORDS
from runner.mail_elements import split_names

_WORD = r"[^\W\d]"  # a letter or an underscore: a name begins with it
_NAME = rf"{_WORD}[\w.-]{{0,60}}"
_TEXT = r"[^{}<>\n]{0,80}?"

# Each has at most one group: what stands inside. A pattern without a group is a position or a statement.
_CERTAIN_FORMS = (
    rf"(?<![\w{{/\\\]}}]){{\s*({_NAME})\s*}}(?![}}/])",  # {first_name}
    r"(?<![\w{/\\$\]})])\{\d\}(?![}/])",  # {0}
    rf"\{{\s*((?:{_NAME}){_WORD}\s*(?:[|=](?!\s)|,\s*(?:fallback|default)\s*=){_TEXT})\}}",  # {name|there}
    rf"\{{\s*({_NAME})\s*,\s*(?:select|plural|selectordinal)\s*,",  # {count, plural, one {…}}
    rf"\{{(!{{1,2}}\s*[\w$\"']{_TEXT})\}}",  # {!Contact.FirstName}, {!! $name !!}
    rf"[@#!*~%]?\{{\s*([$@#]{_WORD}{_TEXT})\}}",  # {$name}
    rf"(?:\[[\[(])?\$!?\{{\s*([\"'#(]?{_WORD}{_TEXT})\}}(?:[\])]\])?",  # ${name}, $!{name}, [[${name}]]
    rf"[#@!*~%]\{{\s*([$@]?{_NAME})\s*\}}",  # #{name}, %{name}
    r"\$\[([^\]<>\n]{1,60})\]\$",  # $[FNAME]$
    r"(?<![\w$])\$!([A-Za-z_]\w*)",  # $!name
    r"(?<![\w$])\$([A-Za-z]\w*(?:\.[A-Za-z]\w*)+)\b\$?",  # $user.name, $SUBSCRIBER.FIRSTNAME$
    r"(?<![\w$])\$([A-Za-z]+_[A-Za-z]\w*)\b\$?",  # $first_name
    r"\$lookup\((\w+)\)",
    r"\*\|\s*([^|*<>\n]{1,60}(?:\|[^|*<>\n]{0,40})?)\|\*",  # *|FNAME|*
    r"(?<!\w)_\|\s*([A-Z][A-Z0-9_:]{0,40})\s*\|_(?!\w)",  # *|FNAME|* after Markdown
    r"\|\*\s*([A-Z][A-Z0-9_:]{0,40})\s*\*\|",  # *|FNAME|* mistyped
    r"(?<!\d)%%(=?[\w!({][^%<>\n]{0,80})%%",  # %%name%%, %%=v(@name)=%%
    r"%%\[(?s:.){0,400}?\]%%",  # %%[ set @name = … ]%%
    r"%\(([A-Za-z_]\w*)\)[sdif]\b",  # %(name)s
    r"%<([A-Za-z_]\w*)>[sdif]?",  # %<name>s
    r"(?<![\w%])%(?:\d\$)?(?:[sd](?!\w)|@(?!\w))",  # %s, %1$s, %@
    r"<%((?!%)(?s:.){1,200}?)%>",  # <%= name %>
    r"<\?(?!xml|mso)((?s:.){1,200}?)\?>",  # <?= $name ?>
    r"</?(?:#(?:if|else|elseif|list|assign|include)\b|@[a-z])[^<>\n]{0,80}>",  # <#if …>, <@macro>
    r"(?<!\w)#(?:if|elseif|set|foreach|parse|include)\s*\(",  # #if($name)
    rf"\[\[\s*({_WORD}[^\[\]<>\n]{{0,60}}?)\s*\]\]",  # [[firstname]]
    r"\[%-?\s*([^\[\]<>\n]{1,80}?)\s*-?%\]",  # [% name %]
    rf"\[({_WORD}[\w .:-]{{0,40}},\s*(?:fallback|default)=[^\]\n]{{0,60}})\]",  # [firstname,fallback=there]
    r"\bMERGEFIELD\s+\"?(\w+)",
    r"(?<![\w~])~([A-Za-z]\w*\.[A-Za-z]\w*)~(?![\w~])",  # ~Contact.FirstName~
    r"(?<![\w:])::([a-z]\w*\.[a-z]\w*)::(?![\w:])",  # ::subscriber.first_name::
    r"(?<![\w#])#([a-z]\w*:[A-Za-z][\w ]{0,40})#(?![\w#])",  # #recipient:name#
    r"(?<![\w@])@(?:Model|ViewBag|ViewData)\.(\w+)",
    r"(?<![\w@])@@([A-Za-z]\w{1,40})@@(?![\w@])",  # @@first_name@@
    r"\uff5b\uff5b([^{}<>\uff5b\uff5d\n]{1,60})\uff5d\uff5d",  # {{first_name}} in full-width braces
    r"\[object Object\]",  # what JavaScript prints of an object
)
# Each has one group, which must hold the name of a field.
_INNER = rf"({_WORD}[\w .:&'-]{{0,48}}?)"
_LIKELY_FORMS = (
    rf"(?<![\w\]])\[\s*{_INNER}\s*(?:\|[^\]\n]{{0,60}}|%%[^\]\n]{{0,60}})?\](?!\(|\[|:\s*http)",  # [First Name]
    rf"\{{\s*({_WORD}[\w .-]{{0,48}}(?::(?![\s\"'/])[^{{}}<>\n]{{0,60}})?)\}}",  # {First Name}, {name:there}
    rf"\[[#@!*]\s*{_INNER}\s*[#@!*]?\]",  # [*first_name*]
    rf"\{{[*(]\s*{_INNER}\s*[*)]\}}",  # {(first_name)}
    rf"\$\(\s*{_INNER}\s*\)",  # $(first_name)
    rf"«\s*{_INNER}\s*»",
    rf"\u2039\s*{_INNER}\s*\u203a",
    rf"<<\s*{_INNER}\s*>>",
    rf"<\s*{_INNER}\s*>",
    r"(?<![\w%])%([A-Za-z_][\w.:-]{1,48}(?:\|[^%<>\n]{0,40})?)%(?![0-9A-Fa-f]{2}|\w)",  # %FIRSTNAME%
    r"(?<![\w%])%([A-Z][A-Za-z]*(?: [A-Z][A-Za-z]*){1,3})%(?!\w)",  # %First Name%
    rf"(?<![\w$])\${_INNER}\$(?!\w)",
    r"(?<![\w$])\$([a-z]\w{2,40})\b",
    r"(?<![\w#])#{1,2}([^\W\d]\w{1,40})#{1,2}(?![\w#])",
    r"(?<![\w@])@{1,2}([A-Z][A-Z0-9_]{2,40})@{1,2}(?![\w@])",
    rf"(?<![\w-])-{{1,2}}({_WORD}[\w ]{{0,40}})-{{1,2}}(?![\w-])",
    r"(?<![\w~])~~([A-Z][A-Z0-9_]{2,40})~~(?![\w~])",
    r"(?<![\w:])::([a-z]\w{2,40})::(?![\w:])",
    r"\(\(\s*([A-Za-z]\w{2,40})\s*\)\)",
    r"(?<!\w)__([A-Za-z]\w{2,40}?)__(?!\w)",
)
_FORMS = re.compile("|".join((*_CERTAIN_FORMS, *_LIKELY_FORMS)))
# Where a form may begin. To try every form at every character would take forty times as long.
_STARTS = re.compile(
    r"[{$#@*%<«\[\u2039\uff5b]|[!~](?=\{)|~(?=[\w~])|-(?=[^\W\d]|-[^\W\d])|:(?=:)|\((?=\()|_(?=[_|])|\|(?=\*)|MERGEF"
)
_BRACKETS_IN_URL = re.compile(r"(?:^|(?<=[=/]))\[([^\W\d][\w .-]{2,60})\]")  # [unsubscribe]
_FIRST_LIKELY_GROUP = sum(re.compile(form).groups for form in _CERTAIN_FORMS) + 1
# Keys of a keyboard in braces, as manuals write them: press {Enter}. They are the names of nothing else.
_KEY = re.compile(
    r"(?:left |right )?(?:ctrl|shift|alt|cmd)|alt ?gr|strg|umschalt|entf|esc|escape|enter|tab|backspace|delete|"
    r"(?:caps|num|scroll) ?lock|pg ?up|pg ?dn|page ?up|page ?down|print ?screen|f(?:[1-9]|1[0-2])",
    re.IGNORECASE,
)
_STATEMENT = re.compile(
    r"\W*(?:if|ifnot|elseif|else|end|endif|for|foreach|list|set|assign|include|parse)\b", re.IGNORECASE
)


# What stands in brackets in a template, in the languages of the common mail merges: in small letters, words joined.
_FIELD_NAMES = split_names(
    "name firstname fname lastname lname fullname surname forename middlename username nickname displayname email "
    "emailaddress company companyname organization organisation salutation city zipcode postcode birthday jobtitle "
    "amount date vorname nachname anrede firma prenom prénom nomdefamille societe société nombre apellido apellidos "
    "empresa nome cognome azienda sobrenome voornaam achternaam bedrijf fornavn etternavn förnamn efternamn imię imie "
    "nazwisko unsubscribelink unsubscribeurl webversion merge1 merge2 merge3"
)
_FIELD_NAMES_IN_CAPITALS = split_names("phone link url product price title name1 first last address country state")
# Alone on a line, or between two tags: [Title]. Inside a sentence or before one they are honest: [Offer] Save 20%.
_FIELD_NAMES_ALONE = _FIELD_NAMES_IN_CAPITALS - {"link"} | split_names(
    "headline heading subtitle subheading subject body content text paragraph description event venue location time "
    "day month year button cta offer discount topic website signature greeting closing industry role department "
    "titel überschrift betreff inhalt titre objet titulo título asunto titolo oggetto onderwerp"
)
_FILLER = re.compile(
    r"\blorem ipsum\b|\b(?:headline|title|text|copy|content|subject|preheader|description|quote) goes here\b",
    re.IGNORECASE,
)
_GREETED_NULL = re.compile(rf"\b(?:Hi|Hello|Hey|Dear) (?:{'|'.join(NULL_WORDS)})(?=\s*(?:[,.!]|$))", re.MULTILINE)
_LAST_WORDS = split_names(
    "name firstname lastname fname lname surname email mail phone number id date amount total price link url token "
    "code address city country company organization title salutation birthday fix vorname nachname anrede firma nom "
    "prenom prénom nombre apellido empresa nome cognome azienda voornaam achternaam here"
)
_FIRST_WORDS = split_names("insert enter merge link subscriber recipient contactfield leadfield")
# A link's label or a tag of a subject line, not a field: [Verify email], [Save the date], [New address].
_LABEL_WORDS = split_names(
    "verify confirm change update view open read edit add get see copy reset click visit go download save new "
    "remove check share follow find use no any the this our a an set"
)
_MAX_WORDS = 5
_WORD_EDGES = re.compile(r"[\W_]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_ALIASES = {"fname": "first_name", "firstname": "first_name", "lname": "last_name", "lastname": "last_name"}
_ALIASES |= {"fullname": "full_name", "emailaddress": "email"}


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A placeholder of another tool, or text that only fills a layout: where it begins, what to write, and the rule."""

    start: int
    text: str
    hint: str
    code: str = "single-brace"


def find_placeholders(text: str) -> Iterator[Placeholder]:
    """Yields the placeholders of other tools in running text, and text that only fills a layout. Each kind is in order.

    HTML entities must be unescaped.
    """
    end = 0
    for start in _STARTS.finditer(text):
        match = _FORMS.match(text, start.start()) if start.start() >= end else None
        group = (match.lastindex or 0) if match else 0
        if match and (_is_placeholder(match, group) if group else True):
            end = match.end()
            yield Placeholder(match.start(), match.group(), _suggest(match.group(), match[group] if group else ""))
    lowered = text.lower()
    if "lorem ipsum" in lowered or " goes here" in lowered:  # to search for the words takes longer
        for filler in _FILLER.finditer(text):
            yield Placeholder(filler.start(), filler.group(), "write the text that belongs here", "filler-text")
    for null in _GREETED_NULL.finditer(text) if any(word in text for word in NULL_WORDS) else ():
        hint = "write the variable that belongs here, as {{ first_name | default('there') }}"
        yield Placeholder(null.start(), null.group(), hint, "null-text")


def find_placeholders_in_url(url: str) -> Iterator[Placeholder]:
    """Yields the placeholders in a URL, each once: as written, and as they are once %7B is a brace again."""
    reported: set[str] = set()
    for text in dict.fromkeys((url, unquote(url), unquote(unquote(url)))):
        brackets = (
            Placeholder(match.start(), match.group(), _suggest(match.group(), match[1]))
            for match in _BRACKETS_IN_URL.finditer(text)
        )
        # In running text /users/{id} is documentation. In a link it is a mistake.
        for placeholder in (*find_placeholders(text.replace("/", " ")), *brackets):
            if placeholder.hint not in reported:
                reported.add(placeholder.hint)
                is_query = "?" in text[: placeholder.start]
                hint = placeholder.hint.replace(" }}", " | urlencode }}") if is_query else placeholder.hint
                end = placeholder.start + len(placeholder.text)
                yield Placeholder(placeholder.start, text[placeholder.start : end], hint)


def _is_placeholder(match: re.Match[str], group: int) -> bool:
    """Returns whether a match is a placeholder, by what stands inside: its group with this number."""
    inner = match[group]
    if match.group().startswith("{") and (_KEY.fullmatch(inner.strip()) or _is_beside_plus(match)):
        return False
    if group < _FIRST_LIKELY_GROUP or _names_field(inner):
        return True
    return match.group().startswith("[") and inner.lower() in _FIELD_NAMES_ALONE and _is_alone(match)


def _is_beside_plus(match: re.Match[str]) -> bool:
    """Returns whether a match stands beside a plus sign, as keys that are pressed together: {Ctrl}+{C}."""
    before, after = match.string[max(match.start() - 2, 0) : match.start()], match.string[match.end() : match.end() + 2]
    return before.rstrip(" ").endswith("+") or after.lstrip(" ").startswith("+")


def _is_alone(match: re.Match[str]) -> bool:
    before, after = match.string[: match.start()].rpartition("\n")[2], match.string[match.end() :].partition("\n")[0]
    return not before.strip() and not after.strip()


def _split_words(name: str) -> list[str]:
    """Returns the words of a name, in small letters: of `contact.firstName`, `contact`, `first` and `name`."""
    return [word.lower() for word in _WORD_EDGES.split(name) if word]


def _names_field(inner: str) -> bool:
    """Returns whether a text is the name of a field, such as `First Name`, `CUSTOMER_ID` or `contact.firstName`.

    After a colon it may have a default: `name:there`.
    """
    before, colon, _ = inner.partition(":")
    if colon and _names_field(before):
        return True
    words = [word.rstrip("0123456789") or word for word in _split_words(inner)]
    if not words or len(words) > _MAX_WORDS or words[0] in _LABEL_WORDS:
        return False
    joined = "".join(words)
    if joined in _FIELD_NAMES or (inner.isupper() and joined in _FIELD_NAMES_IN_CAPITALS):
        return True
    is_compound = " " not in inner.strip() or words[0] == "insert"
    return (
        len(words) > 1
        and len(words[0]) > 1
        and (words[-1] in _LAST_WORDS or (words[0] in _FIRST_WORDS and is_compound))
    )


def _suggest(placeholder: str, inner: str) -> str:
    if _STATEMENT.match(inner) or (not inner and placeholder.startswith(("<", "#", "%%"))):
        return "a condition is written {% if first_name %} … {% endif %}, a value {{ first_name }}"
    name = _find_jinja_name(inner)
    return f"write {{{{ {name} }}}}" if name else "write the name of a variable in two braces: {{ first_name }}"


def _find_jinja_name(inner: str) -> str:
    name = _QUOTED.sub("", inner).strip(" =-#!$@:")
    name = re.split(r"\s*[|,?!]|:-", name.rpartition("(")[2])[0]
    for separator in (":", "="):  # {name:there} has the field before it, {leadfield=firstname} after it
        before, is_split, after = name.partition(separator)
        if is_split:
            name = before if _names_field(before) and not _names_field(after) else after
    words = _split_words(re.split(r"[.>$@]|\s(?=\w+_\.)", name.rstrip(".;) "))[-1])
    return _ALIASES.get("".join(words)) or "_".join(words)
