"""DeepSeek V2, V3 and R1: keys and values from one small state, experts, layers that guess ahead left out."""

import re
from collections.abc import Iterable

import gguf

from workers.converting.checkpoint import Source
from workers.converting.errors import ConvertError
from workers.converting.families.parts import nothing, own_blocks, rename
from workers.converting.families.qwen import place as place_experts
from workers.converting.keys import add_common
from workers.converting.plan import Family, Piece, Placed, Work
from workers.converting.words.bpe import add_bpe

LAYER = re.compile(r"model\.layers\.(\d+)\.")


def keys(work: Work) -> None:
    told, writer = work.settings, work.keys
    heads = told.values["num_key_value_heads"]
    # Readers see one key and value for all heads: the state itself.
    told.values["num_key_value_heads"] = 1
    add_common(work)
    told.values["num_key_value_heads"] = heads
    writer.add_leading_dense_block_count(told.maybe_whole("first_k_dense_replace") or 0)
    writer.add_vocab_size(told.whole("vocab_size"))
    if (rank := told.maybe_whole("q_lora_rank")) is not None:
        writer.add_q_lora_rank(rank)
    rank, rotated = told.whole("kv_lora_rank"), told.whole("qk_rope_head_dim")
    writer.add_kv_lora_rank(rank)
    writer.add_key_length(rank + rotated)
    writer.add_value_length(rank)
    writer.add_key_length_mla(told.whole("qk_nope_head_dim") + rotated)
    writer.add_value_length_mla(told.whole("v_head_dim"))
    _add_experts(work)
    writer.add_rope_dimension_count(rotated)
    if (scale := told.rope_number("mscale_all_dim")) is not None:
        writer.add_rope_scaling_yarn_log_mul(0.1 * scale)


def _add_experts(work: Work) -> None:
    told, writer = work.settings, work.keys
    writer.add_expert_feed_forward_length(told.whole("moe_intermediate_size"))
    writer.add_expert_count(told.whole("n_routed_experts"))
    writer.add_expert_shared_count(told.maybe_whole("n_shared_experts") or 0)
    if (scale := told.maybe_number("routed_scaling_factor")) is not None:
        writer.add_expert_weights_scale(scale)
    if told.get("norm_topk_prob"):
        writer.add_expert_weights_norm(True)


def drops(work: Work, name: str) -> bool:
    """Whether a tensor is left out: a tied output, or a layer behind the last one."""
    if name == "lm_head.weight":
        return bool(work.settings.get("tie_word_embeddings"))
    found = LAYER.match(name)
    return found is not None and int(found[1]) >= work.blocks


def place(work: Work, name: str, source: Source, block: int | None) -> Iterable[Placed]:
    if name.endswith("kv_b_proj.weight"):
        return _keys_and_values(work, name, source)
    return place_experts(work, name, source, block)


def _keys_and_values(work: Work, name: str, source: Source) -> Iterable[Placed]:
    """Head by head: rows for keys, transposed, and rows for values."""
    told = work.settings
    heads, key, value = (
        told.whole("num_key_value_heads"),
        told.whole("qk_nope_head_dim"),
        told.whole("v_head_dim"),
    )
    if len(source.shape) != 2 or source.rows != heads * (key + value):
        raise ConvertError(
            f"{work.where(source)} has shape {list(source.shape)}; {heads} heads of {key} + {value} were expected"
        )
    first = [head * (key + value) for head in range(heads)]
    yield Placed(
        name.replace("kv_b_proj", "k_b_proj"),
        (heads, source.columns, key),
        tuple(Piece(source, row, key, lambda rows: rows.T) for row in first),
    )
    yield Placed(
        name.replace("kv_b_proj", "v_b_proj"),
        (heads, value, source.columns),
        tuple(Piece(source, row + key, value) for row in first),
    )


DEEPSEEK = Family(gguf.MODEL_ARCH.DEEPSEEK2, keys, add_bpe, place, rename, nothing, own_blocks, drops)
FAMILIES = {"DeepseekV2ForCausalLM": DEEPSEEK, "DeepseekV3ForCausalLM": DEEPSEEK}
