"""Pieces that follow one another: made ahead by another thread, and read like a file."""

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Item = TypeVar("Item")
_END: Any = object()


def ahead(items: Iterable[Item]) -> Generator[Item, None, None]:
    """Yield items; while one is used, another thread makes the next.

    `close` it before what it takes them from: that waits for the thread.
    """
    source = iter(items)
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, source, _END)
        while (item := coming.result()) is not _END:
            coming = maker.submit(next, source, _END)
            yield item


class PieceStream:
    """Reads an iterator of bytes as one stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        if not self._held:
            self._held = memoryview(next(self._pieces, b""))
        piece, self._held = self._held[:size], self._held[size:]
        return bytes(piece)
