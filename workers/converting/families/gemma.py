"""Gemma 1, 2 and 3 (text): norms are kept as their distance from one."""

from collections.abc import Iterable

import gguf

from workers.converting.checkpoint import Source
from workers.converting.documents import read_object
from workers.converting.families.parts import added, keep, nothing, own_blocks, plus_one, rename, straight
from workers.converting.keys import add_common, add_file_type
from workers.converting.plan import Family, Piece, Placed, Work, whole
from workers.converting.words.bpe import add_bpe
from workers.converting.words.pieces import add_pieces

# Written into every Gemma 1 file: the end of a turn.
END_OF_TURN = 107


def sizes(work: Work) -> None:
    """Gemma 1 and 2 have an order of their own and no rotary settings."""
    told, keys = work.settings, work.keys
    keys.add_context_length(told.whole("max_position_embeddings"))
    keys.add_embedding_length(told.whole("hidden_size"))
    keys.add_block_count(work.blocks)
    keys.add_feed_forward_length(told.whole("intermediate_size"))
    keys.add_head_count(told.heads)
    keys.add_head_count_kv(told.maybe_whole("num_key_value_heads") or told.heads)
    keys.add_layer_norm_rms_eps(told.maybe_number("rms_norm_eps") or 0.0)
    keys.add_key_length(told.head_size)
    keys.add_value_length(told.head_size)
    add_file_type(work)


def sizes2(work: Work) -> None:
    sizes(work)
    told, keys = work.settings, work.keys
    keys.add_attn_logit_softcapping(told.maybe_number("attn_logit_softcapping") or 0.0)
    keys.add_final_logit_softcapping(told.maybe_number("final_logit_softcapping") or 0.0)
    keys.add_sliding_window(told.whole("sliding_window"))


def sizes3(work: Work) -> None:
    add_common(work)
    told, keys = work.settings, work.keys
    if (cap := told.maybe_number("final_logit_softcapping")) is not None:
        keys.add_final_logit_softcapping(cap)
    if told.get("attn_logit_softcapping") is not None:
        raise told.fault("attn_logit_softcapping", told.get("attn_logit_softcapping"), "absent in Gemma 3")
    if told.get("sliding_window_pattern") != 1:
        keys.add_sliding_window(told.whole("sliding_window"))


def vocabulary1(work: Work) -> None:
    add_pieces(work)
    work.keys.add_eot_token_id(END_OF_TURN)
    work.keys.add_add_space_prefix(False)


def vocabulary2(work: Work) -> None:
    add_pieces(work)
    work.keys.add_add_space_prefix(False)


def vocabulary3(work: Work) -> None:
    if added(work.folder, "tokenizer.model"):
        vocabulary2(work)
    else:
        add_bpe(work)


def rename_tied(name: str) -> str | None:
    """The output is the embedding; a copy of it is left out."""
    return None if name == "lm_head.weight" else rename(name)


def place(work: Work, name: str, source: Source, block: int | None) -> Iterable[Placed]:
    if name.endswith("norm.weight"):
        return [whole(name, source, plus_one)]
    return straight(work, name, source, block)


def place3(work: Work, name: str, source: Source, block: int | None) -> Iterable[Placed]:
    """Gemma 3's embeddings have rows beyond the vocabulary, which are left out."""
    if "embed_tokens.weight" not in name or len(source.shape) != 2:
        return place(work, name, source, block)
    rows = min(source.rows, _real_tokens(work))
    return [Placed(name, (rows, source.columns), (Piece(source, 0, rows),))]


def _real_tokens(work: Work) -> int:
    if added(work.folder, "tokenizer.model"):
        return work.settings.whole("vocab_size")
    told = read_object(work.folder / "tokenizer.json")
    model, others = told.get("model"), told.get("added_tokens", [])
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    return len(vocabulary or ()) + len(others)


FAMILIES = {
    "GemmaForCausalLM": Family(
        gguf.MODEL_ARCH.GEMMA, sizes, vocabulary1, place, rename_tied, nothing, own_blocks, keep
    ),
    "Gemma2ForCausalLM": Family(
        gguf.MODEL_ARCH.GEMMA2, sizes2, vocabulary2, place, rename_tied, nothing, own_blocks, keep
    ),
    "Gemma3ForCausalLM": Family(
        gguf.MODEL_ARCH.GEMMA3, sizes3, vocabulary3, place3, rename, nothing, own_blocks, keep
    ),
    "Gemma3ForConditionalGeneration": Family(
        gguf.MODEL_ARCH.GEMMA3, sizes3, vocabulary3, place3, rename, nothing, own_blocks, keep
    ),
}
