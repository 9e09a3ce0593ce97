"""Where the client cuts a file into chunks, so that the hub's own chunks are the ones that clients know.

A gear hash runs over the bytes, h = 2h + GEAR[byte] modulo 2 to the 64.  A chunk ends after a byte where the
upper 16 bits of h are zero, but never before 8 KiB, and at 128 KiB at the latest.  Shifting pushes a byte out of
h after 64 more, so h depends on the last 64 bytes alone and can be had for many places at once: sums over two
bytes, then four, and so on.
"""

from collections.abc import Iterator
from typing import BinaryIO

import numpy
from numpy.typing import NDArray

from storage.xet.gear import GEAR
from storage.xet.xorbs import MAX_CHUNK

MIN_CHUNK = 8 * 1024
_WINDOW = 64
_BLOCK = 4 * 1024 * 1024
# Work goes in strips that fit the processor's cache together with what is computed from them.
_STRIP = 64 * 1024
# The upper 32 bits of h are below this where its upper 16 bits are zero.
_LEAST_UPPER = numpy.uint32(1 << 16)


def cut(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the chunks of all that `stream` has left to read, with the boundaries of the client."""
    pending = b""
    while block := stream.read(_BLOCK):
        # What is pending holds no end, and what precedes it is of no matter: a chunk is longer than the window.
        known = len(pending)
        seen_from = max(known - _WINDOW, 0)
        pending += block
        ends = _possible_ends(numpy.frombuffer(pending, dtype=numpy.uint8)[seen_from:]) + seen_from
        ends = ends[ends > known]
        start = 0
        while end := _next_end(ends, start, len(pending)):
            yield pending[start:end]
            start = end
        pending = pending[start:]
    if pending:
        yield pending


def _next_end(ends: NDArray[numpy.int64], start: int, available: int) -> int:
    """Return where the chunk that begins at `start` ends, or 0 where more bytes must tell."""
    at = int(numpy.searchsorted(ends, start + MIN_CHUNK))
    latest = start + MAX_CHUNK
    if at < len(ends) and ends[at] <= latest:
        return int(ends[at])
    return latest if latest <= available else 0


def _possible_ends(data: NDArray[numpy.uint8]) -> NDArray[numpy.int64]:
    """Return the positions after which the upper bits of the gear hash are zero, in order."""
    sums = numpy.empty(_STRIP + _WINDOW, dtype=numpy.uint64)
    shifted = numpy.empty_like(sums)
    found = [numpy.empty(0, dtype=numpy.int64)]
    for at in range(0, len(data), _STRIP):
        before = min(at, _WINDOW - 1)
        hits = _hits(data[at - before : at + _STRIP], sums, shifted)
        found.append(hits[hits >= before] + (at - before + 1))
    return numpy.concatenate(found)


def _hits(
    strip: NDArray[numpy.uint8], sums: NDArray[numpy.uint64], shifted: NDArray[numpy.uint64]
) -> NDArray[numpy.int64]:
    """Return the places in `strip` where the upper bits of the gear hash are zero; the rest is room to work in."""
    sums, shifted = sums[: len(strip)], shifted[: len(strip)]
    # No byte is beyond the table; "clip" only spares the check.
    numpy.take(GEAR, strip, out=sums, mode="clip")
    width = 1
    while width < _WINDOW // 2:
        numpy.left_shift(sums[:-width], numpy.uint64(width), out=shifted[width:])
        numpy.add(sums[width:], shifted[width:], out=sums[width:])
        width *= 2
    # The last step shifts by 32 bits, so the lower half of a sum lands in the upper half of a later one.
    halves = sums.view("<u4")
    upper = halves[1::2].copy()
    upper[width:] += halves[: -2 * width : 2]
    return numpy.flatnonzero(upper < _LEAST_UPPER)
