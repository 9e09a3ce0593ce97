"""The hashes of Xet: chunks, merkle roots over chunks, and the keyed hashes made from those.

A hash is 32 bytes, kept raw.  Its text reverses each group of eight bytes, because the protocol prints a hash
as four little-endian 64-bit numbers.
"""

import re
from collections.abc import Sequence

import numpy
from blake3 import blake3

from storage.xet.errors import XetError

Hash = bytes

SIZE = 32
ZERO = bytes(SIZE)

# The protocol fixes these keys, so that a hash of one kind never passes for a hash of another kind.
_CHUNK_KEY = bytes.fromhex("6697f5775b9550de3135cbaca597181c9de421109beb2b58b4d0b04b93adf229")
_NODE_KEY = bytes.fromhex("017ec5c7a5472996fd946666b48a02e65ddd536f37c76dd2f86352e64a53713f")
_RANGE_KEY = bytes.fromhex("7f1857d6ce56ed66127ff913e7a5c3f3a4cd26d5b5db49e64124987f28fb94c3")

_TEXT = re.compile(r"[0-9a-f]{64}")
# A node of the tree has three to nine children, and ends early after a hash whose last number divides by four.
_FEWEST_CHILDREN, _MOST_CHILDREN = 3, 9
_LAST_NUMBER, _EARLY_END = 24, 3


def to_text(digest: Hash) -> str:
    """Return the 64 hexadecimal digits that stand for a hash in addresses and JSON."""
    return "".join(digest[at : at + 8][::-1].hex() for at in range(0, SIZE, 8))


def from_text(text: str) -> Hash:
    """Return the hash that `text` spells; raises XetError for anything but 64 lowercase hex digits."""
    if not _TEXT.fullmatch(text):
        raise XetError(f"{text[:80]!r} is not a Xet hash: expected 64 lowercase hexadecimal digits.")
    raw = bytes.fromhex(text)
    return b"".join(raw[at : at + 8][::-1] for at in range(0, SIZE, 8))


def sha256_text(stored: bytes) -> str:
    """Return the usual text of a sha256 from the form that a shard stores, which is swapped like a hash."""
    return to_text(stored)


def chunk_hash(data: bytes | bytearray | memoryview) -> Hash:
    """Return the hash of a chunk's raw bytes."""
    return blake3(data, key=_CHUNK_KEY).digest()


def xorb_hash(chunks: Sequence[tuple[Hash, int]]) -> Hash:
    """Return the hash of a xorb from its chunks, each with its raw length.  One chunk is its own root."""
    return _root(chunks)


def file_hash(chunks: Sequence[tuple[Hash, int]]) -> Hash:
    """Return the hash of a file from all its chunks, each with its raw length.  An empty file is all zeros."""
    return keyed(ZERO, _root(chunks)) if chunks else ZERO


def range_hash(hashes: Sequence[Hash]) -> Hash:
    """Return what proves that a writer knows the hashes of the chunks that a term names."""
    return blake3(b"".join(hashes), key=_RANGE_KEY).digest()


def keyed(key: bytes, digest: Hash) -> Hash:
    """Return a hash made from another by a key of 32 bytes, as answers about known chunks carry it."""
    return blake3(digest, key=key).digest()


def _root(chunks: Sequence[tuple[Hash, int]]) -> Hash:
    """Collapse the list level by level until one hash is left; no hash at all gives zeros."""
    level = [digest for digest, _ in chunks]
    sizes = [size for _, size in chunks]
    while len(level) > 1:
        level, sizes = _next_level(level, sizes)
    return level[0] if level else ZERO


def _next_level(level: list[Hash], sizes: list[int]) -> tuple[list[Hash], list[int]]:
    """Merge each group of siblings into the hash of the lines that name them, with the sum of their sizes."""
    lines = [f"{text} : {size}\n" for text, size in zip(_texts(level), sizes, strict=True)]
    parents: list[Hash] = []
    totals: list[int] = []
    start = 0
    while start < len(level):
        end = _group_end(level, start)
        parents.append(blake3("".join(lines[start:end]).encode(), key=_NODE_KEY).digest())
        totals.append(sum(sizes[start:end]))
        start = end
    return parents, totals


def _texts(level: list[Hash]) -> list[str]:
    """Spell a whole level at once, which is far quicker than one hash after another."""
    text = numpy.frombuffer(b"".join(level), dtype="<u8").byteswap().tobytes().hex()
    return [text[at : at + 2 * SIZE] for at in range(0, len(text), 2 * SIZE)]


def _group_end(level: list[Hash], start: int) -> int:
    """Return where the group of siblings that begins at `start` ends."""
    end = min(start + _MOST_CHILDREN, len(level))
    for at in range(start + _FEWEST_CHILDREN - 1, end):
        if not level[at][_LAST_NUMBER] & _EARLY_END:
            return at + 1
    return end
