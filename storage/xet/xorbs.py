"""Xorbs: up to 64 MiB of chunks in one object, each chunk behind a header of eight bytes.

Header: version u8 (0), stored length u24, scheme u8, raw length u24.  Schemes: 0 as it is, 1 an LZ4 frame,
2 the bytes regrouped into four planes and then an LZ4 frame.  An old client appends a footer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from storage.xet import footers, hashes
from storage.xet.errors import XetError
from storage.xet.lz4frames import Buffer, Decompressor, compress

HEADER = 8
MAX_CHUNK = 128 * 1024
MAX_STORED_CHUNK = 2 * MAX_CHUNK
MAX_CHUNKS = 8192
MAX_RAW = 64 * 1024 * 1024
# The client never stores more than the raw bytes of a chunk; a footer takes 40 bytes for each, and 96 more.
MAX_XORB = MAX_RAW + MAX_CHUNKS * (HEADER + footers.PER_CHUNK) + footers.AROUND

PLAIN, LZ4, GROUPED = 0, 1, 2
_PLANES = 4


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk of a xorb: its hash, its raw length, and where it lies in the stored bytes, header included."""

    hash: bytes
    raw: int
    start: int
    end: int


def read_xorb(data: bytes | memoryview) -> tuple[list[Chunk], int]:
    """Decode and hash every chunk of a serialized xorb.

    Returns the chunks and the length of the data part, which is all of `data` but a footer.  A footer must agree
    with the chunks.  Raises XetError for anything that breaks the format or its limits.
    """
    view = memoryview(data).cast("B")
    if len(view) > MAX_XORB:
        raise XetError(f"The xorb has {len(view)} bytes; at most {MAX_XORB} are taken.")
    chunks: list[Chunk] = []
    decoder = _Decoder()
    at = total = 0
    while at < len(view) and not footers.begins(view, at):
        where = f"Chunk {len(chunks)}, at byte {at} of the xorb"
        if len(chunks) == MAX_CHUNKS:
            raise XetError(f"{where}: a xorb has at most {MAX_CHUNKS} chunks.")
        scheme, raw, end = _header(view, at, where)
        total += raw
        if total > MAX_RAW:
            raise XetError(f"{where}: a xorb holds at most {MAX_RAW} raw bytes.")
        content = decoder.decode(view[at + HEADER : end], scheme, raw, where)
        chunks.append(Chunk(hashes.chunk_hash(content), raw, at, end))
        at = end
    if not chunks:
        raise XetError("The xorb has no chunks.")
    if at < len(view):
        _check_footer(view[at:], chunks)
    return chunks, at


def decode(data: Buffer, expected: Sequence[Chunk]) -> Iterator[bytes]:
    """Yield the raw bytes of consecutive chunks from the stored bytes that begin with the first of them.

    Each chunk must have the place, the length and the hash that `expected` says; raises XetError where one has
    not, after having yielded those before it.
    """
    view = memoryview(data).cast("B")
    decoder = _Decoder()
    at = 0
    for number, chunk in enumerate(expected):
        where = f"Stored chunk {number}, at byte {chunk.start} of its xorb"
        scheme, raw, end = _header(view, at, where)
        if (raw, end - at) != (chunk.raw, chunk.end - chunk.start):
            raise XetError(f"{where}: its lengths are not the recorded ones.")
        content = decoder.decode(view[at + HEADER : end], scheme, raw, where)
        if hashes.chunk_hash(content) != chunk.hash:
            raise XetError(f"{where}: its bytes do not have the recorded hash.")
        yield bytes(content)
        at = end
    if at != len(view):
        raise XetError(f"{len(view) - at} bytes follow the last stored chunk.")


def write_xorb(chunks: Sequence[bytes]) -> bytes:
    """Return the data part of a xorb that holds `chunks`; raises XetError where they exceed its limits."""
    if not 0 < len(chunks) <= MAX_CHUNKS or sum(map(len, chunks)) > MAX_RAW:
        raise XetError(f"A xorb holds 1 to {MAX_CHUNKS} chunks and at most {MAX_RAW} raw bytes.")
    return b"".join(_packed(chunk, f"Chunk {number}") for number, chunk in enumerate(chunks))


def group(data: Buffer) -> bytes:
    """Return `data` as four planes: every fourth byte from the first, then from the second, and so on."""
    flat = numpy.frombuffer(data, dtype=numpy.uint8)
    return numpy.concatenate([flat[plane::_PLANES] for plane in range(_PLANES)]).tobytes()


def ungroup(planes: Buffer, room: NDArray[numpy.uint8]) -> memoryview:
    """Undo `group` in the `room` given; what is returned is a part of it."""
    grouped = numpy.frombuffer(planes, dtype=numpy.uint8)
    flat = room[: len(grouped)]
    at = 0
    for plane in range(_PLANES):
        length = len(flat[plane::_PLANES])
        flat[plane::_PLANES] = grouped[at : at + length]
        at += length
    return flat.data


def _header(view: memoryview, at: int, where: str) -> tuple[int, int, int]:
    """Return scheme, raw length and end of the chunk whose header begins at `at`."""
    if len(view) - at < HEADER:
        raise XetError(f"{where}: its header is cut short.")
    version, scheme = view[at], view[at + 4]
    stored = int.from_bytes(view[at + 1 : at + 4], "little")
    raw = int.from_bytes(view[at + 5 : at + HEADER], "little")
    if version != 0:
        raise XetError(f"{where}: version {version} is unknown; expected 0.")
    if scheme not in (PLAIN, LZ4, GROUPED):
        raise XetError(f"{where}: compression scheme {scheme} is unknown; expected 0, 1 or 2.")
    if not 0 < raw <= MAX_CHUNK:
        raise XetError(f"{where}: its raw length is {raw}; expected 1 to {MAX_CHUNK}.")
    if not 0 < stored <= MAX_STORED_CHUNK:
        raise XetError(f"{where}: its stored length is {stored}; expected 1 to {MAX_STORED_CHUNK}.")
    if stored > len(view) - at - HEADER:
        raise XetError(f"{where}: it is cut short: {stored} stored bytes were announced.")
    return scheme, raw, at + HEADER + stored


class _Decoder:
    """Decodes chunk after chunk in the same room, so each result lasts until the next call."""

    def __init__(self) -> None:
        self._decompressor = Decompressor()
        self._room = numpy.empty(MAX_CHUNK, dtype=numpy.uint8)

    def decode(self, stored: memoryview, scheme: int, raw: int, where: str) -> Buffer:
        """Return the `raw` bytes of a chunk; raises XetError where its stored bytes do not hold exactly those."""
        if scheme == PLAIN:
            if len(stored) != raw:
                raise XetError(
                    f"{where}: uncompressed, yet {len(stored)} stored and {raw} raw bytes are announced."
                )
            return stored
        try:
            content = self._decompressor.decode(stored, raw)
        except XetError as error:
            raise XetError(f"{where}: {error}.") from error
        return ungroup(content, self._room) if scheme == GROUPED else content


def _check_footer(footer: memoryview, chunks: list[Chunk]) -> None:
    root = hashes.xorb_hash([(chunk.hash, chunk.raw) for chunk in chunks])
    footers.check(
        footer,
        root,
        [chunk.hash for chunk in chunks],
        [chunk.end for chunk in chunks],
        [chunk.raw for chunk in chunks],
    )


def _packed(chunk: bytes, where: str) -> bytes:
    """Return a chunk behind its header, by the scheme that makes it smallest."""
    if not 0 < len(chunk) <= MAX_CHUNK:
        raise XetError(f"{where} has {len(chunk)} bytes; expected 1 to {MAX_CHUNK}.")
    forms = (chunk, compress(chunk), compress(group(chunk)))
    scheme = min((PLAIN, LZ4, GROUPED), key=lambda scheme: len(forms[scheme]))
    head = (0).to_bytes(1) + len(forms[scheme]).to_bytes(3, "little")
    return head + scheme.to_bytes(1) + len(chunk).to_bytes(3, "little") + forms[scheme]
