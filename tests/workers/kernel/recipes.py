"""Weights for the goldens: made from raw random words and exact arithmetic, so every machine makes the same bits."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
SMALL, ZERO = np.float32(0.02), np.float32(0.0)
MIXTURE = ("gauss", "heavy", "outlier", "zeroblocks", "positive", "negative", "ties", "small")


def raw(seed: int, n: int) -> NDArray[np.uint64]:
    return np.random.PCG64(seed).random_raw(n).astype(np.uint64)


def below(seed: int, n: int, most: int) -> NDArray[np.int64]:
    return (raw(seed, n) % np.uint64(most)).astype(np.int64)


def coins(seed: int, n: int) -> NDArray[np.bool_]:
    return (raw(seed, n) & np.uint64(1)).astype(bool)


def normal(seed: int, n: int) -> Floats:
    """About a normal distribution: the sum of twelve 16-bit words, exact until one last rounding."""
    sums = raw(seed, 3 * n).view(np.uint16).reshape(n, 12).astype(np.int64).sum(axis=1)
    made: Floats = ((sums - 393210).astype(np.float64) / 65536.0).astype(np.float32)
    return made


def uniform(seed: int, n: int) -> Floats:
    return ((raw(seed, n) >> np.uint64(40)).astype(np.float64) / 16777216.0).astype(np.float32)


def runs(seed: int, n: int, cap: int = 12) -> NDArray[np.int32]:
    """Trailing ones of random words: k comes with probability 2^-(k+1)."""
    words, count, alive = raw(seed, n), np.zeros(n, np.int32), np.ones(n, bool)
    for bit in range(cap):
        alive &= ((words >> np.uint64(bit)) & np.uint64(1)).astype(bool)
        count += alive
    return count


def bf16(x: Floats) -> Floats:
    bits = np.ascontiguousarray(x).view(np.uint32)
    rounded = bits + (np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1)))
    return ((rounded >> np.uint32(16)) << np.uint32(16)).view(np.float32)


def power(x: Floats, exponents: NDArray[np.int32] | int) -> Floats:
    return np.ldexp(x, exponents).astype(np.float32)


def channels(seed: int, rows: int, columns: int) -> Floats:
    by_column = power(np.float32(1.0) + uniform(seed + 1, columns), runs(seed + 2, columns, 5))
    by_row = np.float32(0.5) + uniform(seed + 3, rows)
    weights = (normal(seed, rows * columns) * SMALL).reshape(rows, columns)
    return (weights * by_column[None, :]) * by_row[:, None]


def outlier(seed: int, n: int) -> Floats:
    x = (normal(seed, n) * SMALL).reshape(-1, 256 if n % 256 == 0 else 32)
    at = below(seed + 1, x.shape[0], x.shape[1])
    x[np.arange(x.shape[0]), at] *= np.float32(64) + np.float32(64) * uniform(seed + 2, x.shape[0])
    return x


def mixed_zeros(seed: int, n: int) -> Floats:
    x = np.where(coins(seed, n), np.float32(-0.0), ZERO).reshape(-1, 16)
    x[::7, 3] = np.float32(0.0125)
    return x


def zero_blocks(seed: int, n: int) -> Floats:
    x = normal(seed, n) * SMALL
    for number, (side, share) in enumerate(((16, 3), (32, 5), (256, 7))):
        if n % side == 0:
            x = x.reshape(-1, side)
            x[below(seed + 1 + number, x.shape[0], share) == 0] = 0
    return x


def ties(seed: int, n: int, span: int, step: float, pinned: int, side: int, at: int) -> Floats:
    """Multiples of half a step, and in every group one weight that fixes the scale."""
    x = ((below(seed, n, 2 * span + 1) - span).astype(np.float32) * np.float32(step)).reshape(-1, side)
    x[:, at] = np.float32(pinned * step)
    return x


def ternary(seed: int, n: int) -> Floats:
    signs = (below(seed, n, 3) - 1).astype(np.float32).reshape(-1, 32)
    size = np.float32(0.25) + uniform(seed + 1, max(1, n // 32))
    return signs * size[: n // 32, None]


def below_powers(seed: int, n: int) -> Floats:
    """The largest weight of each 32 is up to five steps below a power of two."""
    m = n // 32
    exponent, steps = below(seed, m, 21) - 14, below(seed + 1, m, 6)
    top = (((exponent + 127) << 23) - steps).astype(np.uint32).view(np.float32)
    inner = np.clip(normal(seed + 2, n) * np.float32(0.25), np.float32(-0.99), np.float32(0.99)).reshape(
        m, 32
    )
    x: Floats = inner * power(np.ones(m, np.float32), exponent.astype(np.int32))[:, None]
    x[np.arange(m), below(seed + 3, m, 32)] = top
    return x


def mixture(seed: int, rows: int, columns: int) -> Floats:
    parts = [weights(kind, seed + 101 * i, rows, columns).reshape(-1, 32) for i, kind in enumerate(MIXTURE)]
    chosen = below(seed + 7, parts[0].shape[0], len(MIXTURE))
    return np.stack(parts)[chosen, np.arange(parts[0].shape[0])]


KINDS: dict[str, Callable[[int, int], Floats]] = {
    "gauss": lambda s, n: normal(s, n) * SMALL,
    "gauss_bf16": lambda s, n: bf16(normal(s, n) * SMALL),
    "gauss_f16": lambda s, n: (normal(s, n) * SMALL).astype(np.float16).astype(np.float32),
    "gauss_unit": normal,
    "heavy": lambda s, n: power(normal(s, n) * SMALL, runs(s + 1, n)),
    "heavy_bf16": lambda s, n: bf16(power(normal(s, n) * SMALL, runs(s + 1, n))),
    "outlier": outlier,
    "zeros": lambda s, n: np.zeros(n, np.float32),
    "negzero": lambda s, n: np.full(n, np.float32(-0.0)),
    "mixzero": mixed_zeros,
    "zeroblocks": zero_blocks,
    "const_pos": lambda s, n: np.full(n, np.float32(0.0371)),
    "const_neg": lambda s, n: np.full(n, np.float32(-1.75)),
    "const_rows": lambda s, n: np.repeat(normal(s, n // 32), 32),
    "positive": lambda s, n: np.abs(normal(s, n)) * SMALL + np.float32(0.001),
    "negative": lambda s, n: -(np.abs(normal(s, n)) * SMALL) - np.float32(0.001),
    "offset": lambda s, n: normal(s, n) * SMALL + np.float32(0.5),
    "ties": lambda s, n: ties(s, n, 32, 2.0**-7, -32, 16, 0),
    "ties127": lambda s, n: ties(s, n, 254, 2.0**-11, 254, 32, 5),
    "absties": lambda s, n: (below(s, n, 9) - 4).astype(np.float32) * np.float32(0.03125),
    "ternary": ternary,
    "twolevel": lambda s, n: np.where(coins(s, n), np.float32(0.1), np.float32(-0.3)),
    "ramp": lambda s, n: (np.arange(n) % 513 - 256).astype(np.float32) * np.float32(2.0**-10),
    "tiny": lambda s, n: power(normal(s, n), -42 - below(s + 1, n, 16).astype(np.int32)),
    "small": lambda s, n: power(normal(s, n), -20),
    "denormal": lambda s, n: (raw(s, n) & np.uint64(0x807FFFFF)).astype(np.uint32).view(np.float32),
    "large": lambda s, n: normal(s, n) * np.float32(3000.0),
    "huge": lambda s, n: normal(s, n) * np.float32(3.0e7),
    "huge38": lambda s, n: power(normal(s, n), 120),
    "ints": lambda s, n: (below(s, n, 17) - 8).astype(np.float32),
    "pow2edge": below_powers,
}


def weights(kind: str, seed: int, rows: int, columns: int) -> Floats:
    with np.errstate(all="ignore"):
        if kind == "channels":
            made = channels(seed, rows, columns)
        elif kind == "mixture":
            made = mixture(seed, rows, columns)
        else:
            made = KINDS[kind](seed, rows * columns)
    return np.ascontiguousarray(made, np.float32).reshape(rows, columns)


def importance(kind: str, seed: int, columns: int) -> Floats | None:
    match kind:
        case "none":
            return None
        case "ones":
            return np.ones(columns, np.float32)
        case "square":
            a, b = normal(seed, columns), normal(seed + 1, columns)
            return a * a + b * b + np.float32(1e-6)
        case "wide":
            exponents = below(seed + 1, columns, 41).astype(np.int32) - 20
            return power(np.float32(1.0) + uniform(seed, columns), exponents)
        case "holes":
            given = uniform(seed, columns) + np.float32(0.01)
            given[raw(seed + 1, columns) % np.uint64(3) == 0] = 0
            given.reshape(-1, 32)[::5] = 0
            return given
    raise ValueError(kind)
