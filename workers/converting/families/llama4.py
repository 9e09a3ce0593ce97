"""Llama 4 (text): experts are stored transposed, gate and up side by side; queries and keys are in pairs already."""

from collections.abc import Iterable

import gguf

from workers.converting.checkpoint import Source
from workers.converting.errors import ConvertError
from workers.converting.families.llama import factors
from workers.converting.families.llama import keys as llama_keys
from workers.converting.families.parts import keep, own_blocks, rename, straight, swapped
from workers.converting.plan import Family, Piece, Placed, Work
from workers.converting.words.bpe import add_bpe


def keys(work: Work) -> None:
    told, writer = work.settings, work.keys
    expert = told.whole("intermediate_size")
    # What this config calls intermediate_size is an expert's; layers without experts have another.
    told.values["intermediate_size"] = told.whole("intermediate_size_mlp")
    llama_keys(work)
    writer.add_interleave_moe_layer_step(told.whole("interleave_moe_layer_step"))
    writer.add_expert_feed_forward_length(expert)
    if _attends_to_all(work):
        writer.add_sliding_window(0)


def _attends_to_all(work: Work) -> bool:
    """Whether no layer attends to a chunk only; layers without a type are of two kinds by default."""
    kinds, chunked = work.settings.get("layer_types"), work.settings.get("no_rope_layers")
    if isinstance(kinds, list) and kinds:
        return all(kind == "full_attention" for kind in kinds)
    return isinstance(chunked, list) and bool(chunked) and not any(chunked)


def place(work: Work, name: str, source: Source, block: int | None) -> Iterable[Placed]:
    if not name.endswith(("experts.gate_up_proj", "experts.down_proj")):
        return straight(work, name, source, block)
    if len(source.shape) != 3 or source.columns % 2:
        raise ConvertError(
            f"{work.where(source)} has shape {list(source.shape)}; experts are three-dimensional"
        )
    if name.endswith("down_proj"):
        return [_turned(f"{name}.weight", source, 0, source.columns)]
    half = source.columns // 2
    return [
        _turned(name.replace("gate_up_proj", "gate_proj.weight"), source, 0, half),
        _turned(name.replace("gate_up_proj", "up_proj.weight"), source, half, source.columns),
    ]


def _turned(name: str, source: Source, first: int, last: int) -> Placed:
    """Columns of every expert as rows."""
    experts, rows, _ = source.shape
    turn = swapped(first, last)
    pieces = tuple(Piece(source, expert * rows, rows, turn) for expert in range(experts))
    return Placed(name, (experts, last - first, rows), pieces)


LLAMA4 = Family(gguf.MODEL_ARCH.LLAMA4, keys, add_bpe, place, rename, factors, own_blocks, keep)
FAMILIES = {"Llama4ForConditionalGeneration": LLAMA4, "Llama4ForCausalLM": LLAMA4}
