"""What stands behind the records of a full shard: lookups by hash, and a footer of 200 bytes.

A lookup is a list of the first eight bytes of hashes, sorted as numbers, each with the place of its record.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from storage.xet.errors import XetError
from storage.xet.records import SIZE as RECORD

FOOTER = 200

_VERSION = 1
# Version; offsets of files and xorbs; offset and count of three lookups; key, created, expires; spare; three
# sums of bytes (as stored, of files, of chunks); offset of the footer.
_FOOTER = struct.Struct("<Q8Q32s2Q48s3QQ")
_PLACE = struct.Struct("<QI")
_CHUNK_PLACE = numpy.dtype([("first", "<u8"), ("record", "<u4"), ("number", "<u4")])


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a footer says beyond places: the key of the chunk hashes, two times, and the raw bytes in all."""

    key: bytes
    created: int
    expires: int
    raw: int


def read(view: memoryview, *, xorbs_at: int, lookups_at: int) -> bytes:
    """Check the lookups' places and the footer of the full shard `view`; return the key of its chunk hashes.

    The lookups themselves are not read: they repeat the records.
    """
    version, *numbers, key, _, _, _, _, _, _, footer_at = _FOOTER.unpack_from(view, len(view) - FOOTER)
    if version != _VERSION:
        raise XetError(f"The footer of the shard has the unknown version {version}; expected {_VERSION}.")
    _, _, _, files, _, xorbs, _, chunks = numbers
    at_xorbs = lookups_at + files * _PLACE.size
    at_chunks = at_xorbs + xorbs * _PLACE.size
    end = at_chunks + chunks * _CHUNK_PLACE.itemsize
    places = [RECORD, xorbs_at, lookups_at, files, at_xorbs, xorbs, at_chunks, chunks]
    if numbers != places or footer_at != end or end != len(view) - FOOTER:
        raise XetError("The footer of the shard does not agree with what stands before it.")
    return bytes(key)


def write(
    xorbs: Sequence[tuple[bytes, int, bytes]], *, xorbs_at: int, lookups_at: int, stamp: Stamp
) -> bytes:
    """Return lookups and footer of a shard without files.

    Each of `xorbs` is a xorb's hash, the number of its record in the xorbs' list, and its chunks' hashes one behind
    another.
    """
    by_xorb = sorted((int.from_bytes(digest[:8], "little"), record) for digest, record, _ in xorbs)
    by_chunk = numpy.concatenate(
        [_places(record, chunks) for _, record, chunks in xorbs] or [numpy.empty(0, dtype=_CHUNK_PLACE)]
    )
    # They come in the order of their records, in which those with equal hashes stay.
    by_chunk = by_chunk[by_chunk["first"].argsort(kind="stable")]
    lookups = [*(_PLACE.pack(*place) for place in by_xorb), by_chunk.tobytes()]
    chunks_at = lookups_at + len(by_xorb) * _PLACE.size
    end = chunks_at + len(by_chunk) * _CHUNK_PLACE.itemsize
    places = (RECORD, xorbs_at, lookups_at, 0, lookups_at, len(by_xorb), chunks_at, len(by_chunk))
    times = (stamp.key, stamp.created, stamp.expires, bytes(48))
    return b"".join([*lookups, _FOOTER.pack(_VERSION, *places, *times, 0, 0, stamp.raw, end)])


def _places(record: int, chunks: bytes) -> NDArray[numpy.void]:
    firsts = numpy.frombuffer(chunks, dtype="<u8").reshape(-1, 4)[:, 0]
    places = numpy.empty(len(firsts), dtype=_CHUNK_PLACE)
    places["first"], places["record"], places["number"] = firsts, record, numpy.arange(len(firsts))
    return places
