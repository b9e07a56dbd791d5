"""What went wrong in a template, in words, at the line of the template or of the include that failed."""

import re
from types import TracebackType

import jinja2
from jinja2.exceptions import SecurityError

from runner.declare.template.language import TOO_SLOW, MissingValueError, TemplateFault
from runner.declare.template.render_monitor import MAX_SECONDS, RenderTimeout

FOLDER = "messages/"  # names of includes are relative to it


def syntax_fault(error: jinja2.TemplateSyntaxError, source: str = "") -> TemplateFault:
    """Returns the fault of a text that Jinja cannot parse, at its line, with the words of this line to point at.

    `source` is the text, where the error may have none.
    """
    from runner.declare.template.faulty_tags import explain_line, find_open_block  # noqa: PLC0415  # saves 1 ms in every command without a fault

    jinja_message, text = (error.message or "not a template").rstrip("."), error.source or source
    file = error.filename if error.filename and error.filename.startswith(FOLDER) else ""
    start = -1
    if "Missing end of comment" in jinja_message:
        start, message = text.find("{#", text.rfind("#}") + 1), "a comment begins here that nothing ends"
        hint = "end it with #}"
    elif "Unexpected end of template" in jinja_message and (block := find_open_block(text)):
        start, message = block.start(), f"nothing ends this {block[2]}"
        hint = f"write {{% end{block[2]} %}} where it ends"
    if start >= 0:
        name = text[start:].partition("\n")[0]
        return TemplateFault("template-syntax", message, hint, text.count("\n", 0, start) + 1, file, name)
    line = next(iter(text.split("\n")[error.lineno - 1 : error.lineno]), "")
    explanation = explain_line(jinja_message, line)
    message = explanation.message or f"template: {jinja_message}"
    return TemplateFault("template-syntax", message, explanation.hint, error.lineno, file, explanation.mark)


def render_fault(error: Exception) -> TemplateFault:
    """Returns the fault of a failed render, at the line of the template or include that failed.

    An error of the expression itself is described in Python's words.
    """
    line, file = _find_innermost_line(error.__traceback__)
    match error:
        case TemplateFault():
            fault = error
        case MissingValueError():
            fault = TemplateFault("undefined-variable", error.text, error.hint, name=error.variable)
        case RenderTimeout():
            fault = TemplateFault(TOO_SLOW, f"rendering takes longer than {MAX_SECONDS:g} seconds")
        case RecursionError():
            fault = TemplateFault("template-error", "template: it calls itself without an end")
        case SecurityError():
            fault = TemplateFault("template-error", f"template: not allowed: {error}")
        case jinja2.TemplateSyntaxError():
            fault = syntax_fault(error)
        case MemoryError() | OverflowError():
            fault = TemplateFault("template-error", "template: a number, a range or a text grows too large")
        case ZeroDivisionError():
            fault = TemplateFault("template-error", "template: a number is divided by zero")
        case TypeError():
            # A text, as every cell of a CSV file is, that a template computes with.
            is_text = re.search(r"\bstr\b", str(error))
            hint = "a text is not a number: write … | float or … | int" if is_text else ""
            fault = TemplateFault("template-error", f"template: {error}", hint)
        case _:
            # Python's messages may quote a recipient's value. That of a TypeError names types alone.
            fault = TemplateFault("template-error", f"template: {type(error).__name__}")
    fault.line, fault.file = line or fault.line, fault.file or file
    return fault


def _find_innermost_line(traceback: TracebackType | None) -> tuple[int, str]:
    """Returns the line and the include of the innermost template in a traceback; 0 and an empty name if there is none.

    Jinja stores the template in the globals of its frame.
    """
    line, file = 0, ""
    while traceback is not None:
        template = traceback.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            line = template.get_corresponding_lineno(traceback.tb_lineno)
            file = FOLDER + template.name if template.name else ""
        traceback = traceback.tb_next
    return line, file
