"""Separates, in a rendered text, the author's words from those that come from a recipient's values.

A rendered text has parts: the author's own, and those that an expression printed. The author's own are never masked,
whatever the recipient's values are. In a printed part, every word is masked that the author did not write anywhere. The
recipient's values alone do not decide: a template may split a value (`{{ name.split()[0] }}`) or compute with it, and
the result is as personal as the value.

Two recipients count as getting the same text if their masked texts are equal: a reviewer who saw one of them saw both.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Any

from runner.characters import unescape_html
from runner.declare.audience.audience import InlineAudience
from runner.declare.declaration import Declaration
from runner.declare.delivery import Delivery
from runner.declare.template.language import escape_html
from runner.declare.template.template import Template, used_variables
from runner.declare.template.written_texts import DataFlow, Written, find_written_texts, parse_source
from runner.privacy import MASK, AnyText, Private, Text, find_words, find_words_of, mark_unwritten_words

_LOOP = re.compile(r"\{%[-+]?\s*for\b")
_MAX_LOOP_PARTS = 8  # parts of one round of a loop whose rounds count as one
# What stands between and around the words of a name, an address or a number, beside spaces.
_SIGNS = frozenset("\n\t.,:;'\u2019`/@+()_-")
_ENTITY = re.compile(r"&#?\w+;")
# What has no letter and no digit, or only prints a value.
_PLAIN_FORMAT = re.compile(r"%[-+ #0,.\d]*[sdif]|\{[:,.\d]*f?\}|\W|_")
_LETTER = re.compile(r"[^\W\d_]")
_MIN_PART = 2  # characters; a shorter text may be in a value by chance
_MAX_SEARCHED = 10_000  # characters of a recipient's values
_SIGN_OF_NUMBER = re.compile(r"\s*[-+]+")


class Authorship:
    """What the author of one message wrote. Marks or masks everything else in the texts that a recipient gets."""

    def __init__(self, declaration: Declaration) -> None:
        sources = [source for text in declaration.texts for source in (text.source, *text.includes.values())]
        written = [find_written_texts(source) for source in sources]
        used = used_variables(declaration.texts)
        values = {name: value for name, value in declaration.variables.items() if used is None or name in used}
        variables = set(_collect_strings(values))
        self._declaration, self._sources = declaration, sources
        to = declaration.document.value.get("to")
        query = [to.get("sql"), to.get("vars")] if isinstance(to, dict) and {"sql", "intercom"} & to.keys() else []
        self._query_words = find_words(_collect_strings(query))  # a value that has no other words is the author's
        self._is_subject_varying = declaration.subject is not None and self._varies(declaration.subject)
        self._is_body_varying = self._varies(declaration.body)
        self._parts = frozenset().union(*(texts.parts for texts in written), variables, map(escape_html, variables))
        self._words = find_words(number for texts in written for number in texts.numbers).union(
            *map(find_words_of, self._parts)
        )
        literals = {literal for texts in written for literal in texts.literals}
        self._between_words, self._masked_words = _match_masked_words(_SIGNS & {*"".join(literals)})
        self._has_loop = any(map(_LOOP.search, sources))

    def mark_subject(self, delivery: Delivery) -> AnyText:
        """Returns the subject, with what is the recipient's marked as private."""
        return self._mark(self._declaration.subject, delivery.subject_parts, delivery)

    def mark_body(self, delivery: Delivery) -> AnyText:
        """Returns the body, with what is the recipient's marked as private."""
        return self._mark(self._declaration.body, delivery.body_parts, delivery)

    def mask_fields(self, body: Mapping[str, Any], delivery: Delivery) -> dict[str, Any]:
        """Returns the JSON that is POSTed, with what is the recipient's masked, except an id."""
        texts = {"subject": str(self.mark_subject(delivery)), "body": str(self.mark_body(delivery))}
        masked = {key: texts.get(key, value) for key, value in body.items()}
        masked["to"] = {key: MASK if key in {"email", "user_id"} else value for key, value in body["to"].items()}
        return masked

    def comparable_text(self, delivery: Delivery) -> str:
        """Returns a text that is equal for two deliveries of the message if their masked texts read the same.

        A subject or a body that is masked alike for all recipients is not in it. The rounds of a loop count as one if
        they differ only in what is masked.
        """
        masked = ""
        if self._is_subject_varying and (subject := self._declaration.subject) and self._may_differ(subject, delivery):
            masked = f"{self._mask(subject, delivery.subject_parts, delivery)}\n"
        if self._is_body_varying and self._may_differ(self._declaration.body, delivery):
            masked += self._mask(self._declaration.body, delivery.body_parts, delivery)
        if MASK in masked and any(map(_LETTER.search, self._computed_texts)):
            # The author's words may be masked for this recipient, and for another one it is a value alone.
            masked += " " * any(map(_LETTER.search, self._find_computed_words(delivery)))
        return masked

    def is_computed(self, delivery: Delivery) -> bool:
        """Returns whether a template may compute what is masked in the delivery's texts from the author's words.

        It does not if each masked word is one of the recipient's values, or a part of one.
        """
        return bool(self._find_computed_words(delivery) and self._computed_texts)

    @cached_property
    def _computed_texts(self) -> list[str]:
        texts, names = DataFlow(*map(parse_source, self._sources)).find_computed()
        variables = self._declaration.variables
        texts += [each for name in sorted(names & variables.keys()) for each in _collect_strings(variables[name])]
        return [text for text in dict.fromkeys(texts) if _PLAIN_FORMAT.sub("", text)]

    def _find_computed_words(self, delivery: Delivery) -> set[str]:
        """Returns the masked words that are not one of the recipient's values, nor a part of one."""
        values = delivery.vars.values()
        parts = [*delivery.subject_parts, *delivery.body_parts]
        printed = [part for part in parts if part not in self._parts and part not in values]
        printed = [unescape_html(part) for part in printed if not _is_written(part, delivery)]
        words = find_words(printed) - self._words if printed else frozenset()
        own = unescape_html("\n".join(_collect_strings([*delivery.private_values]))[:_MAX_SEARCHED]) if words else ""
        own = own.casefold()
        return {word for word in words - find_words([own]) if len(word) <= _MIN_PART or word not in own}

    def _mask(self, template: Template, parts: Sequence[str], delivery: Delivery) -> str:
        """Returns a masked text to compare: adjacent masked words, and rounds of a loop, count as one."""
        if not _may_hold_values(template, delivery):
            return "".join(parts)
        written, values, is_html = self._parts, delivery.vars.values(), template is self._declaration.body
        # Most printed parts are a whole value. That case is decided here, because `_mask_part` takes ten times as long.
        masked = [
            part
            if part in written or _is_written(part, delivery) or self._is_of_query(part)
            else MASK
            if part in values and "<" not in part and ">" not in part
            else self._mask_part(part, delivery, is_html=is_html)
            for part in parts
        ]
        return "".join(_join_rounds(masked) if self._has_loop else masked)

    def _may_differ(self, template: Template, delivery: Delivery) -> bool:
        """Returns whether the masked text may differ from that of a recipient without variables of its own."""
        if self._query_words or not template.is_substitution:
            return True
        own = delivery.vars.keys() & self._declaration.variables.keys()
        return bool(own) and not template.variables.keys().isdisjoint(own)

    def _varies(self, template: Template) -> bool:
        """Returns whether the masked text may differ between recipients."""
        if self._query_words or not template.is_substitution:
            return bool(template.variables or template.includes)
        # A recipient's own value is masked. The message's value, which a recipient without its own gets, is not.
        names = template.variables.keys() & self._declaration.variables.keys()
        audience = self._declaration.audience
        if isinstance(audience, InlineAudience) or audience.source.has_fixed_columns:
            names &= audience.variables
        return bool(names)

    def _mark(self, template: Template | None, parts: Sequence[str], delivery: Delivery) -> AnyText:
        pieces = self._split_text(template, parts, delivery)
        return "".join(parts) if pieces is parts else Text(tuple(pieces))

    def _split_text(
        self, template: Template | None, parts: Sequence[str], delivery: Delivery
    ) -> Sequence[str | Private]:
        """Splits a text into words of the author and words of the recipient; its parts, if no value is in it."""
        if template is None or not _may_hold_values(template, delivery):
            return parts
        pieces: list[str | Private] = []
        for part in parts:
            is_html = template is self._declaration.body
            is_written = part in self._parts or _is_written(part, delivery)
            split = [] if is_written else self._split(part, delivery, is_html=is_html)
            if split == [Private(part)]:
                pieces.append(Private(part, name=_find_variable(template, delivery, part)))
            else:
                pieces += split or [part]
        return pieces

    def _mask_part(self, part: str, delivery: Delivery, *, is_html: bool) -> str:
        marked = self._mark_words(part, delivery, is_html=is_html)
        if isinstance(marked, str) or len(marked.parts) == 1:
            return marked if isinstance(marked, str) else MASK
        marked = mark_unwritten_words(_ENTITY.sub(_unescape_sign, part), self._words)
        sign = match[0].strip() if (match := _SIGN_OF_NUMBER.match(part)) else ""
        return sign + self._masked_words.sub(MASK, str(marked))

    def _split(self, part: str, delivery: Delivery, *, is_html: bool) -> list[str | Private]:
        """Splits what an expression printed into words of the author and words of the recipient."""
        if self._is_of_query(part):
            return [part]
        marked = self._mark_words(part, delivery, is_html=is_html)
        return [marked] if isinstance(marked, str) else self._join_words(marked.parts)

    def _is_of_query(self, part: str) -> bool:
        """Returns whether all words of what an expression printed stand in the query that selects the recipients."""
        words = self._query_words and find_words([unescape_html(part)])
        return bool(words) and words <= self._query_words

    def _mark_words(self, part: str, delivery: Delivery, *, is_html: bool) -> AnyText:
        # HTML is split into words, so that its tags stay readable. So is a value with words of the author joined to it.
        is_plain = not is_html or ("<" not in part and ">" not in part)
        if is_plain and _is_own_value(part, delivery):
            return Text((Private(part),))
        return mark_unwritten_words(part, self._words)

    def _join_words(self, parts: Sequence[str | Private]) -> list[str | Private]:
        """Returns the parts. Private words with nothing but signs between them become one part."""
        joined: list[str | Private] = []
        words, signs = list[str](), ""  # of the open private part, and what follows it
        for part in parts:
            if isinstance(part, str):
                signs += part
                continue
            if words and self._between_words.fullmatch(signs):
                words.append(signs)
            else:
                joined += [*([Private("".join(words))] if words else ()), *([signs] if signs else ())]
                words = []
            words.append(part.value)
            signs = ""
        return [*joined, *([Private("".join(words))] if words else ()), *([signs] if signs else ())]


def _unescape_sign(entity: re.Match[str]) -> str:
    """Returns the character of an entity, or the entity if that is a letter or a digit, and so a part of a word."""
    text = unescape_html(entity[0])
    return entity[0] if text.isalnum() else text


def _match_masked_words(written: AbstractSet[str]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Returns what matches the signs between two words, and what matches masked words with such signs around them.

    Two names may differ in a hyphen. But a sign that the author wrote into an expression makes another text.
    """
    signs = "".join(re.escape(sign) for sign in sorted(_SIGNS - written))
    between = f"[ {signs}]*" if written & {"\n", "\t"} else rf"[\s{signs}]*"
    return re.compile(between), re.compile(rf"{between}\*\*\*(?:{between}\*\*\*)*{between}")


def _may_hold_values(template: Template, delivery: Delivery) -> bool:
    """Returns whether a text may contain values of the recipient. What an include uses is not known, so it may."""
    return bool(template.includes) or not template.variables.keys().isdisjoint(delivery.vars)


def _find_variable(template: Template, delivery: Delivery, part: str) -> str:
    """Returns the one variable of the recipient that has this value; empty if several have it, or none."""
    names = delivery.vars.keys() if template.includes else template.variables.keys() & delivery.vars.keys()
    texts = {part, unescape_html(part)}
    same = [name for name in names if name.isidentifier() and str(delivery.vars[name]) in texts]
    return same[0] if len(same) == 1 else ""


def _is_written(part: str, delivery: Delivery) -> bool:
    """Returns whether an expression printed the part from the author's words alone."""
    return type(part) is Written and delivery.vars.keys().isdisjoint(part.names)


def _is_own_value(part: str, delivery: Delivery) -> bool:
    values = set(_collect_strings([*delivery.private_values]))
    return part in values or unescape_html(part) in values


def _join_rounds(parts: Sequence[str]) -> list[str]:
    """Returns the parts without rounds of a loop that repeat the one before, if something in them is masked."""
    joined: list[str] = []
    for part in parts:
        joined.append(part)
        for length in range(1, _MAX_LOOP_PARTS + 1):
            if len(joined) >= 2 * length and joined[-1] == joined[-1 - length]:
                last = joined[-length:]
                if last == joined[-2 * length : -length] and MASK in last:
                    del joined[-length:]
                    break
    return joined


def _collect_strings(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _collect_strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _collect_strings(item)
    elif isinstance(value, str | int | float):
        yield str(value)
