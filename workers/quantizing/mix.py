"""Which type each tensor gets: llama-quantize's mixes, with every quirk that shows in its files.

Rules run in writing order, because two of them count: attention values and, in models without experts, the
layers of the feed-forward parts are numbered as they come by, not by their names.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from workers.quantizing.errors import QuantizeError
from workers.quantizing.model import SourceTensor, layer_of
from workers.quantizing.traits import Traits
from workers.quantizing.types import FLOATS, FileType, block
from workers.quantizing.untouched import may_quantize

# Parts of names, first match wins, and what they make of a tensor. Whole names come before them.
TOKEN_EMBEDDINGS = ("token_embd.weight", "per_layer_token_embd.weight")
PARTS = {
    "attn_qkv.weight": "value", "attn_kv_b.weight": "value", "attn_v.weight": "value", "attn_k.weight": "key",
    "attn_q.weight": "query", "attn_output.weight": "attention", "ffn_up": "up", "ffn_gate": "gate", "ffn_down": "down",
}  # fmt: skip

# What takes a type's place where a row is no multiple of its block.
BEHIND = {
    "Q2_K": "Q4_0", "Q3_K": "Q4_0", "TQ1_0": "Q4_0", "TQ2_0": "Q4_0", "Q2_0": "Q4_0",
    "Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0", "IQ4_XS": "IQ4_NL",
}  # fmt: skip
TERNARY = ("TQ1_0", "TQ2_0", "Q2_0")
IQ4 = ("IQ4_NL", "IQ4_XS")
EXPERT_PARTS = ("up", "gate", "down")
# With eight experts the attention output costs little, so these mixes spend more on it.
ATTENTION_OF_EIGHT = ("Q2_K", "Q3_K_S", "Q3_K_M", "Q4_K_S", "Q4_K_M", "IQ4_NL", "IQ4_XS")
ATTENTION = {"Q2_K": "Q3_K", "Q3_K_M": "Q4_K", "Q3_K_L": "Q5_K"}
# Falcon's feed-forward outputs: in the first sixteenth of the layers, in those that get more bits, in the rest.
FALCON_DOWN = {
    "Q3_K_M": ("Q5_K", "Q4_K", "Q3_K"), "Q3_K_L": ("Q4_K", "Q4_K", "Q4_K"),
    "Q4_K_M": ("Q6_K", "Q5_K", "Q4_K"), "Q4_K_S": ("Q4_K", "Q4_K", "Q4_K"),
}  # fmt: skip
GLM5_KEPT = ("attn_q_a", "attn_q_b", "nextn.eh_proj")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user asks for beside the file type; patterns are searched for in names, the first one found wins."""

    pure: bool = False
    leave_output: bool = False
    output: str | None = None
    token_embedding: str | None = None
    patterns: tuple[tuple[re.Pattern[str], str], ...] = ()


class Choice(NamedTuple):
    """The type that a tensor gets, and the one that it would have got if its rows were of another length."""

    type: str
    instead_of: str | None = None


@dataclass(slots=True)
class Mix:
    """One pass over a model's tensors: what is fixed, and the counters."""

    traits: Traits
    file: FileType
    wishes: Wishes
    has_imatrix: bool
    tied: bool
    values: int
    seen: dict[str, int] = field(default_factory=dict)

    def count(self, part: str) -> int:
        """The number of this one among its kind, from 0."""
        number = self.seen.get(part, 0)
        self.seen[part] = number + 1
        return number

    def layer(self, part: str, name: str) -> int:
        """Which layer of a feed-forward part this is: counted, or with experts read from the name."""
        number = self.count(part)
        if self.traits.experts <= 1:
            return number
        named = layer_of(name)
        if named is None or not 0 <= named < self.traits.layers:
            raise QuantizeError(
                f"tensor {name!r}: its name gives no layer from 0 to {self.traits.layers - 1}, "
                "which a mix for a model with experts needs; choose --pure"
            )
        return named


def choose_types(
    tensors: Sequence[SourceTensor], *, traits: Traits, file: FileType, wishes: Wishes, has_imatrix: bool
) -> list[Choice]:
    """The type of every tensor; they must be in writing order."""
    parts = [part_of(tensor.name) for tensor in tensors]
    mix = Mix(traits, file, wishes, has_imatrix, tied="output" not in parts, values=parts.count("value"))
    return [_choose(mix, tensor, part) for tensor, part in zip(tensors, parts, strict=True)]


def part_of(name: str) -> str:
    """What a tensor is to the model: output, embedding, value, key, query, attention, up, gate, down or other."""
    if name == "output.weight":
        return "output"
    if name in TOKEN_EMBEDDINGS:
        return "embedding"
    return next((part for piece, part in PARTS.items() if piece in name), "other")


def _choose(mix: Mix, tensor: SourceTensor, part: str) -> Choice:
    wishes, default = mix.wishes, mix.file.default
    if not may_quantize(tensor, mix.traits.architecture, leave_output=wishes.leave_output):
        return Choice(tensor.type)
    named = next((type_ for pattern, type_ in wishes.patterns if pattern.search(tensor.name)), None)
    # A pattern may name the large table of embeddings by layer; the other embeddings no pattern reaches.
    reached = named is not None and tensor.name != "token_embd.weight"
    if wishes.token_embedding and part == "embedding" and not reached:
        return _whole_blocks(tensor, wishes.token_embedding)
    if wishes.output and part == "output":
        return _whole_blocks(tensor, wishes.output)
    if default in FLOATS:
        return Choice(default)
    chosen = named or (default if wishes.pure else _by_the_rules(mix, tensor, part))
    return _fitting(tensor, chosen)


def _whole_blocks(tensor: SourceTensor, chosen: str) -> Choice:
    """A type that was asked for by name has no fallback."""
    if tensor.columns % block(chosen):
        raise QuantizeError(
            f"tensor {tensor.name!r}: a row has {tensor.columns} weights; {chosen} needs a multiple of "
            f"{block(chosen)}, so ask for another type"
        )
    return Choice(chosen)


def _fitting(tensor: SourceTensor, chosen: str) -> Choice:
    """The chosen type, or what takes its place in rows that are no multiple of its block."""
    if tensor.columns % block(chosen) == 0:
        return Choice(chosen)
    if chosen not in BEHIND and block(chosen) > 32:
        return _whole_blocks(tensor, chosen)
    fallback = BEHIND.get(chosen, chosen)
    return Choice(fallback if tensor.columns % block(fallback) == 0 else "F16", instead_of=chosen)


def _by_the_rules(mix: Mix, tensor: SourceTensor, part: str) -> str:
    name, traits, file = tensor.name, mix.traits, mix.file
    if traits.architecture == "glm5-next" and any(piece in name for piece in GLM5_KEPT):
        return "Q8_0"
    if part == "output" or (part == "embedding" and mix.tied):
        return _output(mix, tensor)
    if file.name == "MXFP4_MOE":
        # This architecture has three-dimensional tensors that are no experts.
        experts = traits.architecture != "bailingmoe3" or part in EXPERT_PARTS
        third = tensor.shape[2] if len(tensor.shape) > 2 else 1
        return "MXFP4" if third > 1 and experts else "Q8_0"
    if part == "embedding":
        return "Q4_K" if file.name in TERNARY else file.default
    if part == "value":
        return _value(mix)
    if part == "key" and traits.experts == 8:
        return "Q8_0"
    if part == "down":
        return _down(mix, mix.layer(part, name))
    if part == "attention":
        return _attention(mix)
    if part in ("gate", "up"):
        mix.layer(part, name)
    return file.default


def _output(mix: Mix, tensor: SourceTensor) -> str:
    default = mix.file.default
    if mix.wishes.output:
        return mix.wishes.output
    if mix.file.name == "MXFP4_MOE" or mix.traits.architecture == "falcon" or tensor.columns % block(default):
        return "Q8_0"
    return "Q8_0" if default == "Q8_0" else "Q6_K"


def _more_bits(layer: int, layers: int) -> bool:
    """The first and last eighth, and every third layer between."""
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2


def _value(mix: Mix) -> str:
    traits, number = mix.traits, mix.count("value")
    chosen = _value_of_file(mix, number)
    if traits.is_70b and chosen in ("Q3_K", "Q4_K"):
        chosen = "Q5_K"
    return "Q8_0" if traits.experts == 8 else chosen


def _value_of_file(mix: Mix, number: int) -> str:
    name, shared = mix.file.name, mix.traits.gqa >= 4
    if name == "Q2_K":
        return "Q4_K" if shared else "Q3_K"
    if name == "Q2_K_S" and shared:
        return "Q4_K"
    if name == "Q3_K_M":
        return "Q5_K" if number < 2 else "Q4_K"
    if name == "Q3_K_L" or (name in IQ4 and shared) or (name == "Q4_K_S" and number < 4):
        return "Q5_K"
    if name in ("Q4_K_M", "Q5_K_M") and _more_bits(number, mix.values):
        return "Q6_K"
    return mix.file.default


def _down(mix: Mix, layer: int) -> str:
    name, layers, falcon = mix.file.name, mix.traits.layers, mix.traits.architecture == "falcon"
    early, first, more = layer < layers // 8, layer < layers // 16, _more_bits(layer, layers)
    if falcon and name in FALCON_DOWN:
        best, better, rest = FALCON_DOWN[name]
        return best if first else better if more else rest
    if name == "Q3_K_M":
        return "Q5_K" if first else "Q4_K"
    if name in ("Q4_K_M", "Q5_K_M"):
        return "Q6_K" if more else mix.file.default
    if name in ("Q2_K", "Q3_K_L"):
        return "Q3_K" if name == "Q2_K" else "Q5_K"
    if early and (name in ("Q2_K_S", "Q4_K_S") or (name in IQ4 and not mix.has_imatrix)):
        return "Q4_K" if name == "Q2_K_S" else "Q5_K"
    if early and mix.has_imatrix and name in ("Q4_0", "Q5_0"):
        return "Q4_1" if name == "Q4_0" else "Q5_1"
    return mix.file.default


def _attention(mix: Mix) -> str:
    name, default = mix.file.name, mix.file.default
    if mix.traits.architecture == "falcon":
        return "Q4_K" if name == "Q3_K_L" else default
    if mix.traits.experts == 8:
        return "Q5_K" if name in ATTENTION_OF_EIGHT else default
    return ATTENTION.get(name, default)
