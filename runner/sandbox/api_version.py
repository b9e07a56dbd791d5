"""The versions of the API, as the header `Intercom-Version` names them (reference, 1.0 to 2.17 and Preview)."""

from __future__ import annotations

from dataclasses import dataclass

from runner.sandbox.answer import ApiError

_MINORS = {1: 5, 2: 18}


@dataclass(frozen=True, slots=True)
class Version:
    """One version: the name that is echoed, and the number that orders it."""

    name: str
    number: tuple[int, int]

    def is_at_least(self, major: int, minor: int) -> bool:
        """Tell whether this is that version or a later one."""
        return self.number >= (major, minor)


_KNOWN = {
    f"{major}.{minor}": Version(f"{major}.{minor}", (major, minor))
    for major in _MINORS
    for minor in range(_MINORS[major])
}


_KNOWN["preview"] = Version("Preview", (9, 0))


DEFAULT_VERSION = _KNOWN["2.14"]


def read_version(header: str | None) -> Version:
    """Read the header; without one the app's own setting applies, which is 2.14 here."""
    if header is None:
        return DEFAULT_VERSION
    version = _KNOWN.get(header.strip().lower())
    if version is None:
        raise ApiError(400, "intercom_version_invalid", "The requested version could not be found")
    return version
