"""Files put together from chunks: the bytes of a range, or of many files, decoded and checked again."""

import itertools
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass

from storage import layout, s3
from storage.errors import ChunksDamaged, ObjectMissing, RangeNotSatisfiable, StoreUnavailable
from storage.models import Recipe, Xorb
from storage.stretches import Known, Stretch, stretches
from storage.xet.errors import XetError
from storage.xet.xorbs import decode

# Stored bytes that lie no farther apart than this are fetched together: a request costs more than these bytes.
GAP = 64 * 2**10

Wanted = tuple[Recipe, Stretch]


@dataclass(frozen=True, slots=True)
class Room:
    """How far ahead stored bytes are gathered: at most so many bytes, gaps aside, for so many stretches."""

    bytes: int
    stretches: int


# For one who waits for the first byte, and of whom there are many; and for a worker, who reads everything.
READER, WORKER = Room(2 * 2**20, 64), Room(16 * 2**20, 512)


def read(recipe: Recipe, start: int, length: int, *, room: Room = READER) -> Generator[bytes, None, None]:
    """Return the bytes of a range, chunk by chunk; the first stretch is found before anything is returned.

    Every chunk is hashed again before it goes out.  Raises RangeNotSatisfiable, ObjectMissing; while it is
    iterated also StoreUnavailable, and ChunksDamaged where stored chunks turn out damaged.
    """
    found = stretches(recipe, start, length)
    first = next(found)
    return _read(recipe, itertools.chain([first], found), room)


def _read(recipe: Recipe, found: Iterable[Stretch], room: Room) -> Generator[bytes, None, None]:
    for _, content in _contents(((recipe, stretch) for stretch in found), room):
        yield content


def read_all(recipes: Iterable[Recipe]) -> Generator[tuple[Recipe, bytes], None, None]:
    """Yield whole files one after another, chunk by chunk, each chunk with the recipe of its file.

    Small files lie side by side in few xorbs: what belongs together is fetched together, across files.  Raises
    ObjectMissing, ChunksDamaged, StoreUnavailable.
    """
    known = Known()
    wanted = ((recipe, stretch) for recipe in recipes for stretch in stretches(recipe, 0, recipe.size, known))
    return _contents(wanted, WORKER)


def _contents(wanted: Iterable[Wanted], room: Room) -> Generator[tuple[Recipe, bytes], None, None]:
    for batch in _batches(wanted, room):
        if len(batch) == 1:
            recipe, stretch = batch[0]
            for content in _trimmed(_streamed(stretch), stretch):
                yield recipe, content
            continue
        for (recipe, stretch), span in zip(batch, _spans([stretch for _, stretch in batch]), strict=True):
            for content in _trimmed(span.decoded(stretch), stretch):
                yield recipe, content


def _batches(wanted: Iterable[Wanted], room: Room) -> Iterator[list[Wanted]]:
    """Gather what fits the room; a stretch that fills it alone is left alone."""
    batch: list[Wanted] = []
    seen: set[str] = set()
    taken = 0
    for recipe, stretch in wanted:
        start, end = stretch.stored
        cost = end - start + (0 if stretch.xorb.key in seen else layout.INDEXED * len(stretch.index))
        if batch and (taken + cost > room.bytes or len(batch) == room.stretches):
            yield batch
            batch, taken = [], 0
            seen.clear()
        batch.append((recipe, stretch))
        seen.add(stretch.xorb.key)
        taken += cost
    if batch:
        yield batch


class _Span:
    """Stored bytes of one xorb that are fetched in one request, when first used, and let go after the last use."""

    def __init__(self, xorb: Xorb, start: int) -> None:
        self.xorb, self.start, self.end, self.uses = xorb, start, start, 0
        self._data = b""

    def decoded(self, stretch: Stretch) -> Iterator[bytes]:
        """Yield the raw chunks of a stretch that lies within."""
        if not self._data:
            self._data = b"".join(_opened(self.xorb, self.start, self.end))
        start, end = stretch.stored
        stored = memoryview(self._data)[start - self.start : end - self.start]
        yield from _checked(stretch, stored, stretch.start, stretch.end)
        self.uses -= 1
        if not self.uses:
            self._data = b""


def _spans(batch: Sequence[Stretch]) -> list[_Span]:
    """Return for each stretch the span that it is fetched with."""
    found: dict[int, _Span] = {}
    last: _Span | None = None
    for number in sorted(range(len(batch)), key=lambda at: (batch[at].xorb.key, batch[at].stored)):
        xorb, (start, end) = batch[number].xorb, batch[number].stored
        if last is None or last.xorb.key != xorb.key or start > last.end + GAP:
            last = _Span(xorb, start)
        last.end = max(last.end, end)
        last.uses += 1
        found[number] = last
    return [found[number] for number in range(len(batch))]


def _trimmed(contents: Iterable[bytes], stretch: Stretch) -> Iterator[bytes]:
    skip, left = stretch.skip, stretch.length
    for content in contents:
        wanted = content[skip : skip + left] if skip or left < len(content) else content
        skip = 0
        left -= len(wanted)
        yield wanted


def _streamed(stretch: Stretch) -> Iterator[bytes]:
    """Yield the raw chunks of a stretch while it is being fetched; only what two pieces share is copied."""
    ends = stretch.index.rows["end"][: stretch.end]
    (begin, end), at, rest = stretch.stored, stretch.start, b""
    for piece in _opened(stretch.xorb, begin, end):
        view = memoryview(piece)
        if rest:
            missing = int(ends[at]) - begin - len(rest)
            rest += view[:missing]
            view = view[missing:]
            if int(ends[at]) - begin > len(rest):
                continue
            yield from _checked(stretch, rest, at, at + 1)
            at, begin = at + 1, int(ends[at])
        stop = int(ends.searchsorted(begin + len(view), side="right"))
        if stop > at:
            whole = int(ends[stop - 1]) - begin
            yield from _checked(stretch, view[:whole], at, stop)
            at, begin, view = stop, begin + whole, view[whole:]
        rest = bytes(view)
    if at < stretch.end:
        # The store promised as many bytes as were asked for: it broke off, which says nothing about them.
        raise StoreUnavailable("The object store broke off in the middle of an answer.")


def _checked(stretch: Stretch, stored: bytes | memoryview, start: int, end: int) -> Iterator[bytes]:
    """Yield raw chunks `start` up to `end`, each hashed again; raises ChunksDamaged."""
    try:
        yield from decode(stored, stretch.index.chunks(start, end))
    except XetError as error:
        raise ChunksDamaged(f"Stored chunks are damaged: {error}", xorb=stretch.xorb.pk) from error


def _opened(xorb: Xorb, start: int, end: int) -> Iterator[bytes]:
    """Yield stored bytes `start` up to `end`; raises ChunksDamaged where they are not there, StoreUnavailable."""
    try:
        with s3.open_range(xorb.key, start, end - start) as stream:
            yield from stream
    except (ObjectMissing, RangeNotSatisfiable) as error:
        raise ChunksDamaged(f"Stored chunks are not there: {error}", xorb=xorb.pk) from error
