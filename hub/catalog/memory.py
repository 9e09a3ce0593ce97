"""PURE: how much memory a model takes while it runs: weights, cache and buffers.

An estimate, rather too high than too low, from the header of a GGUF file that llama.cpp runs, or from the config of a
checkpoint whose weights are loaded as they are stored.  ``docs/quantization.md`` tells the formula.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

GB = 10**9
# What people have, in GB, and how many tokens they give a model.
DEVICES = (4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
CONTEXTS = (2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072)
DEFAULT_CONTEXT = 8192
# The cache keeps halves; what is computed for this many tokens at once is kept in singles, a mask over the cache in
# halves.  The program itself and what it makes of the vocabulary take the rest.
HALF, SINGLE, AT_ONCE = 2, 4, 512
PROGRAM = 100_000_000
CACHE_STEP = 256
# Every n-th layer sees the whole context, the others a window (llama.cpp, src/llama-model.cpp).
_WINDOWED = {
    "gemma2": 2,
    "gemma3": 6,
    "gemma3n": 5,
    "gpt-oss": 2,
    "cohere2": 4,
    "exaone4": 4,
    "smallthinker": 4,
}
MAX_NUMBER = 10**7


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a model's header bears on memory; ``cached`` is the bytes a layer caches for each token."""

    layers: int
    cached: int
    embedding: int
    feed_forward: int
    trained: int
    window: int = 0
    whole_every: int = 1
    state: int = 0


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes that a model takes with a context."""

    weights: int
    cache: int
    buffers: int

    @property
    def total(self) -> int:
        return self.weights + self.cache + self.buffers


def shape_of(metadata: Mapping[str, Any]) -> Shape | None:
    """Return the shape that a header tells, or None where it does not tell enough."""
    architecture = str(metadata.get("general.architecture", ""))

    def number(name: str, default: int = 0) -> int:
        return _number(metadata.get(f"{architecture}.{name}"), default)

    layers, embedding, heads = (
        number("block_count"),
        number("embedding_length"),
        number("attention.head_count"),
    )
    if not (layers and embedding):
        return None
    head = embedding // heads if heads else 0
    key, value = number("attention.key_length", head), number("attention.value_length", head)
    shared = number("attention.head_count_kv", heads)
    window = number("attention.sliding_window")
    return Shape(
        layers=layers, cached=shared * (key + value) * HALF, embedding=embedding,
        feed_forward=number("feed_forward_length"),
        trained=number("context_length"), window=window,
        whole_every=_WINDOWED.get(architecture, 1) if window else 1,
        # Models with a state instead of a cache keep it for every layer, however long the context.
        state=number("ssm.inner_size") * (number("ssm.state_size") + number("ssm.conv_kernel")) * SINGLE,
    )  # fmt: skip


def shape_of_config(told: Mapping[str, Any]) -> Shape | None:
    """Return the shape that the facts of a config tell, or None where they do not tell enough.

    Where it does not say how many heads share a key, every head is taken to have its own.
    """

    def number(name: str, default: int = 0) -> int:
        return _number(told.get(name), default)

    layers, embedding, heads = number("layers"), number("hidden_size"), number("heads", 1)
    if not (layers and embedding):
        return None
    head = number("head_size", embedding // heads)
    return Shape(
        layers=layers, cached=2 * number("key_value_heads", heads) * head * HALF, embedding=embedding,
        feed_forward=number("feed_forward", 4 * embedding), trained=number("context_length"),
    )  # fmt: skip


def weights_of(parameters: Mapping[str, Any]) -> int:
    """Return the bytes of so many numbers of each type, which names its bits, as in BF16 and F8_E4M3."""
    found = ((count, re.search(r"\d+", kind)) for kind, count in parameters.items() if type(count) is int)
    return sum(count * (int(bits[0]) if bits else 8) // 8 for count, bits in found)


def _number(value: object, default: int) -> int:
    """Return a bounded number; where each layer has its own, the largest that is told."""
    if isinstance(value, dict):
        value = max((item for item in value.get("head", []) if type(item) is int), default=default)
    return min(max(value, 0), MAX_NUMBER) if type(value) is int else default


def need(shape: Shape, weights: int, context: int) -> Need:
    """Return what a model of this many bytes takes with a context of this many tokens, as one conversation."""
    tokens = -(-context // CACHE_STEP) * CACHE_STEP
    whole = shape.layers // shape.whole_every if shape.whole_every > 1 else shape.layers
    seen = min(tokens, -(-(shape.window + AT_ONCE) // CACHE_STEP) * CACHE_STEP)
    cache = shape.cached * (whole * tokens + (shape.layers - whole) * seen) + shape.layers * shape.state
    rows = 4 * (shape.embedding + shape.feed_forward)
    buffers = min(AT_ONCE, tokens) * (SINGLE * rows + HALF * tokens) + PROGRAM
    return Need(weights, cache, buffers)


def need_of_checkpoint(facts: Mapping[str, Any]) -> Need | None:
    """Return what the checkpoint of a commit takes as it is stored, from the commit's facts; None if they do not tell.

    Its context is no longer than the one it was trained with.
    """
    shape, header = facts.get("shape"), facts.get("safetensors")
    parameters = header.get("parameters") if isinstance(header, dict) else None
    found = shape_of_config(shape) if isinstance(shape, dict) else None
    weights = weights_of(parameters) if isinstance(parameters, dict) else 0
    if found is None or not weights:
        return None
    return need(found, weights, min(DEFAULT_CONTEXT, found.trained or DEFAULT_CONTEXT))


def device_of(text: str) -> int:
    """Return the memory that a reader chose, in GB; 0 where they chose none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 and int(text) in DEVICES else 0


def context_of(text: str) -> int:
    """Return the context that a reader chose, in tokens."""
    chosen = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0
    return chosen if chosen in CONTEXTS else DEFAULT_CONTEXT


def best(needs: Sequence[Need | None], device: int) -> int | None:
    """Return the place of the first that fits; the caller has put the best first."""
    room = device * GB
    return next((place for place, one in enumerate(needs) if one and one.total <= room), None)
