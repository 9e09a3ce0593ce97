"""An index is judged by itself and against its shards."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.formats.build import codes, entry, read_safetensors, safetensors
from workers.formats.findings import Finding, Inspection
from workers.formats.reader import BytesReader
from workers.formats.shard_index import check_shards, inspect_shard_index

ONE, TWO = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
INDEX = {"metadata": {"total_size": 12}, "weight_map": {"a": ONE, "b": ONE, "c": TWO}}


def read(index: Any) -> Inspection:
    raw = index if isinstance(index, bytes) else json.dumps(index).encode()
    return inspect_shard_index(BytesReader(raw))


def shard(*names: str) -> Inspection:
    header = {name: entry("F32", [1], 4 * place, 4 * place + 4) for place, name in enumerate(names)}
    return read_safetensors(safetensors(header, b"\0" * 4 * len(names)))


def judged(shards: dict[str, Inspection | None], index: Any = INDEX) -> list[tuple[str, str | None]]:
    findings: list[Finding] = check_shards(read(index), shards)
    return [(finding.code, finding.tensor) for finding in findings]


def test_an_index_that_agrees_with_its_shards_has_no_findings() -> None:
    found = read(INDEX)
    assert found.ok
    assert found.weight_map == INDEX["weight_map"]
    assert judged({ONE: shard("a", "b"), TWO: shard("c")}) == []


def test_shards_are_judged_as_well_from_stored_inspections() -> None:
    stored = json.loads(json.dumps(shard("a", "b").to_json()))
    assert judged({ONE: Inspection.from_json(stored), TWO: shard("c")}) == []


def test_a_missing_shard_is_named() -> None:
    assert judged({ONE: shard("a", "b")}) == [("missing-shard", None)]
    assert judged({ONE: shard("a", "b"), TWO: None}) == [("missing-shard", None)]


def test_a_tensor_in_another_shard_is_named_twice() -> None:
    assert judged({ONE: shard("a"), TWO: shard("b", "c")}) == [
        ("missing-tensor", "b"),
        ("unlisted-tensor", "b"),
    ]


def test_a_broken_shard_is_not_looked_into() -> None:
    assert judged({ONE: read_safetensors(b""), TWO: shard("c")}) == [("broken-shard", None)]


def test_a_wrong_total_is_only_a_warning() -> None:
    findings = check_shards(
        read({**INDEX, "metadata": {"total_size": 13}}), {ONE: shard("a", "b"), TWO: shard("c")}
    )
    assert [(finding.code, finding.severity) for finding in findings] == [("total-size", "warning")]


def test_a_total_written_as_a_float_is_the_same_number() -> None:
    assert judged({ONE: shard("a", "b"), TWO: shard("c")}, {**INDEX, "metadata": {"total_size": 12.0}}) == []


BAD: dict[str, tuple[str, Any]] = {
    "no JSON": ("bad-json", b"weights"),
    "nothing": ("bad-json", b""),
    "a list": ("bad-json", []),
    "not UTF-8": ("bad-utf8", b'{"weight_map":{"\xff":"a"}}'),
    "no map": ("no-weight-map", {}),
    "a map that is a list": ("no-weight-map", {"weight_map": []}),
    "a tensor twice": ("duplicate-key", b'{"weight_map":{"a":"b","a":"c"}}'),
    "a file that is a number": ("bad-file-name", {"weight_map": {"a": 1}}),
    "a file that climbs": ("bad-file-name", {"weight_map": {"a": "../b"}}),
    "an absolute file": ("bad-file-name", {"weight_map": {"a": "/b"}}),
    "a file with a backslash": ("bad-file-name", {"weight_map": {"a": "b\\c"}}),
    "a file with a NUL": ("bad-file-name", {"weight_map": {"a": "b\0"}}),
    "an empty file name": ("bad-file-name", {"weight_map": {"a": ""}}),
    "half a surrogate pair": ("bad-json", b'{"weight_map":{"\\ud800":"a"}}'),
    "metadata that is text": ("bad-metadata", {"metadata": "x", "weight_map": {}}),
    "a deep nest": ("bad-json", b'{"weight_map":' + b"[" * 100_000),
    "a million empty lists": ("too-many-tensors", b'{"weight_map":[' + b"[]," * 1_000_000 + b"[]]}"),
}


@pytest.mark.parametrize(("code", "index"), BAD.values(), ids=BAD.keys())
def test_a_bad_index_gets_its_finding(code: str, index: Any) -> None:
    found = read(index)
    assert code in codes(found)
    assert not found.ok
    json.dumps(found.to_json(), allow_nan=False).encode()


def test_space_around_an_index_is_no_fault() -> None:
    assert read(b"\n" + json.dumps(INDEX).encode() + b"\n").ok


def test_an_index_above_64_mebibytes_is_not_read() -> None:
    class Huge:
        size = 64 * 1024 * 1024 + 1

        def read(self, start: int, length: int) -> bytes:
            raise AssertionError("nothing should be read")

    assert codes(inspect_shard_index(Huge())) == ["index-too-large"]


def test_an_index_cut_at_any_byte_is_refused() -> None:
    raw = json.dumps(INDEX).encode()
    assert not any(read(raw[:length]).ok for length in range(len(raw)))


@given(
    st.binary(max_size=100)
    | st.recursive(st.none() | st.text() | st.floats(), st.lists).map(json.dumps).map(str.encode)
)
def test_any_bytes_are_judged_without_raising(raw: bytes) -> None:
    for text in (raw, b'{"weight_map":' + raw + b"}", b'{"weight_map":{},"metadata":{"a":' + raw + b"}}"):
        json.dumps(read(text).to_json(), allow_nan=False).encode()
