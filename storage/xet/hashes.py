"""The hashes of Xet: chunks, merkle roots over chunks, and the keyed hashes made from those.

A hash is 32 bytes, kept raw.  Its text reverses each group of eight bytes, because the protocol prints a hash
as four little-endian 64-bit numbers.
"""

import re
from collections.abc import Sequence

import numpy
from blake3 import blake3

from storage.xet.errors import XetError
from storage.xet.merkle import Tree

Hash = bytes

SIZE = 32
ZERO = bytes(SIZE)

# The protocol fixes these keys, so that a hash of one kind never passes for a hash of another kind.
_CHUNK_KEY = bytes.fromhex("6697f5775b9550de3135cbaca597181c9de421109beb2b58b4d0b04b93adf229")
_RANGE_KEY = bytes.fromhex("7f1857d6ce56ed66127ff913e7a5c3f3a4cd26d5b5db49e64124987f28fb94c3")

# So many chunks at once are laid out as a tree takes them.
_AT_ONCE = 64 * 1024
_TEXT = re.compile(r"[0-9a-f]{64}")


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
    return _tree(chunks).root()


def file_hash(chunks: Sequence[tuple[Hash, int]]) -> Hash:
    """Return the hash of a file from all its chunks, each with its raw length.  An empty file is all zeros."""
    return file_hash_of(_tree(chunks)) if chunks else ZERO


def file_hash_of(tree: Tree) -> Hash:
    """Return the hash of a file from the tree over its chunks, of which there must be one at least."""
    return keyed(ZERO, tree.root())


def _tree(chunks: Sequence[tuple[Hash, int]]) -> Tree:
    tree = Tree()
    for at in range(0, len(chunks), _AT_ONCE):
        some = chunks[at : at + _AT_ONCE]
        sizes = numpy.fromiter((size for _, size in some), dtype=numpy.int64, count=len(some))
        tree.add(b"".join([digest for digest, _ in some]), sizes)
    return tree


def range_hash(hashes: Sequence[Hash]) -> Hash:
    """Return what proves that a writer knows the hashes of the chunks that a term names."""
    return blake3(b"".join(hashes), key=_RANGE_KEY).digest()


def keyed(key: bytes, digest: Hash) -> Hash:
    """Return a hash made from another by a key of 32 bytes, as answers about known chunks carry it."""
    return blake3(digest, key=key).digest()
