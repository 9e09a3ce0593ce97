"""The records of 48 bytes that shards consist of: a hash and four 32-bit numbers."""

import struct
from collections.abc import Iterator, Sequence
from typing import overload

import numpy

from storage.xet.errors import XetError
from storage.xet.hashes import Hash

SIZE = 48
LAYOUT = struct.Struct("<32s4I")
_COLUMNS = numpy.dtype([("hash", "V32"), ("start", "<u4"), ("length", "<u4"), ("rest", "V8")])

ListedChunk = tuple[Hash, int, int]


class ListedChunks(Sequence[ListedChunk]):
    """The chunks of one xorb: hash, position in the raw bytes, raw length.

    They stay in the bytes of the shard and become values when they are asked for, as a large shard lists more
    than a million of them.
    """

    def __init__(self, view: memoryview) -> None:
        self._view = view

    def __len__(self) -> int:
        return len(self._view) // SIZE

    def __iter__(self) -> Iterator[ListedChunk]:
        return ((digest, start, length) for digest, start, length, _, _ in LAYOUT.iter_unpack(self._view))

    @overload
    def __getitem__(self, at: int) -> ListedChunk: ...
    @overload
    def __getitem__(self, at: slice) -> list[ListedChunk]: ...
    def __getitem__(self, at: int | slice) -> ListedChunk | list[ListedChunk]:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        place = range(len(self))[at]
        digest, start, length, _, _ = LAYOUT.unpack_from(self._view, place * SIZE)
        return digest, start, length

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    # Equal to lists, so as little fit for a key as they are.
    __hash__ = None  # type: ignore[assignment]

    def first_gap(self, longest: int) -> int | None:
        """Return the number of the first chunk that does not begin where the one before it ends.

        A chunk of no bytes, or of more than `longest`, counts as one.
        """
        columns = numpy.frombuffer(self._view, dtype=_COLUMNS)
        lengths = columns["length"].astype(numpy.int64)
        ends = numpy.cumsum(lengths)
        wrong = (columns["start"] != ends - lengths) | (lengths < 1) | (lengths > longest)
        return int(wrong.argmax()) if wrong.any() else None

    def total(self) -> int:
        """Return the raw bytes of all chunks."""
        return int(numpy.frombuffer(self._view, dtype=_COLUMNS)["length"].sum(dtype=numpy.int64))


class Records:
    """The records of a shard one after another, from behind its header."""

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self.at = SIZE

    def take(self, what: str) -> tuple[Hash, int, int, int, int]:
        """Return the next record; `what` names it in the error where none is left."""
        if len(self._view) - self.at < SIZE:
            raise XetError(f"The shard ends at byte {len(self._view)}, within {what}.")
        record = LAYOUT.unpack_from(self._view, self.at)
        self.at += SIZE
        return record

    def expect(self, count: int, what: str) -> None:
        """Raise XetError unless at least `count` records are left."""
        left = (len(self._view) - self.at) // SIZE
        if count > left:
            raise XetError(f"The shard announces {count} records for {what}, and has {left} left.")

    def take_chunks(self, count: int) -> ListedChunks:
        """Return the next `count` records, which `expect` has found to be there, as the chunks of a xorb."""
        start, self.at = self.at, self.at + count * SIZE
        return ListedChunks(self._view[start : self.at])
