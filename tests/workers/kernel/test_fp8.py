"""Matrices of 8-bit floats with a scale for each block, against a table made by arithmetic."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from workers import kernel

Floats = NDArray[np.float32]


def meanings(exponents: int, mantissas: int, bias: int, infinite: bool) -> Floats:
    """What each code says, by the definition of small floats."""
    values = []
    for code in range(256):
        sign = -1.0 if code & 128 else 1.0
        exponent, mantissa = (code & 127) >> mantissas, code & (2**mantissas - 1)
        top = exponent == 2**exponents - 1
        if top and (infinite or mantissa == 2**mantissas - 1):
            values.append(sign * math.inf if infinite and not mantissa else math.nan)
            continue
        whole = mantissa / 2**mantissas + (exponent > 0)
        values.append(sign * whole * 2.0 ** (max(exponent, 1) - bias))
    return np.array(values, np.float32)


MEANINGS = {"e4m3": meanings(4, 3, 7, False), "e5m2": meanings(5, 2, 15, True)}


def matrix(format: str, rows: int, columns: int) -> tuple[NDArray[np.uint8], Floats]:  # noqa: A002
    random = np.random.default_rng(9)
    allowed = np.nonzero(np.isfinite(MEANINGS[format]))[0].astype(np.uint8)
    return random.choice(allowed, (rows, columns)), random.standard_normal(
        (-(-rows // 128), -(-columns // 128)), dtype=np.float32
    )


@pytest.mark.parametrize("path", kernel.paths())
@pytest.mark.parametrize("format", kernel.FP8_FORMATS)
@pytest.mark.parametrize("shape", [(1, 1), (128, 128), (130, 300), (257, 127)])
def test_each_block_is_multiplied_by_its_scale(format: str, shape: tuple[int, int], path: str) -> None:  # noqa: A002
    codes, scales = matrix(format, *shape)
    spread = np.repeat(np.repeat(scales, 128, 0), 128, 1)[: shape[0], : shape[1]]
    expected = MEANINGS[format][codes] * spread
    found = kernel.dequantize_fp8(codes, scales, format=format, path=path)
    assert np.array_equal(found.view(np.uint32), expected.view(np.uint32))
    narrow = kernel.dequantize_fp8(codes, scales, format=format, dtype="bfloat16", path=path)
    bits = expected.view(np.uint32)
    assert np.array_equal(narrow, (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)


@pytest.mark.parametrize(("format", "code"), [("e4m3", 0x7F), ("e4m3", 0xFF), ("e5m2", 0x7C), ("e5m2", 0xFE)])
def test_codes_that_are_no_numbers_are_named_by_row_and_column(format: str, code: int) -> None:  # noqa: A002
    codes, scales = matrix(format, 200, 300)
    codes[150, 260] = code
    with pytest.raises(kernel.KernelError, match="row 150, column 260"):
        kernel.dequantize_fp8(codes, scales, format=format)


def test_scales_that_are_no_numbers_are_refused() -> None:
    codes, scales = matrix("e4m3", 200, 300)
    scales[1, 2] = np.nan
    with pytest.raises(kernel.KernelError, match="row 128, column 256"):
        kernel.dequantize_fp8(codes, scales)


def test_other_blocks_and_wrong_scales() -> None:
    codes, _ = matrix("e4m3", 6, 10)
    scales = np.arange(6, dtype=np.float32).reshape(3, 2)
    found = kernel.dequantize_fp8(codes, scales, block=(2, 5))
    assert np.array_equal(found, MEANINGS["e4m3"][codes] * np.repeat(np.repeat(scales, 2, 0), 5, 1))
    with pytest.raises(ValueError, match="scales have shape"):
        kernel.dequantize_fp8(codes, scales, block=(2, 4))
    with pytest.raises(ValueError, match="unknown"):
        kernel.dequantize_fp8(codes, scales, block=(2, 5), format="e3m4")
    with pytest.raises(ValueError, match="uint8"):
        kernel.dequantize_fp8(codes.astype(np.int8), scales, block=(2, 5))
