"""The name of bytes: a sha256 in 64 lowercase hexadecimal digits."""

import hashlib
import re
from typing import Self

from storage.errors import BadDigest

_HEX = re.compile(r"[0-9a-f]{64}")


class Digest(str):
    """A sha256 that `parse` has checked.  It is a text, so that rows and JSON take it as it is."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the digest that `text` spells; raises BadDigest for anything but 64 lowercase hex digits."""
        if not _HEX.fullmatch(text):
            raise BadDigest(f"{text[:80]!r} is not a sha256: expected 64 lowercase hexadecimal digits.")
        return cls(text)


class StreamHasher:
    """Hashes bytes as they pass and counts them."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self.size = 0

    def update(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next bytes.  The interpreter's lock is free while a large piece is hashed."""
        self._sha256.update(data)
        self.size += memoryview(data).nbytes

    def digest(self) -> Digest:
        """Return the digest of what has passed so far."""
        return Digest(self._sha256.hexdigest())
