"""GLM-5: DeepSeek's attention and experts under GLM's vocabulary, with an index of what each layer attends to."""

from collections.abc import Iterable

import gguf

from workers.converting.checkpoint import Source
from workers.converting.families import deepseek
from workers.converting.families.glm import all_blocks, expert_vocabulary
from workers.converting.families.parts import nothing, rename, straight
from workers.converting.plan import Family, Placed, Work

TYPES = "glm-dsa.attention.indexer.types"


def keys(work: Work) -> None:
    deepseek.keys(work)
    told, writer = work.settings, work.keys
    share = told.rope_number("partial_rotary_factor")
    writer.add_rope_dimension_count(int(told.whole("qk_rope_head_dim") * (1.0 if share is None else share)))
    if (ahead := told.maybe_whole("num_nextn_predict_layers")) is not None:
        writer.add_nextn_predict_layers(ahead)
    writer.add_indexer_head_count(told.whole("index_n_heads"))
    writer.add_indexer_key_length(told.whole("index_head_dim"))
    writer.add_indexer_top_k(told.whole("index_topk"))
    if (types := told.get("indexer_types")) is not None:
        if not isinstance(types, list) or len(types) != told.whole("num_hidden_layers"):
            raise told.fault("indexer_types", types, "a list with one word for each layer")
        writer.add_array(TYPES, [kind == "full" for kind in types])


def drops(work: Work, name: str) -> bool:
    return name == "lm_head.weight" and bool(work.settings.get("tie_word_embeddings"))


def place(work: Work, name: str, source: Source, block: int | None) -> Iterable[Placed]:
    """The embeddings of the model are told from those of its last layer by their name alone."""
    if name == "model.embed_tokens.weight":
        return straight(work, "token_embd.weight", source, block)
    return deepseek.place(work, name, source, block)


FAMILIES = {
    "GlmMoeDsaForCausalLM": Family(
        gguf.MODEL_ARCH.GLM_DSA, keys, expert_vocabulary, place, rename, nothing, all_blocks, drops
    )
}
