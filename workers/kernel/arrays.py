"""Arrays as they come in: rows of floats, importance, blocks."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workers.formats.ggml_types import TENSOR_TYPES, TensorType
from workers.kernel.errors import KernelError

FLOATS = ("float32", "float16", "bfloat16")
# bfloat16 has no type in numpy; its bits travel in 16-bit words.
WORDS: dict[str, Any] = {"float32": np.float32, "float16": np.float16, "bfloat16": np.uint16}
TYPES = (
    "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS",
    "TQ1_0", "TQ2_0", "MXFP4", "NVFP4", "Q1_0", "Q2_0",
)  # fmt: skip
_NUMBERS = {kind.name: (number, kind) for number, kind in TENSOR_TYPES.items() if kind.name in TYPES}


def type_of(name: str) -> tuple[int, TensorType]:
    """Return a type's number and block by its name, such as Q4_K."""
    if name not in _NUMBERS:
        raise ValueError(f"type {name!r} is unknown; known are {', '.join(TYPES)}")
    return _NUMBERS[name]


def rows_of(given: ArrayLike, name: str, block: int) -> tuple[NDArray[Any], int]:
    """Return contiguous, aligned rows and the number of their float type; `block` must divide a row."""
    rows = np.asarray(given)
    kind = "bfloat16" if rows.dtype.name == "uint16" else rows.dtype.name
    if kind not in FLOATS:
        raise TypeError(f"rows are {rows.dtype.name}; they must be {', '.join(FLOATS)} (its bits as uint16)")
    if rows.ndim != 2:
        raise ValueError(f"rows have {rows.ndim} dimensions; they must have 2")
    if rows.shape[1] % block:
        raise ValueError(f"{name} has blocks of {block}, and rows of {rows.shape[1]} are no multiple of that")
    if not rows.dtype.isnative:
        rows = rows.astype(rows.dtype.newbyteorder("="))
    return np.require(rows, requirements=["C", "A"]), FLOATS.index(kind)


def importance_of(given: ArrayLike | None, columns: int) -> NDArray[np.float32] | None:
    """Return the importance of each column as floats, or nothing."""
    if given is None:
        return None
    importance = np.require(given, np.float32, ["C", "A"])
    if importance.shape != (columns,):
        raise ValueError(
            f"importance has shape {importance.shape}; it needs one number for {columns} columns"
        )
    return importance


def blocks_of(given: Any, name: str, kind: TensorType, columns: int) -> tuple[NDArray[np.uint8], int]:
    """Return the bytes of whole rows of blocks, and how many rows they are."""
    data = np.frombuffer(given, np.uint8)
    if columns < 1 or columns % kind.block:
        raise ValueError(f"{name} has blocks of {kind.block}, and rows of {columns} are no multiple of that")
    row = columns // kind.block * kind.size
    if data.size % row:
        raise ValueError(f"{data.size} bytes are no whole number of {name} rows of {row} bytes")
    return data, data.size // row


def floats_for(name: str) -> int:
    """Return the number of a float type to write."""
    if name not in FLOATS:
        raise ValueError(f"dtype {name!r} is unknown; known are {', '.join(FLOATS)}")
    return FLOATS.index(name)


def refusal(reason: str, at: int, columns: int) -> KernelError:
    """Make the error for a weight by its index over all rows."""
    return KernelError(reason, row=at // columns, column=at % columns)
