"""Xorbs: up to 64 MiB of chunks in one object, each chunk behind a header of eight bytes.

Header: version u8 (0), stored length u24, scheme u8, raw length u24.  Schemes: 0 as it is, 1 an LZ4 frame,
2 the bytes regrouped into four planes and then an LZ4 frame.  An old client appends a footer.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Protocol

import numpy
from numpy.typing import NDArray

from storage.xet import footers, hashes
from storage.xet.errors import XetError
from storage.xet.lz4frames import Buffer, Decompressor, compress

HEADER = 8
MAX_CHUNK = 128 * 1024
MAX_CHUNKS = 8192
MAX_RAW = 64 * 1024 * 1024
# The client never stores more than the raw bytes of a chunk; a footer takes 40 bytes for each, and 96 more.
MAX_XORB = MAX_RAW + MAX_CHUNKS * (HEADER + footers.PER_CHUNK) + footers.AROUND

PLAIN, LZ4, GROUPED = 0, 1, 2
# A xorb is read by pieces of so many bytes.
PIECE = 256 * 1024

_PLANES = 4
_HEAD = struct.Struct("<Q")
_U24 = 0xFFFFFF
# The most that one chunk takes.
_AT_MOST = HEADER + MAX_CHUNK


class Readable(Protocol):
    """Where a xorb is read from: it may give less than was asked for, and gives nothing only at its end."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk of a xorb: its hash, its raw length, and where it lies in the stored bytes, header included."""

    hash: bytes
    raw: int
    start: int
    end: int


def read_xorb(data: bytes | memoryview) -> tuple[list[Chunk], int]:
    """Return what `scan_xorb` does of a xorb that lies in memory."""
    return scan_xorb(BytesIO(data), len(data))


def scan_xorb(file: Readable, length: int) -> tuple[list[Chunk], int]:
    """Decode and hash every chunk of a serialized xorb of `length` bytes, reading it piece by piece.

    Returns the chunks and the length of the data part, which is all but a footer.  A footer must agree with the
    chunks.  Raises XetError for anything that breaks the format or its limits, and where `file` ends early.
    """
    if length > MAX_XORB:
        raise XetError(f"The xorb has {length} bytes; at most {MAX_XORB} are taken.")
    chunks: list[Chunk] = []
    window, decoder = _Window(file, length), _Decoder(strict=True)
    total = 0
    while view := window.ahead(_AT_MOST):
        if footers.begins(view, 0):
            _check_footer(window, length - window.at, chunks)
            break
        at = window.at
        try:
            if len(chunks) == MAX_CHUNKS:
                raise XetError(f"a xorb has at most {MAX_CHUNKS} chunks")
            scheme, raw, end = _header(view)
            total += raw
            if total > MAX_RAW:
                raise XetError(f"a xorb holds at most {MAX_RAW} raw bytes")
            content = decoder.decode(view[HEADER:end], scheme, raw)
        except XetError as error:
            raise XetError(f"Chunk {len(chunks)}, at byte {at} of the xorb: {error}.") from error
        chunks.append(Chunk(hashes.chunk_hash(content), raw, at, at + end))
        window.pass_by(end)
    if not chunks:
        raise XetError("The xorb has no chunks.")
    return chunks, window.at


def decode(data: Buffer, expected: Sequence[Chunk]) -> Iterator[bytes]:
    """Yield the raw bytes of consecutive chunks from the stored bytes that begin with the first of them.

    Each chunk must have the place, the length and the hash that `expected` says; raises XetError where one has
    not, after having yielded those before it.
    """
    view = memoryview(data).cast("B")
    decoder = _Decoder(strict=False)
    at = 0
    for number, chunk in enumerate(expected):
        try:
            scheme, raw, length = _header(view[at : at + _AT_MOST])
            if (raw, length) != (chunk.raw, chunk.end - chunk.start):
                raise XetError("its lengths are not the recorded ones")
            content = decoder.decode(view[at + HEADER : at + length], scheme, raw)
            if hashes.chunk_hash(content) != chunk.hash:
                raise XetError("its bytes do not have the recorded hash")
        except XetError as error:
            raise XetError(f"Stored chunk {number}, at byte {chunk.start} of its xorb: {error}.") from error
        yield bytes(content)
        at += length
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


def _header(view: memoryview) -> tuple[int, int, int]:
    """Return scheme, raw length and stored length, header included, of the chunk that begins `view`."""
    if len(view) < HEADER:
        raise XetError("its header is cut short")
    (word,) = _HEAD.unpack_from(view)
    version, stored, scheme, raw = word & 0xFF, word >> 8 & _U24, word >> 32 & 0xFF, word >> 40
    if version != 0:
        raise XetError(f"version {version} is unknown; expected 0")
    if scheme not in (PLAIN, LZ4, GROUPED):
        raise XetError(f"compression scheme {scheme} is unknown; expected 0, 1 or 2")
    if not 0 < raw <= MAX_CHUNK:
        raise XetError(f"its raw length is {raw}; expected 1 to {MAX_CHUNK}")
    if scheme == PLAIN and stored != raw:
        raise XetError(f"uncompressed, yet {stored} stored and {raw} raw bytes are announced")
    if not 0 < stored <= raw:
        raise XetError(f"its stored length is {stored}; expected 1 to its raw length, {raw}")
    if stored > len(view) - HEADER:
        raise XetError(f"it is cut short: {stored} stored bytes were announced")
    return scheme, raw, HEADER + stored


class _Window:
    """What lies ahead in a file of known length, of which little more than a piece is held at a time."""

    def __init__(self, file: Readable, length: int) -> None:
        self._file = file
        self._length = length
        self._room = memoryview(bytearray(min(_AT_MOST + PIECE, length)))
        # What is held of the file lies between these places in the room.
        self._start = self._end = 0
        # Where the window begins, counted from the start of the file.
        self.at = 0

    def ahead(self, most: int) -> memoryview:
        """Return the next `most` bytes, or all that are left; they last until the next call."""
        wanted = min(most, self._length - self.at)
        if wanted > self._end - self._start:
            self._fetch(wanted)
        return self._room[self._start : self._start + wanted]

    def pass_by(self, count: int) -> None:
        """Leave behind the next `count` bytes."""
        self._start += count
        self.at += count

    def _fetch(self, wanted: int) -> None:
        held = self._end - self._start
        room = self._room if wanted <= len(self._room) else memoryview(bytearray(wanted))
        room[:held] = self._room[self._start : self._end]
        left = self._length - self.at
        while held < wanted:
            piece = self._file.read(min(len(room), left) - held)
            if not piece:
                raise XetError(f"The xorb ends {left - held} bytes before its announced {self._length}.")
            room[held : held + len(piece)] = piece
            held += len(piece)
        self._room, self._start, self._end = room, 0, held


class _Decoder:
    """Decodes chunk after chunk in the same room, so each result lasts until the next call.

    A `strict` one refuses what the client could not read; what was vetted so before needs it no more.
    """

    def __init__(self, *, strict: bool) -> None:
        decompressor = Decompressor()
        self._unpack = decompressor.decode_strictly if strict else decompressor.decode
        self._room = numpy.empty(MAX_CHUNK, dtype=numpy.uint8)

    def decode(self, stored: memoryview, scheme: int, raw: int) -> Buffer:
        """Return the `raw` bytes of a chunk; raises XetError where its stored bytes do not hold exactly those."""
        if scheme == PLAIN:
            return stored
        content = self._unpack(stored, raw)
        return ungroup(content, self._room) if scheme == GROUPED else content


def _check_footer(window: _Window, length: int, chunks: list[Chunk]) -> None:
    """Check what is left of a xorb, of this length, against its chunks; without chunks nothing can be said of it."""
    if not chunks:
        return
    most = footers.AROUND + footers.PER_CHUNK * len(chunks)
    if length > most:
        raise XetError(
            f"The footer of the xorb does not agree with its chunks: it has more than {most} bytes."
        )
    footers.check(
        window.ahead(length),
        hashes.xorb_hash([(chunk.hash, chunk.raw) for chunk in chunks]),
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
