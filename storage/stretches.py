"""Where a range of a file lies among its chunks, told by rows alone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy
from django.db import connection

from storage import layout
from storage.errors import ObjectMissing, RangeNotSatisfiable
from storage.models import Recipe, Xorb

# Terms are looked up by so many, or by as many as have so many chunks, of which 3 MB are read.
TERMS, CHUNKS = 512, 64 * 1024


@dataclass(frozen=True, slots=True)
class Held:
    """A sound xorb, as far as its readers need to know it."""

    pk: int
    hash: str
    key: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """Chunks `start` up to `end` of one xorb; only `length` of their raw bytes from `skip` on are wanted.

    `index` is the part of the xorb's index that is needed, from the chunk `first` on.
    """

    xorb: Held
    index: layout.Index
    first: int
    start: int
    end: int
    raw: int
    skip: int
    length: int

    @property
    def rows(self) -> tuple[int, int]:
        """Which rows of `index` are about these chunks, the end exclusive."""
        return self.start - self.first, self.end - self.first

    @property
    def stored(self) -> tuple[int, int]:
        """Where these chunks lie in the stored xorb, the end exclusive."""
        return self.index.stored(*self.rows)


@dataclass(frozen=True, slots=True)
class _Claim:
    """A term of a recipe, of whose `raw` bytes those from `low` up to `high` are wanted."""

    recipe: Recipe
    xorb: int
    start: int
    end: int
    raw: int
    low: int
    high: int

    @property
    def lead(self) -> int:
        """How many chunks before the first are looked up: where one chunk ends, the next one begins."""
        return min(self.start, 1)


def stretches(recipe: Recipe, start: int, length: int) -> Iterator[Stretch]:
    """Yield what holds `length` bytes from `start`, in order; raises RangeNotSatisfiable, ObjectMissing.

    Rows are read window by window, and the database connection is given back after each.
    """
    for _, stretch in _looked_up(_claims(recipe, start, length)):
        yield stretch


def stretches_of(recipes: Iterable[Recipe]) -> Iterator[tuple[Recipe, Stretch]]:
    """Yield what holds whole files, one after another; the rows of small ones are read together."""
    return _looked_up(claim for recipe in recipes for claim in _claims(recipe, 0, recipe.size))


def _claims(recipe: Recipe, start: int, length: int) -> Iterator[_Claim]:
    if start < 0 or length < 1 or start + length > recipe.size:
        raise RangeNotSatisfiable(
            f"{length} bytes from {start} are not within the {recipe.size} bytes of this object."
        )
    terms = layout.unpack_terms(recipe.terms)
    ends = numpy.cumsum(terms["raw"], dtype=numpy.int64)
    first = int(numpy.searchsorted(ends, start, side="right"))
    last = int(numpy.searchsorted(ends, start + length, side="left")) + 1
    for at in range(first, last, TERMS):
        some = slice(at, min(at + TERMS, last))
        for (xorb, begin, end, raw), stop in zip(terms[some].tolist(), ends[some].tolist(), strict=True):
            before = stop - raw
            low, high = max(start - before, 0), min(start + length - before, raw)
            yield _Claim(recipe, xorb, begin, end, raw, low, high)


def _looked_up(claims: Iterable[_Claim]) -> Iterator[tuple[Recipe, Stretch]]:
    for window in _windows(claims):
        found = _parts(window)
        for number, claim in enumerate(window):
            yield claim.recipe, _trimmed(claim, *found.pop(number))


def _windows(claims: Iterable[_Claim]) -> Iterator[list[_Claim]]:
    window: list[_Claim] = []
    chunks = 0
    for claim in claims:
        window.append(claim)
        chunks += claim.end - claim.start
        if len(window) == TERMS or chunks >= CHUNKS:
            yield window
            window, chunks = [], 0
    if window:
        yield window


# Key and index come from one row at one time: a xorb that is healed gets both anew.
_PARTS = f"""
SELECT number - 1, id, hash, key, substring(index FROM start * {layout.INDEXED} + 1 FOR count * {layout.INDEXED})
FROM unnest(%s::bigint[], %s::int[], %s::int[]) WITH ORDINALITY AS wanted(xorb, start, count, number)
JOIN storage_xorb ON id = xorb WHERE state = %s
"""  # noqa: S608  Only a constant is put in.


def _parts(window: list[_Claim]) -> dict[int, tuple[Held, layout.Index]]:
    """Return by its place what each claim needs to know; raises ObjectMissing."""
    wanted = [
        (claim.xorb, claim.start - claim.lead, claim.end - claim.start + claim.lead) for claim in window
    ]
    held: dict[int, Held] = {}
    with connection.cursor() as cursor:
        cursor.execute(_PARTS, [*(list(column) for column in zip(*wanted, strict=True)), Xorb.State.OK])
        found = {
            number: (held.setdefault(pk, Held(pk, name, key)), layout.Index.of(part))
            for number, pk, name, key, part in cursor.fetchall()
        }
    if not connection.in_atomic_block:
        connection.close()
    if len(found) < len(window):
        raise ObjectMissing("Chunks of this file are not held, or are held back because they are damaged.")
    return found


def _trimmed(claim: _Claim, xorb: Held, index: layout.Index) -> Stretch:
    """Keep only the chunks that hold the raw bytes that are wanted of a term."""
    base, length = claim.start - claim.lead, claim.high - claim.low
    if length == claim.raw:
        return Stretch(xorb, index, base, claim.start, claim.end, claim.raw, 0, length)
    ends = index.raw_ends(claim.lead, len(index))
    first = int(numpy.searchsorted(ends, claim.low, side="right"))
    last = int(numpy.searchsorted(ends, claim.high, side="left")) + 1
    begins = int(ends[first - 1]) if first else 0
    raw = int(ends[last - 1]) - begins
    start, end = claim.start + first, claim.start + last
    return Stretch(xorb, index, base, start, end, raw, claim.low - begins, length)
