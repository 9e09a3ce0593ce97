"""GLM-4 and, with experts and a layer that guesses ahead, GLM-4.5 and 4.6."""

from collections.abc import Iterable, Mapping

import gguf

from workers.converting.checkpoint import Source
from workers.converting.families.parts import keep, nothing, own_blocks, rename, straight
from workers.converting.families.qwen import place as place_experts
from workers.converting.keys import add_common
from workers.converting.plan import Family, Placed, Work
from workers.converting.settings import Settings
from workers.converting.words.bpe import add_bpe, added_id
from workers.converting.words.fast import Fast


def keys(work: Work) -> None:
    told = work.settings
    if "mrope_section" in told.rope:
        raise told.fault(
            "rope_scaling.mrope_section", told.rope["mrope_section"], "absent; pictures are not converted"
        )
    add_common(work)
    share = told.rope_number("partial_rotary_factor")
    work.keys.add_rope_dimension_count(int(told.head_size * (0.5 if share is None else share)))


def expert_keys(work: Work) -> None:
    keys(work)
    told, writer = work.settings, work.keys
    for name, add in (
        ("n_routed_experts", writer.add_expert_count),
        ("moe_intermediate_size", writer.add_expert_feed_forward_length),
        ("n_shared_experts", writer.add_expert_shared_count),
        ("first_k_dense_replace", writer.add_leading_dense_block_count),
    ):
        if (value := told.maybe_whole(name)) is not None:
            add(value)
    writer.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID)
    if (scale := told.maybe_number("routed_scaling_factor")) is not None:
        writer.add_expert_weights_scale(scale)
    if (norm := told.get("norm_topk_prob")) is not None:
        writer.add_expert_weights_norm(bool(norm))
    if (ahead := told.maybe_whole("num_nextn_predict_layers")) is not None:
        writer.add_nextn_predict_layers(ahead)


def all_blocks(settings: Settings) -> int:
    """Layers that guess ahead are kept."""
    return own_blocks(settings) + (settings.maybe_whole("num_nextn_predict_layers") or 0)


def _ids(work: Work, fast: Fast) -> Mapping[str, int]:
    names = {"eos": "<|endoftext|>", "eot": "<|user|>", "unk": "<|endoftext|>", "bos": "<|endoftext|>"}
    return {kind: added_id(work, fast, text) for kind, text in names.items()}


def _expert_ids(work: Work, fast: Fast) -> Mapping[str, int]:
    names = {"bos": "[gMASK]", "eot": "<|user|>", "unk": "<|endoftext|>", "eom": "<|observation|>"}
    return {kind: added_id(work, fast, text) for kind, text in names.items()}


def vocabulary(work: Work) -> None:
    add_bpe(work, _ids)


def expert_vocabulary(work: Work) -> None:
    add_bpe(work, _expert_ids)


def place(work: Work, name: str, source: Source, block: int | None) -> Iterable[Placed]:
    """The embeddings of the model are told from those of its last layer by their name alone."""
    if name == "model.embed_tokens.weight":
        return straight(work, "token_embd.weight", source, block)
    return place_experts(work, name, source, block)


FAMILIES = {
    "Glm4ForCausalLM": Family(
        gguf.MODEL_ARCH.GLM4, keys, vocabulary, straight, rename, nothing, own_blocks, keep
    ),
    "Glm4MoeForCausalLM": Family(
        gguf.MODEL_ARCH.GLM4_MOE, expert_keys, expert_vocabulary, place, rename, nothing, all_blocks, keep
    ),
}
