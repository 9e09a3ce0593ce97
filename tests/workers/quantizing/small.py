"""Small models byte by byte, so that anything in them can be odd; weights are bfloat16 unless told otherwise."""

import struct
import zlib
from math import prod
from pathlib import Path

import numpy as np

from tests.workers.formats.build import ARCHITECTURE, Info, gguf, number_pair, string, text_pair
from tests.workers.kernel.recipes import bf16
from tests.workers.kernel.recipes import weights as rows_of
from workers.formats.ggml_types import TENSOR_TYPES

F32, F16, BF16 = 0, 1, 30
WIDTH = 256
Shapes = dict[str, tuple[int, ...]]

# Fastest dimension first, as in the file.
TENSORS: Shapes = {
    "output.weight": (WIDTH, 64),
    "token_embd.weight": (WIDTH, 64),
    "output_norm.weight": (WIDTH,),
    **{
        f"blk.{layer}.{name}.weight": shape
        for layer in (1, 0, 3, 2)
        for name, shape in {
            "ffn_down": (WIDTH, 16), "attn_v": (WIDTH, 8), "attn_q": (WIDTH, 32), "attn_output": (WIDTH, 16),
            "attn_norm": (WIDTH,), "attn_k": (WIDTH, 8), "ffn_up": (WIDTH, 16), "ffn_gate": (WIDTH, 16),
        }.items()
    },
}  # fmt: skip


def pairs(architecture: str = "llama", **numbers: int) -> list[bytes]:
    """The keys that a mix needs; dots in names are written as double underscores."""
    known = {
        "block_count": 4, "attention__head_count": 8, "attention__head_count_kv": 2, "context_length": 64,
        "embedding_length": WIDTH, "feed_forward_length": WIDTH, **numbers,
    }  # fmt: skip
    first = ARCHITECTURE if architecture == "llama" else text_pair("general.architecture", architecture)
    # A float: what llama.cpp asks of this architecture beside the rest.
    epsilon = string("llama.attention.layer_norm_rms_epsilon") + struct.pack("<If", 6, 1e-5)
    named = [number_pair(f"{architecture}.{key.replace('__', '.')}", number) for key, number in known.items()]
    return [first, *named, epsilon]


def weights(name: str, shape: tuple[int, ...], kind: int = BF16) -> bytes:
    """The bytes of a tensor, from its name."""
    values = bf16(rows_of("gauss", zlib.crc32(name.encode()), 1, prod(shape)))
    if kind == BF16:
        return (values.view(np.uint32) >> 16).astype(np.uint16).tobytes()
    return (values.astype(np.float16) if kind == F16 else values).tobytes()


def model_bytes(
    tensors: Shapes | None = None,
    *,
    keys: list[bytes] | None = None,
    kind: int = BF16,
    data: dict[str, bytes] | None = None,
    alignment: int = 32,
    version: int = 3,
) -> bytes:
    """A whole file. Tensors of one dimension are F32; `data` stands in for a tensor's bytes."""
    infos: list[Info] = []
    parts: list[bytes] = []
    at = 0
    for name, shape in (TENSORS if tensors is None else tensors).items():
        own = kind if len(shape) > 1 else F32
        raw = (data or {}).get(name) or weights(name, shape, own)
        assert len(raw) == prod(shape) // TENSOR_TYPES[own].block * TENSOR_TYPES[own].size
        infos.append((name, shape, own, at))
        parts.append(raw + bytes(-len(raw) % alignment))
        at += len(parts[-1])
    return gguf(
        pairs() if keys is None else keys, infos, b"".join(parts), alignment=alignment, version=version
    )


def write(folder: Path, raw: bytes, name: str = "model.gguf") -> Path:
    path = folder / name
    path.write_bytes(raw)
    return path
