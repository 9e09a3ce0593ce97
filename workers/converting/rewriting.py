"""A checkpoint's weights as safetensors files: out of PyTorch's files or other shards, and with other floats if asked.

The bytes of a file are those that the safetensors library writes: the wider types first, then by name.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from workers.converting.casts import FLOATS, TARGETS, Cast, cast
from workers.converting.checkpoint import INDEX, Checkpoint, Source, open_checkpoint
from workers.converting.errors import ConvertError
from workers.converting.writing import Progress, Watcher
from workers.flow import in_order
from workers.formats.safetensors import BITS, MAX_HEADER
from workers.formats.troubles import why
from workers.quantizing.errors import QuantizeError
from workers.quantizing.outputs import Outputs, WrittenFile

SHARD_BYTES = 5 * 10**9
ONE, SHARD = "model.safetensors", "model-{number:05d}-of-{count:05d}.safetensors"
ENDING = ".safetensors"
MAX_SHARDS = 99_999
# The library's order of types in a file, last first.
ORDER = (
    "BOOL", "F4", "F6_E2M3", "F6_E3M2", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ",
    "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "C64", "F64", "I64", "U64",
)  # fmt: skip
NO_FLOATS = ("BOOL", "U8", "I8", "I16", "U16", "I32", "U32", "I64", "U64", "C64")
# Numbers made at once, and bytes on their way.
SLAB, IN_FLIGHT = 4 * 2**20, 128 * 2**20


class Planned(NamedTuple):
    """A tensor of the output."""

    source: Source
    dtype: str
    size: int


@dataclass(slots=True)
class Shard:
    path: Path
    tensors: list[Planned] = field(default_factory=list)
    header: bytes = b""

    @property
    def size(self) -> int:
        return len(self.header) + sum(tensor.size for tensor in self.tensors)


class Slab(NamedTuple):
    """Bytes [offset, offset + length) of a tensor, and the number of the file that they go to."""

    file: int
    tensor: Planned
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The files, the index first where there is one.

    `aliases` maps names that were left out to the tensors that they name too, `overflows` tells by tensor how many
    weights became infinite.
    """

    files: tuple[WrittenFile, ...]
    aliases: Mapping[str, str]
    overflows: Mapping[str, int]


def rewrite_weights(
    source: Path,
    target: Path,
    *,
    dtype: str | None = None,
    shard_bytes: int = SHARD_BYTES,
    threads: int | None = None,
    progress: Watcher | None = None,
) -> Rewritten:
    """Write the weights of a folder, or of one file, into a folder, or into one file NAME.safetensors.

    `dtype` (F32, F16 or BF16) is what floats become. A folder gets model.safetensors, or above `shard_bytes` shards and
    their index. Raises ConvertError; then nothing is left behind. `progress` may raise to stop.
    """
    kind = dtype.upper() if dtype else None
    if kind not in (None, *TARGETS):
        raise ConvertError(f"{dtype!r} is no type that weights are cast to; known are {', '.join(TARGETS)}")
    with open_checkpoint(source) as checkpoint, _folder(target):
        kept, aliases = _told_apart(checkpoint)
        shards = _lay_out(
            checkpoint, [_planned(checkpoint, it, kind) for it in kept], target, shard_bytes, aliases
        )
        index = [] if len(shards) == 1 else [_index(target / INDEX, shards)]
        paths = [*(path for path, _ in index), *(shard.path for shard in shards)]
        checkpoint.spare(paths)
        _refuse_others(target, paths)
        total = sum(shard.size for shard in shards)
        try:
            with Outputs(paths, total + sum(len(raw) for _, raw in index)) as outputs:
                for _, raw in index:
                    outputs.write(0, raw)
                overflows = _write(checkpoint, shards, outputs, len(index), threads, progress)
                checkpoint.check_unchanged()
                files = outputs.finish()
        except QuantizeError as error:
            raise ConvertError(str(error)) from error
    return Rewritten(files, aliases, overflows)


@contextmanager
def _folder(target: Path) -> Iterator[None]:
    """The folder that is written to; one that was made here goes again if the block fails."""
    if target.suffix == ENDING or target.is_dir():
        folder = target.parent if target.suffix == ENDING else target
        if not folder.is_dir():
            raise ConvertError(f"{folder}: is no folder to write to")
        yield
        return
    try:
        target.mkdir()
    except OSError as error:
        raise ConvertError(why(target, error)) from error
    try:
        yield
    except BaseException:
        target.rmdir()
        raise


def _told_apart(checkpoint: Checkpoint) -> tuple[list[Source], dict[str, str]]:
    """Every tensor once, and the other names of those that have several: files of safetensors hold no weight twice."""
    seen: dict[tuple[object, ...], str] = {}
    kept, aliases = [], {}
    for source in checkpoint.tensors.values():
        place = source._replace(name="")
        if source.size and place in seen:
            aliases[source.name] = seen[place]
        else:
            seen[place] = source.name
            kept.append(source)
    if not kept:
        raise ConvertError(f"{checkpoint.folder}: holds no tensors")
    return kept, aliases


def _planned(checkpoint: Checkpoint, source: Source, dtype: str | None) -> Planned:
    if dtype is None or source.dtype in (dtype, *NO_FLOATS):
        return Planned(source, source.dtype, source.size)
    if source.dtype not in FLOATS:
        raise ConvertError(
            f"{checkpoint.paths[source.file]}: tensor {source.name!r} is {source.dtype}, which means nothing without "
            "its scales; leave the types as they are"
        )
    return Planned(source, dtype, prod(source.shape) * BITS[dtype] // 8)


def _lay_out(
    checkpoint: Checkpoint, tensors: list[Planned], target: Path, limit: int, aliases: Mapping[str, str]
) -> list[Shard]:
    """Cut where a file would pass the limit, in the checkpoint's order; a tensor is never cut."""
    if target.suffix == ENDING:
        shards = [Shard(target, tensors)]
    else:
        shards, size = [Shard(target / ONE)], 0
        for tensor in tensors:
            if shards[-1].tensors and size + tensor.size > limit:
                shards.append(Shard(target))
                size = 0
            shards[-1].tensors.append(tensor)
            size += tensor.size
    if len(shards) > MAX_SHARDS:
        raise ConvertError(f"{target}: would become {len(shards)} shards; raise the size of a shard")
    if checkpoint.clipped:
        raise ConvertError(f"{checkpoint.clipped}: has more text in its __metadata__ than is carried over")
    metadata = {"format": "pt", **checkpoint.metadata, **aliases}
    for number, shard in enumerate(shards, 1):
        if len(shards) > 1:
            shard.path = target / SHARD.format(number=number, count=len(shards))
        shard.tensors.sort(key=lambda tensor: (-ORDER.index(tensor.dtype), tensor.source.name.encode()))
        shard.header = _header(shard, metadata)
    return shards


def _header(shard: Shard, metadata: Mapping[str, str]) -> bytes:
    told: dict[str, Any] = {"__metadata__": dict(metadata)}
    at = 0
    for tensor in shard.tensors:
        end = at + tensor.size
        told[tensor.source.name] = {
            "dtype": tensor.dtype,
            "shape": list(tensor.source.shape),
            "data_offsets": [at, end],
        }
        at = end
    raw = json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
    raw += b" " * (-len(raw) % 8)
    if len(raw) > MAX_HEADER:
        raise ConvertError(f"{shard.path}: the header would take {len(raw)} bytes; {MAX_HEADER} are allowed")
    return len(raw).to_bytes(8, "little") + raw


def _index(path: Path, shards: list[Shard]) -> tuple[Path, bytes]:
    places = {tensor.source.name: shard.path.name for shard in shards for tensor in shard.tensors}
    total = sum(tensor.size for shard in shards for tensor in shard.tensors)
    told = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
    return path, (json.dumps(told, indent=2) + "\n").encode()


def _refuse_others(target: Path, paths: list[Path]) -> None:
    """A folder with the weights of two checkpoints would be read as neither."""
    names = {path.name for path in paths}
    others = sorted(path.name for path in target.glob("*.safetensors*") if path.name not in names)
    others = [name for name in others if not name.endswith(".partial")]
    if target.is_dir() and others:
        raise ConvertError(f"{target}: holds {others[0]} already; write to an empty folder")


def _write(
    checkpoint: Checkpoint, shards: list[Shard], outputs: Outputs, first: int, threads: int | None,
    progress: Watcher | None,
) -> dict[str, int]:  # fmt: skip
    done, total = 0, sum(shard.size for shard in shards)
    overflows: dict[str, int] = {}
    for number, shard in enumerate(shards, first):
        outputs.write(number, shard.header)
        done += len(shard.header)

    def make(slab: Slab) -> Cast:
        source = slab.tensor.source
        data = checkpoint.read(source, slab.offset, slab.length)
        return (
            Cast(memoryview(data), 0)
            if slab.tensor.dtype == source.dtype
            else cast(data, source.dtype, slab.tensor.dtype)
        )

    made = in_order(
        _slabs(shards, first),
        make,
        threads=threads,
        cost=lambda slab: 3 * slab.length,
        most=IN_FLIGHT,
        name="cast",
    )
    with closing(made):
        for slab, found in made:
            outputs.write(slab.file, found.data)
            done += len(found.data)
            name = slab.tensor.source.name
            if found.overflows:
                overflows[name] = overflows.get(name, 0) + found.overflows
            if progress is not None:
                progress(Progress(done, total, name))
    return overflows


def _slabs(shards: list[Shard], first: int) -> Iterator[Slab]:
    """Tensors in pieces; those that lie scattered whole, because putting them in order takes all of them."""
    for number, shard in enumerate(shards, first):
        for tensor in shard.tensors:
            size = tensor.source.size
            step = size if tensor.source.strides else SLAB * max(tensor.source.width, 1)
            for offset in range(0, size, step or 1):
                yield Slab(number, tensor, offset, min(step, size - offset))
