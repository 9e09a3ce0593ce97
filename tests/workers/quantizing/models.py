"""Tiny models by the reference writer, the same bytes every time."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType

from tests.workers.kernel.recipes import Floats, bf16, normal, weights

Shape = tuple[int, ...]
KINDS = ("gauss_bf16", "channels", "heavy_bf16", "mixture")
FILE_TYPES = {
    "bf16": LlamaFileType.MOSTLY_BF16,
    "f16": LlamaFileType.MOSTLY_F16,
    "f32": LlamaFileType.ALL_F32,
}


@dataclass(frozen=True)
class Recipe:
    """A model: layers, width, feed-forward width, heads, heads of keys and values, experts."""

    name: str
    architecture: str
    layers: int
    width: int
    inner: int
    heads: int
    kv_heads: int
    dtype: str = "bf16"
    experts: int = 0
    tied: bool = False
    bias: bool = False
    fused: bool = False
    vocabulary: int = 320

    @property
    def head(self) -> int:
        return self.width // self.heads


# Most rules of the mixes meet in these.
GQA = Recipe("pub-llama-gqa4", "llama", 10, 256, 512, 8, 2)
ODD = Recipe("pub-llama-odd288", "llama", 4, 288, 544, 4, 4, dtype="f16", tied=True)
EXPERTS = Recipe("pub-mixtral8", "llama", 4, 256, 256, 4, 2, experts=8)
TIED = Recipe("pub-qwen2-tied", "qwen2", 8, 256, 768, 4, 2, tied=True, bias=True)
FUSED = Recipe("pub-phi3-qkv", "phi3", 8, 256, 512, 4, 4, dtype="f32", fused=True)
RECIPES = {recipe.name: recipe for recipe in (GQA, ODD, EXPERTS, TIED, FUSED)}


def tensors(recipe: Recipe) -> Iterator[tuple[str, Shape]]:
    """Names and shapes, slowest dimension first."""
    width = recipe.width
    yield "token_embd.weight", (recipe.vocabulary, width)
    for layer in range(recipe.layers):
        yield from _layer(recipe, f"blk.{layer}.")
    yield "output_norm.weight", (width,)
    if not recipe.tied:
        yield "output.weight", (recipe.vocabulary, width)


def _layer(recipe: Recipe, prefix: str) -> Iterator[tuple[str, Shape]]:
    width, inner, experts = recipe.width, recipe.inner, recipe.experts
    queries, keys = recipe.heads * recipe.head, recipe.kv_heads * recipe.head
    attention: dict[str, Shape] = {"attn_norm.weight": (width,)}
    if recipe.fused:
        attention["attn_qkv.weight"] = (queries + 2 * keys, width)
    else:
        attention |= {
            "attn_q.weight": (queries, width),
            "attn_k.weight": (keys, width),
            "attn_v.weight": (keys, width),
        }
    attention["attn_output.weight"] = (width, queries)
    if recipe.bias:
        attention |= {"attn_q.bias": (queries,), "attn_k.bias": (keys,), "attn_v.bias": (keys,)}
    forward: dict[str, Shape] = {"ffn_norm.weight": (width,)}
    if experts:
        forward |= {
            "ffn_gate_inp.weight": (experts, width), "ffn_gate_exps.weight": (experts, inner, width),
            "ffn_up_exps.weight": (experts, inner, width), "ffn_down_exps.weight": (experts, width, inner),
        }  # fmt: skip
    elif recipe.fused:
        forward |= {"ffn_up.weight": (2 * inner, width), "ffn_down.weight": (width, inner)}
    else:
        forward |= {
            "ffn_gate.weight": (inner, width), "ffn_up.weight": (inner, width), "ffn_down.weight": (width, inner),
        }  # fmt: skip
    for name, shape in (attention | forward).items():
        yield prefix + name, shape


def build(recipe: Recipe, folder: Path) -> tuple[Path, Path]:
    """Write a model and its importance matrix."""
    model, matrix = folder / f"{recipe.name}.gguf", folder / f"{recipe.name}.imatrix.gguf"
    writer, importance = GGUFWriter(model, recipe.architecture), GGUFWriter(matrix, "none")
    _describe(recipe, writer)
    importance.add_type("imatrix")
    importance.add_array("imatrix.datasets", ["synthetic"])
    importance.add_uint32("imatrix.chunk_count", 4)
    importance.add_uint32("imatrix.chunk_size", 512)
    for name, shape in tensors(recipe):
        seed = zlib.crc32(f"{recipe.name}/{name}".encode())
        if len(shape) == 1 or "gate_inp" in name:
            writer.add_tensor(name, weights("gauss_unit", seed, 1, prod(shape)).reshape(shape))
            continue
        add(writer, name, _weights(seed, shape), recipe.dtype)
        if name != "token_embd.weight":
            _add_importance(importance, name, seed, shape)
    finish(writer)
    finish(importance)
    return model, matrix


def _describe(recipe: Recipe, writer: GGUFWriter) -> None:
    writer.add_type("model")
    writer.add_name(recipe.name)
    writer.add_file_type(FILE_TYPES[recipe.dtype])
    writer.add_quantization_version(2)
    writer.add_context_length(2048)
    writer.add_embedding_length(recipe.width)
    writer.add_block_count(recipe.layers)
    writer.add_feed_forward_length(recipe.inner)
    writer.add_head_count(recipe.heads)
    writer.add_head_count_kv(recipe.kv_heads)
    writer.add_rope_dimension_count(recipe.head)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_layer_norm_eps(1e-5)
    writer.add_vocab_size(recipe.vocabulary)
    writer.add_key_length(recipe.head)
    writer.add_value_length(recipe.head)
    if recipe.experts:
        writer.add_expert_count(recipe.experts)
        writer.add_expert_used_count(2)
        writer.add_expert_feed_forward_length(recipe.inner)
    if recipe.architecture == "phi3":
        writer.add_sliding_window(0)
        writer.add_rope_scaling_orig_ctx_len(2048)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([f"t{number}" for number in range(recipe.vocabulary)])
    writer.add_token_scores([0.0] * recipe.vocabulary)
    writer.add_token_types([1] * recipe.vocabulary)


def _weights(seed: int, shape: Shape) -> Floats:
    kind = KINDS[seed % len(KINDS)] if shape[-1] % 32 == 0 else "gauss_bf16"
    values = bf16(weights(kind, seed, prod(shape[:-1]), shape[-1])).reshape(shape)
    return np.clip(values, np.float32(-(2.0**15)), np.float32(2.0**15))


def add(writer: GGUFWriter, name: str, values: Floats, dtype: str) -> None:
    """Add a tensor of floats, of which 16-bit ones are exact already."""
    if dtype == "bf16":
        bits = (values.view(np.uint32) >> 16).astype(np.uint16).view(np.uint8)
        writer.add_tensor(name, bits.reshape(*values.shape[:-1], -1), raw_dtype=GGMLQuantizationType.BF16)
    else:
        writer.add_tensor(name, values.astype(np.float16) if dtype == "f16" else values)


def squares(seed: int, columns: int) -> Floats:
    """The importance of columns, as a mean of squared activations looks."""
    first, second = normal(seed, columns), normal(seed + 1, columns)
    return first * first + second * second + np.float32(1e-6)


def _add_importance(writer: GGUFWriter, name: str, seed: int, shape: Shape) -> None:
    experts = shape[0] if len(shape) == 3 else 1
    columns = shape[-1]
    room = -(-columns // 32) * 32
    values = np.stack([squares(seed + 1000 + expert, room)[:columns] for expert in range(experts)])
    writer.add_tensor(f"{name}.in_sum2", values)
    writer.add_tensor(f"{name}.counts", np.ones((experts, 1), np.float32))


def finish(writer: GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
