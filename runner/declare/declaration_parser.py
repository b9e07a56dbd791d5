"""Parses a YAML document into a declaration, and makes the checks that a JSON Schema cannot express."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from runner.declare import schema
from runner.declare.audience.recipient import without_nulls
from runner.declare.audience_parser import read_audience, read_selection
from runner.declare.column_hints import column_hint
from runner.declare.declaration import CONVERSATION_FLAG, SUBSCRIPTION_KEY, Declaration, TemplateOrigin
from runner.declare.parse_context import ParseContext, ProjectContext
from runner.declare.sender import Sender, parse_sender
from runner.declare.template.language import TemplateFault
from runner.declare.template.template import Template
from runner.declare.tree import NotReadable
from runner.declare.violation import Violation
from runner.declare.yaml.document import Document, SourceFile, YamlPath, decode
from runner.errors import Problem, Severity
from runner.shown_command import shown_command

# What other engines compare a value with; in Jinja each is a variable without a value.
_LIQUID_WORDS = dict.fromkeys(("empty", "blank", "nil", "null"), "in Jinja: {% if not … %}, without == and this word")
_STAND_IN = Template(
    "x", lambda _: ("x", ("x",))
)  # replaces a text with a fault, so that the other texts are checked too
_STAND_IN_SENDER = Sender("id", "1")


def parse(document: Document, project_context: ProjectContext) -> tuple[Declaration | None, list[Problem]]:
    """Returns the declaration of a document, and its problems.

    If one of the problems is an error, the declaration must not be sent: its invalid parts were replaced by stand-ins,
    so that the remaining parts and the recipients can still be checked. The declaration is None if the document cannot
    be repaired in this way, or if its recipients cannot be read.
    """
    violations = schema.find_violations(document, "message")
    if not violations:
        return _Parser(document, project_context, document.value).parse()
    problems = [_violation_problem(document, violation) for violation in violations]
    repaired = _replace_invalid_keys(document.value, {violation.path[0] for violation in violations if violation.path})
    if repaired is None:
        return None, problems
    declaration, more_problems = _Parser(document, project_context, repaired).parse()
    # If `to` was replaced by a stand-in, there is no declaration: the stand-in has no variables, so every variable of
    # the texts would be reported as undefined.
    return (declaration if repaired["to"] is document.value.get("to") else None), problems + more_problems


def _violation_problem(document: Document, violation: Violation) -> Problem:
    problem = schema.violation_problem(document, violation)
    if not violation.written:
        return problem
    from runner.declare.misspelling_edits import violation_edits  # noqa: PLC0415  # only for a misspelt key or choice

    return replace(problem, edits=violation_edits(document, violation))


def _replace_invalid_keys(value: Any, invalid_keys: set[str | int]) -> dict[str, Any] | None:
    """Returns the value without the invalid keys, with stand-ins for required keys. None if it is still invalid."""
    if not isinstance(value, dict):
        return None
    repaired = {key: value[key] for key in value if key not in invalid_keys}
    repaired.setdefault("name", "unnamed")
    repaired.setdefault("message_type", "email" if "subject" in value else "inapp")
    repaired.setdefault("to", {"type": "user", "id": "x"})
    if repaired["message_type"] == "email":
        repaired.setdefault("subject", "x")
    if "body_file" not in repaired:
        repaired.setdefault("body", "x")
    if "from" in invalid_keys:
        repaired["from"] = _STAND_IN_SENDER.fields
    return repaired if schema.validator("message").is_valid(repaired) else None


class _Parser:
    """Parses one value that fits the schema. A problem is collected, and the parser continues with the next part."""

    def __init__(self, document: Document, project_context: ProjectContext, value: dict[str, Any]) -> None:
        self.document = document
        self.value = value
        self.project, self.settings = project_context, project_context.settings
        self.context = ParseContext(document, value, project_context)
        self.problems = self.context.problems

    def parse(self) -> tuple[Declaration | None, list[Problem]]:
        value, document = self.value, self.document
        is_email = value["message_type"] == "email"
        self.context.check_vars(("vars",), value.get("vars", {}))
        subject_origin = TemplateOrigin(document, ("subject",))
        subject = self.context.compile(subject_origin, value["subject"], html=False) or _STAND_IN if is_email else None
        body_origin, body = self._compile_body()
        expires, not_before = self._read_moments()
        self._warn_unused_subject(is_email=is_email)
        sender, audience = self._read_sender(), read_audience(self.context)
        self._check_conversation_flag()
        if audience is None:
            return None, self.problems
        template = value.get("template", "plain") if is_email else None
        common_vars = {**self.settings.vars, **value.get("vars", {})}
        texts = [(subject, subject_origin), (body, body_origin)]
        compiled = [text for text, _ in texts if text]
        self._check_contact_fields(texts)
        unknown = self._find_unknown_variables(texts, audience.variables | common_vars.keys())
        declaration = Declaration(
            name=value["name"],
            revision=value.get("revision", 1),
            message_type="email" if is_email else "inapp",
            subject=subject,
            body=body or _STAND_IN,
            template=template,
            sender=sender or _STAND_IN_SENDER,
            audience=audience,
            variables={**self.project.templates.globals, **without_nulls(common_vars)},
            expires=expires,
            not_before=not_before,
            max_recipients=value.get("max_recipients"),
            opens_conversation=value.get(CONVERSATION_FLAG, False),
            content=_hash_content(compiled, self._list_other_content(template, sender)),
            document=document,
            subject_origin=subject_origin,
            body_origin=body_origin,
            unknown_variables=unknown,
            selection=read_selection(self.context, audience, compiled),
            redirect=self.settings.redirect,
            require_subscription=value.get(SUBSCRIPTION_KEY, "").strip(),
            ignores_quiet_hours=value.get("quiet_hours") == "ignore",
            ignores_frequency=value.get("frequency") == "ignore",
        )
        return declaration, self.problems

    def _check_conversation_flag(self) -> None:
        if self.value.get(CONVERSATION_FLAG) and not self.settings.can_open_conversation:
            message = f"{CONVERSATION_FLAG} needs api_version 2.6 or later"
            self.context.add_error("flag-needs-version", (CONVERSATION_FLAG,), message)

    def _check_contact_fields(self, texts: Iterable[tuple[Template | None, TemplateOrigin]]) -> None:
        """Adds a problem for each field that no contact has, if the recipients are contacts of the workspace."""
        if "intercom" in self.value["to"]:
            from runner.declare.workspace_audience import check_contact_fields  # noqa: PLC0415  # loaded with the audience

            for text, origin in texts:
                if text:
                    check_contact_fields(self.context, text, origin)

    def _list_other_content(self, template: str | None, sender: Sender | None) -> list[object]:
        """Returns what the author wrote beside the texts, as far as it decides what a recipient reads."""
        value = self.value
        fields = [value["message_type"] != "email", template, sender and str(sender), self.settings.vars]
        fields.append(value.get("vars", {}))
        # What went to the contact of `redirect` never reached its recipient, so it is another content.
        fields += ["redirected"] if self.settings.redirect else []
        return fields + ([value["to"].get("vars", {})] if "intercom" in value["to"] else [])

    def _compile_body(self) -> tuple[TemplateOrigin, Template | None]:
        if "body" in self.value:
            origin = TemplateOrigin(self.document, ("body",))
            return origin, self.context.compile(origin, self.value["body"], html=True)
        path = ("body_file",)
        origin = TemplateOrigin(self.document, path)
        source = self._read_body_file(path)
        if source is None:
            return origin, None
        origin = TemplateOrigin(self.document, path, source)
        if not source.text.strip():
            self.context.add_error(
                "body-blank", path, f"{source.path} is blank", "Intercom refuses a message without a body"
            )
            return origin, None
        return origin, self.context.compile(origin, source.text, html=True)

    def _read_body_file(self, path: YamlPath) -> SourceFile | None:
        try:
            file_path = self.project.tree.locate(self.value["body_file"], self.document.source.path)
            source = decode(file_path, self.project.tree.read(file_path))
        except NotReadable as error:
            self.context.add_unreadable(error, path)
            return None
        if isinstance(source, Problem):
            self.problems.append(source)
            return None
        return source

    def _read_sender(self) -> Sender | None:
        if "from" in self.value:
            return parse_sender(self.value["from"])
        if self.settings.sender is None:
            who = f"to see who may send: {shown_command('admins')}"
            hint = f'add from: {{type: admin, email: "…"}} here or in msgrun.yaml; {who}'
            self.context.add_error("sender-missing", (), "from: is missing: the message has no sender", hint)
        return self.settings.sender

    def _read_moments(self) -> tuple[datetime | None, datetime | None]:
        """Returns the moments of `expires` and `not_before`; None for one that is not declared."""
        expires, not_before = self._read_moment("expires"), self._read_moment("not_before")
        if expires and not_before and expires <= not_before:
            self.context.add_error(
                "moment-order",
                ("expires",),
                "expires is not later than not_before, so nothing would ever be sent",
                "set a later expires",
            )
        return expires, not_before

    def _read_moment(self, key: str) -> datetime | None:
        text = self.value.get(key)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text.upper())
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            message = f"{text} is not a valid date or time"
            self.context.add_error("moment-form", (key,), message, "write 2026-12-31, or 2026-12-31T18:00:00Z")
            return None

    def _warn_unused_subject(self, *, is_email: bool) -> None:
        if not is_email and "subject" in self.value:
            message = "an in-app message has no subject; it is left out"
            self.problems.append(self.document.warning("subject-unused", ("subject",), message, "remove it"))

    def _find_unknown_variables(
        self, texts: list[tuple[Template | None, TemplateOrigin]], known_names: frozenset[str]
    ) -> tuple[Problem, ...]:
        """Returns a warning for each variable in the texts that has no value.

        To print such a variable is an error anyway. To test it, as in `{% if vip %}`, is none, so that without the
        warning a misspelt name would go unnoticed.
        """
        warnings = []
        for text, origin in texts:
            for name, line in text.variables.items() if text else ():
                if text and name not in known_names | text.assigned:
                    hint = _LIQUID_WORDS.get(name) or column_hint(name, known_names)
                    fault = TemplateFault("unknown-variable", f"nothing gives {name} a value", hint, line, name=name)
                    warnings.append(replace(origin.problem(fault), severity=Severity.WARNING))
        return tuple(warnings)


def _hash_content(texts: list[Template], other_fields: list[Any]) -> str:
    """Returns the hash of what the author wrote, 32 hex digits. The name and the recipients are not part of it."""
    includes = {name: source for text in texts for name, source in text.includes.items()}
    content = [[text.source for text in texts], includes, *other_fields]
    # The order of names counts for nothing. That within a value does: a loop may print it.
    ordered = [dict(sorted(field.items())) if isinstance(field, dict) else field for field in content]
    return hashlib.sha256(orjson.dumps(ordered)).hexdigest()[:32]
