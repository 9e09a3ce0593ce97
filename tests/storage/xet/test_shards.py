"""Shards: what is written comes back, and nothing false does."""

import gc
import random
import struct
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.xet import hashes, shards, shardtails
from storage.xet.errors import XetError
from storage.xet.shards import FileEntry, Shard, Term, XorbEntry
from tests.storage.xet.samples import THREE_KINDS, file_entry, xorb_entry

KEY = bytes(range(32))
XORBS = [xorb_entry(THREE_KINDS), xorb_entry((b"another",))]
FILES = [file_entry(XORBS[0]), file_entry(XORBS[1])]
SHARD = shards.write_shard(FILES, XORBS)
FULL = shards.write_dedup_shard(XORBS, KEY, expires=2_000_000_000, created=1_900_000_000)

FILE_AT, XORB_AT = 48, 48 * (1 + (1 + 2 + 2 + 1) + (1 + 1 + 1 + 1) + 1)


def patched(at: int, number: int, data: bytes = SHARD) -> bytes:
    """Return `data` with another 32-bit number at a place."""
    return data[:at] + struct.pack("<I", number) + data[at + 4 :]


def refused(data: bytes, match: str) -> None:
    with pytest.raises(XetError, match=match):
        shards.read_shard(data)


def test_a_shard_comes_back_as_it_was_written() -> None:
    assert shards.read_shard(SHARD) == Shard(FILES, XORBS)
    assert shards.read_shard(memoryview(SHARD)) == Shard(FILES, XORBS)
    assert len(SHARD) % 48 == 0


def test_listed_chunks_are_a_sequence() -> None:
    chunks, listed = XORBS[0].chunks, shards.read_shard(SHARD).xorbs[0].chunks
    assert (len(listed), list(listed), listed) == (3, chunks, chunks)
    assert (listed[0], listed[-1], listed[1:]) == (chunks[0], chunks[-1], chunks[1:])
    assert listed != chunks[1:]
    with pytest.raises(IndexError):
        listed[3]


digests = st.binary(min_size=32, max_size=32).filter(lambda digest: digest != b"\xff" * 32)
some_terms = st.builds(
    lambda xorb, unpacked, start, more: Term(xorb, unpacked, start, start + more),
    digests,
    st.integers(1, 1 << 26),
    st.integers(0, 8000),
    st.integers(1, 192),
)


@st.composite
def some_files(draw: st.DrawFn) -> FileEntry:
    terms = draw(st.lists(some_terms, max_size=4))
    ranges = draw(st.none() | st.lists(digests, min_size=len(terms), max_size=len(terms)))
    sha256 = draw(st.none() | digests.map(bytes.hex))
    return FileEntry(draw(digests), terms, ranges, sha256)


some_xorbs = st.lists(st.binary(min_size=1, max_size=9), min_size=1, max_size=5).map(
    lambda chunks: xorb_entry(tuple(chunks))
)


@settings(max_examples=60, deadline=None)
@given(st.lists(some_files(), max_size=4), st.lists(some_xorbs, max_size=4))
def test_any_shard_comes_back(files: list[FileEntry], xorbs: list[XorbEntry]) -> None:
    assert shards.read_shard(shards.write_shard(files, xorbs)) == Shard(files, xorbs)


def test_a_file_without_proof_and_name_comes_back() -> None:
    bare = FileEntry(FILES[0].hash, FILES[0].terms, None, None)
    assert shards.read_shard(shards.write_shard([bare], [])).files == [bare]


def test_an_answer_about_known_chunks_masks_their_hashes() -> None:
    answer = shards.read_shard(FULL)
    assert (answer.files, answer.key) == ([], KEY)
    assert [xorb.hash for xorb in answer.xorbs] == [xorb.hash for xorb in XORBS]
    for masked, xorb in zip(answer.xorbs, XORBS, strict=True):
        assert masked.chunks == [(hashes.keyed(KEY, digest), *place) for digest, *place in xorb.chunks]
    for digest, _, _ in XORBS[0].chunks:
        assert digest not in FULL


def test_the_lookups_of_an_answer_lead_to_its_records() -> None:
    numbers = struct.unpack_from("<Q8Q", FULL, len(FULL) - 200)
    assert numbers[0] == 1
    _, xorbs_at, _, files, xorb_lookup, count, chunk_lookup, chunk_count = numbers[1:]
    assert (files, count, chunk_count) == (0, 2, 4)
    places = [struct.unpack_from("<QI", FULL, xorb_lookup + 12 * at) for at in range(count)]
    assert places == sorted(places)
    for first, record in places:
        assert FULL[xorbs_at + 48 * record :][:8] == first.to_bytes(8, "little")
    chunks = [struct.unpack_from("<QII", FULL, chunk_lookup + 16 * at) for at in range(chunk_count)]
    assert chunks == sorted(chunks)
    for first, record, number in chunks:
        assert FULL[xorbs_at + 48 * (record + 1 + number) :][:8] == first.to_bytes(8, "little")
    created, expires = struct.unpack_from("<2Q", FULL, len(FULL) - 200 + 9 * 8 + 32)
    assert (created, expires) == (1_900_000_000, 2_000_000_000)


def test_a_full_shard_with_files_is_read() -> None:
    """An old client uploads shards in full form."""
    body = SHARD[:40] + struct.pack("<Q", 200) + SHARD[48:]
    tail = shardtails.write(
        [], xorbs_at=XORB_AT, lookups_at=len(body), stamp=shardtails.Stamp(hashes.ZERO, 1, 2, 3)
    )
    assert shards.read_shard(body + tail) == Shard(FILES, XORBS)


@pytest.mark.parametrize("data", [SHARD, FULL], ids=["bare", "full"])
def test_a_shard_cut_short_anywhere_is_refused(data: bytes) -> None:
    for length in range(len(data)):
        with pytest.raises(XetError):
            shards.read_shard(data[:length])


@pytest.mark.parametrize("data", [SHARD, FULL], ids=["bare", "full"])
def test_bytes_after_a_shard_are_refused(data: bytes) -> None:
    for extra in (b"\0", bytes(48), data):
        with pytest.raises(XetError):
            shards.read_shard(data + extra)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"X" + SHARD[1:], "tag"),
        (patched(32, 3), "version 3"),
        (patched(40, 1), "footer of 1 bytes"),
        (patched(44, 1), "footer of 4294967296"),
        (patched(40, 200), "shard"),
        (patched(FILE_AT + 32, 0xE0000000), "unknown flags 0xe0000000 on file 0"),
        (patched(FILE_AT + 36, 1_000_000), "announces 2000001 records for file 0"),
        (patched(FILE_AT + 36, 0xFFFFFFFF), "announces 8589934591 records for file 0"),
        (patched(FILE_AT + 48 + 36, 0), "gives 0 bytes to term 0 of file 0"),
        (patched(FILE_AT + 48 + 36, 0x7FFFFFFF), "gives 2147483647 bytes to term 0"),
        (patched(FILE_AT + 48 + 40, 1), "chunks 1 to 1 in term 0"),
        (patched(FILE_AT + 48 + 44, 8193), "chunks 0 to 8193 in term 0"),
        (patched(XORB_AT + 36, 0), "gives 0 chunks to xorb 0"),
        (patched(XORB_AT + 36, 8193), "gives 8193 chunks to xorb 0"),
        (patched(XORB_AT + 36, 8192), "announces 8192 records for xorb 0"),
        (patched(XORB_AT + 36, 2), "to its chunks"),
        (patched(XORB_AT + 40, 0x7FFFFFFF), "gives 2147483647 bytes to xorb 0"),
        (patched(XORB_AT + 40, 5), "gives 5 bytes to xorb 0, and 2540 to its chunks"),
        (patched(XORB_AT + 48 + 32, 1), "puts chunk 0 of xorb 0 at 1"),
        (patched(XORB_AT + 48 + 36, 0), "puts chunk 0 of xorb 0 at 0 with 0 bytes"),
        (patched(XORB_AT + 48 + 36, 131073), "puts chunk 0 of xorb 0 at 0 with 131073 bytes"),
    ],
)
def test_a_false_number_is_refused_by_name(data: bytes, match: str) -> None:
    refused(data, match)


def test_any_false_place_in_a_footer_is_refused() -> None:
    footer_at = len(FULL) - 200
    for field in (*range(9), 24):
        for change in (1, 1 << 40):
            (value,) = struct.unpack_from("<Q", FULL, footer_at + 8 * field)
            broken = bytearray(FULL)
            struct.pack_into("<Q", broken, footer_at + 8 * field, value + change)
            refused(bytes(broken), "footer of the shard")


def test_random_damage_raises_nothing_else() -> None:
    dice = random.Random(11)
    for data in (SHARD, FULL):
        for _ in range(3000):
            broken = bytearray(data)
            for _ in range(dice.choice((1, 2, 20))):
                broken[dice.randrange(len(data))] = dice.randrange(256)
            try:
                shards.read_shard(bytes(broken))
            except XetError:
                continue


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=500))
def test_bytes_behind_a_true_header_raise_nothing_else(data: bytes) -> None:
    try:
        shards.read_shard(SHARD[:48] + data)
    except XetError:
        return


def test_a_shard_of_lies_takes_little_memory_and_time() -> None:
    lie = SHARD[:FILE_AT] + struct.pack("<32s4I", b"f" * 32, 0, 0xFFFFFFFF, 0, 0) + bytes(480)
    tracemalloc.start()
    refused(lie, "announces 4294967295")
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    refused(bytes(shards.MAX_SHARD + 1), "at most")


def test_a_shard_that_lists_a_million_chunks_takes_little_memory() -> None:
    chunks = [(hashes.chunk_hash(number.to_bytes(2)), number, 1) for number in range(8192)]
    data = shards.write_shard([], [XorbEntry(KEY, chunks, 8192)] * 130)
    tracemalloc.start()
    shard = shards.read_shard(data)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
    assert sum(len(xorb.chunks) for xorb in shard.xorbs) == 130 * 8192


@pytest.mark.parametrize(
    "shape", ["one file of terms", "many files of one term", "many files of none", "xorbs"]
)
def test_a_shard_of_very_many_records_takes_little_memory(shape: str) -> None:
    term, chunk = Term(KEY, 1, 0, 1), (KEY, 0, 1)
    files = {
        "one file of terms": [FileEntry(KEY, [term] * 40_000, [KEY] * 40_000, KEY.hex())],
        "many files of one term": [FileEntry(KEY, [term], [KEY], KEY.hex())] * 20_000,
        "many files of none": [FileEntry(KEY, [], None, None)] * 60_000,
        "xorbs": [],
    }[shape]
    xorbs = [XorbEntry(KEY, [chunk], 1)] * 40_000 if shape == "xorbs" else []
    data = shards.write_shard(files, xorbs)
    tracemalloc.start()
    shard = shards.read_shard(data)
    assert tracemalloc.get_traced_memory()[1] < len(data) / 2
    tracemalloc.stop()
    assert (len(shard.files), len(shard.xorbs)) == (len(files), len(xorbs))
    assert list(shard.files[:2]) == files[:2]
    assert list(shard.xorbs[-2:]) == xorbs[-2:]


def test_a_sha256_is_stored_swapped() -> None:
    name = bytes(range(32)).hex()
    data = shards.write_shard([FileEntry(FILES[0].hash, [], None, name)], [])
    assert data[96:104] == bytes(range(7, -1, -1))
    assert shards.read_shard(data).files[0].sha256 == name


def test_an_iteration_that_an_error_ends_is_safely_collected() -> None:
    class Knot:
        """What an exception with its traceback and frames is to the collector."""

    # The bytes are older than what iterates over them, so the collector comes by them first.
    view = memoryview(bytearray(SHARD))
    listed = shards.read_shard(view).xorbs[0].chunks
    knot = Knot()
    iterator = iter(listed)
    next(iterator)
    knot.__dict__.update(me=knot, view=view, iterator=iterator)
    del knot, iterator, listed, view
    gc.collect()
