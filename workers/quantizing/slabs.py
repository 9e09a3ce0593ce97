"""A few rows of one tensor from one type to another. Runs in many threads; nothing is shared but the open model."""

import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workers import kernel
from workers.quantizing.errors import QuantizeError
from workers.quantizing.importance import Importance, Values
from workers.quantizing.model import Model, SourceTensor
from workers.quantizing.plan import Planned
from workers.quantizing.soundness import fault_in
from workers.quantizing.types import FLOATS, KNOWN, bytes_of

# Enough that starting a slab costs nothing, few enough that what is made is still in a cache when it is hashed.
SLAB_WEIGHTS = 2**20
WORDS = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}
# Squares below this are no longer told apart in single precision.
TINY = 1e-30

Floats = NDArray[np.float32]


class Slab(NamedTuple):
    """Rows [first, first + rows) of a tensor, all experts counted through, and the importance of their columns."""

    tensor: Planned
    first: int
    rows: int
    importance: Values | None


class Made(NamedTuple):
    """What a slab became. With `measure`: the sums of the squares of its weights and of their errors."""

    data: bytes | memoryview
    squares: float = 0.0
    errors: float = 0.0


class Buffers(threading.local):
    """Each thread's own room to read into; fresh memory for every slab would cost more than reading."""

    room = bytearray()

    def of(self, size: int) -> memoryview:
        if len(self.room) < size:
            self.room = bytearray(size)
        return memoryview(self.room)[:size]


def cut(tensor: Planned, importance: Importance | None) -> Iterator[Slab]:
    """A tensor's slabs, in order; one never holds rows of two experts if each expert has importances of its own."""
    source = tensor.source
    columns, rows = source.columns, source.rows
    if not source.size:
        return
    most = max(1, SLAB_WEIGHTS // columns)
    values = None
    if tensor.important and importance is not None:
        values = importance.values(source.name).reshape(-1, columns)
    first = 0
    while first < rows:
        expert = first // source.rows_per_expert
        end = rows if values is None else (expert + 1) * source.rows_per_expert
        count = min(most, end - first)
        yield Slab(tensor, first, count, None if values is None else values[expert])
        first += count


def make(slab: Slab, model: Model, buffers: Buffers, *, measure: bool) -> Made:
    """Read, judge and convert. Raises QuantizeError naming the tensor and the place."""
    tensor, source = slab.tensor, slab.tensor.source
    row_size = bytes_of(source.type, source.columns)
    room = buffers.of(slab.rows * row_size)
    model.read_into(source, slab.first * row_size, room)
    raw = np.frombuffer(room, np.uint8)
    if not tensor.changes:
        _check(raw, slab)
        return Made(bytes(room))
    rows = _rows(raw, slab)
    if tensor.type == "F32":
        _check(raw, slab)
        return Made(_widened(rows).tobytes())
    data = np.empty(slab.rows * bytes_of(tensor.type, source.columns), np.uint8)
    try:
        kernel.quantize_into(rows, tensor.type, data, slab.importance)
    except kernel.KernelError as error:
        raise QuantizeError(_place(error, slab)) from error
    return _measured(data, rows, slab) if measure else Made(data.data)


def _rows(raw: NDArray[np.uint8], slab: Slab) -> NDArray[Any]:
    """The slab's weights as rows of floats; bfloat16 stays as its bits, in 16-bit words."""
    source = slab.tensor.source
    if source.type in FLOATS:
        return raw.view(WORDS[source.type]).reshape(slab.rows, source.columns)
    _check(raw, slab)
    return kernel.dequantize(raw, source.type, source.columns)


def _widened(rows: NDArray[Any]) -> Floats:
    """The same numbers as 32-bit floats; every float that comes in is one."""
    if rows.dtype == np.uint16:
        return (rows.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return rows.astype(np.float32)


def _measured(data: NDArray[np.uint8], rows: NDArray[Any], slab: Slab) -> Made:
    """Compare with what a reader will get."""
    weights = _widened(rows)
    back = kernel.dequantize(data, slab.tensor.type, slab.tensor.source.columns)
    squares = _squares(weights)
    back -= weights
    return Made(data.data, squares, _squares(back))


def _squares(rows: Floats) -> float:
    """The sum of the squares: single precision along a row, which is fast, double where that is out of its depth."""
    with np.errstate(over="ignore"):
        sums = np.einsum("ij,ij->i", rows, rows)
    if not np.isfinite(sums).all() or sums.min(initial=1.0) < TINY:
        sums = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
    return float(sums.sum(dtype=np.float64))


def _check(raw: NDArray[np.uint8], slab: Slab) -> None:
    source = slab.tensor.source
    kind = KNOWN[source.type]
    try:
        fault = fault_in(raw, source.type)
    except KeyError as error:
        raise QuantizeError(f"tensor {source.name!r}: {source.type} is no type that files hold") from error
    if fault is not None:
        row, column = divmod(fault * kind.block, source.columns)
        what = "a weight" if kind.block == 1 else "the scale of a block"
        raise QuantizeError(_told(source, slab.first + row, column, f"{what} is NaN or infinite"))


def _place(error: kernel.KernelError, slab: Slab) -> str:
    return _told(slab.tensor.source, slab.first + error.row, error.column, error.reason)


def _told(source: SourceTensor, row: int, column: int, why: str) -> str:
    return f"tensor {source.name!r}, row {row}, column {column}: {why}; the model is damaged or cannot be held so"
