"""`recipients:` of msgrun.yaml: what becomes of a recipient whose contact in Intercom is not as a message needs it."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Rule = Literal["refuse", "exclude", "warn"]


class RecipientPolicy(NamedTuple):
    """A rule for each fault of a contact.

    `refuse`: recorded as refused, so the run exits 3. `exclude`: left out. `warn`: sent to. `merged` contacts are those
    that Intercom merged into another one, which gets the message. `archived` are also blocked ones. The faults from
    `no_email` on concern emails alone: they say nothing about messages in the app.
    """

    not_found: Rule = "refuse"
    ambiguous: Rule = "refuse"
    other_role: Rule = "warn"
    merged: Rule = "warn"
    archived: Rule = "exclude"
    no_email: Rule = "exclude"
    unsubscribed: Rule = "exclude"
    bounced: Rule = "exclude"
    spam: Rule = "exclude"

    def rule(self, fault: str) -> Rule:
        """Returns the rule for a fault, by its name in msgrun.yaml."""
        return self.rules()[fault]

    def rules(self) -> Mapping[str, Rule]:
        """Returns all rules, by their names in msgrun.yaml."""
        return self._asdict()


EMAIL_FAULTS = ("no_email", "unsubscribed", "bounced", "spam")
CONTACT_FAULTS = ("merged", "archived", *EMAIL_FAULTS)  # those that a contact has by itself
