"""Files put together from chunks: where a range of one lies, and its bytes, decoded and checked again."""

from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy
from django.db import connection
from numpy.typing import NDArray

from storage import layout, s3
from storage.errors import ObjectMissing, RangeNotSatisfiable
from storage.models import Recipe, Xorb
from storage.xet.errors import XetError
from storage.xet.xorbs import decode

# So many terms' indexes are read at once: at most 20 MB of them, mostly far less.
WINDOW = 64
# So many stored bytes are decoded at once.
PIECE = 2 * 2**20
# From this time on a xorb is fetched whole for files that lie in it.
ASKED_OFTEN = 3


@dataclass(frozen=True, slots=True)
class Stretch:
    """Chunks `start` up to `end` of one xorb; only `length` of their raw bytes from `skip` on are wanted."""

    xorb: Xorb
    index: layout.Index
    start: int
    end: int
    raw: int
    skip: int
    length: int

    @property
    def stored(self) -> tuple[int, int]:
        """Where these chunks lie in the stored xorb, the end exclusive."""
        return self.index.stored(self.start, self.end)


Rows = dict[int, tuple[Xorb, layout.Index]]


def stretches(recipe: Recipe, start: int, length: int, known: Rows | None = None) -> Iterator[Stretch]:
    """Yield what holds `length` bytes from `start`, in order; raises RangeNotSatisfiable, ObjectMissing.

    Rows are read window by window, and the database connection is given back after each.  `known` keeps them for
    the next call.
    """
    if start < 0 or length < 1 or start + length > recipe.size:
        raise RangeNotSatisfiable(
            f"{length} bytes from {start} are not within the {recipe.size} bytes of this object."
        )
    terms = layout.unpack_terms(recipe.terms)
    ends = numpy.cumsum(terms["raw"], dtype=numpy.int64)
    first = int(numpy.searchsorted(ends, start, side="right"))
    last = int(numpy.searchsorted(ends, start + length, side="left")) + 1
    for at in range(first, last, WINDOW):
        window = terms[at : min(at + WINDOW, last)]
        xorbs = _xorbs_of(window, {} if known is None else known)
        for number, term in enumerate(window, start=at):
            before = int(ends[number]) - int(term["raw"])
            xorb, index = xorbs[int(term["xorb"])]
            low, high = max(start - before, 0), min(start + length - before, int(term["raw"]))
            yield _trimmed(xorb, index, int(term["start"]), int(term["end"]), low, high)


def _xorbs_of(terms: NDArray[numpy.void], known: Rows) -> Rows:
    wanted = {int(pk) for pk in terms["xorb"]} - known.keys()
    if not wanted:
        return known
    for xorb in Xorb.objects.filter(pk__in=wanted, state=Xorb.State.OK):
        known[xorb.pk] = xorb, layout.Index.of(xorb.index)
    if not connection.in_atomic_block:
        connection.close()
    if not wanted <= known.keys():
        raise ObjectMissing("Chunks of this file are not held, or are held back because they are damaged.")
    return known


def _trimmed(xorb: Xorb, index: layout.Index, start: int, end: int, low: int, high: int) -> Stretch:
    """Keep only the chunks that hold raw bytes `low` up to `high` of a term."""
    ends = index.raw_ends(start, end)
    first = int(numpy.searchsorted(ends, low, side="right"))
    last = int(numpy.searchsorted(ends, high, side="left")) + 1
    begins = int(ends[first - 1]) if first else 0
    raw = int(ends[last - 1]) - begins
    return Stretch(xorb, index, start + first, start + last, raw, low - begins, high - low)


def read(recipe: Recipe, start: int, length: int) -> Generator[bytes, None, None]:
    """Return the bytes of a range, chunk by chunk; the first stretch is found before anything is returned.

    Every chunk is hashed again before it goes out.  Raises RangeNotSatisfiable, ObjectMissing; while it is
    iterated also StoreUnavailable, and ObjectMissing where stored chunks turn out damaged.
    """
    found = stretches(recipe, start, length)
    return _read(next(found), found)


def _read(first: Stretch, others: Iterator[Stretch]) -> Generator[bytes, None, None]:
    yield from _decoded(first)
    for stretch in others:
        yield from _decoded(stretch)


def _decoded(stretch: Stretch) -> Iterator[bytes]:
    skip, left = stretch.skip, stretch.length
    for content in _chunks(stretch):
        wanted = content[skip : skip + left] if skip or left < len(content) else content
        skip = 0
        left -= len(wanted)
        yield wanted


def _chunks(stretch: Stretch) -> Iterator[bytes]:
    start, end = stretch.stored
    chunks = stretch.index.chunks(stretch.start, stretch.end)
    with s3.open_range(stretch.xorb.key, start, end - start) as stream:
        taker, at = _Taker(stream), 0
        while at < len(chunks):
            stop = at + 1
            while stop < len(chunks) and chunks[stop].end - chunks[at].start <= PIECE:
                stop += 1
            batch = chunks[at:stop]
            try:
                yield from decode(taker.take(batch[-1].end - batch[0].start), batch)
            except XetError as error:
                raise ObjectMissing(f"Stored chunks are damaged: {error}") from error
            at = stop


class Shelf:
    """Reads many small files that lie in few xorbs: a xorb that is asked for again is fetched whole, once."""

    def __init__(self) -> None:
        self._rows: Rows = {}
        self._asked: Counter[int] = Counter()
        self._held: tuple[int, bytes] = (0, b"")

    def read(self, recipe: Recipe) -> Iterator[bytes]:
        """Yield a whole file, chunk by chunk; raises ObjectMissing, StoreUnavailable."""
        if len(self._rows) > WINDOW:
            self._rows.clear()
        for stretch in stretches(recipe, 0, recipe.size, self._rows):
            try:
                yield from decode(self._stored(stretch), stretch.index.chunks(stretch.start, stretch.end))
            except XetError as error:
                raise ObjectMissing(f"Stored chunks are damaged: {error}") from error

    def _stored(self, stretch: Stretch) -> memoryview:
        xorb, (start, end) = stretch.xorb, stretch.stored
        self._asked[xorb.pk] += 1
        if self._held[0] != xorb.pk:
            if self._asked[xorb.pk] < ASKED_OFTEN:
                return memoryview(_fetched(xorb.key, start, end))
            self._held = xorb.pk, _fetched(xorb.key, 0, xorb.stored_size)
        return memoryview(self._held[1])[start:end]


def _fetched(key: str, start: int, end: int) -> bytes:
    with s3.open_range(key, start, end - start) as stream:
        return b"".join(stream)


class _Taker:
    """Takes pieces of known length from a stream."""

    def __init__(self, stream: Iterator[bytes]) -> None:
        self._stream = stream
        self._rest = b""

    def take(self, length: int) -> bytes:
        parts, have = [self._rest], len(self._rest)
        while have < length:
            piece = next(self._stream, b"")
            if not piece:
                raise ObjectMissing("The stored chunks end too early.")
            parts.append(piece)
            have += len(piece)
        joined = b"".join(parts)
        self._rest = joined[length:]
        return joined[:length]
