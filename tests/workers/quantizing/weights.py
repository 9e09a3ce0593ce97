"""Weights of many kinds from a seed: PCG64's raw words and exact arithmetic, so they never change."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SCALE = np.float32(0.02)
MIXED = ("gauss", "heavy", "outlier", "zeroblocks", "positive", "negative", "ties", "small")


def words(seed: int, number: int) -> NDArray[np.uint64]:
    return np.random.PCG64(seed).random_raw(number).astype(np.uint64)


def gauss(seed: int, number: int) -> Floats:
    """Nearly normal: sums of twelve 16-bit words, rounded once."""
    sums = words(seed, 3 * number).view(np.uint16).reshape(number, 12).astype(np.int64).sum(axis=1)
    values: Floats = ((sums - 393210).astype(np.float64) / 65536.0).astype(np.float32)
    return values


def uniform(seed: int, number: int) -> Floats:
    return ((words(seed, number) >> np.uint64(40)).astype(np.float64) / 16777216.0).astype(np.float32)


def trailing_ones(seed: int, number: int, most: int) -> NDArray[np.int32]:
    raw, count, alive = words(seed, number), np.zeros(number, np.int32), np.ones(number, bool)
    for bit in range(most):
        alive &= ((raw >> np.uint64(bit)) & np.uint64(1)).astype(bool)
        count += alive
    return count


def to_bf16(values: Floats) -> Floats:
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return (((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16) << 16).astype(np.uint32).view(np.float32)


def rows_of(kind: str, seed: int, rows: int, columns: int) -> Floats:
    """A matrix of one kind of weights."""
    with np.errstate(over="ignore", under="ignore"):
        made = _made(kind, seed, rows, columns)
    return np.ascontiguousarray(made, np.float32).reshape(rows, columns)


def _made(kind: str, seed: int, rows: int, columns: int) -> Floats:
    number = rows * columns
    plain = gauss(seed, number)
    if kind.endswith("_bf16"):
        return to_bf16(rows_of(kind.removesuffix("_bf16"), seed, rows, columns))
    match kind:
        case "gauss":
            return plain * SCALE
        case "gauss_unit":
            return plain
        case "heavy":
            heavy: Floats = np.ldexp(plain * SCALE, trailing_ones(seed + 1, number, 12)).astype(np.float32)
            return heavy
        case "channels":
            factors = np.ldexp(1 + uniform(seed + 1, columns), trailing_ones(seed + 2, columns, 5))
            by_row = np.float32(0.5) + uniform(seed + 3, rows)
            return ((plain * SCALE).reshape(rows, columns) * factors.astype(np.float32)) * by_row[:, None]
        case "outlier":
            return _outlier(plain * SCALE, seed)
        case "zeroblocks":
            return _zero_blocks(plain * SCALE, seed)
        case "positive":
            return np.abs(plain) * SCALE + np.float32(0.001)
        case "negative":
            return -(np.abs(plain) * SCALE) - np.float32(0.001)
        case "ties":
            steps = ((words(seed, number) % np.uint64(65)).astype(np.int64) - 32).astype(np.float32)
            ties = (steps * np.float32(2.0**-7)).reshape(-1, 16)
            ties[:, 0] = np.float32(-32 * 2.0**-7)
            return ties
        case "small":
            return np.ldexp(plain, -20).astype(np.float32)
        case "mixture":
            parts = [
                rows_of(part, seed + 101 * i, rows, columns).reshape(-1, 32) for i, part in enumerate(MIXED)
            ]
            chosen = (words(seed + 7, number // 32) % np.uint64(len(MIXED))).astype(np.int64)
            return np.stack(parts)[chosen, np.arange(number // 32)]
    raise ValueError(kind)


def _outlier(values: Floats, seed: int) -> Floats:
    blocks = values.reshape(-1, 256 if values.size % 256 == 0 else 32)
    count = len(blocks)
    places = (words(seed + 1, count) % np.uint64(blocks.shape[1])).astype(np.int64)
    blocks[np.arange(count), places] *= np.float32(64) + np.float32(64) * uniform(seed + 2, count)
    return blocks


def _zero_blocks(values: Floats, seed: int) -> Floats:
    for size, offset, every in ((16, 1, 3), (32, 2, 5), (256, 3, 7)):
        if values.size % size == 0:
            values = values.reshape(-1, size)
            values[words(seed + offset, len(values)) % np.uint64(every) == 0] = 0
    return values


def squares(seed: int, columns: int) -> Floats:
    """The importance of columns, as a mean of squared activations looks."""
    first, second = gauss(seed, columns), gauss(seed + 1, columns)
    return first * first + second * second + np.float32(1e-6)
