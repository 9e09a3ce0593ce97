"""Weights to the blocks of a GGUF file and back: the same bytes as ggml, on every path.  See docs/kernel.md.

`quantize` takes rows of floats and the name of a type, `dequantize` goes back, `dequantize_fp8` reads matrices of 8-bit
floats with scales.  Arrays of uint16 hold bfloat16 bits.  `path` picks one of `paths()`; all give the same bytes.
"""

import ctypes
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.kernel.arrays import (
    TYPES,
    WORDS,
    blocks_of,
    floats_for,
    importance_of,
    refusal,
    rows_of,
    type_of,
)
from workers.kernel.errors import KernelError, KernelMissingError
from workers.kernel.library import IMATRIX, LONG, NOT_FINITE, OK, SCALE, loaded, number_of, paths

__all__ = [
    "FP8_FORMATS", "TYPES", "KernelError", "KernelMissingError", "dequantize", "dequantize_fp8", "paths", "quantize",
    "quantize_into",
]  # fmt: skip

FP8_FORMATS = ("e4m3", "e5m2")
_REASONS = {
    NOT_FINITE: "the weight is NaN or infinite",
    SCALE: "the weights are too large or too small: this type cannot hold the scale of their block",
}


def quantize(rows: ArrayLike, type: str, imatrix: ArrayLike | None = None, *, path: str = "") -> bytes:  # noqa: A002
    """Return the blocks of 2-D `rows`, row after row.

    `imatrix` is the importance of each column; types that have no use for it ignore it.  Raises KernelError for weights
    that the type cannot hold, ValueError and TypeError for other mistakes.
    """
    _, kind = type_of(type)
    array, source = rows_of(rows, type, kind.block)
    out = np.empty(array.size // kind.block * kind.size, np.uint8)
    _quantize(array, source, type, imatrix, out, path)
    return out.tobytes()


def quantize_into(
    rows: ArrayLike, type: str, out: Any, imatrix: ArrayLike | None = None, *, path: str = ""  # noqa: A002
) -> int:  # fmt: skip
    """Like `quantize`, but write to a buffer; return the number of bytes written."""
    _, kind = type_of(type)
    array, source = rows_of(rows, type, kind.block)
    size = array.size // kind.block * kind.size
    room = np.frombuffer(out, np.uint8)
    if room.size < size or not room.flags.writeable:
        raise ValueError(f"the buffer has {room.size} bytes; {size} writable ones are needed")
    _quantize(array, source, type, imatrix, room, path)
    return size


def _quantize(
    rows: NDArray[Any], source: int, name: str, imatrix: ArrayLike | None, out: NDArray[np.uint8], path: str
) -> None:
    importance = importance_of(imatrix, rows.shape[1])
    if not rows.size:
        return
    at = LONG(-1)
    answer = loaded().kernel_quantize(
        number_of(path), type_of(name)[0], rows.ctypes.data, source, rows.size, rows.shape[1],
        None if importance is None else importance.ctypes.data, out.ctypes.data, ctypes.byref(at),
    )  # fmt: skip
    if answer == IMATRIX:
        raise KernelError("the importance is NaN or infinite", row=0, column=at.value)
    if answer != OK:
        raise refusal(_REASONS[answer], at.value, rows.shape[1])


def dequantize(
    data: Any, type: str, columns: int, *, dtype: str = "float32", path: str = ""  # noqa: A002
) -> NDArray[Any]:  # fmt: skip
    """Return the weights in `data`, a buffer of whole rows, as an array of (rows, columns)."""
    number, kind = type_of(type)
    blocks, rows = blocks_of(data, type, kind, columns)
    target = floats_for(dtype)
    out = np.empty((rows, columns), WORDS[dtype])
    answer = loaded().kernel_dequantize(
        number_of(path), number, blocks.ctypes.data, rows * columns, target, out.ctypes.data
    )
    assert answer == OK, f"the library knows no {type}"
    return out


def dequantize_fp8(
    codes: ArrayLike, scales: ArrayLike, *, block: tuple[int, int] = (128, 128), format: str = "e4m3",  # noqa: A002
    dtype: str = "float32", path: str = "",
) -> NDArray[Any]:  # fmt: skip
    """Return a 2-D uint8 matrix of 8-bit floats times the scales of its blocks; blocks at the edges may be cut off.

    `scales` has one float for each block.  Raises KernelError for a code or product that is not finite.
    """
    matrix = np.ascontiguousarray(codes)
    factors = np.require(scales, np.float32, ["C", "A"])
    if format not in FP8_FORMATS or dtype not in ("float32", "bfloat16"):
        raise ValueError(
            f"format {format!r} to {dtype!r} is unknown; from e4m3 or e5m2 to float32 or bfloat16"
        )
    if matrix.dtype != np.uint8 or matrix.ndim != 2 or min(block) < 1:
        raise ValueError("codes must be a 2-D array of uint8 in blocks of at least one")
    expected = tuple(-(-size // side) for size, side in zip(matrix.shape, block, strict=True))
    if factors.shape != expected:
        raise ValueError(f"scales have shape {factors.shape}; blocks of {block} need {expected}")
    out = np.empty(matrix.shape, WORDS[dtype])
    at = LONG(-1)
    answer = loaded().kernel_eights(
        number_of(path), FP8_FORMATS.index(format), matrix.ctypes.data, factors.ctypes.data, *matrix.shape, *block,
        floats_for(dtype), out.ctypes.data, ctypes.byref(at),
    )  # fmt: skip
    if answer != OK:
        raise refusal("the code or its product with the scale is no finite number", at.value, matrix.shape[1])
    return out
