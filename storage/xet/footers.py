"""The footer that an old client appends to a xorb: its hash, its chunks' hashes and where they end.

It tells nothing that the chunks do not tell, so it is written anew from them and compared.
"""

import itertools
import struct
from collections.abc import Sequence

from storage.xet.errors import XetError

_MARK = b"XETBLOB"
_OLD, _CURRENT = 0, 1
# Sixteen bytes near the end of a footer say nothing about the chunks; behind them stands the footer's length.
_SPARE, _LENGTH = 16, 4

# The most that a footer takes for each chunk, and around them.
PER_CHUNK = 40
AROUND = 96


def begins(view: memoryview, at: int) -> bool:
    """Tell whether a footer begins at `at`; no chunk does so, as the first byte of a chunk is 0."""
    return view[at : at + len(_MARK)] == _MARK


def check(
    footer: memoryview, root: bytes, hashes: Sequence[bytes], ends: Sequence[int], lengths: Sequence[int]
) -> None:
    """Raise XetError unless the footer says of a xorb what its chunks say.

    `root` is the hash of the xorb; `hashes`, `ends` and `lengths` are its chunks' hashes, the positions where
    they end in the stored bytes, and their raw lengths.
    """
    version = footer[len(_MARK)] if len(footer) > len(_MARK) else None
    if version == _CURRENT:
        written = write(root, hashes, ends, lengths)
    elif version == _OLD:
        written = write_old(root, hashes, ends)
    else:
        raise XetError(f"The footer of the xorb has the unknown version {version}; expected 0 or 1.")
    spare = len(written) - _LENGTH - _SPARE
    if len(footer) != len(written) or footer[:spare] != written[:spare] or footer[-4:] != written[-4:]:
        raise XetError("The footer of the xorb does not agree with its chunks.")


def write(root: bytes, hashes: Sequence[bytes], ends: Sequence[int], lengths: Sequence[int]) -> bytes:
    """Return a current footer."""
    count = len(hashes)
    number = struct.pack("<I", count)
    raw_ends = list(itertools.accumulate(lengths))
    head = _MARK + bytes([_CURRENT]) + root
    first = b"XBLBHSH\0" + number + b"".join(hashes)
    second = b"XBLBBND\1" + number + struct.pack(f"<{2 * count}I", *ends, *raw_ends)
    tail = 3 * 4 + _SPARE
    offsets = struct.pack("<2I", len(first) + len(second) + tail, len(second) + tail)
    return _closed(head + first + second + number + offsets)


def write_old(root: bytes, hashes: Sequence[bytes], ends: Sequence[int]) -> bytes:
    """Return a footer as the first clients wrote it."""
    head = _MARK + bytes([_OLD]) + root
    return _closed(head + struct.pack(f"<{1 + len(ends)}I", len(ends), *ends) + b"".join(hashes))


def _closed(body: bytes) -> bytes:
    return body + bytes(_SPARE) + struct.pack("<I", len(body) + _SPARE)
