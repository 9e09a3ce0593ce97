"""Hashes against published examples."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.xet import hashes
from storage.xet.errors import XetError
from tests.storage.xet.vectors import LEAVES, TREES, ZEROS

HELLO = b"hello world"


@settings(deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_a_hash_survives_being_spelled(digest: bytes) -> None:
    assert hashes.from_text(hashes.to_text(digest)) == digest


def test_the_text_of_a_hash_reverses_groups_of_eight_bytes() -> None:
    assert hashes.to_text(bytes(range(32))).startswith("07060504030201000f0e")


@pytest.mark.parametrize(
    "text", ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64, "0" * 64 + "\n", "٠" * 64, "0x" + "0" * 62]
)
def test_what_is_not_64_lowercase_hex_digits_is_no_hash(text: str) -> None:
    with pytest.raises(XetError, match="64 lowercase"):
        hashes.from_text(text)


def test_one_chunk_gives_the_published_hashes() -> None:
    chunk = hashes.chunk_hash(HELLO)
    assert hashes.to_text(chunk) == "4e39378b9d359f118190557a1f44130219a54e5fcfa07bd96cf50b466fe651b1"
    assert hashes.xorb_hash([(chunk, 11)]) == chunk
    whole = hashes.to_text(hashes.file_hash([(chunk, 11)]))
    assert whole == "f15edd43b7e85cfd25e2758ffe13b99fdd09dfa817e8d9f6548722a7a126db7f"
    proof = hashes.to_text(hashes.range_hash([chunk]))
    assert proof == "22ef2fdcff5cea306e42ad7e15ed8a0c5e789e7d2ec34658c10d2758946847da"


def test_a_chunk_hashes_alike_in_every_kind_of_buffer() -> None:
    assert (
        hashes.chunk_hash(bytearray(HELLO))
        == hashes.chunk_hash(memoryview(HELLO))
        == hashes.chunk_hash(HELLO)
    )


@pytest.mark.parametrize(("places", "xorb", "salted"), TREES)
def test_trees_give_the_published_hashes(places: list[int], xorb: str, salted: list[tuple[str, str]]) -> None:
    chunks = [(hashes.from_text(LEAVES[place]), 100 * place) for place in places]
    root = hashes.xorb_hash(chunks)
    assert hashes.to_text(root) == xorb
    for salt, whole in salted:
        if places:
            assert hashes.to_text(hashes.keyed(hashes.from_text(salt), root)) == whole
        if salt == ZEROS:
            assert hashes.to_text(hashes.file_hash(chunks)) == whole


def test_a_stored_sha256_reads_as_everyone_else_spells_it() -> None:
    usual = hashlib.sha256(HELLO).hexdigest()
    assert hashes.sha256_text(hashes.from_text(usual)) == usual
