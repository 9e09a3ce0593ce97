"""Files made of any chunks of any xorbs, stored and registered as a client's shard would have them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from storage import recording, registering, xorbs
from storage.models import Recipe
from storage.xet.hashes import file_hash, range_hash, to_text
from storage.xet.shards import FileEntry, Term, XorbEntry, write_shard
from storage.xet.xorbs import write_xorb
from tests.storage.xet.samples import random_bytes, xorb_entry


@dataclass(frozen=True)
class Pile:
    """Chunks that lie in one xorb."""

    chunks: tuple[bytes, ...]
    entry: XorbEntry

    @classmethod
    def of(cls, seed: int, count: int, size: int = 5000) -> "Pile":
        chunks = tuple(random_bytes(size, seed * 100_000 + number) for number in range(count))
        return cls(chunks, xorb_entry(chunks))

    @property
    def name(self) -> str:
        return to_text(self.entry.hash)

    def keep(self, domain: str = "d", data: bytes = b"") -> None:
        data = data or write_xorb(self.chunks)
        xorbs.keep(self.name, BytesIO(data), len(data), domain=domain)


Part = tuple[Pile, int, int]


def content_of(parts: Sequence[Part]) -> bytes:
    return b"".join(b"".join(pile.chunks[start:end]) for pile, start, end in parts)


def made_of(parts: Sequence[Part], sha256: str = "") -> FileEntry:
    """Return a file that has these runs of chunks one after another."""
    terms, ranges, leaves = [], [], []
    for pile, start, end in parts:
        chosen = [(digest, length) for digest, _, length in pile.entry.chunks[start:end]]
        terms.append(Term(pile.entry.hash, sum(length for _, length in chosen), start, end))
        ranges.append(range_hash([digest for digest, _ in chosen]))
        leaves += chosen
    return FileEntry(
        file_hash(leaves), terms, ranges, sha256 or hashlib.sha256(content_of(parts)).hexdigest()
    )


def register(
    files: Sequence[FileEntry], listed: Sequence[XorbEntry] = (), *, domain: str = "d", owner: str = "repo"
) -> list[Recipe]:
    """Check and record files, each step of the way."""
    shard = registering.parse(write_shard(files, listed), max_bytes=10**9)
    verified = registering.Verified(shard, domain)
    for _ in verified.steps():
        pass
    return recording.record(verified, owner=owner)
