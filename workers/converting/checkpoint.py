"""A folder of safetensors files, opened: which tensors there are, in the order in which they are converted."""

import os
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from workers.converting.errors import ConvertError
from workers.formats.findings import Finding, FormatError, Inspection
from workers.formats.reader import FileReader
from workers.formats.safetensors import inspect_safetensors
from workers.formats.shard_index import check_shards, inspect_shard_index

INDEX = "model.safetensors.index.json"


class Source(NamedTuple):
    """A tensor as it lies in a file; the shape is slowest dimension first."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: int
    start: int
    size: int

    @property
    def columns(self) -> int:
        return self.shape[-1] if self.shape else 1

    @property
    def rows(self) -> int:
        return prod(self.shape[:-1])


@dataclass(slots=True)
class Checkpoint:
    """An open checkpoint. Tensors come by file name, within a file by name."""

    folder: Path
    paths: list[Path] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    stamps: list[tuple[int, int]] = field(default_factory=list)
    tensors: dict[str, Source] = field(default_factory=dict)

    def read(self, source: Source, offset: int, length: int) -> bytearray:
        """Bytes of a tensor; safe from several threads. Raises ConvertError that names file and tensor."""
        data, done, path = bytearray(length), 0, self.paths[source.file]
        room = memoryview(data)
        while done < length:
            try:
                got = os.preadv(self.files[source.file], [room[done:]], source.start + offset + done)
            except OSError as error:
                raise ConvertError(
                    f"{path}: tensor {source.name!r} cannot be read: {error.strerror}"
                ) from error
            if not got:
                raise ConvertError(f"{path}: ends inside tensor {source.name!r}; it was cut short meanwhile")
            done += got
        return data

    def check_unchanged(self) -> None:
        """Refuse files that were written to since they were opened."""
        for path, file, stamp in zip(self.paths, self.files, self.stamps, strict=True):
            if _stamp(file) != stamp:
                raise ConvertError(f"{path}: was changed while it was read; convert it again")

    def close(self) -> None:
        while self.files:
            os.close(self.files.pop())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()


def _stamp(file: int) -> tuple[int, int]:
    facts = os.fstat(file)
    return facts.st_size, facts.st_mtime_ns


def open_checkpoint(folder: Path) -> Checkpoint:
    """Open and judge the weights of a folder. Raises ConvertError for what is missing or broken."""
    index = _index(folder)
    names = sorted(set(index.weight_map.values())) if index else _shards(folder)
    checkpoint = Checkpoint(folder)
    try:
        found = {name: _add(checkpoint, folder / name) for name in names}
    except BaseException:
        checkpoint.close()
        raise
    if index:
        try:
            _refuse(folder / INDEX, check_shards(index, found))
        except BaseException:
            checkpoint.close()
            raise
    return checkpoint


def _index(folder: Path) -> Inspection | None:
    path = folder / INDEX
    if not path.is_file():
        return None
    try:
        with FileReader(path) as reader:
            found = inspect_shard_index(reader)
    except OSError as error:
        raise ConvertError(f"{path}: {error.strerror or error}") from error
    _refuse(path, found.findings)
    for file in sorted(set(found.weight_map.values())):
        if not (folder / file).is_file():
            raise ConvertError(f"{folder / file}: is missing; {INDEX} puts tensors in it")
    return found


def _shards(folder: Path) -> list[str]:
    names = sorted(path.name for path in folder.glob("model*.safetensors"))
    if not names:
        raise ConvertError(f"{folder}: holds no model*.safetensors; other weights are not converted")
    if any("-of-" in name for name in names):
        raise ConvertError(f"{folder / INDEX}: is missing, but {names[0]} is one of several shards")
    return names


def _add(checkpoint: Checkpoint, path: Path) -> Inspection:
    number = len(checkpoint.paths)
    try:
        checkpoint.files.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        checkpoint.paths.append(path)
        checkpoint.stamps.append(_stamp(checkpoint.files[-1]))
        with FileReader(path) as reader:
            found = inspect_safetensors(reader)
    except (OSError, FormatError) as error:
        raise ConvertError(f"{path}: {error}") from error
    _refuse(path, found.findings)
    for tensor in sorted(found.tensors, key=lambda tensor: tensor.name):
        if tensor.name in checkpoint.tensors:
            raise ConvertError(f"{path}: tensor {tensor.name!r} is in another file too")
        checkpoint.tensors[tensor.name] = Source(
            tensor.name, tensor.dtype, tensor.shape, number, tensor.start, tensor.end - tensor.start
        )
    return found


def _refuse(path: Path, findings: list[Finding]) -> None:
    for finding in findings:
        if finding.severity == "error":
            where = f" tensor {finding.tensor[:200]!r}" if finding.tensor is not None else ""
            raise ConvertError(f"{path}:{where} {finding.message}")
