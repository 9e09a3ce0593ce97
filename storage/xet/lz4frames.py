"""One LZ4 frame in, so many bytes out: the compression inside xorbs.

The client decodes with another library than this does, and chunks that it cannot decode must not be kept.  So the
frame is taken apart here, and whatever one of the two might read otherwise is refused: dictionaries, empty blocks,
frames of other kinds, a wrong length or check byte, and matches that reach back by no bytes at all.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import lz4.frame

from storage.xet.errors import XetError
from storage.xet.lz4matches import may_reach_nowhere, reaches_nowhere

Buffer = bytes | bytearray | memoryview

_MAGIC = 0x184D2204
_VERSION, _VERSION_MASK = 0x40, 0xC0
_BLOCK_CHECK, _SIZED, _CONTENT_CHECK, _RESERVED, _DICTIONARY = 0x10, 0x08, 0x04, 0x02, 0x01
_FLAGS, _SHAPE, _SHORTEST, _SIZE = 4, 5, 7, 8
_LENGTH = struct.Struct("<I")
_STORED = 1 << 31
# What the second byte of a frame's description says about the most bytes in a block; other values are reserved.
_BLOCK_SIZES = {0x40: 64 * 1024, 0x50: 256 * 1024, 0x60: 1024 * 1024, 0x70: 4 * 1024 * 1024}
# The primes of XXH32.
_PRIMES = (2654435761, 2246822519, 3266489917, 668265263, 374761393)
_WORD = 0xFFFFFFFF


def compress(data: Buffer) -> bytes:
    """Return `data` as one frame of independent blocks of 64 KiB, without the parts that the client leaves out."""
    packed: bytes = lz4.frame.compress(
        data, block_size=lz4.frame.BLOCKSIZE_MAX64KB, block_linked=False, store_size=False
    )
    return packed


class Decompressor:
    """Decodes frame after frame with one set of buffers."""

    def __init__(self) -> None:
        self._context: Any = lz4.frame.create_decompression_context()

    def decode(self, packed: Buffer, size: int) -> bytes:
        """Return the `size` bytes that `packed` holds.

        Raises XetError for a damaged frame, for one that holds more or fewer bytes (no more than one byte beyond
        `size` is ever made), and for anything after its end.
        """
        lz4.frame.reset_decompression_context(self._context)
        try:
            raw, used, ended = lz4.frame.decompress_chunk(self._context, packed, max_length=size + 1)
        except RuntimeError as error:
            # What an error leaves of a context is not to be used again.
            self._context = lz4.frame.create_decompression_context()
            raise XetError("its LZ4 frame is damaged") from error
        if len(raw) != size:
            less_or_more = "more" if len(raw) > size else "less"
            raise XetError(f"its LZ4 frame holds {less_or_more} than the announced {size} bytes")
        if not ended or used != len(packed):
            raise XetError("its LZ4 frame does not end with the chunk")
        decoded: bytes = raw
        return decoded

    def decode_strictly(self, packed: memoryview, size: int) -> bytes:
        """Return what `decode` does; raises XetError also for what the client would not read alike."""
        head = _head(_start(packed))
        if head.content not in (None, size):
            raise XetError(f"its LZ4 frame announces {head.content} instead of {size} bytes")
        blocks = _packed_blocks(packed, head)
        raw = self.decode(packed, size)
        if may_reach_nowhere(raw) and any(reaches_nowhere(bytes(block)) for block in blocks):
            raise XetError("its LZ4 frame has a match that reaches back by 0 bytes")
        return raw


@dataclass(frozen=True, slots=True)
class _Head:
    """What a frame says of itself before its blocks: which are checked, how long they and the content may be."""

    length: int
    block: int
    block_check: int
    content_check: int
    content: int | None


def _start(packed: memoryview) -> bytes:
    """Return the header of a frame, as long as its flags say, or what is there of it."""
    sized = len(packed) > _FLAGS and packed[_FLAGS] & _SIZED
    return bytes(packed[: _SHORTEST + _SIZE if sized else _SHORTEST])


@lru_cache(maxsize=256)
def _head(start: bytes) -> _Head:
    """Read the header of a frame; nearly all those of a client are the same."""
    if len(start) < _SHORTEST or _LENGTH.unpack_from(start)[0] != _MAGIC:
        raise XetError("its LZ4 frame is damaged: it does not begin as a frame does")
    flags, shape = start[_FLAGS], start[_SHAPE]
    if flags & _VERSION_MASK != _VERSION or flags & (_RESERVED | _DICTIONARY) or shape not in _BLOCK_SIZES:
        raise XetError(f"its LZ4 frame is of a kind that is not taken ({flags:02x} {shape:02x})")
    sized = bool(flags & _SIZED)
    length = _SHORTEST + (_SIZE if sized else 0)
    if len(start) < length or start[length - 1] != _check_byte(start[_FLAGS : length - 1]):
        raise XetError("its LZ4 frame is damaged: its header does not have the check byte that it must have")
    return _Head(
        length,
        _BLOCK_SIZES[shape],
        _LENGTH.size if flags & _BLOCK_CHECK else 0,
        _LENGTH.size if flags & _CONTENT_CHECK else 0,
        int.from_bytes(start[_SHAPE + 1 : length - 1], "little") if sized else None,
    )


def _packed_blocks(packed: memoryview, head: _Head) -> list[memoryview]:
    """Return the blocks of a frame that are not stored as they are; raises XetError unless all fits together."""
    found, at = [], head.length
    while True:
        (length,) = _LENGTH.unpack(_exactly(packed, at, _LENGTH.size))
        at += _LENGTH.size
        if not length:
            break
        stored, length = length & _STORED, length & ~_STORED
        # A packed block of one byte can only be one that holds nothing, which the client takes for the end.
        if not (0 if stored else 1) < length <= head.block:
            raise XetError(f"its LZ4 frame has a block of {length} bytes, too few or too many")
        block = _exactly(packed, at, length + head.block_check)[:length]
        at += length + head.block_check
        if not stored:
            found.append(block)
    if len(packed) - at != head.content_check:
        raise XetError("its LZ4 frame does not end with the chunk")
    return found


def _exactly(packed: memoryview, at: int, length: int) -> memoryview:
    if len(packed) - at < length:
        raise XetError("its LZ4 frame does not end with the chunk")
    return packed[at : at + length]


def _check_byte(described: bytes) -> int:
    """Return the second byte of the XXH32 of a frame's description, which is of fewer than sixteen bytes."""
    value = (_PRIMES[4] + len(described)) & _WORD
    whole = len(described) // 4 * 4
    for (word,) in struct.iter_unpack("<I", described[:whole]):
        value = _turned(value + word * _PRIMES[2], 17) * _PRIMES[3] & _WORD
    for byte in described[whole:]:
        value = _turned(value + byte * _PRIMES[4], 11) * _PRIMES[0] & _WORD
    value = (value ^ value >> 15) * _PRIMES[1] & _WORD
    value = (value ^ value >> 13) * _PRIMES[2] & _WORD
    return (value ^ value >> 16) >> 8 & 0xFF


def _turned(value: int, by: int) -> int:
    value &= _WORD
    return (value << by | value >> 32 - by) & _WORD
