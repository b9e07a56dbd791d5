"""Who sends a message, and which subscription its recipients need, in the words of a plan."""

from collections.abc import Mapping

from runner.declare.declaration import Declaration
from runner.declare.sender import Sender


def format_sender(sender: Sender, ids: Mapping[Sender, str]) -> str:
    """Returns a sender as declared, and the admin's id: the one that was looked up, if it was."""
    if sender.kind == "id":
        return sender.value
    return f"{sender.value} ({f'admin {ids[sender]}' if sender in ids else 'id not looked up yet'})"


def format_subscription(declaration: Declaration) -> str:
    """Returns which subscription the recipients of a message need; empty if none. That of `redirect` needs none."""
    name = "" if declaration.redirect else declaration.require_subscription
    return f"only with the subscription {name}, looked up when online" if name else ""
