"""PURE: a ZIP file as it is sent: entries stored as they are, in Zip64 where they need it (APPNOTE.TXT 6.3.10).

Nothing is kept but a few bytes for each entry, and the length of the whole is known before the first byte.
"""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

U16, U32 = 0xFFFF, 0xFFFFFFFF
# From 1980 to 2107, as the format has it; the earliest moment stands for what lies outside.
FIRST_YEAR, LAST_YEAR = 1980, 2107
UTF8, DESCRIPTOR = 0x0800, 0x0008
_LOCAL, _CENTRAL = struct.Struct("<4s5H3L2H"), struct.Struct("<4s6H3L5H2L")
_SHORT, _LONG = struct.Struct("<4s3L"), struct.Struct("<4sLQQ")
_END, _END64, _LOCATOR = struct.Struct("<4s4H2LH"), struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL")


@dataclass(frozen=True, slots=True)
class Member:
    """A file to be sent: its name with slashes, its size in bytes, and git's mode."""

    name: str
    size: int
    mode: int = 0o100644

    @property
    def raw_name(self) -> bytes:
        return self.name.encode()

    @property
    def is_long(self) -> bool:
        """True where 32 bits do not hold its size."""
        return self.size >= U32


class WrongLength(Exception):
    """A file came with more or fewer bytes than it was said to have."""


def length(members: Sequence[Member]) -> int:
    """Return how many bytes `stream` yields for these members."""
    total = sum(_local_length(member) + member.size for member in members)
    offset = directory = 0
    for member in members:
        directory += _CENTRAL.size + len(member.raw_name) + len(_central_extra(member, offset))
        offset += _local_length(member) + member.size
    return total + directory + len(_end(len(members), total, directory))


def stream(
    members: Iterable[Member], content: Callable[[Member], Iterable[bytes]], *, when: datetime
) -> Iterator[bytes]:
    """Yield the archive; ``content`` opens each member when its turn comes.  Raises WrongLength."""
    stamp = _stamp(when)
    offset, directory = 0, []
    for member in members:
        yield _local(member, stamp)
        crc = seen = 0
        for piece in content(member):
            crc, seen = zlib.crc32(piece, crc), seen + len(piece)
            if seen > member.size:
                break
            yield piece
        if seen != member.size:
            raise WrongLength(f"{member.name} should have {member.size} bytes.")
        yield (_LONG if member.is_long else _SHORT).pack(b"PK\x07\x08", crc, seen, seen)
        directory.append(_central(member, stamp, crc, offset))
        offset += _local_length(member) + member.size
    yield from directory
    yield _end(len(directory), offset, sum(map(len, directory)))


def _stamp(when: datetime) -> tuple[int, int]:
    if not FIRST_YEAR <= when.year <= LAST_YEAR:
        return 0, (1 << 5) | 1
    time = (when.hour << 11) | (when.minute << 5) | (when.second // 2)
    return time, ((when.year - FIRST_YEAR) << 9) | (when.month << 5) | when.day


def _local(member: Member, stamp: tuple[int, int]) -> bytes:
    # The checksum is known once the bytes have passed: it follows them.  A Zip64 field says how wide its sizes are.
    extra = struct.pack("<HHQQ", 1, 16, 0, 0) if member.is_long else b""
    flags, version = UTF8 | DESCRIPTOR, 45 if member.is_long else 20
    name = member.raw_name
    head = _LOCAL.pack(b"PK\x03\x04", version, flags, 0, *stamp, 0, 0, 0, len(name), len(extra))
    return head + name + extra


def _local_length(member: Member) -> int:
    extra, tail = (20, _LONG.size) if member.is_long else (0, _SHORT.size)
    return _LOCAL.size + len(member.raw_name) + extra + tail


def _central_extra(member: Member, offset: int) -> bytes:
    wide = [member.size, member.size] if member.is_long else []
    wide += [offset] if offset >= U32 else []
    return struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""


def _central(member: Member, stamp: tuple[int, int], crc: int, offset: int) -> bytes:
    extra = _central_extra(member, offset)
    size, version = min(member.size, U32), 45 if extra else 20
    name = member.raw_name
    # 3: made on Unix, so that the mode is read as one.
    head = _CENTRAL.pack(
        b"PK\x01\x02", 3 << 8 | version, version, UTF8 | DESCRIPTOR, 0, *stamp, crc, size, size,
        len(name), len(extra), 0, 0, 0, member.mode << 16, min(offset, U32),
    )  # fmt: skip
    return head + name + extra


def _end(count: int, start: int, size: int) -> bytes:
    long = b""
    if count >= U16 or start >= U32 or size >= U32:
        long = _END64.pack(b"PK\x06\x06", 44, 3 << 8 | 45, 45, 0, 0, count, count, size, start)
        long += _LOCATOR.pack(b"PK\x06\x07", 0, start + size, 1)
    short = min(count, U16)
    return long + _END.pack(b"PK\x05\x06", 0, 0, short, short, min(size, U32), min(start, U32), 0)
