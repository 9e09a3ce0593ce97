"""The library behind the kernel: found, loaded once, and asked for its paths.

ctypes gives up the interpreter's lock during a call, so several threads can convert at once.
"""

import ctypes
from functools import cache
from pathlib import Path

from workers.kernel.build import library
from workers.kernel.errors import KernelMissingError

POINTER, INT, LONG = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
OK, NOT_FINITE, SCALE, IMATRIX = range(4)


def load(path: Path) -> ctypes.CDLL:
    """Load a library and declare what it offers."""
    if not path.is_file():
        raise KernelMissingError(
            f"the kernel is not built ({path} is missing); run `make dev` or `python workers/kernel/build.py`"
        )
    loaded = ctypes.CDLL(str(path))
    loaded.kernel_path_name.restype = ctypes.c_char_p
    place = ctypes.POINTER(LONG)
    loaded.kernel_quantize.argtypes = [INT, INT, POINTER, INT, LONG, LONG, POINTER, POINTER, place]
    loaded.kernel_dequantize.argtypes = [INT, INT, POINTER, LONG, INT, POINTER]
    loaded.kernel_eights.argtypes = [
        INT, INT, POINTER, POINTER, LONG, LONG, LONG, LONG, INT, POINTER, place,
    ]  # fmt: skip
    return loaded


@cache
def loaded() -> ctypes.CDLL:
    """Return the library of these sources; raises KernelMissingError."""
    return load(library())


@cache
def paths() -> tuple[str, ...]:
    """Return the paths that run on this machine, the widest last: that one is taken unless another is asked for."""
    here = loaded()
    return tuple(here.kernel_path_name(number).decode() for number in range(here.kernel_paths()))


def number_of(path: str) -> int:
    """Return a path's number; an empty name means the widest."""
    if not path:
        return len(paths()) - 1
    if path not in paths():
        raise ValueError(f"path {path!r} does not run here; there are {', '.join(paths())}")
    return paths().index(path)
