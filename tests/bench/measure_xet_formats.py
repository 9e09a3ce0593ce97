"""The hot paths of chunks and xorbs by themselves, in one thread: what uploads and proofs are made of."""

import io
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from storage.xet import hashes
from storage.xet.chunking import cut
from storage.xet.lz4frames import Decompressor, compress
from storage.xet.merkle import Tree
from storage.xet.xorbs import MAX_CHUNK, decode, group, read_xorb, ungroup, write_xorb
from tests.bench.report import Line, listed
from tests.bench.senders import make_chunks
from tests.bench.weights import weights

SIZE = 64 * 2**20
LEAVES = 100_000
GB = 10**9
BEST_OF = 3
NOTE = (
    "GB/s of raw bytes (merkle: million chunks a second) by the processor time of one thread, bf16-like weights;"
    " listed without a target"
)


def measure(*, rounds: int) -> list[Line]:
    """List the rates; each round counts the best of three."""
    chunks = make_chunks(SIZE, seed=3)
    raw = sum(map(len, chunks))
    xorb = write_xorb(chunks)
    index, _ = read_xorb(xorb)
    grouped = [group(chunk) for chunk in chunks]
    frames = [compress(planes) for planes in grouped]
    room = np.empty(MAX_CHUNK, dtype=np.uint8)
    decompressor = Decompressor()
    block = weights(SIZE // 4, seed=5)
    leaves = _leaves()
    paths: list[tuple[str, float, Callable[[], object]]] = [
        (
            "LZ4 decode",
            raw / GB,
            lambda: [
                decompressor.decode(frame, len(chunk)) for frame, chunk in zip(frames, chunks, strict=True)
            ],
        ),
        (
            "LZ4 decode, strictly",
            raw / GB,
            lambda: [
                decompressor.decode_strictly(memoryview(frame), len(chunk))
                for frame, chunk in zip(frames, chunks, strict=True)
            ],
        ),
        ("BG4 regroup", raw / GB, lambda: [ungroup(planes, room) for planes in grouped]),
        ("BLAKE3 of chunks", raw / GB, lambda: [hashes.chunk_hash(chunk) for chunk in chunks]),
        ("read a whole xorb", raw / GB, lambda: read_xorb(xorb)),
        ("decode a whole xorb", raw / GB, lambda: sum(map(len, decode(xorb, index)))),
        ("write a whole xorb", raw / GB, lambda: write_xorb(chunks)),
        ("cut chunks", len(block) / GB, lambda: sum(map(len, cut(io.BytesIO(block))))),
    ]
    lines = [
        listed(f"xet-formats, {name}", "GB/s", [_rate(amount, work) for _ in range(rounds)], note=NOTE)
        for name, amount, work in paths
    ]
    merkle = [_rate(LEAVES / 10**6, lambda: _root(*leaves)) for _ in range(rounds)]
    return [*lines, listed("xet-formats, merkle of 100,000 chunks", "M/s", merkle, note=NOTE)]


def _leaves() -> tuple[bytes, NDArray[np.int64]]:
    random = np.random.default_rng(6)
    return random.bytes(LEAVES * hashes.SIZE), random.integers(8192, MAX_CHUNK, LEAVES)


def _root(digests: bytes, sizes: NDArray[np.int64]) -> bytes:
    tree = Tree()
    tree.add(digests, sizes)
    return hashes.file_hash_of(tree)


def _rate(amount: float, work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(BEST_OF):
        started = time.thread_time()
        work()
        best = min(best, time.thread_time() - started)
    return amount / best
