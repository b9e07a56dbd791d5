"""Looks up who sends: the ids of the admins that declarations name."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from runner.declare.sender import Sender
from runner.intercom.admins import Admin, SenderFault, find_admin, unreadable_fault
from runner.intercom.workspace import Workspace


@dataclass(slots=True, eq=False)
class SenderLookup:
    """The admins of senders, by sender, and what is wrong with the others. `is_listed`: the token may list admins."""

    admins: dict[Sender, Admin] = field(default_factory=dict)
    faults: list[SenderFault] = field(default_factory=list)
    is_listed: bool = True

    @property
    def ids(self) -> dict[Sender, str]:
        """The ids of the senders that are declared by email address or name."""
        return {sender: admin.id for sender, admin in self.admins.items() if sender.kind != "id"}


def look_up_senders(workspace: Workspace, senders: Iterable[Sender]) -> SenderLookup:
    """Returns the admin of each sender, with one GET /admins. Raises RunStopped.

    An id that is not listed counts as unknown only if Intercom does not know it either. If the token may not list
    admins, ids are not checked, and an email address or a name is a fault.
    """
    lookup = SenderLookup()
    admins = workspace.admins()
    lookup.is_listed = admins is not None
    for sender in sorted(senders, key=str):
        result = unreadable_fault(sender) if admins is None else find_admin(sender, admins)
        if isinstance(result, Admin):
            lookup.admins[sender] = result
        elif sender.kind != "id" or (admins is not None and workspace.has_admin(sender.value) is False):
            lookup.faults.append(result)
    return lookup
