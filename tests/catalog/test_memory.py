"""How much memory a model takes: known models, odd headers, and choices that are none."""

from typing import Any

import pytest

from hub.catalog import memory
from hub.catalog.memory import GB, Need, need, shape_of

LLAMA: dict[str, Any] = {
    "general.architecture": "llama", "llama.block_count": 32, "llama.embedding_length": 4096,
    "llama.attention.head_count": 32, "llama.attention.head_count_kv": 8, "llama.feed_forward_length": 14336,
    "llama.context_length": 131072,
}  # fmt: skip


def shape(**changes: Any) -> memory.Shape:
    found = shape_of({**LLAMA, **{key.replace("__", "."): value for key, value in changes.items()}})
    assert found is not None
    return found


def test_the_cache_is_what_the_heads_keep_of_each_token() -> None:
    found = need(shape(), 5 * GB, 8192)
    assert found.cache == 8192 * 32 * 8 * (128 + 128) * 2
    assert found.weights == 5 * GB
    assert 0.2 * GB < found.buffers < 0.6 * GB
    assert need(shape(), 5 * GB, 16384).cache == 2 * found.cache


def test_the_cache_is_the_one_that_llama_cpp_reports() -> None:
    """SmolLM2-135M takes 180.00 MiB with 8192 tokens, and 11.25 MiB with 512."""
    small = shape_of(
        {
            "general.architecture": "llama", "llama.block_count": 30, "llama.embedding_length": 576,
            "llama.attention.head_count": 9, "llama.attention.head_count_kv": 3,
        }
    )  # fmt: skip
    assert small is not None
    assert [need(small, 0, context).cache / 2**20 for context in (8192, 512)] == [180.0, 11.25]


def test_layers_that_see_a_window_cache_no_more_than_it() -> None:
    gemma = {
        "general.architecture": "gemma3", "gemma3.block_count": 12, "gemma3.embedding_length": 1024,
        "gemma3.attention.head_count": 4, "gemma3.attention.head_count_kv": 1, "gemma3.attention.key_length": 256,
        "gemma3.attention.value_length": 256, "gemma3.attention.sliding_window": 512,
    }  # fmt: skip
    found = shape_of(gemma)
    assert found is not None
    assert need(found, 0, 32768).cache == 1024 * (2 * 32768 + 10 * 1024)


@pytest.mark.parametrize(
    "odd",
    [
        {}, {"general.architecture": "llama"}, {**LLAMA, "llama.block_count": -1}, {**LLAMA, "llama.block_count": "x"},
        {**LLAMA, "llama.embedding_length": None}, {"general.architecture": ["x"]},
    ],
)  # fmt: skip
def test_headers_that_tell_too_little_tell_nothing(odd: dict[str, Any]) -> None:
    assert shape_of(odd) is None


def test_numbers_for_each_layer_count_as_the_largest_and_huge_ones_are_bounded() -> None:
    listed = {"type": "i32", "len": 32, "head": [0, 0, 4, 0]}
    assert shape(llama__attention__head_count_kv=listed).cached == 4 * 256 * 2
    assert shape(llama__attention__head_count_kv=2**63).cached < 10**11


def test_the_first_that_fits_is_the_best() -> None:
    needs = [Need(9 * GB, 0, 0), None, Need(7 * GB, GB, 0), Need(GB, 0, 0)]
    assert [memory.best(needs, device) for device in (1, 4, 8, 12)] == [3, 3, 2, 0]
    assert memory.best(needs[:1], 4) is None


def test_choices_that_are_none_are_the_usual_ones() -> None:
    assert [memory.device_of(text) for text in ("8", "7", "", "x", "٨", "9" * 50)] == [8, 0, 0, 0, 0, 0]
    assert [memory.context_of(text) for text in ("32768", "1", "-1", "9" * 50)] == [32768, 8192, 8192, 8192]
