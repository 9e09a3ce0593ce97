"""The records of 48 bytes that shards consist of: a hash and four 32-bit numbers.

They stay in the bytes of the shard and become values when they are asked for, as a large shard has more than a
million of them.
"""

import struct
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar, overload

import numpy

from storage.xet.errors import XetError
from storage.xet.hashes import Hash

SIZE = 48
LAYOUT = struct.Struct("<32s4I")
COLUMNS = numpy.dtype([("hash", "V32"), ("start", "<u4"), ("length", "<u4"), ("rest", "V8")])
# Up to so many chunks one after another are quicker than columns.
_FEW = 32
_AT_ONCE = 1024

Value = TypeVar("Value")
Record = tuple[Hash, int, int, int, int]
ListedChunk = tuple[Hash, int, int]


def each(view: memoryview) -> Iterator[Record]:
    """Yield the records in `view`.

    They are taken out of copies: before Python 3.12 the garbage collector crashes when it meets an iterator over
    a memoryview in a cycle, and an exception that passes by makes such a cycle.
    """
    for at in range(0, len(view), _AT_ONCE * SIZE):
        yield from LAYOUT.iter_unpack(bytes(view[at : at + _AT_ONCE * SIZE]))


class Lazy(Sequence[Value]):
    """Values that are made anew each time they are asked for; equal to a list of the same."""

    def value(self, at: int) -> Value:
        """Make the value in this place."""
        raise NotImplementedError

    @overload
    def __getitem__(self, at: int) -> Value: ...
    @overload
    def __getitem__(self, at: slice) -> list[Value]: ...
    def __getitem__(self, at: int | slice) -> Value | list[Value]:
        places = range(len(self))[at]
        return self.value(places) if isinstance(places, int) else [self.value(place) for place in places]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    # Equal to lists, so as little fit for a key as they are.
    __hash__ = None  # type: ignore[assignment]


class Listed(Lazy[Value]):
    """The values of records that lie one behind another."""

    def __init__(self, view: memoryview, read: Callable[[Record], Value]) -> None:
        self._view = view
        self._read = read

    def __len__(self) -> int:
        return len(self._view) // SIZE

    def __iter__(self) -> Iterator[Value]:
        return map(self._read, each(self._view))

    def value(self, at: int) -> Value:
        """Read the record in this place."""
        return self._read(LAYOUT.unpack_from(self._view, at * SIZE))


class Scattered(Lazy[Value]):
    """The values that begin in certain records."""

    def __init__(self, starts: "array[int]", read: Callable[[int], Value]) -> None:
        self._starts = starts
        self._read = read

    def __len__(self) -> int:
        return len(self._starts)

    def value(self, at: int) -> Value:
        """Read what begins with the record that has this place among those."""
        return self._read(self._starts[at])


class ListedChunks(Listed[ListedChunk]):
    """The chunks of one xorb: hash, position in the raw bytes, raw length."""

    def __init__(self, view: memoryview) -> None:
        super().__init__(view, lambda record: record[:3])

    def first_gap(self, longest: int) -> int | None:
        """Return the number of the first chunk that does not begin where the one before it ends.

        A chunk of no bytes, or of more than `longest`, counts as one.
        """
        if len(self) < _FEW:
            return self._first_gap_of_few(longest)
        columns = numpy.frombuffer(self._view, dtype=COLUMNS)
        lengths = columns["length"].astype(numpy.int64)
        ends = numpy.cumsum(lengths)
        wrong = (columns["start"] != ends - lengths) | (lengths < 1) | (lengths > longest)
        return int(wrong.argmax()) if wrong.any() else None

    def _first_gap_of_few(self, longest: int) -> int | None:
        end = 0
        for number, (_, start, length) in enumerate(self):
            if start != end or not 0 < length <= longest:
                return number
            end += length
        return None

    def total(self) -> int:
        """Return the raw bytes of chunks without gaps."""
        _, start, length = self[-1]
        return start + length


class Records:
    """The records of a shard, gone through from behind its header on."""

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self.at = SIZE

    def take(self, what: str) -> Record:
        """Return the next record; `what` names it in the error where none is left."""
        if len(self._view) - self.at < SIZE:
            raise XetError(f"The shard ends at byte {len(self._view)}, within {what}.")
        record = LAYOUT.unpack_from(self._view, self.at)
        self.at += SIZE
        return record

    def take_all(self, count: int, what: str) -> memoryview:
        """Return the bytes of the next `count` records; raises XetError where there are fewer."""
        left = (len(self._view) - self.at) // SIZE
        if count > left:
            raise XetError(f"The shard announces {count} records for {what}, and has {left} left.")
        start, self.at = self.at, self.at + count * SIZE
        return self._view[start : self.at]
