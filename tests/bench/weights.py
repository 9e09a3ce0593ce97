"""Files that look like weights: bf16 of normally distributed numbers, which no store or network can shrink much."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

PIECE = 8 * 2**20


def write_weights(path: Path, size: int, *, seed: int) -> Path:
    """Write ``size`` bytes of `weights`."""
    with path.open("wb") as file:
        for piece in _pieces(size, seed):
            file.write(piece)
    return path


def weights(size: int, *, seed: int) -> bytes:
    """Return ``size`` bytes; another seed gives other bytes everywhere."""
    return b"".join(_pieces(size, seed))


def _pieces(size: int, seed: int) -> Iterator[bytes]:
    """Yield one piece of random weights again and again under a growing counter, so that a big file costs little time
    to make and no two of its pieces are equal.
    """
    random = np.random.default_rng(seed)
    floats = random.standard_normal(PIECE // 2, dtype=np.float32) * np.float32(0.02)
    piece = (floats.view(np.uint32) >> 16).astype(np.uint16)
    for number, start in enumerate(range(0, size, PIECE)):
        piece[:4] = np.frombuffer((seed << 32 | number).to_bytes(8, "little"), np.uint16)
        np.add(piece[4:], np.uint16(1), out=piece[4:])
        yield piece.tobytes()[: min(PIECE, size - start)]


def renew(path: Path, *, seed: int) -> Path:
    """Make other bytes of a file in place, by its first eight: another sha256 without writing it anew."""
    with path.open("r+b") as file:
        file.write((seed << 32 | 0xFFFFFFFF).to_bytes(8, "little"))
    return path
