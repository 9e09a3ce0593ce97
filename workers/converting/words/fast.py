"""tokenizer.json through the tokenizers package, with what tokenizer_config.json adds to it."""

from pathlib import Path
from typing import Any, NamedTuple

from gguf import TokenType
from tokenizers import AddedToken, Tokenizer

from workers.converting.documents import optional_object, read_object
from workers.converting.errors import ConvertError
from workers.converting.plan import Work
from workers.converting.words.fingerprints import TEXT, fingerprint, name_of

SPECIALS = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
# Classes that put their own beginning and end around a text, whatever tokenizer.json says.
AROUND = ("LlamaTokenizer", "LlamaTokenizerFast", "GemmaTokenizer", "GemmaTokenizerFast")
LOOKS_SPECIAL = ("<pad>", "<mask>", "<2mass>", "[@BOS@]")
WIDE_SPACE = "\u2581"


class Fast(NamedTuple):
    """A tokenizer, its class's settings, and its added tokens by number."""

    tokenizer: Tokenizer
    config: dict[str, Any]
    added: dict[int, AddedToken]


class Words(NamedTuple):
    """Tokens by number, their types, and the name of the pre-tokenizer."""

    tokens: list[str]
    types: list[int]
    pre: str


def load(folder: Path) -> Fast:
    """Open the folder's tokenizer. Raises ConvertError for one that is missing or broken."""
    path = folder / "tokenizer.json"
    read_object(path)
    config = optional_object(folder / "tokenizer_config.json")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the package raises nothing narrower
        raise ConvertError(f"{path}: is no tokenizer: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    _add_tokens(tokenizer, config)
    return Fast(tokenizer, config, tokenizer.get_added_tokens_decoder())


def _add_tokens(tokenizer: Tokenizer, config: dict[str, Any]) -> None:
    """Tokens of tokenizer_config.json that tokenizer.json does not call added ones."""
    known = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    decoder = config.get("added_tokens_decoder")
    entries = [*decoder.values()] if isinstance(decoder, dict) else []
    entries += [config.get(name) for name in SPECIALS]
    for number, entry in enumerate(entries):
        text = text_of(entry)
        if text is None or text in known:
            continue
        known.add(text)
        told = entry if isinstance(entry, dict) else {}
        special = bool(told.get("special")) or number >= len(entries) - len(SPECIALS)
        token = AddedToken(text, special=special, normalized=bool(told.get("normalized", not special)))
        tokenizer.add_tokens([token])


def text_of(entry: Any) -> str | None:
    """The text of a token that is told as a string or as an object."""
    text = entry.get("content") if isinstance(entry, dict) else entry
    return text if isinstance(text, str) and text else None


def looks_special(text: str) -> bool:
    """Whether a token that is not called special is one by its looks."""
    return (
        text in LOOKS_SPECIAL
        or (text.startswith("<|") and text.endswith("|>"))
        or (text.startswith("<\uff5c") and text.endswith("\uff5c>"))
        or (text.startswith("<unused") and text.endswith(">"))
    )


def words(work: Work, fast: Fast) -> Words:
    """As many tokens as config.json's vocab_size says, holes filled with unused ones."""
    vocabulary = fast.tokenizer.get_vocab(with_added_tokens=True)
    size = work.settings.maybe_whole("vocab_size") or len(vocabulary)
    largest = max(vocabulary.values(), default=-1)
    if largest >= size:
        raise ConvertError(
            f"{work.folder / 'tokenizer.json'}: has a token {largest}, but config.json's vocab_size is {size}"
        )
    by_number = {number: text for text, number in vocabulary.items()}
    tokens, types = [], []
    for number in range(size):
        text, kind = _word(fast, by_number.get(number), number)
        tokens.append(text)
        types.append(int(kind))
    return Words(tokens, types, _pre(work, fast))


def _word(fast: Fast, text: str | None, number: int) -> tuple[str, TokenType]:
    if text is None:
        return f"[PAD{number}]", TokenType.UNUSED
    token = fast.added.get(number)
    if token is None:
        return text, TokenType.NORMAL
    if not token.normalized:
        # Readers take control and user-defined tokens as they come out, not as they are kept.
        numbers = fast.tokenizer.encode(text, add_special_tokens=False).ids
        text = fast.tokenizer.decode(numbers, skip_special_tokens=False)
    if token.special or looks_special(text):
        return text, TokenType.CONTROL
    return text.replace(WIDE_SPACE, " "), TokenType.USER_DEFINED


def _pre(work: Work, fast: Fast) -> str:
    around = fast.config.get("tokenizer_class") in AROUND
    numbers = fast.tokenizer.encode(TEXT, add_special_tokens=not around).ids
    if around:
        numbers = [
            *_around(fast, "bos", default=True),
            *numbers,
            *_around(fast, "eos", default=False),
        ]
    found = fingerprint(numbers)
    name = name_of(found)
    if name is None:
        raise ConvertError(
            f"{work.folder / 'tokenizer.json'}: cuts text in a way that no known reader does (fingerprint {found}); "
            "a file with a wrong pre-tokenizer would give wrong answers, so none is made"
        )
    return name


def _around(fast: Fast, kind: str, *, default: bool) -> list[int]:
    if not fast.config.get(f"add_{kind}_token", default):
        return []
    text = text_of(fast.config.get(f"{kind}_token"))
    number = None if text is None else fast.tokenizer.token_to_id(text)
    return [] if number is None else [number]
