"""Parses a document that fits the schema into a declaration, and checks what a schema cannot say."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from runner.declare import rules
from runner.declare.audience import KINDS, Kind, Listed, Recipient, Role, Table, read_header
from runner.declare.declaration import FLAG, Declaration, Origin
from runner.declare.language import TemplateFault
from runner.declare.source import Document, Path, Source, decode
from runner.declare.template import Templates, Text
from runner.declare.tree import NotReadable, Tree
from runner.errors import Problem, Severity

_STAND_IN = Text("x", lambda _: "x")  # for a text with a fault, so that the others can be looked at


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What a declaration is parsed in: the project's files, templates, default sender, variables and API version."""

    tree: Tree
    templates: Templates
    sender: str | None
    vars: Mapping[str, Any]
    flag_allowed: bool


def parse(document: Document, around: Surroundings) -> tuple[Declaration | None, list[Problem]]:
    """The declaration of a document, and its problems.

    With an error among them the declaration is not to be sent: what is wrong in it was replaced, so that the rest of
    it can still be looked at. There is none where nothing could stand in.
    """
    broken = rules.broken(document, "message")
    if not broken:
        return _Parser(document, around, document.value).parsed()
    problems = [rules.problem(document, found) for found in broken]
    rest = _rest(document.value, {found.path[0] for found in broken if found.path})
    if rest is None:
        return None, problems
    declaration, more = _Parser(document, around, rest).parsed()
    return declaration, problems + more


def _rest(value: Any, bad: set[str | int]) -> dict[str, Any] | None:
    """The value without the keys that break a rule, and with stand-ins for those it cannot be without."""
    if not isinstance(value, dict):
        return None
    rest = {key: value[key] for key in value if key not in bad}
    rest.setdefault("name", "unnamed")
    rest.setdefault("message_type", "email" if "subject" in value else "inapp")
    rest.setdefault("to", {"type": "user", "id": "x"})
    if rest["message_type"] == "email":
        rest.setdefault("subject", "x")
    if "body_file" not in rest:
        rest.setdefault("body", "x")
    if "from" in bad:
        rest["from"] = {"type": "admin", "id": "1"}
    return rest if rules.validator("message").is_valid(rest) else None


class _Parser:
    """Parses one document that fits the schema; collects problems and goes on."""

    def __init__(self, document: Document, around: Surroundings, value: dict[str, Any]) -> None:
        self.document = document
        self.value = value
        self.around = around
        self.problems: list[Problem] = []

    def parsed(self) -> tuple[Declaration | None, list[Problem]]:
        value, document = self.value, self.document
        is_email = value["message_type"] == "email"
        self._check_vars(("vars",))
        subject_origin = Origin(document, ("subject",))
        subject = self._text(subject_origin, value["subject"], html=False) or _STAND_IN if is_email else None
        body_origin, body = self._body()
        expires, not_before = self._moment("expires"), self._moment("not_before")
        if expires and not_before and expires <= not_before:
            self._error("moment-order", ("expires",), "expires is not after not_before", "nothing could ever be sent")
        self._warn_unused_subject(is_email=is_email)
        sender, audience = self._sender(), self._audience()
        if value.get(FLAG) and not self.around.flag_allowed:
            self._error("flag-needs-version", (FLAG,), f"{FLAG} needs api_version 2.6 or later")
        if audience is None:
            return None, self.problems
        template = value.get("template", "plain") if is_email else None
        own = value.get("vars", {})
        texts = [(subject, subject_origin), (body, body_origin)]
        unknown = self._unknown_variables(texts, audience.names | own.keys() | self.around.vars.keys())
        written = [value["message_type"] != "email", template, sender, self.around.vars, own]
        declaration = Declaration(
            name=value["name"],
            revision=value.get("revision", 1),
            message_type="email" if is_email else "inapp",
            subject=subject,
            body=body or _STAND_IN,
            template=template,
            sender=sender or "1",
            audience=audience,
            values={**self.around.templates.globals, **without_nulls({**self.around.vars, **own})},
            expires=expires,
            not_before=not_before,
            max_recipients=value.get("max_recipients"),
            opens_conversation=value.get(FLAG, False),
            content=_content([text for text, _ in texts if text], written),
            document=document,
            subject_origin=subject_origin,
            body_origin=body_origin,
            unknown=unknown,
        )
        return declaration, self.problems

    def _text(self, origin: Origin, source: str, *, html: bool) -> Text | None:
        try:
            return self.around.templates.text(source, html=html)
        except TemplateFault as fault:
            self.problems.append(origin.problem(fault))
            return None

    def _body(self) -> tuple[Origin, Text | None]:
        if "body" in self.value:
            origin = Origin(self.document, ("body",))
            return origin, self._text(origin, self.value["body"], html=True)
        path = ("body_file",)
        origin = Origin(self.document, path)
        located = self._locate(self.value["body_file"], path)
        if located is None:
            return origin, None
        source = self._read(located, path)
        if source is None:
            return origin, None
        origin = Origin(self.document, path, source)
        if not source.text.strip():
            self._error("body-blank", path, f"{located} is blank", "Intercom refuses a message without a body")
            return origin, None
        return origin, self._text(origin, source.text, html=True)

    def _read(self, located: str, path: Path) -> Source | None:
        try:
            source = decode(located, self.around.tree.read(located))
        except NotReadable as error:
            self._error(error.code, path, error.message, error.hint)
            return None
        if isinstance(source, Problem):
            self.problems.append(source)
            return None
        return source

    def _locate(self, named: str, path: Path) -> str | None:
        try:
            return self.around.tree.locate(named, self.document.source.path)
        except NotReadable as error:
            self._error(error.code, path, error.message, error.hint)
            return None

    def _sender(self) -> str | None:
        if "from" in self.value:
            return str(self.value["from"]["id"])
        if self.around.sender is None:
            hint = 'add from: {type: admin, id: "…"} here or in msgrun.yaml'
            self._error("sender-missing", (), "nobody sends this: the key from is missing", hint)
        return self.around.sender

    def _audience(self) -> Listed | Table | None:
        to = self.value["to"]
        if isinstance(to, dict) and "csv" in to:
            return self._table(to)
        alone = isinstance(to, dict)
        members = [
            self._listed(member, ("to",) if alone else ("to", index), index + 1)
            for index, member in enumerate([to] if alone else to)
        ]
        found = tuple(member for member in members if member)
        return Listed(found, alone) if len(found) == len(members) else None

    def _listed(self, member: dict[str, Any], path: Path, number: int) -> Recipient | None:
        kind = _kind(member)
        identifier = self._text(Origin(self.document, (*path, kind)), member[kind], html=False)
        self._check_vars((*path, "vars"))
        own = member.get("vars", {})
        blank = tuple(name for name, value in own.items() if value is None)
        if identifier is None:
            return None
        return Recipient(_role(member), kind, identifier, without_nulls(own), blank, number)

    def _table(self, to: dict[str, Any]) -> Table | None:
        kind = _kind(to)
        identifier = self._text(Origin(self.document, ("to", kind)), to[kind], html=False)
        located = self._locate(to["csv"], ("to", "csv"))
        if identifier is None or located is None:
            return None
        header, problems = read_header(self.around.tree, located)
        self.problems.extend(problems)
        if problems:
            return None  # without its header no row can be read
        return Table(self.around.tree, located, _role(to), kind, identifier, header)

    def _check_vars(self, path: Path) -> None:
        value: Any = self.value
        for step in path:
            value = value.get(step, {}) if isinstance(value, dict) else value[step]
        for name in value:
            if not name.isidentifier():
                message = f"{name} cannot be a variable: letters, digits and underscores, the first no digit"
                self.problems.append(self.document.problem("variable-name", (*path, name), message, at_key=True))

    def _moment(self, key: str) -> datetime | None:
        text = self.value.get(key)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text.upper())
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            self._error("moment-form", (key,), f"{text} is no day of the calendar or no time of the day")
            return None

    def _warn_unused_subject(self, *, is_email: bool) -> None:
        if not is_email and "subject" in self.value:
            message = "an in-app message has no subject; it is left out"
            self.problems.append(self.document.warning("subject-unused", ("subject",), message, "remove it"))

    def _unknown_variables(self, texts: list[tuple[Text | None, Origin]], known: frozenset[str]) -> tuple[Problem, ...]:
        """A name that nothing gives is an error where it is printed; where it is only tested, nobody would notice."""
        found = []
        for text, origin in texts:
            for name, line in text.names.items() if text else ():
                if name not in known:
                    hint = rules.did_you_mean(name, sorted(known))
                    fault = TemplateFault("unknown-variable", f"nothing gives {name} a value", hint, line, name=name)
                    found.append(replace(origin.problem(fault), severity=Severity.WARNING))
        return tuple(found)

    def _error(self, code: str, path: Path, message: str, hint: str = "") -> None:
        self.problems.append(self.document.problem(code, path, message, hint))


def without_nulls(value: Any) -> Any:
    """The value without keys that have none, at any depth: null is undefined, and undefined is noticed."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def _content(texts: list[Text], written: list[Any]) -> str:
    """The hash of what the author wrote: 32 hex digits, free of recipients and of the name."""
    parts = {name: source for text in texts for name, source in text.parts.items()}
    wrote = [[text.source for text in texts], parts, *written]
    return hashlib.sha256(orjson.dumps(wrote, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def _kind(value: Mapping[str, Any]) -> Kind:
    return next(kind for kind in KINDS if kind in value)


def _role(value: Mapping[str, Any]) -> Role:
    return "user" if value["type"] == "user" else "contact"
