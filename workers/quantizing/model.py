"""A model in one GGUF file or in shards: what is in it, read with bounds and judged before it is believed."""

import re
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from workers.formats.findings import FormatError, Inspection
from workers.formats.gguf import inspect_gguf
from workers.formats.gguf_values import Cursor
from workers.formats.opened import Opened
from workers.formats.troubles import why
from workers.quantizing.errors import QuantizeError
from workers.quantizing.pairs import Pair, read_pairs

LAYER = re.compile(r"blk\.\s*([+-]?[0-9]+)", re.ASCII)
SHARD = "-{number:05d}-of-{count:05d}.gguf"
MAX_SHARDS = 65_535
# llama.cpp refuses these; an inspection only warns of them.
REFUSED_WARNINGS = ("long-name", "nested-array", "bad-key")


@dataclass(frozen=True, slots=True)
class SourceTensor:
    """A tensor as it lies in a shard; the shape is fastest dimension first, without trailing ones."""

    name: str
    type: str
    shape: tuple[int, ...]
    shard: int
    start: int
    size: int

    @property
    def columns(self) -> int:
        return self.shape[0]

    @property
    def rows(self) -> int:
        return prod(self.shape[1:])

    @property
    def rows_per_expert(self) -> int:
        return self.shape[1] if len(self.shape) > 1 else 1

    @property
    def experts(self) -> int:
        return prod(self.shape[2:])


def layer_of(name: str) -> int | None:
    """The number in `blk.N.`, or None."""
    found = LAYER.match(name)
    return int(found[1]) if found else None


def writing_order(tensor: SourceTensor) -> tuple[int, bytes]:
    """llama-quantize writes tensors by layer, those of no layer first, then by name."""
    layer = layer_of(tensor.name)
    return (-1 if layer is None else layer, tensor.name.encode())


@dataclass(slots=True)
class Model(Opened):
    """An open model. `pairs` are the first shard's metadata in its order; tensors are in writing order."""

    trouble = QuantizeError
    again = "quantize"

    tensors: list[SourceTensor] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    alignment: int = 32

    def value(self, key: str) -> Any:
        """A metadata value, or None; an array is {type, len, head}."""
        return next((pair.value for pair in self.pairs if pair.key == key), None)

    def read_into(self, tensor: SourceTensor, offset: int, room: memoryview) -> None:
        """Fill the room from the tensor's bytes. Safe from several threads."""
        self.fill(tensor.shard, tensor.name, tensor.start + offset, room)


def open_model(path: Path) -> Model:
    """Open a GGUF file, or all shards of which it is the first. Raises QuantizeError for what cannot be used."""
    model = Model()
    try:
        first = _add_shard(model, path)
        split = first.summary.get("split") or {}
        _add_shards(model, path, split)
        _check_whole(model, path, split)
    except BaseException:
        model.close()
        raise
    model.tensors.sort(key=writing_order)
    return model


def _add_shard(model: Model, path: Path) -> Inspection:
    """Judge one file and take its tensors over; the first also gives the metadata."""
    shard = len(model.paths)
    try:
        reader = model.add(path)
        found = inspect_gguf(reader)
        model.refuse(path, found.findings, also=REFUSED_WARNINGS)
        if not shard:
            model.pairs = read_pairs(Cursor(reader))
            model.alignment = found.metadata.get("general.alignment", 32)
    except FormatError as error:
        raise QuantizeError(f"{path}: {error}") from error
    except OSError as error:
        raise QuantizeError(why(path, error)) from error
    model.tensors += [
        SourceTensor(t.name, t.dtype, trimmed(t.shape), shard, t.start, t.end - t.start)
        for t in found.tensors
    ]
    return found


def trimmed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Without trailing ones, at least one dimension: so ggml counts dimensions."""
    while len(shape) > 1 and shape[-1] == 1:
        shape = shape[:-1]
    return shape or (1,)


def _add_shards(model: Model, path: Path, split: dict[str, int]) -> None:
    count = split.get("count", 0)
    if split.get("no", 0):
        raise QuantizeError(f"{path}: is shard {split['no'] + 1} of {count}; name the first shard instead")
    if count <= 1:
        return
    ending = SHARD.format(number=1, count=count)
    if count > MAX_SHARDS or not path.name.endswith(ending):
        raise QuantizeError(f"{path}: is the first of {count} shards, so its name must end in {ending}")
    for number in range(1, count):
        name = path.name.removesuffix(ending) + SHARD.format(number=number + 1, count=count)
        found = _add_shard(model, path.with_name(name))
        no = (found.summary.get("split") or {}).get("no")
        if no != number:
            raise QuantizeError(f"{path.with_name(name)}: split.no is {no}; the name says {number}")


def _check_whole(model: Model, path: Path, split: dict[str, int]) -> None:
    """No tensor twice, and with shards as many as were promised."""
    seen: set[str] = set()
    for tensor in model.tensors:
        if tensor.name in seen:
            raise QuantizeError(
                f"{model.paths[tensor.shard]}: tensor {tensor.name!r} is in another shard too"
            )
        seen.add(tensor.name)
    promised = split.get("tensors", len(seen))
    if split.get("count", 0) > 1 and promised != len(seen):
        raise QuantizeError(
            f"{path}: split.tensors.count is {promised}, but the shards hold {len(seen)} tensors"
        )
    if not seen:
        raise QuantizeError(f"{path}: holds no tensors")
