"""Every hostile file gets its finding, in bounded time and memory."""

import json
import time
import tracemalloc
from collections.abc import Callable

import pytest

from tests.workers.formats.attacks import gguf_attacks, safetensors_attacks
from tests.workers.formats.build import codes, read_gguf, read_safetensors
from workers.formats.findings import Inspection

MEGABYTE = 1024 * 1024
CASES = [
    pytest.param(read, make, code, id=f"{kind}: {name}")
    for kind, read, attacks in (
        ("safetensors", read_safetensors, safetensors_attacks.ATTACKS),
        ("gguf", read_gguf, gguf_attacks.ATTACKS),
    )
    for name, (code, make) in attacks.items()
]


@pytest.mark.parametrize(("read", "make", "code"), CASES)
def test_a_hostile_file_gets_its_finding_and_costs_little(
    read: Callable[[bytes], Inspection], make: Callable[[], bytes], code: str
) -> None:
    raw = make()
    began = time.process_time()
    found = read(raw)
    assert time.process_time() - began < 60
    assert code in codes(found)
    assert not found.ok
    json.dumps(found.to_json(), allow_nan=False).encode()
    if len(raw) < MEGABYTE:
        tracemalloc.start()
        read(raw)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 16 * MEGABYTE
