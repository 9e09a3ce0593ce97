"""Matches in LZ4 blocks that reach back by no bytes at all: the library makes zeros of them, the client refuses them.

A block is a list of sequences.  Each begins with a byte of two halves: how many literal bytes follow, and how long
the match behind them is.  A half of 15 goes on in further bytes, up to the first that is not 255.  Then come the
literals and two bytes that say how far the match reaches back.  The last sequence ends with its literals.
"""

import re

import numpy

# The shortest match has four bytes.
_ZEROS = bytes(4)
_MORE = 15


def _short_sequence(literals: int) -> bytes:
    """Return a pattern for sequences with so many literals, whose match reaches back by something."""
    first, last = literals << 4, (literals << 4) + _MORE
    behind = b".{%d}(?!\\0\\0).." % literals
    return b"[\\x%02x-\\x%02x]%b|\\x%02x%b\\xff*[^\\xff]" % (first, last - 1, behind, last, behind)


# A pattern walks through sequences some times quicker than a loop does.
_SEQUENCES = re.compile(b"(?s:" + b"|".join(map(_short_sequence, range(_MORE))) + b")*")


def may_reach_nowhere(raw: bytes) -> bool:
    """Tell whether `raw` has as many zeros in a row as such a match makes; weights have mostly not."""
    # Four zeros in a row hold a pair of them in an even place, and such pairs are quick to find.
    pairs = numpy.frombuffer(raw, dtype=numpy.uint16, count=len(raw) // 2)
    if not len(pairs) or pairs.min():
        return False
    places = (2 * numpy.flatnonzero(pairs == 0)).tolist()
    return any(_ZEROS in raw[max(at - 1, 0) : at + 4] for at in places)


def reaches_nowhere(block: bytes) -> bool:
    """Tell whether a block that decodes has a match that reaches back by 0 bytes."""
    if b"\0\0" not in block:
        return False
    at = 0
    while True:
        found = _SEQUENCES.match(block, at)
        at = found.end() if found else at
        if at >= len(block):
            return False
        token, at = block[at], at + 1
        literals = token >> 4
        if literals == _MORE:
            more, at = _more(block, at)
            literals += more
        at += literals
        if at >= len(block):
            return False
        if not block[at] and not block[at + 1]:
            return True
        at += 2
        if token & _MORE == _MORE:
            _, at = _more(block, at)


def _more(block: bytes, at: int) -> tuple[int, int]:
    """Return the number that goes on at this place, and where it ends."""
    start = at
    while block[at] == 0xFF:
        at += 1
    return (at - start) * 0xFF + block[at], at + 1
