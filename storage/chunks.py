"""Files put together from chunks: the bytes of a range, or of many files, decoded and checked again."""

import itertools
import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache

from storage import layout, s3
from storage.errors import ChunksDamaged, ObjectMissing, RangeNotSatisfiable, StoreUnavailable
from storage.models import Recipe
from storage.stretches import Held, Stretch, stretches, stretches_of
from storage.xet.errors import XetError
from storage.xet.xorbs import decode

# Stored bytes that lie no farther apart than this are fetched together: a request costs more than these bytes.
GAP = 64 * 2**10
# So many stored bytes are fetched and decoded at a time.
PIECE = 512 * 2**10
# So many threads of a process decode for all its readers.  Where two processors are all there are, a second thread only
# takes turns with whoever sends or hashes: the same speed for a sixth more processor time.
DECODERS = max(1, min(3, (os.cpu_count() or 2) - 1))
# Of one reader so many pieces are being decoded, or wait for it or to be taken.
UNDER_WAY = 3

Wanted = tuple[Recipe, Stretch]
Content = tuple[Recipe, bytes]


@dataclass(frozen=True, slots=True)
class Room:
    """How far ahead stored bytes are gathered: at most so many bytes, gaps aside, for so many stretches."""

    bytes: int
    stretches: int


# For one who waits for the first byte, and of whom there are many; and for a worker, who reads everything.
READER, WORKER = Room(2 * 2**20, 64), Room(16 * 2**20, 512)


@dataclass(frozen=True, slots=True)
class _Run:
    """Stored bytes of some chunks on their way into a file: the rows `start` up to `end` of the stretch's index."""

    recipe: Recipe
    stretch: Stretch
    stored: bytes | memoryview
    start: int
    end: int


def read(recipe: Recipe, start: int, length: int, *, room: Room = READER) -> Generator[bytes, None, None]:
    """Return the bytes of a range, piece by piece; the first stretch is found before anything is returned.

    Every chunk is hashed again before it goes out.  Raises RangeNotSatisfiable, ObjectMissing; while it is
    iterated also StoreUnavailable, and ChunksDamaged where stored chunks turn out damaged.
    """
    found = stretches(recipe, start, length)
    first = next(found)
    return _read(recipe, itertools.chain([first], found), room)


def _read(recipe: Recipe, found: Iterable[Stretch], room: Room) -> Generator[bytes, None, None]:
    with closing(_contents(((recipe, stretch) for stretch in found), room)) as contents:
        for some in contents:
            for _, content in some:
                yield content


def read_all(recipes: Iterable[Recipe]) -> Generator[list[Content], None, None]:
    """Yield whole files one after another, some pieces at a time, each piece with the recipe of its file.

    Small files lie side by side in few xorbs: what belongs together is fetched together, across files.  Raises
    ObjectMissing, ChunksDamaged, StoreUnavailable.
    """
    return _contents(stretches_of(recipes), WORKER)


# --- decoding -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=2)
def _decoders(process: int) -> ThreadPoolExecutor:
    # The process id is the cache's key: a forked child does not have its parent's threads.
    return ThreadPoolExecutor(DECODERS, thread_name_prefix="decoder")


def _contents(wanted: Iterable[Wanted], room: Room) -> Generator[list[Content], None, None]:
    """Yield what is wanted, in order; what follows is fetched and decoded ahead."""
    pool = _decoders(os.getpid())
    under_way: deque[Future[list[Content]]] = deque()
    try:
        for runs in _gathered(_runs(wanted, room)):
            under_way.append(pool.submit(_decoded, runs))
            while under_way and (len(under_way) == UNDER_WAY or under_way[0].done()):
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        for left in under_way:
            left.cancel()


def _gathered(runs: Iterable[_Run]) -> Iterator[list[_Run]]:
    """Put short runs together to about a piece, so that handing them to a thread is worth its while."""
    some: list[_Run] = []
    held = 0
    for run in runs:
        some.append(run)
        held += len(run.stored)
        if held >= PIECE // 2:
            yield some
            some, held = [], 0
    if some:
        yield some


def _decoded(runs: Sequence[_Run]) -> list[Content]:
    return [(run.recipe, b"".join(_trimmed(_checked(run), run))) for run in runs]


def _trimmed(contents: Iterable[bytes], run: _Run) -> Iterator[bytes]:
    """Leave out what lies before or behind the bytes that are wanted of a stretch."""
    first, _ = run.stretch.rows
    before = run.stretch.index.rows["raw"][first : run.start]
    # Where a chunk begins and ends, counted from the first byte that is wanted.
    begin = int(before.sum(dtype="i8")) - run.stretch.skip
    for content in contents:
        end = begin + len(content)
        if begin < 0 or end > run.stretch.length:
            content = content[max(-begin, 0) : run.stretch.length - begin]
        yield content
        begin = end


def _checked(run: _Run) -> Iterator[bytes]:
    """Yield raw chunks, each hashed again; raises ChunksDamaged."""
    try:
        yield from decode(run.stored, run.stretch.index.chunks(run.start, run.end))
    except XetError as error:
        raise ChunksDamaged(f"Stored chunks are damaged: {error}", xorb=run.stretch.xorb.pk) from error


# --- fetching -----------------------------------------------------------------------------------------------


def _runs(wanted: Iterable[Wanted], room: Room) -> Iterator[_Run]:
    for batch in _batches(wanted, room):
        if len(batch) == 1:
            yield from _streamed(*batch[0])
            continue
        for (recipe, stretch), span in zip(batch, _spans([stretch for _, stretch in batch]), strict=True):
            yield from _cut(_Run(recipe, stretch, span.take(stretch), *stretch.rows))


def _cut(run: _Run) -> Iterator[_Run]:
    """Yield a run in pieces."""
    index, start, stored = run.stretch.index, run.start, run.stored
    while len(stored) > PIECE:
        begin, _ = index.stored(start, run.end)
        stop = int(index.rows["end"].searchsorted(begin + PIECE, side="right"))
        length = int(index.rows["end"][stop - 1]) - begin
        yield _Run(run.recipe, run.stretch, stored[:length], start, stop)
        start, stored = stop, stored[length:]
    yield _Run(run.recipe, run.stretch, stored, start, run.end)


def _batches(wanted: Iterable[Wanted], room: Room) -> Iterator[list[Wanted]]:
    """Gather what fits the room; a stretch that fills it alone is left alone."""
    batch: list[Wanted] = []
    taken = 0
    for recipe, stretch in wanted:
        start, end = stretch.stored
        cost = end - start + layout.INDEXED * len(stretch.index)
        if batch and (taken + cost > room.bytes or len(batch) == room.stretches):
            yield batch
            batch, taken = [], 0
        batch.append((recipe, stretch))
        taken += cost
    if batch:
        yield batch


class _Span:
    """Stored bytes of one xorb that are fetched in one request, when first used, and let go after the last use."""

    def __init__(self, xorb: Held, start: int) -> None:
        self.xorb, self.start, self.end, self.uses = xorb, start, start, 0
        self._data = b""

    def take(self, stretch: Stretch) -> memoryview:
        """Return the stored bytes of a stretch that lies within."""
        if not self._data:
            self._data = b"".join(_opened(self.xorb, self.start, self.end))
        start, end = stretch.stored
        stored = memoryview(self._data)[start - self.start : end - self.start]
        self.uses -= 1
        if not self.uses:
            self._data = b""
        return stored


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


def _streamed(recipe: Recipe, stretch: Stretch) -> Iterator[_Run]:
    """Yield the chunks of a stretch while it is being fetched; only what two pieces share is copied."""
    (at, last), (begin, end), rest = stretch.rows, stretch.stored, b""
    ends = stretch.index.rows["end"][:last]
    for piece in _opened(stretch.xorb, begin, end):
        view = memoryview(piece)
        if rest:
            missing = int(ends[at]) - begin - len(rest)
            rest += view[:missing]
            view = view[missing:]
            if int(ends[at]) - begin > len(rest):
                continue
            yield _Run(recipe, stretch, rest, at, at + 1)
            at, begin = at + 1, int(ends[at])
        stop = int(ends.searchsorted(begin + len(view), side="right"))
        if stop > at:
            whole = int(ends[stop - 1]) - begin
            yield _Run(recipe, stretch, view[:whole], at, stop)
            at, begin, view = stop, begin + whole, view[whole:]
        rest = bytes(view)
    if at < last:
        # The store promised as many bytes as were asked for: it broke off, which says nothing about them.
        raise StoreUnavailable("The object store broke off in the middle of an answer.")


def _opened(xorb: Held, start: int, end: int) -> Iterator[bytes]:
    """Yield stored bytes `start` up to `end`; raises ChunksDamaged where they are not there, StoreUnavailable."""
    try:
        with s3.open_range(xorb.key, start, end - start, chunk=PIECE) as stream:
            yield from stream
    except (ObjectMissing, RangeNotSatisfiable) as error:
        raise ChunksDamaged(f"Stored chunks are not there: {error}", xorb=xorb.pk) from error
