"""Files that look like weights: bf16 of normally distributed numbers, which no store or network can shrink much."""

from pathlib import Path

import numpy as np

PIECE = 8 * 2**20


def write_weights(path: Path, size: int, *, seed: int) -> Path:
    """Write ``size`` bytes.  One piece of random weights is written again and again under a growing counter, so that a
    big file costs little time to make and no two of its pieces are equal.
    """
    random = np.random.default_rng(seed)
    floats = random.standard_normal(PIECE // 2, dtype=np.float32) * np.float32(0.02)
    piece = (floats.view(np.uint32) >> 16).astype(np.uint16)
    with path.open("wb") as file:
        for number, start in enumerate(range(0, size, PIECE)):
            piece[:4] = np.frombuffer((seed << 32 | number).to_bytes(8, "little"), np.uint16)
            np.add(piece[4:], np.uint16(1), out=piece[4:])
            file.write(piece.tobytes()[: min(PIECE, size - start)])
    return path


def renew(path: Path, *, seed: int) -> Path:
    """Make other bytes of a file in place, by its first eight: another sha256 without writing it anew."""
    with path.open("r+b") as file:
        file.write((seed << 32 | 0xFFFFFFFF).to_bytes(8, "little"))
    return path
