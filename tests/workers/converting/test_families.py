"""Every family against the files of llama.cpp's own converter: whole files, and where they differ, what differs."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workers.converting.recipes import checkpoint, goldens
from workers.convert import convert_checkpoint
from workers.quantize import quantize_file
from workers.quantizing.model import open_model

CASES = [(case, kind) for case, told in goldens().items() for kind in told["files"]]
SHARDS = {
    "out-00001-of-00003.gguf": "cdb26f2664fac81c4d81d4fdd405afe2847a70ab13dbf58c8e985a6d36c6b277",
    "out-00002-of-00003.gguf": "8283a1de0c633de9e52efccb653fbc34ca6b082074e3559629bd667fd6a120f2",
    "out-00003-of-00003.gguf": "acb81556a6b4e0e80029a800519fc5825c1077d7ae02bcf6f16ce813f6ca54d7",
}
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


def test_a_large_file_is_cut_where_the_reference_cuts_it(tmp_path: Path) -> None:
    """Its `--split-max-size 100K`; quantizing takes the shards as one model."""
    folder = checkpoint("mistral-v1", tmp_path)
    outcome = convert_checkpoint(folder, tmp_path / "out.gguf", "BF16", split_bytes=100_000)
    assert [(file.path.name, file.sha256) for file in outcome.files] == list(SHARDS.items())
    assert outcome.file == outcome.files[0]
    whole = convert_checkpoint(folder, tmp_path / "whole.gguf", "BF16")
    quantized = [
        quantize_file(file.path, tmp_path / "small.gguf", "Q8_0").files[0].sha256
        for file in (outcome.file, whole.file)
    ]
    assert quantized[0] == quantized[1]


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
