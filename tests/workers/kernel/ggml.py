"""The real ggml, out of the wheel xllamacpp: what the kernel has to agree with to the last bit."""

import ctypes
import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.kernel.arrays import type_of

Floats = NDArray[np.float32]


@cache
def library() -> ctypes.CDLL:
    """Load ggml; the tests cannot tell anything about its bytes without it."""
    found = importlib.util.find_spec("xllamacpp")
    if found is None or not found.submodule_search_locations:
        pytest.fail("xllamacpp is missing, and with it the ggml to compare with; `make dev` installs it")
    path = next(Path(found.submodule_search_locations[0]).glob("*.so"))
    ggml = ctypes.CDLL(str(path))
    long, pointer = ctypes.c_int64, ctypes.c_void_p
    ggml.ggml_quantize_chunk.argtypes = [ctypes.c_int, pointer, pointer, long, long, long, pointer]
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    ggml.ggml_validate_row_data.argtypes = [ctypes.c_int, pointer, ctypes.c_size_t]
    ggml.ggml_validate_row_data.restype = ctypes.c_bool
    return ggml


def quantize_to(out: NDArray[np.uint8], rows: Floats, name: str, importance: Floats | None = None) -> None:
    library().ggml_quantize_chunk(
        type_of(name)[0], rows.ctypes.data, out.ctypes.data, 0, rows.shape[0], rows.shape[1],
        None if importance is None else importance.ctypes.data,
    )  # fmt: skip


def room_for(rows: NDArray[Any], name: str) -> NDArray[np.uint8]:
    kind = type_of(name)[1]
    return np.zeros(rows.size // kind.block * kind.size, np.uint8)


def quantize(rows: Floats, name: str, importance: Floats | None = None) -> bytes | None:
    """Return ggml's bytes, or nothing where its own check would refuse them."""
    out = room_for(rows, name)
    quantize_to(out, rows, name, importance)
    with silence():
        valid = library().ggml_validate_row_data(type_of(name)[0], out.ctypes.data, out.nbytes)
    return out.tobytes() if valid else None


def dequantize(data: bytes, name: str, columns: int) -> Floats:
    kind = type_of(name)[1]
    count = len(data) // kind.size * kind.block
    out = np.empty(count, np.float32)
    if kind.block == 1:
        words = np.frombuffer(data, np.uint16)
        wide = words.view(np.float16).astype(np.float32) if name == "F16" else words.astype(np.uint32) << 16
        return np.asarray(wide).view(np.float32).reshape(-1, columns)
    function = getattr(library(), "dequantize_row_" + name.lower().replace("_k", "_K"))
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
    function(data, out.ctypes.data, count)
    return out.reshape(-1, columns)


class _Reading(ctypes.Structure):
    _fields_ = [("no_alloc", ctypes.c_bool), ("ctx", ctypes.c_void_p)]


def tensors_of(path: Path) -> dict[str, tuple[int, int]]:
    """Open a GGUF file with ggml's own reader: the number of each tensor's type, and where its bytes begin."""
    lib, long, pointer = library(), ctypes.c_int64, ctypes.c_void_p
    lib.gguf_init_from_file.argtypes, lib.gguf_init_from_file.restype = [ctypes.c_char_p, _Reading], pointer
    lib.gguf_free.argtypes = [pointer]
    functions: tuple[tuple[Any, list[Any], Any], ...] = (
        (lib.gguf_get_n_tensors, [pointer], long),
        (lib.gguf_get_data_offset, [pointer], ctypes.c_size_t),
        (lib.gguf_get_tensor_name, [pointer, long], ctypes.c_char_p),
        (lib.gguf_get_tensor_type, [pointer, long], ctypes.c_int),
        (lib.gguf_get_tensor_offset, [pointer, long], ctypes.c_size_t),
    )
    for function, given, answer in functions:
        function.argtypes, function.restype = given, answer
    file = lib.gguf_init_from_file(str(path).encode(), _Reading(True, None))
    assert file, f"ggml does not read {path}"
    try:
        start = lib.gguf_get_data_offset(file)
        return {
            lib.gguf_get_tensor_name(file, number).decode(): (
                lib.gguf_get_tensor_type(file, number),
                start + lib.gguf_get_tensor_offset(file, number),
            )
            for number in range(lib.gguf_get_n_tensors(file))
        }
    finally:
        lib.gguf_free(file)


@contextmanager
def silence() -> Iterator[None]:
    """Keep what ggml says about refused bytes off the terminal."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
