"""Parses a document that fits the schema into a declaration, and checks what a schema cannot say."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from runner.declare import schema
from runner.declare.audience_parser import column_hint, read_audience, read_selection
from runner.declare.declaration import CONVERSATION_FLAG, Declaration, TemplateOrigin
from runner.declare.parse_context import ParseContext, ProjectContext, without_nulls
from runner.declare.template.language import TemplateFault
from runner.declare.template.template import Template
from runner.declare.tree import NotReadable
from runner.declare.yaml.document import Document, SourceFile, YamlPath, decode
from runner.errors import Problem, Severity

_STAND_IN = Template("x", lambda _: "x")  # for a text with a fault, so that the others can be looked at


def parse(document: Document, around: ProjectContext) -> tuple[Declaration | None, list[Problem]]:
    """The declaration of a document, and its problems.

    With an error among them the declaration is not to be sent: what is wrong in it was replaced, so that the rest of
    it can still be looked at. There is none where nothing could stand in.
    """
    broken = schema.find_violations(document, "message")
    if not broken:
        return _Parser(document, around, document.value).parsed()
    problems = [schema.violation_problem(document, found) for found in broken]
    rest = _rest(document.value, {found.path[0] for found in broken if found.path})
    if rest is None:
        return None, problems
    declaration, more = _Parser(document, around, rest).parsed()
    # Rendered for a stand-in, every variable would seem to have no value.
    return (declaration if rest["to"] is document.value.get("to") else None), problems + more


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
    return rest if schema.validator("message").is_valid(rest) else None


class _Parser:
    """Parses one document that fits the schema; collects problems and goes on."""

    def __init__(self, document: Document, around: ProjectContext, value: dict[str, Any]) -> None:
        self.document = document
        self.value = value
        self.around = around
        self.reading = ParseContext(document, value, around)
        self.problems = self.reading.problems

    def parsed(self) -> tuple[Declaration | None, list[Problem]]:
        value, document = self.value, self.document
        is_email = value["message_type"] == "email"
        self.reading.check_vars(("vars",))
        subject_origin = TemplateOrigin(document, ("subject",))
        subject = self.reading.compile(subject_origin, value["subject"], html=False) or _STAND_IN if is_email else None
        body_origin, body = self._body()
        expires, not_before = self._moment("expires"), self._moment("not_before")
        if expires and not_before and expires <= not_before:
            self.reading.add_error(
                "moment-order", ("expires",), "expires is not after not_before", "nothing could ever be sent"
            )
        self._warn_unused_subject(is_email=is_email)
        sender, audience = self._sender(), read_audience(self.reading)
        if value.get(CONVERSATION_FLAG) and not self.around.conversation_flag_allowed:
            self.reading.add_error(
                "flag-needs-version", (CONVERSATION_FLAG,), f"{CONVERSATION_FLAG} needs api_version 2.6 or later"
            )
        if audience is None:
            return None, self.problems
        template = value.get("template", "plain") if is_email else None
        own = value.get("vars", {})
        texts = [(subject, subject_origin), (body, body_origin)]
        unknown = self._unknown_variables(texts, audience.variables | own.keys() | self.around.vars.keys())
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
            variables={**self.around.templates.globals, **without_nulls({**self.around.vars, **own})},
            expires=expires,
            not_before=not_before,
            max_recipients=value.get("max_recipients"),
            opens_conversation=value.get(CONVERSATION_FLAG, False),
            content=_content([text for text, _ in texts if text], written),
            document=document,
            subject_origin=subject_origin,
            body_origin=body_origin,
            unknown_variables=unknown,
            selection=read_selection(self.reading, audience, [text for text, _ in texts if text]),
        )
        return declaration, self.problems

    def _body(self) -> tuple[TemplateOrigin, Template | None]:
        if "body" in self.value:
            origin = TemplateOrigin(self.document, ("body",))
            return origin, self.reading.compile(origin, self.value["body"], html=True)
        path = ("body_file",)
        origin = TemplateOrigin(self.document, path)
        located = self.reading.locate(self.value["body_file"], path)
        if located is None:
            return origin, None
        source = self._read(located, path)
        if source is None:
            return origin, None
        origin = TemplateOrigin(self.document, path, source)
        if not source.text.strip():
            self.reading.add_error(
                "body-blank", path, f"{located} is blank", "Intercom refuses a message without a body"
            )
            return origin, None
        return origin, self.reading.compile(origin, source.text, html=True)

    def _read(self, located: str, path: YamlPath) -> SourceFile | None:
        try:
            source = decode(located, self.around.tree.read(located))
        except NotReadable as error:
            self.reading.add_error(error.code, path, error.message, error.hint)
            return None
        if isinstance(source, Problem):
            self.problems.append(source)
            return None
        return source

    def _sender(self) -> str | None:
        if "from" in self.value:
            return str(self.value["from"]["id"])
        if self.around.sender is None:
            hint = 'add from: {type: admin, id: "…"} here or in msgrun.yaml'
            self.reading.add_error("sender-missing", (), "nobody sends this: the key from is missing", hint)
        return self.around.sender

    def _moment(self, key: str) -> datetime | None:
        text = self.value.get(key)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text.upper())
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            self.reading.add_error("moment-form", (key,), f"{text} is no day of the calendar or no time of the day")
            return None

    def _warn_unused_subject(self, *, is_email: bool) -> None:
        if not is_email and "subject" in self.value:
            message = "an in-app message has no subject; it is left out"
            self.problems.append(self.document.warning("subject-unused", ("subject",), message, "remove it"))

    def _unknown_variables(
        self, texts: list[tuple[Template | None, TemplateOrigin]], known: frozenset[str]
    ) -> tuple[Problem, ...]:
        """A name that nothing gives is an error where it is printed; where it is only tested, nobody would notice."""
        found = []
        for text, origin in texts:
            for name, line in text.variables.items() if text else ():
                if name not in known:
                    hint = column_hint(name, known)
                    fault = TemplateFault("unknown-variable", f"nothing gives {name} a value", hint, line, name=name)
                    found.append(replace(origin.problem(fault), severity=Severity.WARNING))
        return tuple(found)


def _content(texts: list[Template], written: list[Any]) -> str:
    """The hash of what the author wrote: 32 hex digits, free of recipients and of the name."""
    parts = {name: source for text in texts for name, source in text.includes.items()}
    wrote = [[text.source for text in texts], parts, *written]
    return hashlib.sha256(orjson.dumps(wrote, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
