"""Readers give exactly what was asked, and few ranged reads make many small ones."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.formats.build import ARCHITECTURE, array, gguf, pair, string
from workers.formats.gguf import inspect_gguf
from workers.formats.reader import BytesReader, CachedReader, FileReader, RangeReader
from workers.formats.safetensors import inspect_safetensors


class Counting:
    """Counts the ranged reads that reach it."""

    def __init__(self, reader: RangeReader) -> None:
        self.reader = reader
        self.size = reader.size
        self.reads = 0
        self.bytes = 0

    def read(self, start: int, length: int) -> bytes:
        self.reads += 1
        self.bytes += length
        return self.reader.read(start, length)


class Sparse:
    """A file of a hundred gigabytes of which only the head is written."""

    size = 100 * 10**9

    def __init__(self, head: bytes) -> None:
        self.head = head

    def read(self, start: int, length: int) -> bytes:
        return self.head[start : start + length].ljust(length, b"\0")


DATA = bytes(range(256)) * 20


@given(st.lists(st.tuples(st.integers(0, len(DATA)), st.integers(0, 600)), max_size=30), st.integers(1, 700))
def test_a_cached_reader_gives_what_the_reader_gives(ranges: list[tuple[int, int]], block: int) -> None:
    cached = CachedReader(BytesReader(DATA), block)
    for start, length in ranges:
        length = min(length, len(DATA) - start)
        assert cached.read(start, length) == DATA[start : start + length]


def test_a_range_outside_the_file_is_a_fault_of_the_program(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    with FileReader(path) as reader:
        assert reader.read(1, 2) == b"bc"
        for held in (reader, BytesReader(b"abc"), CachedReader(BytesReader(b"abc"))):
            for start, length in ((0, 4), (4, 0), (-1, 1), (0, -1)):
                with pytest.raises(ValueError, match="outside a file of 3 bytes"):
                    held.read(start, length)


def test_a_file_that_shrinks_while_read_is_an_error_of_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    with FileReader(path) as reader:
        path.write_bytes(b"")
        with pytest.raises(OSError, match="shrink"):
            reader.read(0, 3)


def test_a_hundred_gigabytes_of_gguf_are_judged_in_a_few_reads() -> None:
    words = b"".join(string(f"token {number}") for number in range(150_000))
    values = [ARCHITECTURE, pair("tokens", 9, array(8, 150_000, words)), pair("scores", 9, array(6, 10**9))]
    head = gguf(values[:2], [("big.weight", (4096, 4096, 1400), 0, 0)])
    counting = Counting(Sparse(head))
    found = inspect_gguf(counting)
    assert [finding.code for finding in found.findings] == ["trailing-bytes"]
    assert found.total_parameters == 4096 * 4096 * 1400
    assert counting.reads <= 8
    assert counting.bytes < 3 * len(head) + 1024 * 1024


def test_a_hundred_gigabytes_of_safetensors_are_judged_in_two_reads() -> None:
    size = Sparse.size - 8 - 128
    header = b'{"a":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}' % (size, size)
    counting = Counting(Sparse(struct.pack("<Q", 128) + header.ljust(128)))
    assert inspect_safetensors(counting).ok
    assert counting.reads == 2
