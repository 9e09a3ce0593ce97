"""Checkpoints of the recipes with their weights in PyTorch's files."""

import json
from pathlib import Path

import safetensors

from tests.workers.formats.pickles import legacy_file, state, torch_file
from workers.formats.reader import FileReader
from workers.formats.safetensors import inspect_safetensors

Tensors = dict[str, tuple[str, tuple[int, ...], bytes]]


def tensors_of(path: Path) -> Tensors:
    """Name to dtype, shape and bytes, by name."""
    raw = path.read_bytes()
    with FileReader(path) as reader:
        found = inspect_safetensors(reader)
    assert found.ok, found.findings
    with safetensors.safe_open(path, "np") as library:
        assert sorted(library.keys()) == sorted(tensor.name for tensor in found.tensors)
    return {t.name: (t.dtype, t.shape, raw[t.start : t.end]) for t in sorted(found.tensors)}


def as_torch(folder: Path, *, legacy: bool = False) -> Path:
    """Put PyTorch's files in the place of a checkpoint's safetensors."""
    for path in sorted(folder.glob("*.safetensors")):
        told, storages = state(tensors_of(path))
        by_key = {storage.key: raw for storage, raw in storages.items()}
        made = legacy_file(told, storages) if legacy else torch_file(told, by_key)
        _torch_name(path).write_bytes(made)
        path.unlink()
    index = folder / "model.safetensors.index.json"
    if index.exists():
        given = json.loads(index.read_text())
        given["weight_map"] = {
            name: _torch_name(folder / file).name for name, file in given["weight_map"].items()
        }
        (folder / "pytorch_model.bin.index.json").write_text(json.dumps(given))
        index.unlink()
    return folder


def _torch_name(path: Path) -> Path:
    return path.with_name(f"pytorch_{path.stem}.bin")
