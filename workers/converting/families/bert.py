"""BERT encoders, such as MiniLM: layer norms with biases, learned positions, WordPiece."""

import gguf

from workers.converting.families import parts
from workers.converting.keys import add_common, add_pooling
from workers.converting.plan import Family, Work
from workers.converting.words.bpe import add_words
from workers.converting.words.fast import WIDE_SPACE, load, words
from workers.converting.words.special import add_special

UNUSED = ("embeddings.position_ids", "pooler.dense.weight", "pooler.dense.bias")


def keys(work: Work) -> None:
    add_common(work)
    work.keys.add_causal_attention(False)
    add_pooling(work)


def rename(name: str) -> str | None:
    """Without the prefix of larger models, old names of norms made new; None for heads that embeddings do without."""
    name = name.removeprefix("bert.")
    for old, new in ((".gamma", ".weight"), (".beta", ".bias")):
        if name.endswith(old):
            name = name.removesuffix(old) + new
    if name in UNUSED or name.startswith(("cls.predictions", "cls.seq_relationship")):
        return None
    return parts.rename(name)


def vocabulary(work: Work) -> None:
    """Pieces inside a word lose their mark, pieces at its beginning get one."""
    found = words(work, load(work.folder))
    work.keys.add_token_type_count(work.settings.whole("type_vocab_size"))
    tokens = [
        text if kind == gguf.TokenType.CONTROL else text[2:] if text.startswith("##") else WIDE_SPACE + text
        for text, kind in zip(found.tokens, found.types, strict=True)
    ]
    work.keys.add_tokenizer_model("bert")
    add_words(work, found._replace(tokens=tokens))
    add_special(work, tokens=len(tokens))


BERT = Family(
    gguf.MODEL_ARCH.BERT,
    keys,
    vocabulary,
    parts.straight,
    rename,
    parts.nothing,
    parts.own_blocks,
    parts.keep,
)
FAMILIES = {"BertModel": BERT, "BertForMaskedLM": BERT}
