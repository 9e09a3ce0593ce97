"""How the index of a xorb and the terms of a recipe are packed in their rows.  PURE.

Index, 40 bytes for each chunk: hash (32), raw length u32, end in the stored bytes u32.
Terms, 20 bytes for each: id of the xorb's row u64, first chunk u32, end chunk (exclusive) u32, raw length u32.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from storage.xet.hashes import Hash
from storage.xet.xorbs import Chunk

_CHUNK = numpy.dtype([("hash", "V32"), ("raw", "<u4"), ("end", "<u4")])
INDEXED = _CHUNK.itemsize
TERM = numpy.dtype([("xorb", "<u8"), ("start", "<u4"), ("end", "<u4"), ("raw", "<u4")])

# The last of a hash's four numbers decides whether clients ask for a chunk (and where merkle groups end).
_ASKED_FOR = 1024


def pack_index(chunks: Sequence[Chunk]) -> bytes:
    """Return the index of a xorb."""
    return numpy.array([(chunk.hash, chunk.raw, chunk.end) for chunk in chunks], dtype=_CHUNK).tobytes()


def pack_terms(terms: Sequence[tuple[int, int, int, int]]) -> bytes:
    """Return packed terms from (id of the xorb's row, first chunk, end chunk, raw length)."""
    return numpy.array(terms, dtype=TERM).tobytes()


def unpack_terms(packed: bytes | memoryview) -> NDArray[numpy.void]:
    """Return terms as an array with the fields ``xorb``, ``start``, ``end`` and ``raw``."""
    return numpy.frombuffer(packed, dtype=TERM)


@dataclass(frozen=True, slots=True)
class Index:
    """The chunks of a xorb."""

    rows: NDArray[numpy.void]

    @classmethod
    def of(cls, packed: bytes | memoryview) -> "Index":
        """Read a packed index."""
        return cls(numpy.frombuffer(packed, dtype=_CHUNK))

    def __len__(self) -> int:
        return len(self.rows)

    def pairs(self, start: int = 0, end: int | None = None) -> list[tuple[Hash, int]]:
        """Return (hash, raw length) of chunks `start` up to `end`, of all where nothing else is said."""
        rows = self.rows[start:end]
        joined = rows["hash"].tobytes()
        hashes = [joined[at : at + 32] for at in range(0, len(joined), 32)]
        return list(zip(hashes, rows["raw"].tolist(), strict=True))

    def stored(self, start: int, end: int) -> tuple[int, int]:
        """Return where chunks `start` up to `end` lie in the stored bytes."""
        first = int(self.rows["end"][start - 1]) if start else 0
        return first, int(self.rows["end"][end - 1])

    def chunks(self, start: int, end: int) -> list[Chunk]:
        """Return chunks `start` up to `end`."""
        at, _ = self.stored(start, end)
        found = []
        for row in self.rows[start:end]:
            stop = int(row["end"])
            found.append(Chunk(row["hash"].tobytes(), int(row["raw"]), at, stop))
            at = stop
        return found

    def raw_ends(self, start: int, end: int) -> NDArray[numpy.int64]:
        """Return where each of these chunks ends, counted in raw bytes from the first one."""
        return numpy.cumsum(self.rows["raw"][start:end], dtype=numpy.int64)

    def asked_for(self) -> list[Hash]:
        """Return the hashes that clients ask for wherever they stand in a file."""
        numbers = numpy.frombuffer(self.rows["hash"].tobytes(), dtype="<u8").reshape(-1, 4)[:, 3]
        return [self.rows["hash"][at].tobytes() for at in numpy.flatnonzero(numbers % _ASKED_FOR == 0)]
