"""The workspace of the sandbox: its app and its admins.

Shapes as in the reference, "Identify an admin" and "List all admins" (2.14).
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from runner.sandbox.answer import ApiError

SANDBOX_WORKSPACE_ID = "msgrun-sandbox"

_CREATED_AT = 1401916877
_UNKNOWN_ADMIN_PREFIX = "999"


@dataclass(frozen=True, slots=True)
class Admin:
    """A teammate in whose name messages are sent."""

    id: str
    name: str
    own_email: str = ""
    has_inbox_seat: bool = True

    @property
    def email(self) -> str:
        """The admin's own address, or an invented one on a domain that can never receive email."""
        return self.own_email or f"{self.name.lower().replace(' ', '-')}@{SANDBOX_WORKSPACE_ID}.example"

    def to_owner_dict(self) -> dict[str, object]:
        """Returns the admin as the owner of a message."""
        return {"type": "admin", "id": self.id, "name": self.name, "email": self.email}

    def to_dict(self) -> dict[str, object]:
        """Returns the admin as the admins endpoints do."""
        return {
            **self.to_owner_dict(),
            "away_mode_enabled": False,
            "away_mode_reassign": False,
            "has_inbox_seat": self.has_inbox_seat,
            "team_ids": [],
        }


_ADMINS = (Admin("394051", "Wash"), Admin("394052", "Zoe"), Admin("394053", "Kaylee", has_inbox_seat=False))


class Workspace:
    """The admins of a workspace in a region: us, eu or au.

    An id that begins with 999 is never that of an invented admin.

    `more_admins` are names or email addresses; one that an admin has already makes no second admin.
    """

    def __init__(
        self,
        id_code: str = SANDBOX_WORKSPACE_ID,
        more_admins: Iterable[str] = (),
        region: str = "us",
        *,
        accept_any_admin: bool = True,
    ) -> None:
        self.id_code = id_code
        self._region = region
        self._accept_any = accept_any_admin
        self._admins = {admin.id: admin for admin in _ADMINS}
        for text in more_admins:
            if all(text.lower() not in (admin.email.lower(), admin.name.lower()) for admin in self._admins.values()):
                admin = _make_admin(text)
                self._admins[admin.id] = admin

    def find_admin(self, admin_id: str) -> Admin | None:
        """Returns the admin with an id, if there is one. With `accept_any_admin` almost every number has one."""
        if admin_id in self._admins:
            return self._admins[admin_id]
        is_number = admin_id.isascii() and admin_id.isdigit()
        if not self._accept_any or not is_number or admin_id.startswith(_UNKNOWN_ADMIN_PREFIX):
            return None
        return Admin(admin_id, f"Admin {admin_id}")

    def get_author(self, admin_id: str) -> Admin:
        """Returns the admin who wrote something. One that the workspace does not have is invented."""
        return self.find_admin(admin_id) or Admin(admin_id, f"Admin {admin_id}")

    def show_me(self) -> dict[str, object]:
        """Returns the document of GET /me. `app.id_code` names the workspace."""
        app = {
            "type": "app",
            "id_code": self.id_code,
            "name": f"{self.id_code} (sandbox)",
            "created_at": _CREATED_AT,
            "secure": False,
            "identity_verification": False,
            "timezone": "Etc/UTC",
            "region": self._region.upper(),
        }
        return {**_ADMINS[0].to_dict(), "email_verified": True, "app": app}

    def show_admin(self, admin_id: str) -> dict[str, object]:
        """Returns the document of GET /admins/{id}. Raises ApiError 404 for an unknown id."""
        admin = self.find_admin(admin_id)
        if admin is None:
            raise ApiError(404, "admin_not_found", "Admin not found")
        return admin.to_dict()

    def list_admins(self) -> dict[str, object]:
        """Returns the document of GET /admins, which has no pages."""
        return {"type": "admin.list", "admins": [admin.to_dict() for admin in self._admins.values()]}


def _make_admin(text: str) -> Admin:
    """Returns an admin with a name or an email address. The id is the same in every run."""
    admin_id = str(400_000_000 + zlib.crc32(text.lower().encode()) % 100_000_000)
    local_part, at, _ = text.partition("@")
    return Admin(admin_id, local_part.capitalize(), text) if at else Admin(admin_id, text)
