"""Sentencepiece vocabularies: tokenizer.model, and tokens that other files add to it or change."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from workers.converting.documents import optional_object, read_bytes, read_object
from workers.converting.errors import ConvertError
from workers.converting.plan import Work
from workers.converting.words.fast import WIDE_SPACE, load, looks_special
from workers.converting.words.special import add_special

MAX_MODEL = 64 * 2**20
UNUSED_SCORE = -10000.0
ADDED_SCORE = -1000.0


class Kind(IntEnum):
    """Types of pieces, in a tokenizer.model as in a GGUF file."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


@dataclass(slots=True)
class Pieces:
    """Pieces by number."""

    path: Path
    texts: list[bytes]
    scores: list[float]
    kinds: list[int]

    def put(self, number: Any, text: bytes, kind: Kind) -> None:
        """Change a piece; numbers beyond the vocabulary are left out, as the reference does."""
        if type(number) is not int or number < 0:
            raise ConvertError(f"{self.path}: {str(number)[:40]!r} is no number of a token")
        if number < len(self.texts):
            self.texts[number] = text
            self.scores[number] = ADDED_SCORE
            self.kinds[number] = kind


def read_pieces(path: Path, size: int | None) -> Pieces:
    """The pieces of a tokenizer.model, filled up to `size` with unused ones or cut to it."""
    found = list(_pieces(path))
    count = size or len(found)
    pieces = Pieces(
        path,
        [f"[PAD{number}]".encode() for number in range(count)],
        [UNUSED_SCORE] * count,
        [int(Kind.UNUSED)] * count,
    )
    for number, (text, score, kind) in enumerate(found[:count]):
        pieces.texts[number] = text
        pieces.scores[number] = score
        # The reference asks for unknown, control, unused and byte pieces only.
        pieces.kinds[number] = Kind.NORMAL if kind == Kind.USER_DEFINED else kind
    return pieces


def _pieces(path: Path) -> Iterator[tuple[bytes, float, int]]:
    """Field 1 of the file's message, again and again: text (1), score (2), type (3)."""
    kinds = set(Kind)
    for number, value in _fields(path, read_bytes(path, MAX_MODEL)):
        if number != 1:
            continue
        told = dict(_fields(path, value))
        text, kind = told.get(1, b""), told.get(3, int(Kind.NORMAL))
        raw = told.get(2, bytes(4))
        if not isinstance(text, bytes) or not isinstance(raw, bytes) or len(raw) != 4 or kind not in kinds:
            raise ConvertError(f"{path}: holds a piece that is none; it is no sentencepiece model")
        yield text, struct.unpack("<f", raw)[0], kind


def _fields(path: Path, data: Any) -> Iterator[tuple[int, Any]]:
    """The fields of a protocol buffer message: whole numbers, or bytes."""
    if not isinstance(data, bytes):
        raise ConvertError(f"{path}: is no sentencepiece model")
    at = 0
    while at < len(data):
        tag, at = _varint(path, data, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(path, data, at)
            yield tag >> 3, value
            continue
        length = {1: 8, 5: 4}.get(kind)
        if kind == 2:
            length, at = _varint(path, data, at)
        if length is None or length > len(data) - at:
            raise ConvertError(f"{path}: is cut short or no sentencepiece model (byte {at})")
        yield tag >> 3, data[at : at + length]
        at += length


def _varint(path: Path, data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(data):
            break
        value |= (data[at] & 0x7F) << shift
        at += 1
        if not data[at - 1] & 0x80:
            return value, at
    raise ConvertError(f"{path}: is cut short or no sentencepiece model (byte {at})")


def add_pieces(work: Work) -> None:
    """Write tokenizer.model with what added_tokens.json and tokenizer_config.json say."""
    pieces = read_pieces(work.folder / "tokenizer.model", work.settings.maybe_whole("vocab_size"))
    put_added(work, pieces)
    for number, token in _decoder(work):
        text = str(token.get("content", ""))
        if token.get("special") or looks_special(text):
            pieces.put(number, text.encode(), Kind.CONTROL)
        else:
            pieces.put(number, text.replace(WIDE_SPACE, " ").encode(), Kind.USER_DEFINED)
    write_pieces(work, pieces)


def put_added(work: Work, pieces: Pieces) -> None:
    for text, number in optional_object(work.folder / "added_tokens.json").items():
        pieces.put(number, text.encode(), Kind.USER_DEFINED)


def put_told(work: Work, pieces: Pieces) -> None:
    """Tokens of tokenizer_config.json, then of tokenizer.json, as they are written there."""
    added = optional_object(work.folder / "tokenizer.json").get("added_tokens", [])
    told = [*_decoder(work), *((token.get("id"), token) for token in added if isinstance(token, dict))]
    for number, token in told:
        kind = Kind.CONTROL if token.get("special") else Kind.USER_DEFINED
        pieces.put(number, str(token.get("content", "")).encode(), kind)


def _decoder(work: Work) -> Iterator[tuple[int, dict[str, Any]]]:
    path = work.folder / "tokenizer_config.json"
    decoder = optional_object(path).get("added_tokens_decoder", {})
    for number, token in decoder.items() if isinstance(decoder, dict) else ():
        if not number.isdecimal() or len(number) > 9 or not isinstance(token, dict):
            raise ConvertError(f"{path}: added_tokens_decoder holds {number[:40]!r}, which is no token")
        yield int(number), token


def write_pieces(work: Work, pieces: Pieces) -> None:
    work.keys.add_tokenizer_model("llama")
    work.keys.add_tokenizer_pre("default")
    work.keys.add_token_list(pieces.texts)
    work.keys.add_token_scores(pieces.scores)
    work.keys.add_token_types(pieces.kinds)
    work.tokens = len(pieces.texts)
    add_special(work, tokens=len(pieces.texts))


def is_byte_fallback(work: Work) -> bool:
    """Whether tokenizer.json holds what a tokenizer.model held: merges that fall back to bytes."""
    told = read_object(work.folder / "tokenizer.json")
    model, decoder = told.get("model"), told.get("decoder")
    return (
        isinstance(model, dict)
        and isinstance(decoder, dict)
        and model.get("type") == "BPE"
        and bool(model.get("byte_fallback"))
        and decoder.get("type") == "Sequence"
    )


def add_byte_fallback(work: Work) -> None:
    """Write such a tokenizer.json; it has no scores, so all are the same."""
    fast = load(work.folder)
    base = fast.tokenizer.get_vocab(with_added_tokens=False)
    count = len(base)
    by_number = {number: text for text, number in fast.tokenizer.get_vocab(with_added_tokens=True).items()}
    numbers = [*range(count), *sorted(number for number in fast.added if number >= count)]
    if any(number not in by_number for number in numbers):
        raise ConvertError(f"{work.folder / 'tokenizer.json'}: numbers are missing among its {count} tokens")
    pieces = Pieces(work.folder / "tokenizer.json", [], [], [])
    for number in numbers:
        text, token = by_number[number], fast.added.get(number)
        kind = Kind.NORMAL
        if len(text) == 6 and text.startswith("<0x") and text.endswith(">") and number < count:
            kind = Kind.BYTE
        elif token is not None and token.special:
            kind = Kind.CONTROL
        elif number >= count:
            kind = Kind.USER_DEFINED
        pieces.texts.append(text.encode())
        pieces.scores.append(ADDED_SCORE)
        pieces.kinds.append(int(kind))
    write_pieces(work, pieces)
