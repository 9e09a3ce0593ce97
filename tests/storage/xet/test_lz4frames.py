"""Frames: taken where the client reads them, refused where it might not."""

import io
import itertools
import struct
from dataclasses import dataclass
from pathlib import Path

import lz4.block
import lz4.frame
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.xet import hashes, lz4matches, xorbs
from storage.xet.errors import XetError
from storage.xet.lz4frames import Decompressor, compress
from tests.storage.xet import client
from tests.storage.xet.samples import random_bytes, weights
from tests.storage.xet.test_with_the_client import plan

WORDS = b"the same words again and again. " * 40


def check_byte(head: bytes) -> int:
    """Return the check byte of a frame's header: the second byte of the XXH32 of fewer than sixteen bytes."""
    prime1, prime2, prime3, prime4, prime5 = 2654435761, 2246822519, 3266489917, 668265263, 374761393
    mask = 0xFFFFFFFF
    value = (prime5 + len(head)) & mask
    words = len(head) // 4
    for word in struct.unpack(f"<{words}I", head[: 4 * words]):
        value = (value + word * prime3) & mask
        value = ((value << 17 | value >> 15) & mask) * prime4 & mask
    for byte in head[4 * words :]:
        value = (value + byte * prime5) & mask
        value = ((value << 11 | value >> 21) & mask) * prime1 & mask
    value = (value ^ value >> 15) * prime2 & mask
    value = (value ^ value >> 13) * prime3 & mask
    return (value ^ value >> 16) >> 8 & 0xFF


@dataclass(frozen=True)
class Frame:
    """A frame made by hand; its blocks are (bytes, whether they are stored as they are)."""

    blocks: tuple[tuple[bytes, bool], ...]
    flags: int = 0x60
    shape: int = 0x40
    described: bytes = b""
    wrong_check: int = 0
    end: bytes = bytes(4)

    def __bytes__(self) -> bytes:
        head = bytes([self.flags, self.shape]) + self.described
        body = b"".join(struct.pack("<I", len(block) | stored << 31) + block for block, stored in self.blocks)
        check = check_byte(head) ^ self.wrong_check
        return b"\x04\x22\x4d\x18" + head + bytes([check]) + body + self.end


PACKED = (lz4.block.compress(WORDS, store_size=False), False)
NOTHING = (b"", True)
# Eight bytes, then a match of so many bytes that reaches back by none, then the last five.
NOWHERE = (b"\x80abcdefgh\0\0\x50vwxyz", False)


def strictly(frame: Frame | bytes, size: int = len(WORDS)) -> bytes:
    return Decompressor().decode_strictly(memoryview(bytes(frame)), size)


def test_a_frame_made_by_hand_is_read() -> None:
    assert strictly(Frame((PACKED,))) == WORDS
    assert strictly(Frame(((WORDS, True),))) == WORDS
    assert strictly(Frame((PACKED, PACKED)), 2 * len(WORDS)) == 2 * WORDS
    assert strictly(Frame((PACKED,), 0x68, described=struct.pack("<Q", len(WORDS)))) == WORDS


@pytest.mark.parametrize(
    ("frame", "match"),
    [
        (Frame((PACKED,), flags=0x61, described=bytes(4)), "kind"),
        (Frame((PACKED,), flags=0x61, described=b"\1\0\0\0"), "kind"),
        (Frame((PACKED,), flags=0x62), "kind"),
        (Frame((PACKED,), flags=0xA0), "kind"),
        (Frame((PACKED,), flags=0x20), "kind"),
        (Frame((PACKED,), shape=0x30), "kind"),
        (Frame((PACKED,), shape=0x00), "kind"),
        (Frame((PACKED,), shape=0x41), "kind"),
        (Frame((PACKED,), shape=0xC0), "kind"),
        (Frame((PACKED,), wrong_check=1), "check byte"),
        (Frame((PACKED,), flags=0x68, described=bytes(8)), "announces 0 instead"),
        (Frame((PACKED,), flags=0x68, described=struct.pack("<Q", len(WORDS) + 1)), "announces"),
        (Frame((PACKED,), flags=0x68, described=struct.pack("<Q", 1 << 40)), "announces"),
        (Frame((NOTHING, PACKED)), "block of 0 bytes"),
        (Frame((PACKED, NOTHING)), "block of 0 bytes"),
        (Frame(((b"\0", False), PACKED)), "block of 1 bytes"),
        (Frame((PACKED, (b"\0", False))), "block of 1 bytes"),
        (Frame(((bytes(65537), True),)), "block of 65537 bytes"),
        (Frame(((WORDS + b"!", True),)), "more than"),
        (Frame(((WORDS[:-1], True),)), "less than"),
        (Frame((PACKED,), end=b""), "does not end"),
        (Frame((PACKED,), end=bytes(3)), "does not end"),
        (Frame((PACKED,), end=bytes(5)), "does not end"),
        (Frame((PACKED,), end=bytes(4) + bytes(Frame((PACKED,)))), "does not end"),
        (Frame((PACKED,), flags=0x64), "does not end"),
        (Frame((PACKED,), flags=0x64, end=bytes(8)), "damaged"),
        (Frame((PACKED,), flags=0x70, end=b"abcd" + bytes(4)), "damaged"),
        (b"\x02\x21\x4c\x18" + struct.pack("<I", len(PACKED[0])) + PACKED[0], "begin"),
        (b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + bytes(Frame((PACKED,))), "begin"),
        (b"", "begin"),
        (b"\x04\x22\x4d\x18\x60\x40", "begin"),
        (b"\x04\x22\x4d\x18\x68\x40\0", "check byte"),
    ],
)
def test_a_frame_that_the_client_might_not_read_is_refused(frame: Frame | bytes, match: str) -> None:
    with pytest.raises(XetError, match=match):
        strictly(frame)


def test_a_match_that_reaches_back_by_nothing_is_refused() -> None:
    made = b"abcdefgh" + bytes(4) + b"vwxyz"
    assert Decompressor().decode(bytes(Frame((NOWHERE,))), len(made)) == made
    with pytest.raises(XetError, match="reaches back by 0 bytes"):
        strictly(Frame((NOWHERE,)), len(made))
    with pytest.raises(XetError, match="reaches back by 0 bytes"):
        strictly(Frame((PACKED, NOWHERE)), len(WORDS) + len(made))


@dataclass(frozen=True)
class Sequence:
    literals: bytes
    back: int
    length: int

    def __bytes__(self) -> bytes:
        return (
            bytes([min(len(self.literals), 15) << 4 | min(self.length - 4, 15)])
            + more(len(self.literals))
            + self.literals
            + struct.pack("<H", self.back)
            + more(self.length - 4)
        )


def more(number: int) -> bytes:
    return b"" if number < 15 else b"\xff" * ((number - 15) // 255) + bytes([(number - 15) % 255])


# Bytes that look like every other part of a sequence.
TRICKY = st.lists(st.sampled_from([0, 0, 0, 1, 4, 15, 16, 240, 255]), max_size=300).map(bytes)
SEQUENCES = st.lists(
    st.builds(Sequence, TRICKY, st.sampled_from([1, 2, 255, 256]), st.sampled_from([4, 5, 18, 19, 273, 274])),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(SEQUENCES, SEQUENCES, TRICKY, st.sampled_from([4, 18, 19, 20, 300]))
def test_such_a_match_is_found_among_others_and_nowhere_else(
    before: list[Sequence], behind: list[Sequence], last: bytes, length: int
) -> None:
    end = bytes(Sequence(last, 1, 4))[:-2]
    sound = b"".join(map(bytes, before)) + b"".join(map(bytes, behind)) + end
    assert not lz4matches.reaches_nowhere(sound)
    broken = b"".join(map(bytes, [*before, Sequence(b"a", 0, length), *behind])) + end
    assert lz4matches.reaches_nowhere(broken)


@settings(deadline=None)
@given(st.binary(max_size=40), st.integers(4, 9), st.binary(max_size=40))
def test_zeros_in_a_row_are_found_at_every_place(before: bytes, count: int, behind: bytes) -> None:
    raw = before + bytes(count) + behind
    assert lz4matches.may_reach_nowhere(raw)
    bare = raw.replace(bytes(4), b"")
    assert lz4matches.may_reach_nowhere(bare) == (bytes(4) in bare)


def frames(raw: bytes) -> list[bytes]:
    """Return every kind of frame that other clients may write and that is taken."""
    kinds = itertools.product((4, 5, 6, 7), (False, True), (False, True))
    return [
        compress(raw),
        *(
            lz4.frame.compress(
                raw,
                block_size=size,
                block_linked=linked,
                block_checksum=checked,
                content_checksum=checked,
                store_size=checked,
            )
            for size, linked, checked in kinds
        ),
    ]


def test_the_client_reads_every_kind_of_frame_that_is_taken(tmp_path: Path) -> None:
    samples = [WORDS * 90, xorbs.group(weights(131072, 3)), random_bytes(70_000, 4) + bytes(50_000)]
    data, content = b"", b""
    for scheme, raw in zip((xorbs.LZ4, xorbs.GROUPED, xorbs.LZ4), samples, strict=True):
        for frame in frames(raw):
            assert len(frame) < len(raw)
            head = (0).to_bytes(1) + len(frame).to_bytes(3, "little") + bytes([scheme])
            data += head + len(raw).to_bytes(3, "little") + frame
            content += weights(131072, 3) if scheme == xorbs.GROUPED else raw
    chunks, length = xorbs.scan_xorb(io.BytesIO(data), len(data))
    assert length == len(data)
    pairs = [(chunk.hash, chunk.raw) for chunk in chunks]
    name, whole = hashes.to_text(hashes.xorb_hash(pairs)), hashes.to_text(hashes.file_hash(pairs))
    target = tmp_path / "target"
    with client.sink() as server:
        server.xorbs[name] = data
        server.recipes[whole] = plan(server, name, chunks)
        client.download(server, tmp_path / "home", target=target, name=whole, size=len(content))
    assert target.read_bytes() == content
