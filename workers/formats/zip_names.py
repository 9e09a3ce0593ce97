"""The members of a zip archive, read from its central directory with bounds; nothing is decompressed."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from workers.formats.findings import FormatError
from workers.formats.reader import RangeReader

END = struct.Struct("<4s4H2LH")
END64_LOCATOR = struct.Struct("<4sLQL")
END64 = struct.Struct("<4sQ2H2L4Q")
ENTRY = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")
EXTRA = struct.Struct("<HH")
MAX_TAIL = END.size + 65_535 + END64_LOCATOR.size
MAX_DIRECTORY = 16 * 1024 * 1024
ELSEWHERE = 0xFFFFFFFF
ZIP64 = 1


class Member(NamedTuple):
    """One entry: flags and method as in the archive, its packed and whole size, where its local header begins."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    header: int


def zip_names(reader: RangeReader) -> Iterator[bytes]:
    """Every member's name. Raises FormatError where the directory is missing, damaged or above 16 MiB."""
    return (member.name for member in zip_members(reader))


def zip_members(reader: RangeReader) -> Iterator[Member]:
    """Every member, as the directory tells it. Raises FormatError as `zip_names` does."""
    start, length = _directory(reader)
    if length > MAX_DIRECTORY or start + length > reader.size:
        raise FormatError("bad-zip", f"the archive's directory claims {length} bytes at {start}")
    yield from _members(reader.read(start, length))


def data_start(reader: RangeReader, member: Member) -> int:
    """Where a member's bytes begin, behind its local header. Raises FormatError where that is another member's."""
    if member.header + LOCAL.size > reader.size:
        raise _lies(member)
    magic, *_, name, extra = LOCAL.unpack(reader.read(member.header, LOCAL.size))
    start = int(member.header + LOCAL.size + name + extra)
    if magic != b"PK\x03\x04" or start + member.packed > reader.size or name != len(member.name):
        raise _lies(member)
    if reader.read(member.header + LOCAL.size, name) != member.name:
        raise _lies(member)
    return start


def _lies(member: Member) -> FormatError:
    return FormatError("bad-zip", f"the archive's {member.name[:200]!r} is not where the directory says")


def _directory(reader: RangeReader) -> tuple[int, int]:
    """Where the central directory lies, from the record at the end of the archive."""
    tail_start = max(0, reader.size - MAX_TAIL)
    tail = reader.read(tail_start, reader.size - tail_start)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + END.size > len(tail):
        raise FormatError("bad-zip", "the archive has no end record")
    *_, length, start, _ = END.unpack_from(tail, at)
    locator = at - END64_LOCATOR.size
    if locator >= 0 and tail.startswith(b"PK\x06\x07", locator):
        return _directory64(reader, END64_LOCATOR.unpack_from(tail, locator)[2])
    return start, length


def _directory64(reader: RangeReader, at: int) -> tuple[int, int]:
    if at + END64.size > reader.size:
        raise FormatError("bad-zip", "the archive's 64-bit end record lies outside the file")
    magic, *_, length, start = END64.unpack(reader.read(at, END64.size))
    if magic != b"PK\x06\x06":
        raise FormatError("bad-zip", "the archive's 64-bit end record is damaged")
    return start, length


def _members(directory: bytes) -> Iterator[Member]:
    at = 0
    while at + ENTRY.size <= len(directory):
        magic, _, _, flags, method, _, _, crc, packed, size, name, extra, comment, *_, header = (
            ENTRY.unpack_from(directory, at)
        )
        if magic != b"PK\x01\x02":
            raise FormatError("bad-zip", "the archive's directory is damaged")
        at += ENTRY.size
        raw = directory[at : at + name]
        wide = _wide(directory[at + name : at + name + extra], size, packed, header)
        yield Member(raw, flags, method, crc, wide[1], wide[0], wide[2])
        at += name + extra + comment


def _wide(extra: bytes, *narrow: int) -> list[int]:
    """Sizes and offset, those that need 64 bits from the extra field."""
    at, rest = 0, b""
    while at + EXTRA.size <= len(extra):
        kind, length = EXTRA.unpack_from(extra, at)
        at += EXTRA.size
        if kind == ZIP64:
            rest = extra[at : at + length]
        at += length
    found = []
    for value in narrow:
        if value == ELSEWHERE and len(rest) >= 8:
            value, rest = int.from_bytes(rest[:8], "little"), rest[8:]
        found.append(value)
    return found
