"""Every family against the files of llama.cpp's own converter: whole files, and where they differ, what differs."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workers.converting.recipes import checkpoint, goldens
from workers.convert import convert_checkpoint
from workers.quantizing.model import open_model

CASES = [(case, kind) for case, told in goldens().items() for kind in told["files"]]
_built: dict[str, Path] = {}


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    _built.clear()
    return tmp_path_factory.mktemp("checkpoints")


@pytest.mark.parametrize(("case", "kind"), CASES)
def test_a_checkpoint_becomes_the_file_of_the_reference(
    case: str, kind: str, parent: Path, tmp_path: Path
) -> None:
    folder = _built.get(case) or checkpoint(case, parent)
    _built[case] = folder
    outcome = convert_checkpoint(folder, tmp_path / "out.gguf", kind)
    assert list(_differences(case, tmp_path / "out.gguf")) == []
    assert outcome.file.sha256 == goldens()[case]["files"][kind]
    assert outcome.type == kind


def _differences(case: str, path: Path) -> Iterator[str]:
    """Key by key and tensor by tensor."""
    golden, raw = goldens()[case], path.read_bytes()
    with open_model(path) as model:
        keys = {pair.key: [pair.kind, _short(pair.raw)] for pair in model.pairs}
        keys.pop("general.file_type")
        tensors = {
            tensor.name: (tensor.shape, tensor.type, _short(raw[tensor.start : tensor.start + tensor.size]))
            for tensor in model.tensors
        }
    wanted = {key: [kind, digest] for key, kind, digest in golden["keys"]}
    for key in sorted(keys.keys() | wanted.keys()):
        if keys.get(key) != wanted.get(key):
            yield f"key {key}: {keys.get(key)}, not {wanted.get(key)}"
    for name in sorted(tensors.keys() | golden["tensors"].keys()):
        shape, digests = golden["tensors"].get(name, ([], {}))
        found = tensors.get(name, ((), "", ""))
        if found[0] != tuple(shape) or digests.get(found[1]) != found[2]:
            yield f"tensor {name}: {found}, not {shape} {digests}"


def _short(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:16]
