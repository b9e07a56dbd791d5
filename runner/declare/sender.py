"""Who sends a message: an admin of the workspace, named by id, email address or name."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

SenderKind = Literal["id", "email", "name"]
_SENDER_KINDS: tuple[SenderKind, ...] = ("id", "email", "name")


class Sender(NamedTuple):
    """The admin of `from`, as declared. Only an id can be sent: an email address or a name is looked up before."""

    kind: SenderKind
    value: str

    def __str__(self) -> str:
        """Returns the id alone, or kind and value: a name that is a number is not taken for an id."""
        return self.value if self.kind == "id" else f"{self.kind}:{self.value}"

    @property
    def fields(self) -> dict[str, str]:
        """What stands in `from` of a payload."""
        return {"type": "admin", self.kind: self.value}

    def admin_id(self, ids: Mapping["Sender", str]) -> str:
        """Returns the admin's id. `ids` has those that were looked up; KeyError if this one was not."""
        return self.value if self.kind == "id" else ids[self]


def parse_sender(value: Mapping[str, Any]) -> Sender:
    """Returns the sender that `from` names. The value fits the schema: it has exactly one of the kinds."""
    kind = next(kind for kind in _SENDER_KINDS if kind in value)
    return Sender(kind, str(value[kind]))
