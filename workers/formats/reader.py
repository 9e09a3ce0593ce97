"""How the parsers read: by ranges of something with a known size."""

from pathlib import Path
from typing import Protocol, Self

BLOCK = 256 * 1024
LARGEST_BLOCK = 4 * 1024 * 1024


class RangeReader(Protocol):
    """A file of known size. `read` gives exactly `length` bytes or raises OSError; none ask past `size`."""

    size: int

    def read(self, start: int, length: int) -> bytes: ...


def check_range(start: int, length: int, size: int) -> None:
    """Refuse a range outside the file: parsers check first, so the program is at fault, not the file."""
    if start < 0 or length < 0 or start + length > size:
        raise ValueError(f"range {start}+{length} is outside a file of {size} bytes")


class BytesReader:
    """A file that is already in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read(self, start: int, length: int) -> bytes:
        check_range(start, length, self.size)
        return self.data[start : start + length]


class FileReader:
    """A file on disk, opened for the life of the reader; usable as a context manager."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("rb")
        self.size = path.stat().st_size

    def read(self, start: int, length: int) -> bytes:
        check_range(start, length, self.size)
        self.file.seek(start)
        data = self.file.read(length)
        if len(data) != length:
            raise OSError(f"{self.file.name} gave {len(data)} of {length} bytes at {start}: did it shrink?")
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


class CachedReader:
    """Reads ahead of another reader, so that small reads in a row cost few ranged reads.

    One window is held. A read that follows straight on the window doubles the next block, up to 4 MiB,
    because a long header is walked so; a jump elsewhere begins again with the first block size.
    """

    def __init__(self, reader: RangeReader, block: int = BLOCK) -> None:
        self.reader = reader
        self.size = reader.size
        self.block = block
        self.ahead = block
        self.start = 0
        self.window = b""

    def read(self, start: int, length: int) -> bytes:
        check_range(start, length, self.size)
        offset = start - self.start
        if offset < 0 or offset + length > len(self.window):
            self._refill(start, length)
            offset = 0
        return self.window[offset : offset + length]

    def _refill(self, start: int, length: int) -> None:
        follows = bool(self.window) and self.start <= start <= self.start + len(self.window)
        self.ahead = min(self.ahead * 2, max(LARGEST_BLOCK, self.block)) if follows else self.block
        wanted = min(max(length, self.ahead), self.size - start)
        self.window = self.reader.read(start, wanted)
        self.start = start
