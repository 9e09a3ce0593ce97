"""Llama 2, 3 and 3.x, SmolLM, Mistral and Mixtral: queries and keys in pairs, factors for long contexts."""

from collections.abc import Iterable
from dataclasses import replace

import gguf
import numpy as np

from workers.converting.checkpoint import Source
from workers.converting.documents import optional_object
from workers.converting.families.parts import (
    added,
    interleaved,
    keep,
    own_blocks,
    rename,
    stacked,
    straight,
)
from workers.converting.keys import add_common
from workers.converting.plan import Family, Placed, Work
from workers.converting.words.bpe import add_bpe
from workers.converting.words.pieces import add_byte_fallback, add_pieces, is_byte_fallback

EXPERT = ".block_sparse_moe.experts."
# CodeLlama's tokens around a gap are known by the size of its vocabulary only.
CODE_LLAMA, GAPS = 32016, {"prefix": 32007, "suffix": 32008, "middle": 32009, "eot": 32010}
NO_BEGINNING = 49152


def keys(work: Work) -> None:
    if (kind := work.settings.get("model_type")) in ("ministral3", "mistral4"):
        raise work.settings.fault("model_type", kind, "mistral; newer models have other rotary settings")
    add_common(work)
    work.keys.add_vocab_size(work.settings.whole("vocab_size"))
    work.keys.add_rope_dimension_count(work.settings.head_size)


def vocabulary(work: Work) -> None:
    """tokenizer.model, or a tokenizer.json made from one, or byte-level merges."""
    prefix = optional_object(work.folder / "tokenizer_config.json").get("add_prefix_space")
    if prefix is not None:
        work.keys.add_add_space_prefix(bool(prefix))
    if added(work.folder, "tokenizer.model"):
        add_pieces(work)
    elif is_byte_fallback(work):
        add_byte_fallback(work)
    else:
        add_bpe(work)
    size = work.settings.maybe_whole("vocab_size")
    if size == CODE_LLAMA:
        for name, number in GAPS.items():
            work.keys.add_uint32(f"tokenizer.ggml.{name}_token_id", number)
    if size == NO_BEGINNING:
        work.keys.add_add_bos_token(False)


def place(work: Work, name: str, source: Source, block: int | None) -> Iterable[Placed]:
    told = work.settings
    if EXPERT in name:
        return stacked(
            work, name, source, block,
            parts=("w1", "w2", "w3"), made="layers.{block}.feed_forward.experts.{part}.weight",
        )  # fmt: skip
    if name.endswith(("q_proj.weight", "q_proj.bias")):
        return [interleaved(name, source, told.heads, work)]
    if name.endswith(("k_proj.weight", "k_proj.bias")):
        return [interleaved(name, source, told.maybe_whole("num_key_value_heads") or told.heads, work)]
    return straight(work, name, source, block)


def factors(work: Work) -> Iterable[Placed]:
    """What Llama 3.1 multiplies the wavelengths with: long ones by a factor, short ones by one, smoothly between."""
    told = work.settings
    if told.rope_type != "llama3":
        return
    base = told.rope_number("rope_theta") or 10000.0
    factor = told.rope_number("factor") or 8.0
    low = told.rope_number("low_freq_factor") or 1.0
    high = told.rope_number("high_freq_factor") or 4.0
    context = told.rope_number("original_max_position_embeddings") or 8192.0
    size = told.head_size
    steps = np.arange(0, size, 2, dtype=np.float32) / np.float32(size)
    waves = np.float32(2 * np.pi) / (np.float32(1) / np.float32(base) ** steps)
    with np.errstate(divide="ignore", invalid="ignore"):
        smooth = (np.float32(context) / waves - np.float32(low)) / np.float32(high - low)
        between = np.float32(1) / ((1 - smooth) / np.float32(factor) + smooth)
    found = np.where(waves < context / high, 1, np.where(waves > context / low, factor, between))
    values = found.astype(np.float32)
    yield Placed("rope_freqs.weight", values.shape, values=values)


LLAMA = Family(gguf.MODEL_ARCH.LLAMA, keys, vocabulary, place, rename, factors, own_blocks, keep)
MISTRAL3 = replace(LLAMA, arch=gguf.MODEL_ARCH.MISTRAL3)
FAMILIES = {
    "LlamaForCausalLM": LLAMA,
    "MistralForCausalLM": LLAMA,
    "MixtralForCausalLM": LLAMA,
    "Mistral3ForConditionalGeneration": MISTRAL3,
}
