"""Where recipients come from: a list in the declaration, or the rows of a source, one at a time; and who is left out.

Every kind of source is a module of its own. It has its `tree` and `paths`, `columns` (the variables that its rows
have), `expected` (about how many), `rows()` (a Row, or a Problem, for each row in order), `title`, `label(number)` and
`place(number)` (how problems call a row, and where it stands), `is_text` (every cell is text) and `is_complete` (no row
has another column).
"""

from runner.declare.audience.audience import InlineAudience, TableAudience
from runner.declare.audience.recipient import IDENTIFIER_KINDS, IdentifierKind, Recipient, Role

__all__ = ["IDENTIFIER_KINDS", "Audience", "IdentifierKind", "InlineAudience", "Recipient", "Role", "TableAudience"]

Audience = InlineAudience | TableAudience
