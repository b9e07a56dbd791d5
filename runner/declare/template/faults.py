"""What went wrong in a template, in words, at the line of the template or of the include that failed."""

from types import TracebackType

import jinja2
from jinja2.exceptions import SecurityError

from runner.declare.template.language import (
    MAX_SECONDS,
    TOO_SLOW,
    MissingValueError,
    RenderTimeout,
    TemplateFault,
)
from runner.declare.template.other_engines import explain_other_engine

FOLDER = "messages/"  # names of includes are relative to it


def syntax_fault(error: jinja2.TemplateSyntaxError) -> TemplateFault:
    """The fault of a text that Jinja cannot parse, at its line."""
    message = (error.message or "not a template").rstrip(".")
    hint = ""
    if "Encountered unknown tag" in message or "No filter named" in message or "No test named" in message:
        hint = "see the tags and filters of Jinja's template documentation"
    elif "unexpected '}'" in message:
        hint = "an expression ends with }}"
    file = error.filename if error.filename and error.filename.startswith(FOLDER) else ""
    line = (error.source or "").split("\n")[error.lineno - 1 : error.lineno]
    if line and (other := explain_other_engine(line[0])):
        return TemplateFault("template-syntax", other.message, other.hint, error.lineno, file, other.mark)
    return TemplateFault("template-syntax", f"template: {message}", hint, error.lineno, file)


def render_fault(error: Exception) -> TemplateFault:
    """The fault of a failed render, at the line of the template or include that failed.

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
        case _:
            fault = TemplateFault("template-error", f"template: {_describe_error(error)}")
    fault.line, fault.file = line or fault.line, fault.file or file
    return fault


def _describe_error(error: Exception) -> str:
    # Python's messages may quote a recipient's value. The name of an error, and the text of a TypeError, which names
    # types, do not.
    text = str(error)
    return text if isinstance(error, TypeError) else type(error).__name__


def _find_innermost_line(traceback: TracebackType | None) -> tuple[int, str]:
    """The line and the include of the innermost template in a traceback; 0 and an empty name if there is none.

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
