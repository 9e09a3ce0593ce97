"""Shards: which chunks make which files, and which xorbs hold those chunks, in records of 48 bytes.

A header, the files, the xorbs; each of the two lists ends with a record whose hash is all ones.  A client sends
no more than that.  A full shard goes on with lookups and a footer of 200 bytes.
"""

import itertools
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from storage.xet import hashes, shardtails
from storage.xet.errors import XetError
from storage.xet.hashes import Hash
from storage.xet.records import LAYOUT, ListedChunk, ListedChunks, Records
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
    terms: list[Term]
    ranges: list[Hash] | None
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

    files: list[FileEntry]
    xorbs: list[XorbEntry]
    key: bytes = field(default=hashes.ZERO)


def read_shard(data: bytes | memoryview) -> Shard:
    """Read a shard, with or without a footer.

    Counts are bounded by the bytes that are there.  A xorb's chunks must follow each other without gaps; whether
    files, terms and xorbs are true is for the caller.  Raises XetError for whatever breaks the format.
    """
    view = memoryview(data).cast("B")
    if len(view) > MAX_SHARD:
        raise XetError(f"The shard has {len(view)} bytes; at most {MAX_SHARD} are taken.")
    footer = _footer_size(view)
    records = Records(view[: len(view) - footer])
    files = list(_files(records))
    xorbs_at = records.at
    xorbs = list(_xorbs(records))
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
    masked = [
        XorbEntry(
            xorb.hash,
            [(hashes.keyed(key, digest), start, length) for digest, start, length in xorb.chunks],
            xorb.bytes_in_xorb,
        )
        for xorb in xorbs
    ]
    head = _HEADER.pack(_TAG, _VERSION, shardtails.FOOTER) + _end()
    section = b"".join([*map(_xorb_records, masked), _end()])
    starts = itertools.accumulate((1 + len(xorb.chunks) for xorb in masked), initial=0)
    tail = shardtails.write(
        [
            (xorb.hash, start, [digest for digest, _, _ in xorb.chunks])
            for xorb, start in zip(masked, starts, strict=False)
        ],
        xorbs_at=len(head),
        lookups_at=len(head) + len(section),
        stamp=shardtails.Stamp(key, created, expires, sum(xorb.bytes_in_xorb for xorb in masked)),
    )
    return head + section + tail


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


def _files(records: Records) -> Iterator[FileEntry]:
    for number in itertools.count():
        what = f"file {number}"
        digest, flags, count, _, _ = records.take(what)
        if digest == _END:
            return
        if flags & ~(_PROVEN | _NAMED):
            raise XetError(f"The shard has unknown flags {flags:#x} on {what}.")
        proven, named = bool(flags & _PROVEN), bool(flags & _NAMED)
        records.expect(count * (1 + proven) + named, what)
        terms = [_term(records, f"term {at} of {what}") for at in range(count)]
        ranges = [records.take(what)[0] for _ in range(count)] if proven else None
        sha256 = hashes.sha256_text(records.take(what)[0]) if named else None
        yield FileEntry(digest, terms, ranges, sha256)


def _term(records: Records, what: str) -> Term:
    xorb, _, unpacked, start, end = records.take(what)
    if not start < end <= MAX_CHUNKS:
        raise XetError(f"The shard names chunks {start} to {end} in {what}; a xorb has at most {MAX_CHUNKS}.")
    if not 0 < unpacked <= MAX_RAW:
        raise XetError(f"The shard gives {unpacked} bytes to {what}; expected 1 to {MAX_RAW}.")
    return Term(xorb, unpacked, start, end)


def _xorbs(records: Records) -> Iterator[XorbEntry]:
    for number in itertools.count():
        what = f"xorb {number}"
        digest, _, count, total, _ = records.take(what)
        if digest == _END:
            return
        if not 0 < count <= MAX_CHUNKS:
            raise XetError(f"The shard gives {count} chunks to {what}; expected 1 to {MAX_CHUNKS}.")
        if total > MAX_RAW:
            raise XetError(f"The shard gives {total} bytes to {what}; at most {MAX_RAW} are taken.")
        records.expect(count, what)
        yield XorbEntry(digest, _chunks(records, count, total, what), total)


def _chunks(records: Records, count: int, total: int, what: str) -> ListedChunks:
    """Return the chunks of a xorb, which must fill its raw bytes without gaps."""
    chunks = records.take_chunks(count)
    gap = chunks.first_gap(MAX_CHUNK)
    if gap is not None:
        _, start, length = chunks[gap]
        raise XetError(
            f"The shard puts chunk {gap} of {what} at {start} with {length} bytes; "
            f"expected the end of the one before it, and 1 to {MAX_CHUNK}."
        )
    if chunks.total() != total:
        raise XetError(f"The shard gives {total} bytes to {what}, and {chunks.total()} to its chunks.")
    return chunks


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
