"""The texts of a message as its author wrote them, by their names, for where no recipient shows them."""

import json

from runner.declare.declaration import Declaration
from runner.declare.template.faults import FOLDER
from runner.declare.template.template import used_variables


def list_declared_texts(declaration: Declaration) -> dict[str, str]:
    """Returns subject, body and each included file, with LF as line end: a checkout may have others than a commit."""
    texts = {"subject": declaration.subject, "body": declaration.body}
    sources = {name: text.source for name, text in texts.items() if text}
    for text in filter(None, texts.values()):
        sources |= {FOLDER + name: source for name, source in text.includes.items()}
    return {name: source.replace("\r\n", "\n") for name, source in sources.items()}


def list_texts_and_variables(declaration: Declaration) -> dict[str, str]:
    """Returns also `variables`: those of project and message that the texts use."""
    used = used_variables(declaration.texts)
    lines = [
        f"{name}: {json.dumps(value, default=str, ensure_ascii=False, skipkeys=True)}"
        for name, value in declaration.variables.items()
        if not callable(value) and (used is None or name in used)
    ]
    return list_declared_texts(declaration) | ({"variables": "\n".join(lines)} if lines else {})
