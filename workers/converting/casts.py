"""Floats of one width to another: to the nearest, of two equally near to the even one; what is no number stays none."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workers import kernel

FLOATS: dict[str, Any] = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}
TARGETS = ("F32", "F16", "BF16")
SIGNLESS, INFINITE, QUIET = 0x7FFFFFFF, 0x7F800000, 0x40

Bits = NDArray[np.uint32]


class Cast(NamedTuple):
    """The numbers as bytes, and how many finite ones became infinite."""

    data: bytes | memoryview
    overflows: int


def cast(data: bytes | bytearray, source: str, target: str) -> Cast:
    """Turn floats of one of FLOATS into one of TARGETS."""
    numbers: NDArray[Any] = np.frombuffer(data, FLOATS[source])
    if source == target:
        return Cast(memoryview(data), 0)
    if source != "F64" and target != "F32":
        try:
            return Cast(kernel.quantize(numbers.reshape(1, -1), target), 0)
        except kernel.KernelError:
            # Some of them are no numbers, or become infinite: both are judged one by one below.
            pass
    if source == "BF16":
        numbers = (numbers.astype(np.uint32) << 16).view(np.float32)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        made = MAKERS[target](numbers)
        infinite = (made & 0x7FFF) == 0x7F80 if target == "BF16" else np.isinf(made)
        overflows = int(np.count_nonzero(infinite)) and int((infinite & np.isfinite(numbers)).sum())
    return Cast(made.data.cast("B") if made.size else b"", overflows)


def _to_bf16(numbers: NDArray[Any]) -> NDArray[np.uint16]:
    bits = _sticky(numbers) if numbers.dtype == np.float64 else numbers.astype(np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    odd = (bits & SIGNLESS) > INFINITE
    if odd.any():
        rounded[odd] = bits[odd] >> 16 | QUIET
    return rounded.astype("<u2")


def _sticky(numbers: NDArray[np.float64]) -> Bits:
    """Doubles cut to float32, the last bit set where something was cut off: rounding that again rounds but once."""
    near = numbers.astype(np.float32)
    bits, back = near.view(np.uint32), near.astype(np.float64)
    cut = (back != numbers) & ~np.isnan(numbers)
    away = cut & (np.abs(back) > np.abs(numbers))
    made: Bits = np.where(cut, (bits - away) | 1, bits).astype(np.uint32)
    return made


MAKERS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "F32": lambda numbers: numbers.astype("<f4"),
    "F16": lambda numbers: numbers.astype("<f2"),
    "BF16": _to_bf16,
}
