"""The versions of the API, as the header `Intercom-Version` names them (reference, 1.0 to 2.17 and Preview)."""

from dataclasses import dataclass

from runner.sandbox.answer import ApiError

_MINOR_COUNTS = {1: 5, 2: 18}


@dataclass(frozen=True, slots=True)
class Version:
    """One version: the name that the answer repeats, and the number that versions are compared by."""

    name: str
    number: tuple[int, int]

    def is_at_least(self, major: int, minor: int) -> bool:
        """Returns whether this is version `major.minor` or a later one."""
        return self.number >= (major, minor)


_VERSIONS_BY_NAME = {
    f"{major}.{minor}": Version(f"{major}.{minor}", (major, minor))
    for major in _MINOR_COUNTS
    for minor in range(_MINOR_COUNTS[major])
}
_VERSIONS_BY_NAME["preview"] = Version("Preview", (9, 0))
DEFAULT_VERSION = _VERSIONS_BY_NAME["2.14"]


def read_version(header: str | None) -> Version:
    """Returns the version that the header names.

    Without a header the setting of the app applies, which is 2.14 in the sandbox. Raises ApiError 400 for an unknown
    version.
    """
    if header is None:
        return DEFAULT_VERSION
    version = _VERSIONS_BY_NAME.get(header.strip().lower())
    if version is None:
        raise ApiError(400, "intercom_version_invalid", "The requested version could not be found")
    return version
