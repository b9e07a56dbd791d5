"""Parses `to: {intercom: …}`: an audience in the Intercom workspace."""

import re
from typing import Any

from runner.declare.audience.audience import TableAudience
from runner.declare.audience.recipient import parse_role
from runner.declare.audience.workspace_contacts import (
    CONTACT_FIELDS,
    CONTACT_VARIABLE,
    GROUP_KINDS,
    OWN_VARIABLES,
    ContactGroup,
    ContactVariable,
    WorkspaceContacts,
)
from runner.declare.contact_query import check_query
from runner.declare.declaration import TemplateOrigin
from runner.declare.parse_context import ParseContext
from runner.declare.similar_names import did_you_mean
from runner.declare.template.language import TemplateFault
from runner.declare.template.template import Template

_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_FIELD = re.compile(rf"(?<![\w.]){CONTACT_VARIABLE}\.([A-Za-z_]\w*)")


def read_workspace_audience(context: ParseContext, to: dict[str, Any]) -> TableAudience | None:
    """Returns the audience, whose contacts are not read yet. None if it has an error, which is added to the context."""
    templates = context.project_context.templates
    group = _read_group(context, to["intercom"])
    variables = _read_variables(context, to.get("vars", {}))
    identifier = templates.compile("{{ id }}", html=False)
    if group is None or variables is None:
        return None
    role = parse_role(to["type"]) if "type" in to else None
    place = context.document.place(("to", "intercom"))
    source = WorkspaceContacts(context.project_context.tree, group, role, variables, templates.globals, place)
    return TableAudience(source, role, "id", identifier)


def _read_group(context: ParseContext, declared: dict[str, Any]) -> ContactGroup | None:
    kind = next(kind for kind in GROUP_KINDS if kind in declared)
    if kind != "search":
        return ContactGroup(kind, declared[kind].strip())
    path = ("to", "intercom", "search")
    faults = list(check_query(declared[kind]))
    for fault in faults:
        problem = (context.document.problem if fault.is_error else context.document.warning)(
            fault.code, (*path, *fault.path), fault.message, fault.hint
        )
        context.problems.append(problem)
    return None if any(fault.is_error for fault in faults) else ContactGroup(kind, query=declared[kind])


def _read_variables(context: ParseContext, declared: dict[str, Any]) -> dict[str, ContactVariable] | None:
    path = ("to", "vars")
    context.check_vars(path, declared)
    variables = {}
    is_valid = True
    for name, value in declared.items():
        origin = TemplateOrigin(context.document, (*path, name))
        if name in OWN_VARIABLES:
            is_valid = False
            message = f"{name} is a variable of every contact already"
            context.problems.append(
                context.document.problem(
                    "variable-name", (*path, name), message, "give yours another name", at_key=True
                )
            )
        elif not isinstance(value, str):
            is_valid = False
            hint = "put what is the same for all recipients into the message's own vars, beside to"
            context.add_error("contact-variable", (*path, name), f"{name} is not a template over a contact", hint)
        elif template := context.compile_value(origin, value):
            variables[name] = ContactVariable(template, origin.problem)
            is_valid &= _sees_only_contact(context, template, origin)
            check_contact_fields(context, template, origin)
        else:
            is_valid = False
    return variables if is_valid else None


def _sees_only_contact(context: ParseContext, template: Template, origin: TemplateOrigin) -> bool:
    """Returns whether a template of `vars` uses no variable but `contact`; adds an error for each other one."""
    others = (
        template.variables.keys()
        - template.assigned
        - {CONTACT_VARIABLE}
        - context.project_context.templates.globals.keys()
    )
    for name in sorted(others):
        hint = (
            f"write {CONTACT_VARIABLE}.{name}" if name in CONTACT_FIELDS else "its fields are contact.name and others"
        )
        message = f"{name} is not known here: these variables are made of {CONTACT_VARIABLE} alone"
        fault = TemplateFault("contact-variable", message, hint, template.variables[name], name=name)
        context.problems.append(origin.problem(fault))
    return not others


def check_contact_fields(context: ParseContext, template: Template, origin: TemplateOrigin) -> None:
    """Adds an error for each field that a template names, and that no contact has."""
    if CONTACT_VARIABLE in template.assigned:
        return
    source = template.source
    for tag in _TAG.finditer(source):
        for match in _FIELD.finditer(tag.group()):
            name = match[1]
            if name not in CONTACT_FIELDS:
                line = source.count("\n", 0, tag.start() + match.start()) + 1
                hint = did_you_mean(name, list(CONTACT_FIELDS)) or (
                    f"if it is an attribute of your own: {CONTACT_VARIABLE}.custom_attributes.{name}"
                )
                fault = TemplateFault("contact-field", f"a contact has no field {name}", hint, line, name=match.group())
                context.problems.append(origin.problem(fault))
