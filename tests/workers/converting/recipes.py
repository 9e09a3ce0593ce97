"""The recipes in data/: checkpoints of every family, tokenizers included."""

import base64
import json
import lzma
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tests.workers.converting.tensors import Recipe, Tensor, build, document

DATA = Path(__file__).parent / "data"
# The first of SmolLM2's tokens are special.
SPECIAL = 17


@cache
def _recipes() -> dict[str, Any]:
    return dict(json.loads((DATA / "recipes.json").read_text()))


@cache
def _files() -> dict[str, Any]:
    return dict(json.loads(lzma.decompress((DATA / "files.json.xz").read_bytes())))


@cache
def goldens() -> dict[str, Any]:
    """By case: the reference's files (sha256 by type), its keys and its tensors."""
    return dict(json.loads((DATA / "goldens.json").read_text()))


def recipe(case: str) -> Recipe:
    """A case's recipe, new each time, so a test may change it."""
    told = json.loads(json.dumps(_recipes()[case]))
    tensors = [Tensor(name, tuple(shape), *rest) for name, shape, *rest in told["tensors"]]
    files = {
        name: base64.b64decode(text) if name == "tokenizer.model" else text.encode()
        for name, text in _files()[case].items()
    }
    if told["merges"]:
        files["tokenizer.json"] = _merged(json.dumps(told["merges"]))
    return Recipe(told["folder"], told["config"], told["dtype"], tensors, files, told["shards"])


def checkpoint(case: str, parent: Path) -> Path:
    """Build a case below a folder; returns the checkpoint's."""
    return build(case, recipe(case), parent)


@cache
def _vocabulary() -> tuple[list[str], list[list[str]]]:
    """SmolLM2's byte-level tokens (Apache-2.0): a JSON list, then the two parts of each merge as 16-bit numbers."""
    raw = lzma.decompress((DATA / "bpe.xz").read_bytes())
    end = raw.index(b"\n")
    tokens = list(json.loads(raw[:end]))
    planes = np.frombuffer(raw[end + 1 :], np.uint8).reshape(4, -1).astype(int)
    merges = []
    for left, right in zip(planes[0] + 256 * planes[1], planes[2] + 256 * planes[3], strict=True):
        merges.append([tokens[left], tokens[right]])
        tokens.append(tokens[left] + tokens[right])
    return tokens, merges


def _added(number: int, text: str, *, special: bool) -> dict[str, Any]:
    return {
        "id": number, "content": text, "single_word": False, "lstrip": False, "rstrip": False,
        "normalized": not special, "special": special,
    }  # fmt: skip


@cache
def _merged(told: str) -> bytes:
    """A tokenizer.json of these tokens, with others added behind them."""
    tokens, merges = _vocabulary()
    given = json.loads(told)
    added = [_added(number, tokens[number], special=True) for number in range(SPECIAL)]
    added += [
        _added(len(tokens) + number, text, special=special)
        for number, (text, special) in enumerate(given["added"])
    ]
    level = {"type": "ByteLevel", "trim_offsets": True, "use_regex": True}
    digits = {"type": "Digits", "individual_digits": True}
    model = {
        "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
        "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
        "vocab": {text: number for number, text in enumerate(tokens)},
        "merges": [" ".join(pair) for pair in merges] if given["old_merges"] else merges,
    }  # fmt: skip
    return document(
        {
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [digits, level | {"add_prefix_space": False}]},
            "post_processor": None, "decoder": level | {"add_prefix_space": True}, "model": model,
        }
    )  # fmt: skip
