"""The types that a model can be made into, each with what it takes: on disk, and in memory while it runs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from hub.catalog import memory
from hub.catalog.ggufnames import TYPES, TYPES_BY_MATRIX
from hub.catalog.lookups import Located
from hub.catalog.memory import Need
from hub.catalog.sources import Source

# What most people want, in the order of size; all others stand behind a fold.
COMMON = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "IQ4_XS", "Q3_K_M")


@dataclass(frozen=True, slots=True)
class TypeChoice:
    """One type; ``size`` is 0 where it was not reckoned, ``can`` is False where it cannot be made of this model."""

    name: str
    size: int
    need: Need | None
    fits: bool | None
    is_here: bool
    can: bool
    asked: bool


def need_of_source(
    at: Located, source: Source, known: Mapping[str, Need | None], context: int
) -> Need | None:
    """Return what a source takes in memory with a context: as its header told, or by the config of a checkpoint."""
    if source.path in known:
        return known[source.path]
    told = at.facts.get("shape")
    shape = memory.shape_of_config(told) if isinstance(told, dict) else None
    return memory.need(shape, 0, context) if shape else None


def choices(
    sizes: Mapping[str, int], need: Need | None, *, device: int, here: Collection[str], asked: Collection[str]
) -> tuple[Sequence[TypeChoice], Sequence[TypeChoice]]:
    """Return the types that most people want, and the others; cache and buffers are those of ``need``."""

    def choice(name: str) -> TypeChoice:
        size = sizes.get(name, 0)
        own = replace(need, weights=size) if need and size else None
        fits = own.total <= device * memory.GB if own and device else None
        return TypeChoice(name, size, own, fits, name in here, not sizes or bool(size), name in asked)

    rest = [name for name in (*TYPES, *TYPES_BY_MATRIX) if name not in COMMON]
    return [choice(name) for name in COMMON], [choice(name) for name in rest]
