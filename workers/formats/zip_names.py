"""The names in a zip archive, read from its central directory with bounds; nothing is decompressed."""

import struct
from collections.abc import Iterator

from workers.formats.findings import FormatError
from workers.formats.reader import RangeReader

END = struct.Struct("<4s4H2LH")
END64_LOCATOR = struct.Struct("<4sLQL")
END64 = struct.Struct("<4sQ2H2L4Q")
ENTRY = struct.Struct("<4s6H3L5H2L")
MAX_TAIL = END.size + 65_535 + END64_LOCATOR.size
MAX_DIRECTORY = 16 * 1024 * 1024


def zip_names(reader: RangeReader) -> Iterator[bytes]:
    """Every member's name. Raises FormatError where the directory is missing, damaged or above 16 MiB."""
    start, length = _directory(reader)
    if length > MAX_DIRECTORY or start + length > reader.size:
        raise FormatError("bad-zip", f"the archive's directory claims {length} bytes at {start}")
    yield from _names(reader.read(start, length))


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


def _names(directory: bytes) -> Iterator[bytes]:
    at = 0
    while at + ENTRY.size <= len(directory):
        fields = ENTRY.unpack_from(directory, at)
        if fields[0] != b"PK\x01\x02":
            raise FormatError("bad-zip", "the archive's directory is damaged")
        name, extra, comment = fields[10:13]
        at += ENTRY.size
        yield directory[at : at + name]
        at += name + extra + comment
