"""Shards: which chunks make which files, and which xorbs hold those chunks, in records of 48 bytes.

A header, the files, the xorbs; each of the two lists ends with a record whose hash is all ones.  A client sends
no more than that.  A full shard goes on with lookups and a footer of 200 bytes.
"""

import itertools
import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy
from numpy.typing import NDArray

from storage.xet import hashes, shardtails
from storage.xet.errors import XetError
from storage.xet.hashes import Hash
from storage.xet.records import (
    COLUMNS,
    LAYOUT,
    Listed,
    ListedChunk,
    ListedChunks,
    Record,
    Records,
    Scattered,
    each,
)
from storage.xet.records import SIZE as RECORD
from storage.xet.xorbs import MAX_CHUNK, MAX_CHUNKS, MAX_RAW

MAX_SHARD = 64 * 1024 * 1024

_TAG = b"HFRepoMetaData\0" + bytes.fromhex("556967456a7b815783a5bdd95ccdd14aa9")
_VERSION = 2
_END = b"\xff" * hashes.SIZE
_PROVEN, _NAMED = 1 << 31, 1 << 30

_HEADER = struct.Struct("<32sQQ")


@dataclass(frozen=True, slots=True)
class Term:
    """A run of chunks of one xorb: from `start` up to, not including, `end`; `unpacked` raw bytes together."""

    xorb: Hash
    unpacked: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file: its terms in order, the range hash of each term or None, and its sha256 in hex or None."""

    hash: Hash
    terms: Sequence[Term]
    ranges: Sequence[Hash] | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class XorbEntry:
    """A xorb: each chunk's hash, position in the raw bytes and raw length; and the raw bytes in all."""

    hash: Hash
    chunks: Sequence[ListedChunk]
    bytes_in_xorb: int


@dataclass(frozen=True, slots=True)
class Shard:
    """What a shard says.  `key` is not zeros where the xorbs' chunk hashes are keyed by it."""

    files: Sequence[FileEntry]
    xorbs: Sequence[XorbEntry]
    key: bytes = field(default=hashes.ZERO)


def read_shard(data: bytes | memoryview) -> Shard:
    """Read a shard, with or without a footer.

    Everything is checked now, and made into values when it is asked for.  Counts are bounded by the bytes that are
    there.  A xorb's chunks must follow each other without gaps; whether
    files, terms and xorbs are true is for the caller.  Raises XetError for whatever breaks the format.
    """
    view = memoryview(data).cast("B")
    if len(view) > MAX_SHARD:
        raise XetError(f"The shard has {len(view)} bytes; at most {MAX_SHARD} are taken.")
    footer = _footer_size(view)
    records = Records(view[: len(view) - footer])
    files = _files(records, view)
    xorbs_at = records.at
    xorbs = _xorbs(records, view)
    if not footer:
        if records.at != len(view):
            raise XetError(
                f"The shard announces no footer, yet {len(view) - records.at} bytes follow its xorbs."
            )
        return Shard(files, xorbs)
    key = shardtails.read(view, xorbs_at=xorbs_at, lookups_at=records.at)
    return Shard(files, xorbs, key)


def write_shard(files: Sequence[FileEntry], xorbs: Sequence[XorbEntry]) -> bytes:
    """Return a shard as a client uploads it, without lookups and footer."""
    head = _HEADER.pack(_TAG, _VERSION, 0)
    return b"".join([head, *map(_file_records, files), _end(), *map(_xorb_records, xorbs), _end()])


def write_dedup_shard(xorbs: Sequence[XorbEntry], key: bytes, expires: int, created: int) -> bytes:
    """Return the answer to a question about a known chunk: full form, no files, chunk hashes keyed by `key`.

    `expires` and `created` are in seconds since 1970; the client forgets the answer after `expires`.
    """
    head = _HEADER.pack(_TAG, _VERSION, shardtails.FOOTER) + _end()
    masked = [_masked(xorb.chunks, key) for xorb in xorbs]
    records = (
        LAYOUT.pack(xorb.hash, 0, len(xorb.chunks), xorb.bytes_in_xorb, 0) + chunks.tobytes()
        for xorb, chunks in zip(xorbs, masked, strict=True)
    )
    section = b"".join([*records, _end()])
    starts = itertools.accumulate((1 + len(chunks) for chunks in masked), initial=0)
    tail = shardtails.write(
        [
            (xorb.hash, start, chunks["hash"].tobytes())
            for xorb, start, chunks in zip(xorbs, starts, masked, strict=False)
        ],
        xorbs_at=len(head),
        lookups_at=len(head) + len(section),
        stamp=shardtails.Stamp(key, created, expires, sum(xorb.bytes_in_xorb for xorb in xorbs)),
    )
    return head + section + tail


def _masked(chunks: Sequence[ListedChunk], key: bytes) -> NDArray[numpy.void]:
    """Return the records of a xorb's chunks, their hashes keyed."""
    records = numpy.zeros(len(chunks), dtype=COLUMNS)
    digests = b"".join([hashes.keyed(key, digest) for digest, _, _ in chunks])
    records["hash"] = numpy.frombuffer(digests, dtype=COLUMNS["hash"])
    records["start"] = numpy.fromiter((start for _, start, _ in chunks), dtype="<u4", count=len(chunks))
    records["length"] = numpy.fromiter((length for _, _, length in chunks), dtype="<u4", count=len(chunks))
    return records


def _footer_size(view: memoryview) -> int:
    """Check the header and return the size of the footer that it announces."""
    if len(view) < RECORD:
        raise XetError(f"The shard has {len(view)} bytes, too few for its header of {RECORD}.")
    tag, version, footer = _HEADER.unpack_from(view)
    if tag != _TAG:
        raise XetError("The shard does not begin with the tag of a shard.")
    if version != _VERSION:
        raise XetError(f"The shard has the unknown version {version}; expected {_VERSION}.")
    if footer not in (0, shardtails.FOOTER):
        raise XetError(f"The shard announces a footer of {footer} bytes; expected 0 or {shardtails.FOOTER}.")
    if len(view) < RECORD + footer:
        raise XetError(f"The shard has {len(view)} bytes, too few for its footer of {footer}.")
    return int(footer)


def _files(records: Records, view: memoryview) -> Scattered[FileEntry]:
    """Check the files; what is returned reads them from `view`."""
    starts = array("Q")
    while True:
        what, start = f"file {len(starts)}", records.at
        digest, flags, count, _, _ = records.take(what)
        if digest == _END:
            return Scattered(starts, partial(_file, view))
        if flags & ~(_PROVEN | _NAMED):
            raise XetError(f"The shard has unknown flags {flags:#x} on {what}.")
        terms = records.take_all(count * (1 + bool(flags & _PROVEN)) + bool(flags & _NAMED), what)
        _check_terms(terms[: count * RECORD], what)
        starts.append(start)


def _check_terms(view: memoryview, what: str) -> None:
    for number, (_, _, unpacked, start, end) in enumerate(each(view)):
        if not start < end <= MAX_CHUNKS:
            raise XetError(
                f"The shard names chunks {start} to {end} in term {number} of {what}; "
                f"a xorb has at most {MAX_CHUNKS}."
            )
        if not 0 < unpacked <= MAX_RAW:
            raise XetError(
                f"The shard gives {unpacked} bytes to term {number} of {what}; expected 1 to {MAX_RAW}."
            )


def _file(view: memoryview, start: int) -> FileEntry:
    """Return the file whose first record begins at `start`, and which was checked."""
    digest, flags, count, _, _ = LAYOUT.unpack_from(view, start)
    at = start + RECORD
    terms = Listed(view[at : at + count * RECORD], _term)
    at += count * RECORD
    ranges = None
    if flags & _PROVEN:
        ranges = Listed(view[at : at + count * RECORD], _hash)
        at += count * RECORD
    sha256 = hashes.sha256_text(_hash(LAYOUT.unpack_from(view, at))) if flags & _NAMED else None
    return FileEntry(digest, terms, ranges, sha256)


def _term(record: Record) -> Term:
    xorb, _, unpacked, start, end = record
    return Term(xorb, unpacked, start, end)


def _hash(record: Record) -> Hash:
    return record[0]


def _xorbs(records: Records, view: memoryview) -> Scattered[XorbEntry]:
    """Check the xorbs; what is returned reads them from `view`."""
    starts = array("Q")
    while True:
        what, start = f"xorb {len(starts)}", records.at
        digest, _, count, total, _ = records.take(what)
        if digest == _END:
            return Scattered(starts, partial(_xorb, view))
        if not 0 < count <= MAX_CHUNKS:
            raise XetError(f"The shard gives {count} chunks to {what}; expected 1 to {MAX_CHUNKS}.")
        if total > MAX_RAW:
            raise XetError(f"The shard gives {total} bytes to {what}; at most {MAX_RAW} are taken.")
        _check_chunks(ListedChunks(records.take_all(count, what)), total, what)
        starts.append(start)


def _check_chunks(chunks: ListedChunks, total: int, what: str) -> None:
    """Raise XetError unless the chunks of a xorb fill its raw bytes without gaps."""
    gap = chunks.first_gap(MAX_CHUNK)
    if gap is not None:
        _, start, length = chunks[gap]
        raise XetError(
            f"The shard puts chunk {gap} of {what} at {start} with {length} bytes; "
            f"expected the end of the one before it, and 1 to {MAX_CHUNK}."
        )
    if chunks.total() != total:
        raise XetError(f"The shard gives {total} bytes to {what}, and {chunks.total()} to its chunks.")


def _xorb(view: memoryview, start: int) -> XorbEntry:
    """Return the xorb whose first record begins at `start`, and which was checked."""
    digest, _, count, total, _ = LAYOUT.unpack_from(view, start)
    chunks = view[start + RECORD : start + RECORD * (1 + count)]
    return XorbEntry(digest, ListedChunks(chunks), total)


def _end() -> bytes:
    return LAYOUT.pack(_END, 0, 0, 0, 0)


def _file_records(file: FileEntry) -> bytes:
    flags = (_PROVEN if file.ranges is not None else 0) | (_NAMED if file.sha256 is not None else 0)
    parts = [LAYOUT.pack(file.hash, flags, len(file.terms), 0, 0)]
    parts += [LAYOUT.pack(term.xorb, 0, term.unpacked, term.start, term.end) for term in file.terms]
    parts += [LAYOUT.pack(digest, 0, 0, 0, 0) for digest in file.ranges or ()]
    if file.sha256 is not None:
        parts.append(LAYOUT.pack(hashes.from_text(file.sha256), 0, 0, 0, 0))
    return b"".join(parts)


def _xorb_records(xorb: XorbEntry) -> bytes:
    parts = [LAYOUT.pack(xorb.hash, 0, len(xorb.chunks), xorb.bytes_in_xorb, 0)]
    parts += [LAYOUT.pack(digest, start, length, 0, 0) for digest, start, length in xorb.chunks]
    return b"".join(parts)
