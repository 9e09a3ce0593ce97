"""Phi 3, 3.5 and 4: queries, keys and values in one tensor, and factors for long contexts."""

from collections.abc import Iterable
from math import log, sqrt
from typing import Any

import gguf
import numpy as np

from workers.converting.documents import optional_object
from workers.converting.families.parts import keep, own_blocks, rename, straight
from workers.converting.keys import add_file_type
from workers.converting.plan import Family, Placed, Work
from workers.converting.words.bpe import add_bpe
from workers.converting.words.pieces import put_added, put_told, read_pieces, write_pieces


def keys(work: Work) -> None:
    told, writer = work.settings, work.keys
    writer.add_context_length(told.whole("max_position_embeddings"))
    writer.add_rope_scaling_orig_ctx_len(told.whole("original_max_position_embeddings"))
    writer.add_embedding_length(told.whole("hidden_size"))
    writer.add_feed_forward_length(told.whole("intermediate_size"))
    writer.add_block_count(work.blocks)
    writer.add_head_count(told.heads)
    writer.add_head_count_kv(told.maybe_whole("num_key_value_heads") or told.heads)
    writer.add_layer_norm_rms_eps(told.maybe_number("rms_norm_eps") or 0.0)
    writer.add_rope_dimension_count(_rotated(work))
    writer.add_rope_freq_base(told.rope_number("rope_theta") or 10000.0)
    add_file_type(work)
    # Readers tell Phi 4 from the others by a window of zero.
    writer.add_sliding_window(told.maybe_whole("sliding_window") or 0)


def _rotated(work: Work) -> int:
    told = work.settings
    share = told.rope_number("partial_rotary_factor")
    return int((1.0 if share is None else share) * told.whole("hidden_size")) // told.heads


def vocabulary(work: Work) -> None:
    """Byte-level merges where the tokenizer is GPT-2's, else sentencepiece with added tokens from three files."""
    path = work.folder / "tokenizer_config.json"
    kind = optional_object(path).get("tokenizer_class")
    if kind == "GPT2Tokenizer":
        add_bpe(work)
        return
    pieces = read_pieces(work.folder / "tokenizer.model", work.settings.maybe_whole("vocab_size"))
    put_added(work, pieces)
    put_told(work, pieces)
    write_pieces(work, pieces)


def factors(work: Work) -> Iterable[Placed]:
    """One factor for each pair of rotated columns: for long contexts, then for short ones."""
    told = work.settings
    if not told.global_rope.get("long_factor"):
        return
    if told.rope_type not in ("longrope", "su", "yarn"):
        raise told.fault("rope_scaling.type", told.rope_type, "longrope")
    original = told.whole("original_max_position_embeddings")
    scale = told.whole("max_position_embeddings") / original
    work.keys.add_rope_scaling_attn_factors(sqrt(1 + log(scale) / log(original)) if scale > 1 else 1.0)
    for name in ("long", "short"):
        values = _factors(work, f"{name}_factor")
        yield Placed(f"rope_factors_{name}.weight", values.shape, values=values)


def _factors(work: Work, name: str) -> Any:
    given, count = work.settings.global_rope.get(name), _rotated(work) // 2
    if not isinstance(given, list) or len(given) != count:
        raise work.settings.fault(f"rope_scaling.{name}", given, f"a list of {count} numbers")
    return np.array([work.settings.as_number(name, value) for value in given], np.float32)


FAMILIES = {
    "Phi3ForCausalLM": Family(
        gguf.MODEL_ARCH.PHI3, keys, vocabulary, straight, rename, factors, own_blocks, keep
    )
}
