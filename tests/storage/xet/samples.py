"""Bytes to try the formats on."""

import numpy

from storage.xet.hashes import chunk_hash, file_hash, range_hash, xorb_hash
from storage.xet.shards import FileEntry, Term, XorbEntry


def random_bytes(length: int, seed: int) -> bytes:
    """Return the bytes of a SplitMix64 generator, whose numbers are the same everywhere."""
    with numpy.errstate(over="ignore"):
        steps = numpy.arange(1, length // 8 + 2, dtype=numpy.uint64)
        state = numpy.uint64(seed) + steps * numpy.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        return (state ^ (state >> numpy.uint64(31))).astype("<u8").tobytes()[:length]


def weights(length: int, seed: int) -> bytes:
    """Return bytes like bfloat16 weights, which regrouping makes smaller."""
    numbers = numpy.random.default_rng(seed).standard_normal(length // 2 + 1).astype("<f4")
    return (numbers.view("<u4") >> 16).astype("<u2").tobytes()[:length]


# One chunk of each scheme: as it is, LZ4, regrouped LZ4.
THREE_KINDS = (random_bytes(100, 1), b"weighhouse " * 40, weights(2000, 2))


def xorb_entry(chunks: tuple[bytes, ...]) -> XorbEntry:
    listed = []
    at = 0
    for chunk in chunks:
        listed.append((chunk_hash(chunk), at, len(chunk)))
        at += len(chunk)
    return XorbEntry(xorb_hash([(digest, length) for digest, _, length in listed]), listed, at)


def file_entry(xorb: XorbEntry, sha256: str | None = "ab" * 32) -> FileEntry:
    """Return a file that consists of all the chunks of a xorb, in two terms where there are two."""
    hashes = [digest for digest, _, _ in xorb.chunks]
    lengths = [length for _, _, length in xorb.chunks]
    cuts = [(0, 1), (1, len(hashes))] if len(hashes) > 1 else [(0, 1)]
    terms = [Term(xorb.hash, sum(lengths[start:end]), start, end) for start, end in cuts]
    ranges = [range_hash(hashes[start:end]) for start, end in cuts]
    return FileEntry(file_hash(list(zip(hashes, lengths, strict=True))), terms, ranges, sha256)
