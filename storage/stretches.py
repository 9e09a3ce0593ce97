"""Where a range of a file lies among its chunks, told by rows alone."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy
from django.db import connection
from numpy.typing import NDArray

from storage import layout
from storage.errors import ObjectMissing, RangeNotSatisfiable
from storage.models import Recipe, Xorb

# So many terms' indexes are read at once: at most 20 MB of them, mostly far less.
WINDOW = 64


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


class Known:
    """The rows and indexes of the last few xorbs that were asked for."""

    def __init__(self) -> None:
        self._rows: OrderedDict[int, tuple[Xorb, layout.Index]] = OrderedDict()

    def of(self, wanted: set[int]) -> dict[int, tuple[Xorb, layout.Index]]:
        """Return these xorbs, at most `WINDOW`; raises ObjectMissing.  The database connection is given back."""
        missing = wanted - self._rows.keys()
        if missing:
            for xorb in Xorb.objects.filter(pk__in=missing, state=Xorb.State.OK):
                self._rows[xorb.pk] = xorb, layout.Index.of(xorb.index)
            if not connection.in_atomic_block:
                connection.close()
        if not wanted <= self._rows.keys():
            raise ObjectMissing(
                "Chunks of this file are not held, or are held back because they are damaged."
            )
        for pk in wanted:
            self._rows.move_to_end(pk)
        while len(self._rows) > WINDOW:
            self._rows.popitem(last=False)
        return {pk: self._rows[pk] for pk in wanted}


def stretches(recipe: Recipe, start: int, length: int, known: Known | None = None) -> Iterator[Stretch]:
    """Yield what holds `length` bytes from `start`, in order; raises RangeNotSatisfiable, ObjectMissing.

    Rows are read window by window.  `known` keeps them for the next call.
    """
    if start < 0 or length < 1 or start + length > recipe.size:
        raise RangeNotSatisfiable(
            f"{length} bytes from {start} are not within the {recipe.size} bytes of this object."
        )
    known = known or Known()
    terms = layout.unpack_terms(recipe.terms)
    ends = numpy.cumsum(terms["raw"], dtype=numpy.int64)
    first = int(numpy.searchsorted(ends, start, side="right"))
    last = int(numpy.searchsorted(ends, start + length, side="left")) + 1
    for at in range(first, last, WINDOW):
        yield from _window(terms, ends, (at, min(at + WINDOW, last)), (start, start + length), known)


def _window(
    terms: NDArray[numpy.void], ends: NDArray[numpy.int64], numbers: tuple[int, int], wanted: tuple[int, int],
    known: Known,
) -> Iterator[Stretch]:  # fmt: skip
    window = terms[slice(*numbers)]
    xorbs = known.of({int(pk) for pk in window["xorb"]})
    for number, term in enumerate(window, start=numbers[0]):
        raw = int(term["raw"])
        before = int(ends[number]) - raw
        low, high = max(wanted[0] - before, 0), min(wanted[1] - before, raw)
        xorb, index = xorbs[int(term["xorb"])]
        yield _trimmed(xorb, index, int(term["start"]), int(term["end"]), low, high)


def _trimmed(xorb: Xorb, index: layout.Index, start: int, end: int, low: int, high: int) -> Stretch:
    """Keep only the chunks that hold raw bytes `low` up to `high` of a term."""
    ends = index.raw_ends(start, end)
    first = int(numpy.searchsorted(ends, low, side="right"))
    last = int(numpy.searchsorted(ends, high, side="left")) + 1
    begins = int(ends[first - 1]) if first else 0
    raw = int(ends[last - 1]) - begins
    return Stretch(xorb, index, start + first, start + last, raw, low - begins, high - low)
