"""Weights that nobody trained: every exponent, blocks that hardly fit, ties, signed zeros, extremes."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Made = NDArray[Any]
Random = np.random.Generator


def any_bits(random: Random, n: int) -> Made:
    bits = random.integers(0, 2**32, n, dtype=np.uint32)
    finite = np.where((bits >> 23) & 0xFF == 0xFF, bits & np.uint32(0xFF7FFFFF), bits)
    made: Made = finite.astype(np.uint32).view(np.float32)
    return made


def odd_blocks(random: Random, n: int) -> Made:
    return np.ldexp(random.standard_normal(n), np.repeat(random.integers(-140, 120, n // 16), 16))


def few_values(random: Random, n: int) -> Made:
    made: Made = random.integers(-3, 4, n) * np.float32(random.standard_normal())
    return made


def outliers(random: Random, n: int) -> Made:
    plain = random.standard_normal(n) * random.choice([1e-6, 1e-3, 1])
    far = random.standard_normal(n) * random.choice([10, 1e3, 1e5])
    made: Made = np.where(random.random(n) < 0.05, far, plain)
    return made


def any_size(random: Random, n: int) -> Made:
    made: Made = random.standard_normal(n) * 2.0 ** random.integers(-60, 16)
    return made


def one_sign(random: Random, n: int) -> Made:
    spread = abs(random.standard_normal(n)) * 10.0 ** random.integers(-8, 1)
    made: Made = random.choice([-1, 1]) * (spread + random.choice([0, 1, 1e3]))
    return made


def half_zeros(random: Random, n: int) -> Made:
    size = random.choice([1, 1e-14, 1e-15, 1e-16, 1e-38, 1e-44])
    return np.where(random.random(n) < 0.5, random.choice([0.0, -0.0], n), random.standard_normal(n) * size)


def beside_steps(random: Random, n: int) -> Made:
    steps = (random.integers(-127, 128, n) * 2.0 ** random.integers(-20, 5)).astype(np.float32)
    return np.nextafter(steps, random.choice([-1e9, 1e9], n).astype(np.float32))


def constants(random: Random, n: int) -> Made:
    x = np.repeat(random.standard_normal(n // 32), 32)
    x[random.integers(0, n, n // 40)] *= random.choice([-1, 2, 100])
    return x


def enormous(random: Random, n: int) -> Made:
    return np.clip(np.ldexp(random.standard_normal(n), random.integers(90, 126)), -3e38, 3e38)


FAMILIES: tuple[Callable[[Random, int], Made], ...] = (
    any_bits, odd_blocks, few_values, outliers, any_size, one_sign, half_zeros, beside_steps, constants, enormous,
)  # fmt: skip
IMPORTANCES: tuple[Callable[[Random, int], Made], ...] = (
    lambda random, n: random.random(n) + 0.01,
    lambda random, n: 10.0 ** random.uniform(-12, 12, n),
    lambda random, n: random.random(n) * (random.random(n) < 0.5),
    lambda random, n: random.standard_normal(n),
    lambda random, n: np.zeros(n),
    lambda random, n: 10.0 ** random.uniform(-44, 38, n),
)


@st.composite
def matrices(draw: st.DrawFn, block: int) -> tuple[Floats, Floats | None]:
    """Rows of odd shapes and, sometimes, importance; both hang on a seed, so that examples stay small."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows, columns = draw(st.integers(1, 5)), block * draw(st.integers(1, max(2, 3072 // block)))
    family, weigh = draw(st.sampled_from(FAMILIES)), draw(st.sampled_from((None, *IMPORTANCES)))
    with np.errstate(all="ignore"):
        made = np.ascontiguousarray(family(random, rows * 1024 * 3)[: rows * columns], np.float32)
        importance = None if weigh is None else np.ascontiguousarray(weigh(random, columns), np.float32)
    return made.reshape(rows, columns), importance
