"""The file or its shards: header, metadata, then tensor after tensor as they are made by threads."""

import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import gguf

from workers.converting.errors import ConvertError
from workers.converting.plan import Planned, Work
from workers.converting.slabs import Made, Slab, cut, make
from workers.flow import in_order
from workers.formats.ggml_types import SCALARS
from workers.formats.layout import align_up
from workers.quantizing.errors import QuantizeError
from workers.quantizing.model import MAX_SHARDS, SHARD
from workers.quantizing.outputs import Outputs, WrittenFile
from workers.quantizing.types import NUMBERS

VERSION = 3
ALIGNMENT = 32
# Weights that may be on their way at once; the pieces turned as a whole are the largest of them.
IN_FLIGHT = 24 * 2**20
PACKS = {kind: "<?" if name == "bool" else pack for kind, (name, pack) in SCALARS.items()}
STRING, ARRAY = gguf.GGUFValueType.STRING, gguf.GGUFValueType.ARRAY
U16, I32 = gguf.GGUFValueType.UINT16, gguf.GGUFValueType.INT32


class Progress(NamedTuple):
    """How far a conversion is, in bytes of output."""

    done: int
    total: int
    tensor: str


Watcher = Callable[[Progress], None]


@dataclass(slots=True)
class Shard:
    """One file: its header, and the tensors behind it."""

    path: Path
    header: bytes = b""
    tensors: list[Planned] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.header) + sum(align_up(tensor.size, ALIGNMENT) for tensor in self.tensors)


class Part(NamedTuple):
    """A slab, the number of its file, and whether it is the last one of its tensor."""

    shard: int
    slab: Slab
    last: bool


@dataclass(slots=True)
class Run:
    outputs: Outputs
    watcher: Watcher | None
    total: int
    done: int = 0
    written: int = 0
    overflows: dict[str, int] = field(default_factory=dict)


def lay_out(work: Work, tensors: list[Planned], target: Path, split_bytes: int) -> list[Shard]:
    """Cut where a file's tensors would pass the limit, as the reference does; a tensor is never cut."""
    shards, size = [Shard(target)], 0
    for tensor in tensors:
        if shards[-1].tensors and size + tensor.size > split_bytes:
            shards.append(Shard(target))
            size = 0
        shards[-1].tensors.append(tensor)
        size += tensor.size
    if len(shards) > MAX_SHARDS:
        raise ConvertError(f"{target}: would become {len(shards)} shards; raise the split size")
    for number, shard in enumerate(shards):
        pairs = dict(work.keys.kv_data[0]) if not number else {}
        if len(shards) > 1:
            ending = SHARD.format(number=number + 1, count=len(shards))
            shard.path = target.with_name(target.name.removesuffix(".gguf") + ending)
            pairs["split.no"] = gguf.GGUFValue(number, U16)
            pairs["split.count"] = gguf.GGUFValue(len(shards), U16)
            pairs["split.tensors.count"] = gguf.GGUFValue(len(tensors), I32)
        shard.header = _header(pairs, shard.tensors)
    return shards


def write_files(
    work: Work, shards: list[Shard], *, threads: int | None, watcher: Watcher | None
) -> tuple[tuple[WrittenFile, ...], dict[str, int]]:
    """Write all files or nothing; also tell tensors with weights that became infinite, and how many."""
    total = sum(shard.size for shard in shards)
    try:
        with Outputs([shard.path for shard in shards], total) as outputs:
            run = Run(outputs, watcher, total)
            _write(run, work, shards, threads)
            work.checkpoint.check_unchanged()
            files = outputs.finish()
    except QuantizeError as error:
        raise ConvertError(str(error)) from error
    return files, run.overflows


def _parts(shards: list[Shard]) -> Iterator[Part]:
    for number, shard in enumerate(shards):
        for tensor in shard.tensors:
            slabs = list(cut(tensor))
            for place, slab in enumerate(slabs, 1):
                yield Part(number, slab, place == len(slabs))


def _write(run: Run, work: Work, shards: list[Shard], threads: int | None) -> None:
    for number, shard in enumerate(shards):
        run.outputs.write(number, shard.header)
    made = in_order(
        _parts(shards), lambda part: make(part.slab, work), threads=threads,
        cost=lambda part: part.slab.weights, most=IN_FLIGHT, name="convert",
    )  # fmt: skip
    with closing(made):
        for part, slab in made:
            _write_one(run, part, slab)


def _write_one(run: Run, part: Part, made: Made) -> None:
    tensor = part.slab.tensor
    run.outputs.write(part.shard, made.data)
    run.done += len(made.data)
    run.written += len(made.data)
    if made.overflows:
        run.overflows[tensor.name] = run.overflows.get(tensor.name, 0) + made.overflows
    if part.last:
        if run.written != tensor.size:
            raise ConvertError(
                f"tensor {tensor.name!r}: made {run.written} bytes; {tensor.size} were planned"
            )
        run.outputs.write(part.shard, bytes(align_up(tensor.size, ALIGNMENT) - tensor.size))
        run.written = 0
    if run.watcher is not None:
        run.watcher(Progress(run.done, run.total, tensor.name))


def _header(pairs: Mapping[str, gguf.GGUFValue], tensors: list[Planned]) -> bytes:
    parts = [b"GGUF", struct.pack("<IQQ", VERSION, len(tensors), len(pairs))]
    for key, pair in pairs.items():
        parts += [_text(key), struct.pack("<I", pair.type), _value(key, pair.value, pair.type, pair.sub_type)]
    offset = 0
    for tensor in tensors:
        shape = tensor.shape[::-1]
        parts.append(_text(tensor.name))
        parts.append(struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, NUMBERS[tensor.type], offset))
        offset += align_up(tensor.size, ALIGNMENT)
    raw = b"".join(parts)
    return raw + bytes(align_up(len(raw), ALIGNMENT) - len(raw))


def _text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else bytes(value)
    return struct.pack("<Q", len(raw)) + raw


def _value(key: str, value: Any, kind: int, inner: int | None = None) -> bytes:
    if kind == STRING:
        return _text(value)
    if kind != ARRAY:
        try:
            return struct.pack(PACKS[kind], value)
        except (struct.error, OverflowError) as error:
            raise ConvertError(
                f"metadata {key}: {str(value)[:80]!r} does not fit its type: {error}"
            ) from error
    if inner is None:
        inner = gguf.GGUFValueType.get_type(value[0])
    head = struct.pack("<IQ", inner, len(value))
    if inner in (STRING, ARRAY):
        return head + b"".join(_value(key, item, inner) for item in value)
    return head + struct.pack(f"<{len(value)}{PACKS[inner][1:]}", *value)
