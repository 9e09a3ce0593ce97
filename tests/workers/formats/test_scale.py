"""Large honest files and large hostile ones, within time and memory. Memory is measured by tracemalloc."""

import json
import time
import tracemalloc
from collections.abc import Callable

import pytest

from tests.workers.formats.build import (
    ARCHITECTURE,
    Info,
    entry,
    gguf,
    read_gguf,
    read_safetensors,
    safetensors,
)
from workers.formats.findings import Inspection

MEGABYTE = 1024 * 1024
TENSORS = 100_000


def name(number: int) -> str:
    return f"model.layers.{number // 2000}.mlp.experts.{number % 2000}.gate_proj.weight"


def large_safetensors() -> bytes:
    header = {name(n): entry("BF16", [1, 4], 8 * n, 8 * n + 8) for n in range(TENSORS)}
    return safetensors(header, bytes(8 * TENSORS))


def large_gguf() -> bytes:
    infos: list[Info] = [(name(n), (4, 2), 0, 32 * n) for n in range(TENSORS)]
    return gguf([ARCHITECTURE], infos, bytes(32 * TENSORS))


LARGE = [
    pytest.param(read_safetensors, large_safetensors, id="safetensors"),
    pytest.param(read_gguf, large_gguf, id="gguf"),
]


@pytest.mark.matrix
@pytest.mark.parametrize(("read", "make"), LARGE)
def test_a_hundred_thousand_tensors_take_less_than_200_megabytes_and_time_in_proportion(
    read: Callable[[bytes], Inspection], make: Callable[[], bytes]
) -> None:
    raw = make()
    tracemalloc.start()
    began = time.process_time()
    found = read(raw)
    told = found.to_json()
    spent = time.process_time() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.ok
    assert len(told["tensors"]) == TENSORS
    assert peak < 200 * MEGABYTE
    # Far above what it takes (1 to 2 s, some more while memory is watched): only a fault that grows with the square
    # of the size comes near.
    assert spent < 100


WHOLE_HEADERS: dict[str, Callable[[], bytes]] = {
    "one text in metadata": lambda: b'{"__metadata__":{"a":"' + b"x" * 99_000_000 + b'"}}',
    "one text of quotes": lambda: b'{"__metadata__":{"a":"' + b'\\"' * 49_000_000 + b'"}}',
    "one text beyond latin": lambda: b'{"__metadata__":{"a":"' + "😀".encode() * 24_000_000 + b'"}}',
    "one name": lambda: b'{"' + b"x" * 99_000_000 + b'":0}',
    "space": lambda: b"{" + b" " * 99_000_000 + b"}",
    "empty lists": lambda: b'{"a":{"x":[' + b"[]," * 33_000_000 + b"[]]}}",
    "open lists": lambda: b'{"a":' + b"[" * 99_000_000,
    "digits": lambda: b'{"a":{"shape":[' + b"9" * 99_000_000 + b"]}}",
}


@pytest.mark.parametrize("make", WHOLE_HEADERS.values(), ids=WHOLE_HEADERS.keys())
def test_a_hundred_megabytes_of_hostile_header_stay_bounded(make: Callable[[], bytes]) -> None:
    """Apart from the header as read and its text, 100 MB each, the parser may hold one decoded string."""
    raw = safetensors(make())
    tracemalloc.start()
    began = time.process_time()
    json.dumps(read_safetensors(raw).to_json())
    spent = time.process_time() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 330 * MEGABYTE
    assert spent < 60
