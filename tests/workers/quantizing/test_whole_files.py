"""Whole files are llama-quantize's, byte for byte: hashes of files that it wrote from the same tiny models.

The reference is llama.cpp 0c1e57098, built for x86-64 without contraction. With an importance matrix its file name
stands in the output; the reference was given the bare name.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader, dequantize

from tests.workers.kernel import ggml
from tests.workers.quantizing import small
from tests.workers.quantizing.conftest import Built
from tests.workers.quantizing.models import EXPERTS, GQA, ODD
from workers.formats.ggml_types import TENSOR_TYPES
from workers.quantize import Options, QuantizeError, quantize_file
from workers.quantizing.types import FILE_TYPES

GOLDENS = json.loads(Path(__file__).with_name("goldens.json").read_text())
FILES = [(model, kind) for model, kinds in GOLDENS["files"].items() for kind in kinds]


@pytest.mark.parametrize("name", GOLDENS["inputs"])
def test_the_models_are_those_of_the_goldens(name: str, built: Built) -> None:
    assert [hashlib.sha256(path.read_bytes()).hexdigest() for path in built(name)] == GOLDENS["inputs"][name]


@pytest.mark.parametrize(("model", "kind"), FILES)
def test_a_file_is_the_references_byte_for_byte(model: str, kind: str, built: Built, tmp_path: Path) -> None:
    source, matrix = built(model)
    name, _, important = kind.partition("+")
    options = Options(imatrix=str(matrix), imatrix_label=matrix.name) if important else Options()
    outcome = quantize_file(source, tmp_path / "out.gguf", name, options=options)
    assert outcome.files[0].sha256 == GOLDENS["files"][model][kind]
    assert outcome.files[0].size == (tmp_path / "out.gguf").stat().st_size


def test_every_file_type_is_held_against_the_reference() -> None:
    for model in (GQA, EXPERTS):
        assert {kind for kind in GOLDENS["files"][model.name] if "+" not in kind} == set(FILE_TYPES) - {
            "Q2_K_S"
        }
    assert "Q2_K_S+imatrix" in GOLDENS["files"][GQA.name]


def test_rows_that_fit_no_block_are_refused_where_the_reference_refuses_them(
    built: Built, tmp_path: Path
) -> None:
    with pytest.raises(QuantizeError, match="row has 288 weights; Q1_0 needs a multiple of 128"):
        quantize_file(built(ODD.name)[0], tmp_path / "out.gguf", "Q1_0")


# gguf-py of this version knows no Q2_0, and of Q1_0 only the size.
@pytest.mark.parametrize("name", sorted({kind.default for kind in FILE_TYPES.values()} - {"Q2_0", "Q1_0"}))
def test_the_reference_reader_reads_what_was_written_and_agrees_on_the_errors(
    name: str, tmp_path: Path
) -> None:
    file = next(kind.name for kind in FILE_TYPES.values() if kind.default == name and kind.name != "Q2_K_S")
    source = small.write(tmp_path, small.model_bytes())
    outcome = quantize_file(source, tmp_path / "out.gguf", file, options=Options(pure=True, measure=True))
    before = {tensor.name: tensor for tensor in GGUFReader(source).tensors}
    for told, tensor in zip(outcome.tensors, GGUFReader(tmp_path / "out.gguf").tensors, strict=True):
        was = before[tensor.name]
        weights = dequantize(was.data, GGMLQuantizationType(was.tensor_type)).astype(np.float64)
        back = dequantize(tensor.data, GGMLQuantizationType(tensor.tensor_type)).astype(np.float64)
        error = np.sqrt(np.square(back - weights).sum() / np.square(weights).sum())
        assert (told.name, told.type, told.size) == (tensor.name, tensor.tensor_type.name, tensor.n_bytes)
        assert told.error == pytest.approx(error, rel=1e-6)
        assert error < (0.9 if name in ("TQ1_0", "TQ2_0") else 0.35)


@pytest.mark.parametrize("name", ["Q1_0", "Q2_0"])
def test_ggml_itself_reads_the_types_that_the_reference_reader_does_not_know(
    name: str, tmp_path: Path
) -> None:
    source = small.write(tmp_path, small.model_bytes())
    options = Options(pure=True, measure=True)
    outcome = quantize_file(source, tmp_path / "out.gguf", name, options=options)
    raw, places = (tmp_path / "out.gguf").read_bytes(), ggml.tensors_of(tmp_path / "out.gguf")
    before = {tensor.name: tensor for tensor in GGUFReader(source).tensors}
    assert places.keys() == before.keys()
    for told in outcome.tensors:
        kind, start = places[told.name]
        assert TENSOR_TYPES[kind].name == told.type
        if told.type == name:
            was = before[told.name]
            weights = dequantize(was.data, GGMLQuantizationType(was.tensor_type)).astype(np.float64)
            back = ggml.dequantize(raw[start : start + told.size], name, told.shape[0]).astype(np.float64)
            error = np.sqrt(np.square(back - weights).sum() / np.square(weights).sum())
            assert told.error == pytest.approx(error, rel=1e-6)
            assert error < 0.9
    assert {told.type for told in outcome.tensors} == {name, "F32"}
