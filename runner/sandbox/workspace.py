"""The workspace that the sandbox plays: its app, its admins, and the lists that are read for look-ups.

Shapes after the reference, "Identify an admin", "List all admins", "List all segments", "List all tags" and
"List subscription types" (2.14).
"""

from __future__ import annotations

from dataclasses import dataclass

from runner.sandbox.answer import ApiError

SANDBOX_WORKSPACE_ID = "msgrun-sandbox"

SEGMENTS = {"5a0000000000000000000001": "Active", "5a0000000000000000000002": "Slipping away"}
TAGS = {"7001": "beta", "7002": "vip"}
_SUBSCRIPTIONS = {"81": ("Announcements", "opt_out"), "82": ("Newsletter", "opt_in")}
_ADMINS = {"394051": "Wash", "394052": "Zoe", "394053": "Kaylee"}
_SINCE = 1401916877
_UNKNOWN_ADMIN = "999"


@dataclass(frozen=True, slots=True)
class Admin:
    """A teammate, in whose name messages go out."""

    id: str
    name: str

    @property
    def email(self) -> str:
        """Make up the address, on a domain that can never receive anything."""
        return f"{self.name.lower().replace(' ', '-')}@{SANDBOX_WORKSPACE_ID}.example"

    def to_owner_dict(self) -> dict[str, object]:
        """Write it as the owner of a message."""
        return {"type": "admin", "id": self.id, "name": self.name, "email": self.email}

    def to_dict(self) -> dict[str, object]:
        """Write it as the admins endpoints do."""
        return {
            **self.to_owner_dict(),
            "job_title": None,
            "away_mode_enabled": False,
            "away_mode_reassign": False,
            "has_inbox_seat": True,
            "team_ids": [],
        }


class Workspace:
    """Who sends and what can be listed; ids that begin with 999 are never an admin's."""

    def __init__(self, id_code: str = SANDBOX_WORKSPACE_ID, *, accept_any_admin: bool = True) -> None:
        self._id_code = id_code
        self._accept_any = accept_any_admin

    def find_admin(self, admin_id: str) -> Admin | None:
        """Find an admin; with `accept_any_admin` there is one for every number."""
        if admin_id in _ADMINS:
            return Admin(admin_id, _ADMINS[admin_id])
        digits = admin_id.isascii() and admin_id.isdigit()
        if not self._accept_any or not digits or admin_id.startswith(_UNKNOWN_ADMIN):
            return None
        return Admin(admin_id, f"Admin {admin_id}")

    def show_me(self) -> dict[str, object]:
        """Answer GET /me; `app.id_code` is the workspace."""
        app = {
            "type": "app",
            "id_code": self._id_code,
            "name": f"{self._id_code} (sandbox)",
            "created_at": _SINCE,
            "secure": False,
            "identity_verification": False,
            "timezone": "Etc/UTC",
            "region": "US",
        }
        first, name = next(iter(_ADMINS.items()))
        return {**Admin(first, name).to_dict(), "email_verified": True, "app": app}

    def show_admin(self, admin_id: str) -> dict[str, object]:
        """Answer GET /admins/{id}."""
        admin = self.find_admin(admin_id)
        if admin is None:
            raise ApiError(404, "admin_not_found", "Admin not found")
        return admin.to_dict()

    def list_admins(self) -> dict[str, object]:
        """Answer GET /admins, which has no pages."""
        return {"type": "admin.list", "admins": [Admin(*pair).to_dict() for pair in _ADMINS.items()]}

    def list_segments(self) -> dict[str, object]:
        """Answer GET /segments."""
        segments = [
            {
                "type": "segment",
                "id": segment,
                "name": name,
                "created_at": _SINCE,
                "updated_at": _SINCE,
                "person_type": "user",
            }
            for segment, name in SEGMENTS.items()
        ]
        return {"type": "segment.list", "segments": segments}

    def list_tags(self) -> dict[str, object]:
        """Answer GET /tags."""
        return {"type": "list", "data": [{"type": "tag", "id": tag, "name": name} for tag, name in TAGS.items()]}

    def list_subscription_types(self) -> dict[str, object]:
        """Answer GET /subscription_types."""
        data = [
            {
                "type": "subscription",
                "id": subscription,
                "state": "live",
                "consent_type": consent,
                "content_types": ["email"],
                "default_translation": {"name": name, "description": name, "locale": "en"},
                "translations": [{"name": name, "description": name, "locale": "en"}],
            }
            for subscription, (name, consent) in _SUBSCRIPTIONS.items()
        ]
        return {"type": "list", "data": data}
