"""The kernel and the real ggml side by side in one process, on weights that nobody has seen before."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workers.kernel import ggml, recipes
from tests.workers.kernel.hostile import Floats, matrices
from workers import kernel
from workers.kernel.arrays import type_of

SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9))


def ours(rows: Floats, name: str, importance: Floats | None, path: str) -> bytes | None:
    try:
        return kernel.quantize(rows, name, importance, path=path)
    except kernel.KernelError:
        return None


@pytest.mark.parametrize("name", kernel.TYPES)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_hostile_weights_give_the_same_blocks_or_the_same_refusal(name: str, data: st.DataObject) -> None:
    rows, importance = data.draw(matrices(type_of(name)[1].block))
    expected = ggml.quantize(rows, name, importance)
    for path in kernel.paths():
        assert ours(rows, name, importance, path) == expected, path


@pytest.mark.parametrize("name", kernel.TYPES)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=SIZES, weighted=st.booleans())
def test_ordinary_weights_of_any_shape_give_the_same_blocks(
    name: str, seed: int, size: tuple[int, int], weighted: bool
) -> None:
    rows, columns = size[0], size[1] * max(type_of(name)[1].block, 32)
    weights = recipes.bf16(recipes.weights("gauss", seed, rows, columns)).reshape(rows, columns)
    importance = recipes.importance("square" if weighted else "none", seed, columns)
    expected = ggml.quantize(weights, name, importance)
    assert expected is not None
    for path in kernel.paths():
        assert ours(weights, name, importance, path) == expected, path


@pytest.mark.parametrize("name", kernel.TYPES)
def test_any_bytes_are_read_back_as_ggml_reads_them(name: str) -> None:
    kind, random = type_of(name)[1], np.random.default_rng(17)
    columns = kind.block * max(1, 768 // kind.block)
    data = random.bytes(9 * columns // kind.block * kind.size)
    expected = ggml.dequantize(data, name, columns)
    for path in kernel.paths():
        found = kernel.dequantize(data, name, columns, path=path)
        assert np.array_equal(np.isnan(found), np.isnan(expected)), path
        numbers = ~np.isnan(expected)
        assert np.array_equal(found.view(np.uint32)[numbers], expected.view(np.uint32)[numbers]), path


def test_sizes_around_powers_of_two_get_the_exponent_that_the_reference_gives() -> None:
    """It rounds a logarithm before it takes the floor, so sizes a little below a power may count as that power."""
    exponents, steps = np.meshgrid(np.arange(6, 254), np.r_[np.arange(-3, 70), 1000])
    tops = ((exponents.ravel() << 23) - steps.ravel()).astype(np.uint32).view(np.float32)
    rows = np.zeros((1, tops.size * 32), np.float32)
    rows[0, ::32] = tops
    assert kernel.quantize(rows, "MXFP4") == ggml.quantize(rows, "MXFP4")


def test_nearest_values_of_the_uneven_table_are_exact_at_every_half_way() -> None:
    """A block whose largest weight is 127 units and whose scale comes out as one: all others probe the table."""
    values = np.array([-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], np.float32)
    middles = (values[1:] + values[:-1]) / 2
    probes = np.concatenate([(middles.view(np.int32) + step).view(np.float32) for step in range(-40, 41)])
    rows = np.resize(probes, (probes.size * 32 // 31 // 32 + 40, 32)).astype(np.float32)
    rows[:, 0] = -127
    for scale in (1.0, 2.0**-9, 3.1e-3):
        for name in ("IQ4_NL", "Q4_0", "Q5_0"):
            probe = (rows * np.float32(scale)).reshape(1, -1)
            assert kernel.quantize(probe, name) == ggml.quantize(probe, name)
