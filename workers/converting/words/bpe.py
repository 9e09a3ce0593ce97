"""Byte-level vocabularies with merges, as most models since GPT-2 have them."""

from collections.abc import Callable, Mapping

from workers.converting.errors import ConvertError
from workers.converting.plan import Work
from workers.converting.words.fast import Fast, Words, load, words
from workers.converting.words.special import add_special

Ids = Callable[[Work, Fast], Mapping[str, int]]


def add_bpe(work: Work, ids: Ids | None = None) -> None:
    """Write the vocabulary of tokenizer.json; `ids` tells special tokens that the files do not."""
    fast = load(work.folder)
    found = words(work, fast)
    work.keys.add_tokenizer_model("gpt2")
    add_words(work, found)
    add_special(work, merges=True, ids=ids(work, fast) if ids else None)


def add_words(work: Work, found: Words) -> None:
    work.keys.add_tokenizer_pre(found.pre)
    work.keys.add_token_list(found.tokens)
    work.keys.add_token_types(found.types)
    work.tokens = len(found.tokens)


def added_id(work: Work, fast: Fast, text: str) -> int:
    """The number of an added token that a family cannot do without."""
    for number, token in fast.added.items():
        if token.content == text:
            return number
    raise ConvertError(
        f"{work.folder / 'tokenizer.json'}: has no added token {text!r}, which this family needs"
    )
