"""Xorbs: what is written comes back, and nothing false does."""

import io
import random
import tracemalloc

import lz4.frame
import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.xet import footers, xorbs
from storage.xet.errors import XetError
from storage.xet.hashes import chunk_hash, xorb_hash
from storage.xet.lz4frames import compress
from tests.storage.xet.samples import THREE_KINDS, random_bytes, weights

XORB = xorbs.write_xorb(THREE_KINDS)
CHUNKS, _ = xorbs.read_xorb(XORB)
ROOT = xorb_hash([(chunk.hash, chunk.raw) for chunk in CHUNKS])
FOOTER = footers.write(
    ROOT, [chunk.hash for chunk in CHUNKS], [chunk.end for chunk in CHUNKS], [chunk.raw for chunk in CHUNKS]
)
OLD_FOOTER = footers.write_old(ROOT, [chunk.hash for chunk in CHUNKS], [chunk.end for chunk in CHUNKS])


def one(stored: bytes, *, scheme: int, raw: int, version: int = 0, length: int | None = None) -> bytes:
    """Return a chunk with a header that says whatever it is told to say."""
    length = len(stored) if length is None else length
    return (
        bytes([version]) + length.to_bytes(3, "little") + bytes([scheme]) + raw.to_bytes(3, "little") + stored
    )


def refused(data: bytes, match: str) -> None:
    with pytest.raises(XetError, match=match):
        xorbs.read_xorb(data)


def test_each_scheme_is_written_where_it_is_the_smallest() -> None:
    assert [XORB[chunk.start + 4] for chunk in CHUNKS] == [xorbs.PLAIN, xorbs.LZ4, xorbs.GROUPED]


def test_chunks_are_listed_with_hash_length_and_place() -> None:
    assert [chunk.hash for chunk in CHUNKS] == [chunk_hash(raw) for raw in THREE_KINDS]
    assert [chunk.raw for chunk in CHUNKS] == [len(raw) for raw in THREE_KINDS]
    assert [chunk.start for chunk in CHUNKS] == [0, *(chunk.end for chunk in CHUNKS[:-1])]
    assert CHUNKS[-1].end == len(XORB)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=3000), min_size=1, max_size=12), st.data())
def test_what_is_written_is_read_and_any_part_decodes(chunks: list[bytes], data: st.DataObject) -> None:
    stored = xorbs.write_xorb(chunks)
    found, length = xorbs.read_xorb(memoryview(stored))
    assert length == len(stored)
    start = data.draw(st.integers(0, len(found) - 1))
    end = data.draw(st.integers(start + 1, len(found)))
    part = stored[found[start].start : found[end - 1].end]
    assert list(xorbs.decode(part, found[start:end])) == chunks[start:end]


@settings(deadline=None)
@given(st.binary(max_size=50))
def test_grouping_is_undone(data: bytes) -> None:
    assert bytes(xorbs.ungroup(xorbs.group(data), numpy.empty(64, numpy.uint8))) == data


def test_first_planes_take_the_bytes_that_are_over() -> None:
    assert xorbs.group(bytes([0, 1, 2, 3, 4, 5, 6])) == bytes([0, 4, 1, 5, 2, 6, 3])


@pytest.mark.parametrize("footer", [FOOTER, OLD_FOOTER], ids=["current", "old"])
def test_a_true_footer_is_taken_and_is_no_data(footer: bytes) -> None:
    assert xorbs.read_xorb(XORB + footer) == (CHUNKS, len(XORB))


def test_the_spare_bytes_of_a_footer_may_be_anything() -> None:
    assert xorbs.read_xorb(XORB + FOOTER[:-20] + b"\1\2\3\4" + FOOTER[-16:]) == (CHUNKS, len(XORB))


@pytest.mark.parametrize("footer", [FOOTER, OLD_FOOTER], ids=["current", "old"])
def test_a_footer_with_any_bit_wrong_is_refused(footer: bytes) -> None:
    for at in [*range(len(footer) - 20), *range(len(footer) - 4, len(footer))]:
        refused(XORB + footer[:at] + bytes([footer[at] ^ 1]) + footer[at + 1 :], "footer|header|version")


@pytest.mark.parametrize("footer", [b"", FOOTER, OLD_FOOTER], ids=["none", "current", "old"])
def test_a_xorb_cut_short_anywhere_is_refused(footer: bytes) -> None:
    ends = {0, *(chunk.end for chunk in CHUNKS)}
    for length in set(range(len(XORB + footer))) - (ends - {0}):
        with pytest.raises(XetError):
            xorbs.read_xorb((XORB + footer)[:length])


def test_bytes_after_a_footer_are_refused() -> None:
    refused(XORB + FOOTER + b"\0", "does not agree")


PACKED = compress(b"a" * 1000)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "no chunks"),
        (FOOTER, "no chunks"),
        (one(b"abc", scheme=0, raw=3, version=1), "version 1"),
        (one(b"abc", scheme=3, raw=3), "scheme 3"),
        (one(b"abc", scheme=99, raw=3), "scheme 99"),
        (one(b"abc", scheme=0, raw=2), "uncompressed, yet"),
        (one(b"abc", scheme=0, raw=4), "uncompressed, yet"),
        (one(b"", scheme=0, raw=0), "raw length is 0"),
        (one(b"", scheme=1, raw=5), "stored length is 0"),
        (one(b"abc", scheme=0, raw=4, length=4), "cut short"),
        (one(b"abc", scheme=1, raw=1000, length=4), "cut short"),
        (one(b"abc", scheme=0, raw=3, length=2**24 - 1), "uncompressed, yet"),
        (one(b"abc", scheme=1, raw=131072, length=2**24 - 1), "stored length is 16777215"),
        (one(PACKED, scheme=1, raw=len(PACKED) - 1), "stored length is"),
        (one(b"abc", scheme=1, raw=2**24 - 1), "raw length is 16777215"),
        (one(random_bytes(131073, 1), scheme=0, raw=131073), "raw length is 131073"),
        (one(PACKED, scheme=1, raw=999), "more than the announced 999"),
        (one(PACKED, scheme=1, raw=1001), "less than the announced 1001"),
        (one(PACKED, scheme=2, raw=999), "more than"),
        (one(PACKED[:-4], scheme=1, raw=1000), "does not end"),
        (one(PACKED + b"x", scheme=1, raw=1000), "does not end"),
        (one(PACKED + PACKED, scheme=1, raw=2000), "does not end"),
        (one(PACKED[:8], scheme=1, raw=1000), "does not end"),
        (one(b"no frame at all", scheme=1, raw=1000), "damaged"),
        (one(b"\x50\x2a\x4d\x18\x04\0\0\0abcd", scheme=1, raw=1000), "damaged"),
    ],
)
def test_a_false_chunk_is_refused(data: bytes, match: str) -> None:
    refused(data, match)
    if data not in (b"", FOOTER):
        refused(XORB + data, f"Chunk 3, at byte {len(XORB)} of the xorb: .*{match}")


def test_a_xorb_holds_no_more_chunks_and_bytes_than_it_may() -> None:
    small, large = one(b"a", scheme=0, raw=1), one(compress(bytes(131072)), scheme=1, raw=131072)
    assert len(xorbs.read_xorb(small * 8192)[0]) == 8192
    refused(small * 8193, "at most 8192 chunks")
    assert len(xorbs.read_xorb(large * 512)[0]) == 512
    refused(large * 512 + small, "at most 67108864 raw bytes")
    refused(bytes(xorbs.MAX_XORB + 1), "at most")


@pytest.mark.parametrize("chunks", [[], [b""], [bytes(131073)], [b"a"] * 8193, [bytes(131072)] * 513])
def test_a_xorb_out_of_limits_is_not_written(chunks: list[bytes]) -> None:
    with pytest.raises(XetError):
        xorbs.write_xorb(chunks)


def test_a_bomb_bursts_before_it_takes_memory() -> None:
    bomb = lz4.frame.compress(bytes(30_000_000), store_size=False, block_size=lz4.frame.BLOCKSIZE_MAX4MB)
    tracemalloc.start()
    for scheme in (xorbs.LZ4, xorbs.GROUPED):
        refused(one(bomb, scheme=scheme, raw=131072), "more than the announced 131072")
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


class Slow(io.BytesIO):
    """Gives a few bytes at a time."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, 1000))


def test_a_xorb_is_read_in_whatever_pieces_it_comes() -> None:
    raw = random_bytes(3_000_000, 9)
    data = xorbs.write_xorb([raw[at : at + 70_000] for at in range(0, len(raw), 70_000)])
    assert xorbs.scan_xorb(Slow(data), len(data)) == xorbs.read_xorb(data)


def test_a_file_shorter_than_announced_is_refused() -> None:
    for length in (len(XORB) + 1, 60_000_000):
        with pytest.raises(XetError, match=r"cut short|ends .* bytes before"):
            xorbs.scan_xorb(io.BytesIO(XORB), length)


def test_scanning_holds_little_of_a_xorb_in_memory() -> None:
    file = io.BytesIO(one(random_bytes(131072, 4), scheme=0, raw=131072) * 512)
    length = len(file.getbuffer())
    tracemalloc.start()
    assert len(xorbs.scan_xorb(file, length)[0]) == 512
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_a_footer_longer_than_any_is_refused_unread() -> None:
    with pytest.raises(XetError, match=r"does not agree .* more than"):
        xorbs.scan_xorb(io.BytesIO(XORB + FOOTER + bytes(200_000)), len(XORB) + 60_000_000)


@pytest.mark.parametrize("at", [1, 5], ids=["stored length", "raw length"])
def test_no_lie_about_a_length_is_believed(at: int) -> None:
    for chunk in CHUNKS:
        place = slice(chunk.start + at, chunk.start + at + 3)
        true = int.from_bytes(XORB[place], "little")
        lies = {
            0,
            1,
            true // 2,
            true - 1,
            true + 1,
            2 * true,
            131071,
            131072,
            131073,
            262144,
            262145,
            2**24 - 1,
        }
        for lie in lies - {true}:
            with pytest.raises(XetError):
                xorbs.read_xorb(XORB[: place.start] + lie.to_bytes(3, "little") + XORB[place.stop :])


def test_random_damage_never_goes_unnoticed_or_astray() -> None:
    dice = random.Random(7)
    data = XORB + FOOTER
    for _ in range(4000):
        broken = bytearray(data)
        for _ in range(dice.choice((1, 1, 2, 5, 40))):
            broken[dice.randrange(len(data))] = dice.randrange(256)
        try:
            found, _ = xorbs.read_xorb(bytes(broken))
        except XetError:
            continue
        assert [chunk.hash for chunk in found] == [chunk.hash for chunk in CHUNKS]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_bytes_that_are_no_xorb_raise_nothing_else(data: bytes) -> None:
    try:
        found, length = xorbs.read_xorb(data)
    except XetError:
        return
    assert found[-1].end == length <= len(data)


def test_decoding_refuses_a_flipped_byte_and_wrong_places() -> None:
    broken = bytearray(XORB)
    broken[CHUNKS[0].start + 20] ^= 1
    for data, chunks, match in [
        (bytes(broken), CHUNKS, "recorded hash"),
        (XORB, CHUNKS[:-1], "follow the last"),
        (XORB[: CHUNKS[1].end], CHUNKS, "cut short"),
        (XORB[CHUNKS[1].start :], CHUNKS, "recorded ones"),
        (XORB[:-1], CHUNKS, "cut short"),
    ]:
        with pytest.raises(XetError, match=match):
            list(xorbs.decode(data, chunks))


def test_a_full_xorb_of_weights_comes_back() -> None:
    raw = weights(32 * 1024 * 1024, 3)
    chunks = [raw[at : at + 100_000] for at in range(0, len(raw), 100_000)]
    stored = xorbs.write_xorb(chunks)
    found, length = xorbs.read_xorb(stored)
    assert length == len(stored) < len(raw)
    assert b"".join(xorbs.decode(stored, found)) == raw
