"""Sizes that are told before anything is made are those of the files that are made."""

from pathlib import Path

import pytest

from tests.workers.quantizing.models import EXPERTS, ODD, Recipe, build
from workers.formats.gguf import inspect_gguf
from workers.formats.reader import BytesReader
from workers.quantizing import reckoning
from workers.quantizing.errors import QuantizeError
from workers.quantizing.model import open_model
from workers.quantizing.plan import Options, make_plan
from workers.quantizing.types import FILE_TYPES

# What a plan's header says beside that of the source.
HEADER = 200


@pytest.mark.parametrize("recipe", [ODD, EXPERTS], ids=lambda recipe: recipe.name)
def test_each_type_is_reckoned_as_it_will_be_planned(recipe: Recipe, tmp_path: Path) -> None:
    path, _matrix = build(recipe, tmp_path)
    read = inspect_gguf(BytesReader(path.read_bytes()))
    tensors = [reckoning.tensor(it.name, it.dtype, it.shape, it.end - it.start) for it in read.tensors]
    sizes = reckoning.sizes(tensors, read.metadata, total=path.stat().st_size)
    assert "Q4_K_M" in sizes
    with open_model(path) as model:
        for name in FILE_TYPES:
            try:
                planned = make_plan(model, tmp_path / "out.gguf", name, Options()).size
            except QuantizeError:
                assert name not in sizes
            else:
                assert abs(sizes[name] - planned) <= HEADER, name


def test_what_cannot_be_reckoned_is_left_out() -> None:
    weights = reckoning.tensor("blk.0.attn_q.weight", "BF16", (256, 256, 1), 2**17)
    assert reckoning.sizes([weights], {}, total=2**17) == {}
    quantized = reckoning.tensor("blk.0.attn_q.weight", "Q4_K", (256, 256), 36_864)
    known = {"general.architecture": "llama", "llama.block_count": 1}
    assert reckoning.sizes([quantized], known, total=2**17) == {}
    assert reckoning.sizes([weights] * (reckoning.MAX_TENSORS + 1), known, total=0) == {}
    assert reckoning.sizes([weights], known, total=2**17 + 64)["Q8_0"] == 69_632 + 64
