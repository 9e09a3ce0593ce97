"""The few facts about a model that decide its mix, read from its metadata as llama.cpp reads them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from workers.quantizing.errors import QuantizeError

# Architectures whose models of so many layers llama.cpp calls "70B"; Llama has two more conditions.
LAYERS_OF_70B = {"llama": 80, "llama-embed": 80, "qwen2": 80, "deci": 80, "olmo": 80, "jais2": 68}
LLAMAS = ("llama", "llama-embed")
# Files of this architecture hold a vision or audio tower and have none of the keys below.
TOWER = "clip"


class Header(Protocol):
    """Where metadata is asked for: an open model, or what an inspection kept."""

    @property
    def paths(self) -> Sequence[Path]: ...

    def value(self, key: str) -> Any: ...


class Traits(NamedTuple):
    """`layers` counts all blocks, `nextn` those among them that only predict further tokens."""

    architecture: str
    layers: int = 0
    nextn: int = 0
    experts: int = 0
    heads: int = 0
    kv_heads: int = 0

    @property
    def gqa(self) -> int:
        """How many heads share one head of keys and values; 0 where there are none."""
        return self.heads // self.kv_heads if self.kv_heads else 0

    @property
    def is_70b(self) -> bool:
        if LAYERS_OF_70B.get(self.architecture) != self.layers - self.nextn:
            return False
        return self.architecture not in LLAMAS or (self.experts != 8 and self.heads != self.kv_heads)


def read_traits(model: Header) -> Traits:
    """Raises QuantizeError where a key that the mix depends on is missing or no number."""
    architecture = model.value("general.architecture")
    if not isinstance(architecture, str):
        raise QuantizeError(f"{model.paths[0]}: general.architecture is missing, so no mix can be chosen")
    if architecture == TOWER:
        return Traits(architecture)
    heads = _number(model, f"{architecture}.attention.head_count", 0)
    layers = _number(model, f"{architecture}.block_count", None)
    return Traits(
        architecture,
        # llama.cpp gives this architecture one more block for its switch.
        layers=layers + 1 if architecture == "graniteswitch" else layers,
        nextn=_number(model, f"{architecture}.nextn_predict_layers", 0),
        experts=_number(model, f"{architecture}.expert_count", 0),
        heads=heads,
        kv_heads=_number(model, f"{architecture}.attention.head_count_kv", heads),
    )


def _number(model: Header, key: str, default: int | None) -> int:
    """A whole number; of a list with one for each layer the first counts."""
    value: Any = model.value(key)
    if isinstance(value, dict) and value["head"]:
        value = value["head"][0]
    if value is None and default is not None:
        return default
    if type(value) is not int or value < 0:
        raise QuantizeError(f"{model.paths[0]}: {key} is {str(value)[:50]}; a whole number is needed")
    return value
