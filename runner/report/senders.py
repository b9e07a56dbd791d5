"""Who sends a message, in the words of a plan."""

from collections.abc import Mapping

from runner.declare.sender import Sender


def sender_text(sender: Sender, ids: Mapping[Sender, str]) -> str:
    """Returns a sender as declared, and the admin's id: the one that was looked up, if it was."""
    if sender.kind == "id":
        return sender.value
    return f"{sender.value} ({f'admin {ids[sender]}' if sender in ids else 'resolved when online'})"
