"""Which contacts reply to the messages that they get, when, and with which words.

As JSON, for PUT /_sandbox/replies:

    {"contacts": ["ann@example.com", "536e…"], "after": 2.5, "body": "Thanks"}

`contacts` is a list of emails, external ids and ids, or "all". `after` is in seconds. A contact whose identifier begins
with `replies` replies in any case.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runner.sandbox.answer import SettingError, refuse_unknown_keys

EVERYBODY = "all"


@dataclass(frozen=True, slots=True)
class _Setting:
    contacts: frozenset[str] = frozenset()
    is_everybody: bool = False
    after: float = 0.0
    body: str = "Thanks, got it."


@dataclass(frozen=True, slots=True)
class Reply:
    """What a contact replies, and how many seconds after the message."""

    body: str
    after: float


class Replies:
    """Decides which contacts reply. Many threads may use and change it at the same time."""

    def __init__(self, contacts: Iterable[str] = (), *, after: float = 0.0) -> None:
        names = frozenset(contacts)
        self._setting = _Setting(names - {EVERYBODY}, EVERYBODY in names, after)

    def replace(self, document: Mapping[str, object]) -> None:
        """Replaces the setting by a JSON document. Raises SettingError if the document is invalid."""
        self._setting = _parse_setting(document)

    def show(self) -> dict[str, object]:
        """Returns the setting as a document that `replace` takes."""
        setting = self._setting
        contacts = EVERYBODY if setting.is_everybody else sorted(setting.contacts)
        return {"contacts": contacts, "after": setting.after, "body": setting.body}

    def find(self, identifiers: Iterable[str | None], *, always: bool) -> Reply | None:
        """Returns the reply of the contact with these identifiers; None if it does not reply.

        `always`: the contact replies whatever the setting says.
        """
        setting = self._setting
        if always or setting.is_everybody or (setting.contacts and not setting.contacts.isdisjoint(identifiers)):
            return Reply(setting.body, setting.after)
        return None


def _parse_setting(document: Mapping[str, object]) -> _Setting:
    default = _Setting()
    refuse_unknown_keys(document, {"contacts", "after", "body"})
    contacts, after = document.get("contacts", []), document.get("after", default.after)
    body = document.get("body", default.body)
    is_everybody = contacts == EVERYBODY
    names = [] if is_everybody else contacts
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SettingError(f'contacts is a list of identifiers, or "{EVERYBODY}"')
    if not isinstance(after, (int, float)) or isinstance(after, bool) or after < 0:
        raise SettingError("after is a number of seconds")
    if not isinstance(body, str) or not body.strip():
        raise SettingError("body is a text")
    return _Setting(frozenset(names), is_everybody, float(after), body)
