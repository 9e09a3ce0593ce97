"""Which tensors the GGUF file gets, in order, and from which rows of which tensors of the checkpoint."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

from workers.converting.checkpoint import Checkpoint, Source
from workers.converting.errors import ConvertError
from workers.converting.settings import Settings
from workers.quantizing.types import bytes_of

Turn = Callable[[NDArray[Any]], NDArray[Any]]
Mapped = Mapping[str, tuple[gguf.MODEL_TENSOR, str]]

# File types by the name people give: the tensors' type and the number in general.file_type.
OUTPUTS = {"F32": 0, "F16": 1, "BF16": 32, "Q8_0": 7}
ALWAYS_F32 = (".ffn_gate_inp", ".ffn_gate_inp_shexp", ".position_embd", ".token_types", ".indexer.proj")
BUFFERS = (".attention.masked_bias", ".attention.bias", ".rotary_emb.inv_freq")


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of a tensor of the checkpoint; `turn` rearranges them as a matrix, in the type they are stored in."""

    source: Source
    first: int
    rows: int
    turn: Turn | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A tensor under its name in the checkpoint's way, shape slowest dimension first, pieces in order."""

    name: str
    shape: tuple[int, ...]
    pieces: tuple[Piece, ...] = ()
    values: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A tensor of the file."""

    name: str
    type: str
    shape: tuple[int, ...]
    pieces: tuple[Piece, ...]
    values: NDArray[np.float32] | None

    @property
    def columns(self) -> int:
        return self.shape[-1]

    @property
    def size(self) -> int:
        return prod(self.shape[:-1]) * bytes_of(self.type, self.columns)


@dataclass(slots=True)
class Work:
    """One conversion while it is planned."""

    checkpoint: Checkpoint
    settings: Settings
    keys: gguf.GGUFWriter
    output: str
    arch: gguf.MODEL_ARCH
    blocks: int
    scales: dict[str, Source] = field(default_factory=dict)
    experts: dict[int, dict[str, Source]] = field(default_factory=dict)
    tokens: int = 0

    @property
    def folder(self) -> Any:
        return self.checkpoint.folder

    def where(self, source: Source) -> str:
        return f"{self.checkpoint.paths[source.file]}: tensor {source.name!r}"


Place = Callable[[Work, str, Source, int | None], Iterable[Placed]]


@dataclass(frozen=True, slots=True)
class Family:
    """How checkpoints of one family are converted."""

    arch: gguf.MODEL_ARCH
    keys: Callable[[Work], None]
    vocabulary: Callable[[Work], None]
    place: Place
    rename: Callable[[str], str | None]
    extras: Callable[[Work], Iterable[Placed]]
    blocks: Callable[[Settings], int]
    drops: Callable[[Work, str], bool]


def whole(name: str, source: Source, turn: Turn | None = None) -> Placed:
    """A tensor as it is, or turned as one piece."""
    return Placed(name, source.shape, (Piece(source, 0, source.rows, turn),))


def plan(work: Work, family: Family) -> list[Planned]:
    """All tensors in writing order. Raises ConvertError for one that the family does not know."""
    known = gguf.get_tensor_name_map(family.arch, work.blocks)
    planned: dict[str, Planned] = {}
    for placed in _placed(work, family):
        name = known.get_name(placed.name, try_suffixes=(".weight", ".bias"))
        if name is None:
            raise ConvertError(
                f"{work.folder}: tensor {placed.name!r} is unknown in a {work.settings.architecture} "
                f"of {work.blocks} blocks; config.json and weights disagree, or it is another model"
            )
        if name in planned:
            raise ConvertError(f"{work.folder}: two tensors become {name!r}, one of them {placed.name!r}")
        kind = _type(name, placed.shape, work.output)
        planned[name] = Planned(name, kind, placed.shape, placed.pieces, placed.values)
    for block, found in work.experts.items():
        if found:
            raise ConvertError(
                f"{work.folder}: block {block} has {len(found)} expert tensors and lacks the others; "
                f"the first is {min(found)!r}"
            )
    return list(planned.values())


def _placed(work: Work, family: Family) -> Iterable[Placed]:
    yield from family.extras(work)
    for source in work.checkpoint.tensors.values():
        name = family.rename(source.name)
        if name is None or name.endswith(BUFFERS) or source.name in work.scales or family.drops(work, name):
            continue
        block = next((int(part) for part in name.split(".") if part.isdecimal()), None)
        yield from family.place(work, name, source, block)


def _type(name: str, shape: tuple[int, ...], output: str) -> str:
    base = name.removesuffix(".weight")
    if len(shape) <= 1 or name.endswith("_norm.weight") or base == name or f".{base}".endswith(ALWAYS_F32):
        return "F32"
    return "F16" if output == "Q8_0" and shape[-1] % 32 else output
