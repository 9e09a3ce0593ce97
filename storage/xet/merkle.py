"""Trees of hashes over chunks, made slab by slab in memory that does not grow with the number of chunks.

Level by level, groups of siblings are merged into the hash of the lines that name them, until one is left.  A group
ends after a hash whose last number divides by four, but has at least three members, and nine at most; what is left
at the end of a level is a group too, even of one.
"""

import re
from binascii import hexlify
from collections.abc import Iterable
from itertools import accumulate

import numpy
from blake3 import blake3
from numpy.typing import NDArray

Sizes = NDArray[numpy.int64]

_SIZE = 32
_NODE_KEY = bytes.fromhex("017ec5c7a5472996fd946666b48a02e65ddd536f37c76dd2f86352e64a53713f")
# The byte of a hash that tells whether its last number divides by four, and what to make of it.
_TELLING = 24
_MARKS = bytes(byte % 4 == 0 for byte in range(256))
# One group, where 1 marks a hash that may end it.  What cannot be a whole group yet matches nowhere.
_GROUP = re.compile(rb"(?s:..)(?:\x00{0,6}\x01|\x00{7})")
# So many hashes are worked on at once, and from so many on whole columns are quicker than one line after another.
_SLAB, _MANY = 32 * 1024, 64
# Between hash and size stand a space, a colon and a space; a line ends with its line feed.
_BETWEEN = numpy.frombuffer(b" : ", dtype=numpy.uint8)
_TEXT, _DIGITS = 2 * _SIZE, 2 * _SIZE + 3


class Tree:
    """The tree over the chunks that are added, in their order."""

    def __init__(self) -> None:
        self._levels: list[_Level] = []

    def add(self, hashes: bytes | memoryview, sizes: Sizes) -> None:
        """Add chunks: their hashes one behind another, and their raw lengths."""
        if len(hashes) != _SIZE * len(sizes):
            raise ValueError(f"{len(hashes)} bytes are not the hashes of {len(sizes)} chunks.")
        for at in range(0, len(sizes), _SLAB):
            self._put(0, bytes(hashes[_SIZE * at : _SIZE * (at + _SLAB)]), sizes[at : at + _SLAB])

    def root(self) -> bytes:
        """Return the root, which is the chunk's own hash where there is one, and zeros where there is none.

        Nothing may be added afterwards.
        """
        for number, level in enumerate(self._levels):
            if level.count == 1:
                return level.hashes
            if level.hashes:
                parent = _merged(_lines(level.hashes, level.sizes), [len(level.sizes)])
                self._put(number + 1, parent, level.sizes.sum(keepdims=True))
        return bytes(_SIZE)

    def _put(self, number: int, hashes: bytes, sizes: Sizes) -> None:
        """Add nodes to a level, and what becomes of them to those above."""
        while len(sizes):
            if number == len(self._levels):
                self._levels.append(_Level())
            hashes, sizes = self._levels[number].take(hashes, sizes)
            number += 1


class _Level:
    """The nodes of a level that make no whole group yet, and how many there were in all."""

    def __init__(self) -> None:
        self.count = 0
        self.hashes = b""
        self.sizes: Sizes = numpy.empty(0, dtype=numpy.int64)

    def take(self, hashes: bytes, sizes: Sizes) -> tuple[bytes, Sizes]:
        """Take in nodes and return the parents of all whole groups."""
        self.count += len(sizes)
        if self.hashes:
            hashes, sizes = self.hashes + hashes, numpy.concatenate([self.sizes, sizes])
        groups = list(map(len, _GROUP.findall(hashes[_TELLING::_SIZE].translate(_MARKS))))
        whole = sum(groups)
        self.hashes, self.sizes = hashes[_SIZE * whole :], sizes[whole:]
        if not groups:
            return b"", self.sizes[:0]
        hashes, sizes = hashes[: _SIZE * whole], sizes[:whole]
        starts = [0, *accumulate(groups[:-1])]
        return _merged(_lines(hashes, sizes), groups), numpy.add.reduceat(sizes, starts)


Lines = tuple[memoryview, list[int]]


def _lines(hashes: bytes, sizes: Sizes) -> Lines:
    """Return the lines that name nodes, one behind another, and where each of them ends."""
    text = hexlify(numpy.frombuffer(hashes, dtype="<u8").byteswap().tobytes())
    if len(sizes) < _MANY:
        lines = [
            b"%b : %d\n" % (text[_TEXT * at : _TEXT * (at + 1)], size)
            for at, size in enumerate(sizes.tolist())
        ]
        return memoryview(b"".join(lines)), list(accumulate(map(len, lines)))
    places = len(str(sizes.max()))
    table = numpy.empty((len(sizes), _DIGITS + places + 1), dtype=numpy.uint8)
    table[:, :_TEXT] = numpy.frombuffer(text, dtype=numpy.uint8).reshape(-1, _TEXT)
    table[:, _TEXT:_DIGITS] = _BETWEEN
    table[:, -1] = ord("\n")
    written = numpy.ones(table.shape, dtype=numpy.bool_)
    lengths = numpy.full(len(sizes), _DIGITS + 2)
    for place in range(_DIGITS + places - 1, _DIGITS - 1, -1):
        rest = sizes // 10
        table[:, place] = sizes - 10 * rest + ord("0")
        sizes = rest
        if place > _DIGITS:
            # A number that is used up has no digits further left.
            written[:, place - 1] = rest > 0
            lengths += written[:, place - 1]
    return table[written].data, numpy.cumsum(lengths).tolist()


def _merged(lines: Lines, groups: Iterable[int]) -> bytes:
    """Return the hashes of groups of lines, of which each has so many."""
    text, ends = lines
    parents, start = [], 0
    for last in accumulate(groups):
        end = ends[last - 1]
        parents.append(blake3(text[start:end], key=_NODE_KEY).digest())
        start = end
    return b"".join(parents)
