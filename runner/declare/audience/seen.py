"""A set of digests that stays small: 16 bytes each, and a little more."""


class Seen:
    """Digests of 16 bytes, a million of them in some 20 MB. A Python set of bytes would take 80 MB.

    The first two bytes pick a bucket, in which the rest is looked for; that it is found across two neighbours is as
    unlikely as two equal digests.
    """

    def __init__(self) -> None:
        self._buckets: dict[bytes, bytearray] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, digest: bytes) -> bool:
        bucket = self._buckets.get(digest[:2])
        return bucket is not None and digest[2:] in bucket

    def add(self, digest: bytes) -> bool:
        """Whether the digest is new; from now on it is not."""
        bucket = self._buckets.get(digest[:2])
        if bucket is None:
            self._buckets[digest[:2]] = bytearray(digest[2:])
        elif digest[2:] in bucket:
            return False
        else:
            bucket += digest[2:]
        self._count += 1
        return True
