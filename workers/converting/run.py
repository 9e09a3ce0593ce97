"""One conversion from a folder to a file."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path

import gguf

from workers import kernel
from workers.converting.agreement import check_agreement
from workers.converting.checkpoint import Checkpoint, Source, open_checkpoint
from workers.converting.errors import ConvertError
from workers.converting.families import FAMILIES
from workers.converting.keys import Keys, add_general, add_metadata
from workers.converting.plan import OUTPUTS, Family, Planned, Work, plan
from workers.converting.settings import Settings
from workers.converting.slabs import check_types
from workers.converting.writing import Watcher, lay_out, write_files
from workers.formats.added_metadata import Metadata
from workers.quantizing import reckoning
from workers.quantizing.outputs import WrittenFile
from workers.quantizing.plan import SPLIT_BYTES

SCALE = "_scale_inv"
UNUSED_SCALE = "activation_scale"
QUANTIZATION_VERSION = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """The files, first shard first, their type, and by tensor how many weights it could not hold (now infinite)."""

    files: tuple[WrittenFile, ...]
    type: str
    overflows: Mapping[str, int]

    @property
    def file(self) -> WrittenFile:
        """The only file, or the first shard, which is the one to open."""
        return self.files[0]


@dataclass(frozen=True, slots=True)
class Examined:
    """What a conversion would make: architecture and type of the file, its weights, its size in bytes.

    ``sizes`` are those of the files of each type that could be made of that one.
    """

    architecture: str
    type: str
    weights: int
    size: int
    sizes: Mapping[str, int]


def convert_checkpoint(
    folder: Path,
    target: Path,
    type: str = "AUTO",  # noqa: A002 - what everybody calls it
    *,
    threads: int | None = None,
    metadata: Metadata | None = None,
    split_bytes: int = SPLIT_BYTES,
    progress: Watcher | None = None,
) -> Outcome:
    """Convert a folder of weights, config.json and tokenizer files into target: F32, F16, BF16, Q8_0 or AUTO.

    Where the weights take more than `split_bytes`, target becomes shards named TARGET-00001-of-00002.gguf.
    `metadata` maps keys to texts, numbers, booleans or lists of them, and goes into the header behind the general.*
    keys, or over keys of the same name; without it the file is the reference's to the last byte. Raises ConvertError;
    then nothing is left behind. `progress` is called after every slab and may raise to stop.
    """
    _require(target)
    with _opened(folder, type) as (work, family):
        tensors = _planned(work, family)
        add_metadata(work.keys, metadata or {})
        shards = lay_out(work, tensors, target, split_bytes)
        work.checkpoint.spare(shard.path for shard in shards)
        files, overflows = write_files(work, shards, threads=threads, watcher=progress)
    return Outcome(files, work.output, overflows)


def examine_checkpoint(folder: Path, type: str = "AUTO") -> Examined:  # noqa: A002
    """Do all of a conversion but reading weights and writing; raises ConvertError for what would stop it.

    Of the weights' files only the headers are looked at, so what follows them may be a hole.
    """
    with _opened(folder, type) as (work, family):
        tensors = _planned(work, family)
        weights = sum(prod(tensor.shape) for tensor in tensors)
        (file,) = lay_out(work, tensors, folder, sum(tensor.size for tensor in tensors))
        return Examined(work.keys.arch, work.output, weights, file.size, _sizes(work, tensors, file.size))


def _sizes(work: Work, tensors: Sequence[Planned], total: int) -> dict[str, int]:
    """Reckon with the lists of the header as inspections keep them."""
    told = {key: it.value for key, it in work.keys.kv_data[0].items()}
    metadata = {key: {"head": value} if isinstance(value, list) else value for key, value in told.items()}
    found = (reckoning.tensor(one.name, one.type, one.shape[::-1], one.size) for one in tensors)
    return reckoning.sizes(found, {**metadata, "general.architecture": work.keys.arch}, total=total)


@contextmanager
def _opened(folder: Path, kind: str) -> Iterator[tuple[Work, Family]]:
    """The checkpoint and what it is to become."""
    output = kind.upper()
    if output not in (*OUTPUTS, "AUTO"):
        raise ConvertError(
            f"{kind!r} is no type of a converted file; known are {', '.join(OUTPUTS)} and AUTO"
        )
    settings = Settings(folder / "config.json")
    family = FAMILIES.get(settings.architecture)
    if family is None:
        raise ConvertError(
            f"{settings.path}: architecture {settings.architecture!r} is not converted; known are "
            f"{', '.join(sorted(FAMILIES))}"
        )
    with open_checkpoint(folder) as checkpoint:
        scales = _scales(checkpoint, settings)
        if output == "AUTO":
            output = _stored(checkpoint)
        keys = Keys(path=None, arch=gguf.MODEL_ARCH_NAMES[family.arch])
        yield Work(checkpoint, settings, keys, output, family.arch, family.blocks(settings), scales), family


def _planned(work: Work, family: Family) -> list[Planned]:
    """All tensors, and all metadata but what the caller adds."""
    tensors = plan(work, family)
    check_types(tensors, work)
    add_general(work, tensors)
    family.keys(work)
    work.keys.add_quantization_version(QUANTIZATION_VERSION)
    family.vocabulary(work)
    check_agreement(work, tensors)
    return tensors


def _require(target: Path) -> None:
    try:
        kernel.paths()
    except kernel.KernelMissingError as error:
        raise ConvertError(str(error)) from error
    if not target.parent.is_dir():
        raise ConvertError(f"{target.parent}: is no folder to write to")


def _scales(checkpoint: Checkpoint, settings: Settings) -> dict[str, Source]:
    """The tensors that only scale others. Raises ConvertError for a quantization that cannot be undone."""
    told = settings.get("quantization_config")
    if told is None:
        return {}
    method = told.get("quant_method") if isinstance(told, dict) else told
    if method != "fp8":
        raise settings.fault("quantization_config.quant_method", method, "fp8, the only one that is undone")
    return {
        name: source for name, source in checkpoint.tensors.items() if name.endswith((SCALE, UNUSED_SCALE))
    }


def _stored(checkpoint: Checkpoint) -> str:
    """The type of the first matrix, where it has 16 bits."""
    for source in checkpoint.tensors.values():
        if len(source.shape) >= 2 and source.dtype in ("BF16", "F16"):
            return source.dtype
    return "F16"
