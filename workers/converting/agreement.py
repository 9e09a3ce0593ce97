"""Whether the planned tensors are those of the model that config.json tells."""

from collections.abc import Mapping

from workers.converting.errors import ConvertError
from workers.converting.plan import Planned, Work

# Every block of every family has one of each of these.
IN_EVERY_BLOCK = (("attn_output.weight",), ("ffn_down.weight", "ffn_down_exps.weight"))


def check_agreement(work: Work, tensors: list[Planned]) -> None:
    """Raise ConvertError for a missing block or a tensor of another size than config.json says."""
    found = {tensor.name: tensor.shape for tensor in tensors}
    told = work.settings
    hidden = told.whole("hidden_size")
    for block in range(work.blocks):
        for names in IN_EVERY_BLOCK:
            if not any(f"blk.{block}.{name}" in found for name in names):
                raise ConvertError(
                    f"{told.path}: tells {work.blocks} blocks, but block {block} has no {names[0].split('.')[0]}"
                )
    if "token_embd.weight" not in found:
        raise ConvertError(f"{work.folder}: has no embeddings; files are missing or it is no whole model")
    _expect(work, found, "token_embd.weight", (work.tokens, hidden), "tokens of the vocabulary x hidden_size")
    _expect(work, found, "output.weight", (work.tokens, hidden), "tokens of the vocabulary x hidden_size")
    _expect(work, found, "output_norm.weight", (hidden,), "hidden_size")
    for block in range(work.blocks):
        _check_block(work, found, f"blk.{block}.", hidden)


def _check_block(work: Work, found: Mapping[str, tuple[int, ...]], block: str, hidden: int) -> None:
    told = work.settings
    wide, inner = told.heads * told.head_size, told.whole("intermediate_size")
    narrow = (told.maybe_whole("num_key_value_heads") or told.heads) * told.head_size
    for name in ("attn_norm", "ffn_norm", "attn_output_norm", "layer_output_norm"):
        _expect(work, found, f"{block}{name}.weight", (hidden,), "hidden_size")
    if f"{block}attn_k.weight" in found:
        _expect(work, found, f"{block}attn_q.weight", (wide, hidden), "heads x head size by hidden_size")
        _expect(work, found, f"{block}attn_output.weight", (hidden, wide), "hidden_size by heads x head size")
        for name in ("attn_k", "attn_v"):
            _expect(work, found, f"{block}{name}.weight", (narrow, hidden), "key-value heads by hidden_size")
    _expect(work, found, f"{block}ffn_down.weight", (hidden, inner), "hidden_size by intermediate_size")


def _expect(
    work: Work, found: Mapping[str, tuple[int, ...]], name: str, shape: tuple[int, ...], told: str
) -> None:
    if name in found and found[name] != shape:
        raise ConvertError(
            f"{work.folder}: {name} is made of {list(found[name])} weights; config.json and the tokenizer say "
            f"{list(shape)} ({told})"
        )
