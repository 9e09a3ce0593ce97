"""Qwen 2, 2.5 and 3, dense or with experts."""

from collections.abc import Iterable

import gguf

from workers.converting.checkpoint import Source
from workers.converting.families.parts import (
    added,
    keep,
    nothing,
    own_blocks,
    rename,
    stacked,
    straight,
)
from workers.converting.keys import add_common, add_pooling
from workers.converting.plan import Family, Placed, Work
from workers.converting.words.bpe import add_bpe
from workers.converting.words.pieces import add_pieces


def keys(work: Work) -> None:
    add_common(work)
    add_pooling(work)


def expert_keys(work: Work) -> None:
    add_common(work)
    told = work.settings
    if (length := told.maybe_whole("moe_intermediate_size")) is not None:
        work.keys.add_expert_feed_forward_length(length)
    if (length := told.maybe_whole("shared_expert_intermediate_size")) is not None:
        work.keys.add_expert_shared_feed_forward_length(length)


def vocabulary(work: Work) -> None:
    if added(work.folder, "tokenizer.model"):
        add_pieces(work)
    else:
        add_bpe(work)


def place(work: Work, name: str, source: Source, block: int | None) -> Iterable[Placed]:
    if ".mlp.experts." not in name:
        return straight(work, name, source, block)
    return stacked(
        work, name, source, block,
        parts=("down_proj", "gate_proj", "up_proj"), made="model.layers.{block}.mlp.experts.{part}.weight",
    )  # fmt: skip


def _dense(arch: gguf.MODEL_ARCH) -> Family:
    return Family(arch, keys, vocabulary, straight, rename, nothing, own_blocks, keep)


def _experts(arch: gguf.MODEL_ARCH) -> Family:
    return Family(arch, expert_keys, add_bpe, place, rename, nothing, own_blocks, keep)


FAMILIES = {
    "Qwen2ForCausalLM": _dense(gguf.MODEL_ARCH.QWEN2),
    "Qwen3ForCausalLM": _dense(gguf.MODEL_ARCH.QWEN3),
    "Qwen2MoeForCausalLM": _experts(gguf.MODEL_ARCH.QWEN2MOE),
    "Qwen3MoeForCausalLM": _experts(gguf.MODEL_ARCH.QWEN3MOE),
}
