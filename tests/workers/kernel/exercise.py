"""Run a library of the kernel through everything it can do: ``python -m tests.workers.kernel.exercise LIBRARY``.

For a library built with sanitizers, which end the process at the first access or computation that C does not define.
Each array is just as long as it has to be.
"""

import ctypes
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.workers.kernel import recipes
from tests.workers.kernel.hostile import FAMILIES, IMPORTANCES
from workers.kernel import library
from workers.kernel.arrays import TYPES, type_of


def inputs(block: int) -> list[NDArray[np.float32]]:
    random = np.random.default_rng(block)
    with np.errstate(all="ignore"):
        hostile = [family(random, 7680).astype(np.float32) for family in FAMILIES]
    return [*(made.reshape(3, -1) for made in hostile), recipes.weights("gauss", 1, 5, block)]


def quantize(
    lib: ctypes.CDLL, path: int, name: str, rows: NDArray[Any], source: int, importance: Any
) -> bytes:
    number, kind = type_of(name)
    out = np.empty(rows.size // kind.block * kind.size, np.uint8)
    given = None if importance is None else importance.ctypes.data
    lib.kernel_quantize(
        path, number, rows.ctypes.data, source, rows.size, rows.shape[1], given, out.ctypes.data,
        ctypes.byref(library.LONG()),
    )  # fmt: skip
    return out.tobytes()


def dequantize(lib: ctypes.CDLL, path: int, name: str, data: bytes) -> None:
    number, kind = type_of(name)
    blocks = np.frombuffer(data, np.uint8).copy()
    count = blocks.size // kind.size * kind.block
    for target, size in enumerate((4, 2, 2)):
        out = np.empty(count * size, np.uint8)
        assert lib.kernel_dequantize(path, number, blocks.ctypes.data, count, target, out.ctypes.data) == 0


def eights(lib: ctypes.CDLL, path: int) -> None:
    codes = np.random.default_rng(1).integers(0, 0x7B, (37, 53)).astype(np.uint8)
    scales = np.ones((3, 4), np.float32)
    for target, size in ((0, 4), (2, 2)):
        out = np.empty(codes.size * size, np.uint8)
        lib.kernel_eights(
            path, target // 2, codes.ctypes.data, scales.ctypes.data, 37, 53, 16, 16, target, out.ctypes.data,
            ctypes.byref(library.LONG()),
        )  # fmt: skip


def exercise(lib: ctypes.CDLL, path: int, name: str) -> None:
    kind, random = type_of(name)[1], np.random.default_rng(5)
    for number, rows in enumerate(inputs(kind.block)):
        weigh = IMPORTANCES[number % len(IMPORTANCES)]
        with np.errstate(all="ignore"):
            importance = np.ascontiguousarray(weigh(random, rows.shape[1]), np.float32)
        data = quantize(lib, path, name, rows, 0, None)
        quantize(lib, path, name, rows, 0, importance)
        quantize(lib, path, name, (rows.view(np.uint32) >> 16).astype(np.uint16), 2, importance)
        dequantize(lib, path, name, data)
    dequantize(lib, path, name, random.bytes(7 * kind.size))


def main() -> None:
    lib = library.load(Path(sys.argv[1]))
    for path in range(lib.kernel_paths()):
        eights(lib, path)
        for name in TYPES:
            exercise(lib, path, name)
    print("all is well")


if __name__ == "__main__":
    main()
