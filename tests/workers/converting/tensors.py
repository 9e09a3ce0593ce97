"""Tiny checkpoints whose every bit is told by a name: weights from raw PCG64 words, exact in float32.

Nothing depends on numpy's distributions. Names, shapes and config keys are those of real checkpoints.
"""

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

EDGES = [
    0.0, -0.0, 1.0, -1.0, 65504.0, 65519.0, 65520.0, 70000.0, -70000.0, 1e30, -1e30, 6.103515625e-05, 6.0e-05,
    5.960464477539063e-08, 2.9802322387695312e-08, 2.98023259404e-08, 1e-10, 1.1754943508222875e-38, 1e-40, -1e-45,
    1.00390625, 1.01171875, 0.333333343, 3.38953139e38, 2.71828175, -0.1,
]  # fmt: skip
SIZES = {"I64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1}


class Tensor(NamedTuple):
    """A tensor to write; without a dtype it gets the checkpoint's."""

    name: str
    shape: tuple[int, ...]
    kind: str = "w"
    dtype: str | None = None


@dataclass(slots=True)
class Recipe:
    """A checkpoint: its folder's name, config, tensors in order, tokenizer and other files."""

    folder: str
    config: dict[str, Any]
    dtype: str
    tensors: list[Tensor]
    files: dict[str, bytes]
    shards: int = 1


def document(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def bf16(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    bits = values.view(np.uint32).astype(np.uint64)
    rounded: NDArray[np.uint16] = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return rounded


def _values(seed: int, kind: str, count: int) -> NDArray[Any]:
    words = np.random.PCG64(seed).random_raw(count)
    values = np.ascontiguousarray(MADE[kind](words).astype(np.float32))
    if kind == "edge":
        values[: len(EDGES)] = EDGES
    return values


def _sums(words: NDArray[np.uint64]) -> NDArray[np.int32]:
    """Four 16-bit lanes summed are about normally distributed."""
    lanes = words.view("<u2").reshape(-1, 4).astype(np.int32)
    summed: NDArray[np.int32] = lanes[:, 0] + lanes[:, 1] + lanes[:, 2] + lanes[:, 3] - 131070
    return summed


MADE: dict[str, Callable[[NDArray[np.uint64]], NDArray[Any]]] = {
    "w": lambda words: _sums(words) * 2.0**-21,
    "edge": lambda words: _sums(words) * 2.0**-21,
    "fine": lambda words: ((words >> np.uint64(40)).astype(np.int64) - (1 << 23)) * 2.0**-28,
    "norm": lambda words: 1.0 + _sums(words) * 2.0**-20,
    "norm0": lambda words: _sums(words) * 2.0**-19,
    "bias": lambda words: _sums(words) * 2.0**-17,
    "freq": lambda words: 0.5 ** np.arange(words.size),
    "scale": lambda words: 2.0**-9 * (1 + (words >> np.uint64(44)).astype(np.int64) * 2.0**-20),
}


def data(case: str, tensor: Tensor, dtype: str) -> bytes:
    """The bytes of a tensor of a case."""
    count, seed = prod(tensor.shape), zlib.crc32(f"{case}/{tensor.name}".encode())
    if tensor.kind == "arange":
        return np.arange(count, dtype=np.int64).tobytes()
    if dtype == "F8_E4M3":
        codes = np.random.PCG64(seed).random_raw((count + 7) // 8).view(np.uint8)[:count].copy()
        # Neither of the two codes that are no number.
        codes[(codes & 0x7F) == 0x7F] ^= 1
        return bytes(codes.tobytes())
    values = _values(seed, tensor.kind, count)
    if dtype == "BF16":
        return bytes(bf16(values).astype("<u2").tobytes())
    return bytes(values.astype({"F16": "<f2", "F32": "<f4"}[dtype]).tobytes())


def write_safetensors(path: Path, case: str, tensors: list[Tensor], dtype: str) -> int:
    """Larger types first, then by name, as the usual library writes; returns the number of bytes of weights."""
    ordered = sorted(tensors, key=lambda tensor: (-SIZES[tensor.dtype or dtype], tensor.name))
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for tensor in ordered:
        kind = tensor.dtype or dtype
        start, end = end, end + SIZES[kind] * prod(tensor.shape)
        header[tensor.name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [start, end]}
    raw = json.dumps(header, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    with path.open("wb") as file:
        file.write(len(raw).to_bytes(8, "little") + raw)
        for tensor in ordered:
            file.write(data(case, tensor, tensor.dtype or dtype))
    return end


def build(case: str, recipe: Recipe, parent: Path) -> Path:
    """Write the checkpoint below a folder; returns its own."""
    folder = parent / recipe.folder
    folder.mkdir(parents=True)
    if recipe.shards == 1:
        write_safetensors(folder / "model.safetensors", case, recipe.tensors, recipe.dtype)
    else:
        _build_shards(case, recipe, folder)
    for name, content in {"config.json": document(recipe.config), **recipe.files}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def _build_shards(case: str, recipe: Recipe, folder: Path) -> None:
    each, total = -(-len(recipe.tensors) // recipe.shards), 0
    places: dict[str, str] = {}
    for number in range(recipe.shards):
        name = f"model-{number + 1:05d}-of-{recipe.shards:05d}.safetensors"
        part = recipe.tensors[number * each : (number + 1) * each]
        total += write_safetensors(folder / name, case, part, recipe.dtype)
        places |= {tensor.name: name for tensor in part}
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
    (folder / "model.safetensors.index.json").write_bytes(document(index))
