"""The weights of a checkpoint, opened: which tensors there are, in the order in which they are converted.

They lie in safetensors files or, where there are none, in PyTorch's own, which are read without running them.
"""

from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workers.converting.errors import ConvertError
from workers.formats.findings import FormatError, Inspection, Tensor
from workers.formats.opened import Opened
from workers.formats.reader import CachedReader, FileReader
from workers.formats.safetensors import BITS, inspect_safetensors
from workers.formats.shard_index import check_shards, inspect_shard_index
from workers.formats.torch_files import read_torch
from workers.formats.troubles import why

INDEX, TORCH_INDEX = "model.safetensors.index.json", "pytorch_model.bin.index.json"
TORCH_ENDINGS = (".bin", ".pt", ".pth")
CLIPPED = "metadata-clipped"
# Numbers that are not in the order of their tensor are read all at once.
MAX_SCATTERED = 128 * 2**20


class Source(NamedTuple):
    """A tensor as it lies in a file; the shape is slowest dimension first.

    `start` is where its first number lies, `size` what its numbers take. `strides` are told, in numbers, where they do
    not follow each other in the tensor's order.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: int
    start: int
    size: int
    strides: tuple[int, ...] = ()

    @property
    def columns(self) -> int:
        return self.shape[-1] if self.shape else 1

    @property
    def rows(self) -> int:
        return prod(self.shape[:-1])

    @property
    def width(self) -> int:
        """Bytes of one number."""
        return BITS[self.dtype] // 8


@dataclass(slots=True)
class Checkpoint(Opened):
    """An open checkpoint. Tensors come by file name, within a safetensors file by name, within others as they come.

    `metadata` is what safetensors files say of themselves; `clipped` is one that says more than is kept.
    """

    trouble = ConvertError
    again = "convert"

    folder: Path
    tensors: dict[str, Source] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    clipped: Path | None = None

    def read(self, source: Source, offset: int, length: int) -> bytearray:
        """Bytes of a tensor; safe from several threads. Raises ConvertError that names file and tensor."""
        if source.strides:
            made = self._gather(source)
            return made if length == source.size else made[offset : offset + length]
        data = bytearray(length)
        self.fill(source.file, source.name, source.start + offset, memoryview(data))
        return data

    def _gather(self, source: Source) -> bytearray:
        """A tensor whose numbers are scattered, in its order."""
        width = source.width
        data = bytearray(_span(source) * width)
        self.fill(source.file, source.name, source.start, memoryview(data))
        strides = [width * stride for stride in source.strides]
        made = bytearray(source.size)
        room: NDArray[Any] = np.frombuffer(made, f"<u{width}").reshape(source.shape)
        numbers: NDArray[Any] = np.frombuffer(data, f"<u{width}")
        room[...] = np.lib.stride_tricks.as_strided(numbers, source.shape, strides, writeable=False)
        return made


def _span(source: Source) -> int:
    """How many numbers lie between the first and the last of a tensor, both counted."""
    if not source.size:
        return 0
    return 1 + sum((size - 1) * stride for size, stride in zip(source.shape, source.strides, strict=True))


def open_checkpoint(path: Path) -> Checkpoint:
    """Open and judge the weights of a folder, or of one file. Raises ConvertError for what is missing or broken."""
    checkpoint = Checkpoint(path if path.is_dir() else path.parent)
    try:
        if path.is_dir():
            _add_folder(checkpoint)
        else:
            _add(checkpoint, path)
    except BaseException:
        checkpoint.close()
        raise
    return checkpoint


def _add_folder(checkpoint: Checkpoint) -> None:
    """All weights of a folder: those that an index names, else those of the usual names; safetensors come first."""
    folder = checkpoint.folder
    for form, index, pattern in (
        ("safetensors", INDEX, "model*.safetensors"),
        ("pickle", TORCH_INDEX, "pytorch_model*.bin"),
    ):
        names = sorted(path.name for path in folder.glob(pattern))
        if (folder / index).is_file():
            _add_indexed(checkpoint, folder / index, form)
        elif any("-of-" in name for name in names):
            raise ConvertError(f"{folder / index}: is missing, but {names[0]} is one of several shards")
        for name in names if not checkpoint.paths else ():
            _add(checkpoint, folder / name)
        if checkpoint.paths:
            return
    raise ConvertError(f"{folder}: holds neither model*.safetensors nor pytorch_model*.bin")


def _add_indexed(checkpoint: Checkpoint, path: Path, form: str) -> None:
    try:
        with FileReader(path) as reader:
            index = inspect_shard_index(reader)
    except OSError as error:
        raise ConvertError(why(path, error)) from error
    checkpoint.refuse(path, index.findings)
    names = sorted(set(index.weight_map.values()))
    for name in names:
        if not (path.parent / name).is_file():
            raise ConvertError(f"{path.parent / name}: is missing; {path.name} puts tensors in it")
    found = {name: _add(checkpoint, path.parent / name) for name in names}
    checkpoint.refuse(path, check_shards(index, found, form=form))


def _add(checkpoint: Checkpoint, path: Path) -> Inspection:
    """Judge one file and take its tensors over."""
    number = len(checkpoint.paths)
    try:
        reader = checkpoint.add(path)
        if path.suffix in TORCH_ENDINGS:
            return _add_torch(checkpoint, reader, path, number)
        found = inspect_safetensors(reader)
    except (OSError, FormatError) as error:
        words = why(path, error) if isinstance(error, OSError) else f"{path}: {error}"
        raise ConvertError(words) from error
    checkpoint.refuse(path, found.findings)
    checkpoint.metadata |= found.metadata
    if found.left_out or any(finding.code == CLIPPED for finding in found.findings):
        checkpoint.clipped = path
    for tensor in sorted(found.tensors, key=lambda tensor: tensor.name):
        size = tensor.end - tensor.start
        _take(checkpoint, path, Source(tensor.name, tensor.dtype, tensor.shape, number, tensor.start, size))
    return found


def _add_torch(checkpoint: Checkpoint, reader: CachedReader, path: Path, number: int) -> Inspection:
    """Take over what PyTorch wrote, in its order."""
    found = Inspection("pickle")
    for tensor in read_torch(reader):
        weights = prod(tensor.shape)
        size = weights * BITS[tensor.dtype] // 8
        if tensor.strides and max(size, tensor.end - tensor.start) > MAX_SCATTERED:
            raise ConvertError(
                f"{path}: tensor {tensor.name!r} is {size} bytes that lie scattered; at most {MAX_SCATTERED} are "
                "put in order here, so save it with .contiguous()"
            )
        _take(checkpoint, path, Source(*tensor[:3], number, tensor.start, size, tensor.strides))
        found.tensors.append(Tensor(*tensor[:5], weights))
    return found


def _take(checkpoint: Checkpoint, path: Path, source: Source) -> None:
    if source.name in checkpoint.tensors:
        raise ConvertError(f"{path}: tensor {source.name!r} is in another file too")
    checkpoint.tensors[source.name] = source
