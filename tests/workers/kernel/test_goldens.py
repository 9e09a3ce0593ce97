"""Bytes that ggml wrote once, on every path of this machine."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.workers.kernel import recipes
from workers import kernel

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("goldens.json").read_text())["cases"]


def name_of(case: dict[str, Any]) -> str:
    return f"{case['kind']}-{case['rows']}x{case['columns']}-{case['imatrix']}"


def short_digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:20]


def written(rows: Any, name: str, importance: Any, path: str) -> str | None:
    try:
        return short_digest(kernel.quantize(rows, name, importance, path=path))
    except kernel.KernelError:
        return None


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_blocks_are_those_of_the_reference(case: dict[str, Any]) -> None:
    rows = recipes.weights(case["kind"], case["seed"], case["rows"], case["columns"])
    assert short_digest(rows.tobytes()) == case["input"]
    importance = recipes.importance(case["imatrix"], case["imatrix_seed"], case["columns"])
    for path in kernel.paths():
        found = {name: written(rows, name, importance, path) for name in case["blocks"]}
        assert found == case["blocks"], path


def test_halves_and_bfloat16_give_the_blocks_of_the_floats_they_stand_for() -> None:
    halves = recipes.weights("gauss", 5, 3, 1792).astype(np.float16)
    words = (recipes.weights("gauss_bf16", 6, 3, 1792).view(np.uint32) >> 16).astype(np.uint16)
    wide = (words.astype(np.uint32) << 16).view(np.float32)
    importance = recipes.importance("square", 7, 1792)
    for name in kernel.TYPES:
        for path in kernel.paths():
            for given in (None, importance):
                expected = kernel.quantize(halves.astype(np.float32), name, given, path=path)
                assert kernel.quantize(halves, name, given, path=path) == expected, (name, path)
                expected = kernel.quantize(wide, name, given, path=path)
                assert kernel.quantize(words, name, given, path=path) == expected, (name, path)
