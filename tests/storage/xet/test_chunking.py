"""Chunk boundaries against published examples and the client's own hash of whole files."""

import io
from collections.abc import Iterator
from pathlib import Path

import hf_xet
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from storage.xet import chunking, hashes
from tests.storage.xet.samples import random_bytes, weights
from tests.storage.xet.vectors import ENDS_BY_PADDING, PADDED

LEAST, MOST = chunking.MIN_CHUNK, 128 * 1024


def ends_of(data: bytes) -> list[int]:
    ends = []
    at = 0
    for chunk in chunking.cut(io.BytesIO(data)):
        at += len(chunk)
        ends.append(at)
    return ends


def hash_of(data: bytes) -> str:
    chunks = [(hashes.chunk_hash(chunk), len(chunk)) for chunk in chunking.cut(io.BytesIO(data))]
    return hashes.to_text(hashes.file_hash(chunks))


def hash_by_the_client(data: bytes, folder: Path) -> str:
    path = folder / "file"
    path.write_bytes(data)
    return str(hf_xet.hash_files([str(path)])[0].hash)


def padded(padding: int) -> bytes:
    unit = PADDED + bytes(padding)
    while len(unit) < 65536:
        unit += unit[: 65536 - len(unit)]
    return unit


def test_random_bytes_are_cut_at_the_published_places() -> None:
    assert ends_of(random_bytes(1_000_000, 0)) == [
        *(84493, 134421, 144853, 243318, 271793, 336457, 467529, 494581, 582000, 596735),
        *(616815, 653164, 678202, 724510, 815591, 827760, 958832, 991092, 1000000),
    ]


def test_bytes_all_alike_are_cut_at_the_greatest_length() -> None:
    assert ends_of(bytes([59]) * 1_000_000) == [*range(MOST, 1_000_000, MOST), 1_000_000]


@pytest.mark.parametrize(("padding", "ends"), ENDS_BY_PADDING.items())
def test_possible_ends_near_the_least_length_are_taken_as_published(padding: int, ends: list[int]) -> None:
    assert ends_of(padded(padding)) == ends


@pytest.mark.parametrize(
    ("data", "published"),
    [
        (b"", "0" * 64),
        (b"a", "49a7fffaf5f34109d4a191757f3e541e26437dcd1e0e83153454a503757856be"),
        (bytes(1_000_000), "c0c85185f4307d40facfd366573176e54fc9c76041e44e32d52489780a6d1eaa"),
    ],
)
def test_files_get_the_published_hashes(data: bytes, published: str) -> None:
    assert hash_of(data) == published


def inputs() -> Iterator[tuple[str, bytes]]:
    for length in (0, 1, 63, 64, 65, LEAST - 1, LEAST, LEAST + 1, MOST - 1, MOST, MOST + 1, 3 * MOST):
        yield f"{length} random", random_bytes(length, length)
        yield f"{length} zeros", bytes(length)
    for padding in range(128):
        yield f"padding of {padding}", padded(padding) * 4
    for unit in (b"ab", b"abc" * 11, random_bytes(777, 5), random_bytes(LEAST, 6), random_bytes(70_000, 7)):
        yield f"{len(unit)} bytes again and again", unit * (3_000_000 // len(unit))
    yield "many random", random_bytes(21_000_003, 8)
    yield "weights", weights(9_000_001, 9)
    yield "text with zeros between", b"".join(random_bytes(9999, at) + bytes(200_000) for at in range(30))


def test_the_client_finds_the_same_hash_for_every_kind_of_file(tmp_path: Path) -> None:
    differing = [name for name, data in inputs() if hash_of(data) != hash_by_the_client(data, tmp_path)]
    assert differing == []


class Dribble(io.RawIOBase):
    """Hands out a file in pieces of its own choice."""

    def __init__(self, data: bytes, pieces: list[int]) -> None:
        self._data, self._pieces, self._at = data, pieces, 0

    def read(self, size: int = -1) -> bytes:
        piece = self._pieces[self._at % len(self._pieces)]
        self._at += 1
        head, self._data = self._data[:piece], self._data[piece:]
        return head


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 200_000), min_size=1, max_size=5), st.integers(0, 400_000))
@example([100], 20_000)
def test_boundaries_do_not_depend_on_how_the_bytes_arrive(pieces: list[int], length: int) -> None:
    pieces.append(50_000)
    data = random_bytes(length, 4)
    dribbled = list(chunking.cut(Dribble(data, pieces)))  # type: ignore[arg-type]
    assert dribbled == list(chunking.cut(io.BytesIO(data)))
    assert b"".join(dribbled) == data
    assert all(LEAST <= len(chunk) <= MOST for chunk in dribbled[:-1])
