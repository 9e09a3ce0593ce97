"""Judged like the reference package, on files that it wrote and on files that nobody should write."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors as reference
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save, save_file

from tests.workers.formats.build import codes, entry, read_safetensors, safetensors
from workers.formats.findings import Inspection
from workers.formats.reader import FileReader
from workers.formats.safetensors import BITS, inspect_safetensors

ENTRY = b'{"dtype":"U8","shape":[1],"data_offsets":[0,1]}'


def reference_tensors(raw: bytes) -> dict[str, tuple[str, tuple[int, ...], bytes]] | None:
    """What the reference package reads, or None where it refuses."""
    try:
        told = reference.deserialize(raw)  # type: ignore[no-untyped-call]
    except reference.SafetensorError:
        return None
    return {name: (info["dtype"], tuple(info["shape"]), bytes(info["data"])) for name, info in told}


def our_tensors(raw: bytes, found: Inspection) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    return {t.name: (t.dtype, t.shape, raw[t.start : t.end]) for t in found.tensors}


def assert_judged_alike(raw: bytes) -> None:
    found, expected = read_safetensors(raw), reference_tensors(raw)
    assert found.ok == (expected is not None), found.findings
    if expected is not None:
        assert our_tensors(raw, found) == expected


NAMES = st.text(max_size=8).filter(lambda name: name != "__metadata__")
NUMBERS = st.integers(0, 12) | st.sampled_from([2**32, 2**62, 2**63, 2**64 - 1, 2**64, -1])
ODD = st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3)


@st.composite
def sound_headers(draw: st.DrawFn) -> tuple[dict[str, Any], int]:
    """A header whose tensors tile the data, in any order, and how many bytes of data it describes."""
    names = draw(st.lists(NAMES, unique=True, max_size=5))
    header: dict[str, Any] = {}
    offset = 0
    for name in names:
        shape = draw(st.lists(st.integers(0, 4), max_size=4))
        dtype = draw(st.sampled_from(sorted(BITS)))
        end = offset + int(np.prod(shape, dtype=object)) * BITS[dtype] // 8
        header[name] = entry(dtype, shape, offset, end)
        offset = end
    if draw(st.booleans()):
        header["__metadata__"] = draw(st.none() | st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
    return {name: header[name] for name in draw(st.permutations(list(header)))}, offset


@st.composite
def broken_headers(draw: st.DrawFn) -> tuple[dict[str, Any], int]:
    """A sound header with one thing in it changed."""
    header, size = draw(sound_headers())
    name = draw(st.sampled_from(sorted(header) or ["a"]))
    field = draw(st.sampled_from(["dtype", "shape", "data_offsets"]))
    value = draw(st.lists(NUMBERS, max_size=3) | ODD | st.sampled_from(sorted(BITS)))
    if isinstance(header.get(name), dict):
        header[name] = {**header[name], field: value}
    else:
        header[name] = value if isinstance(value, str) else None
    return header, size


@given(sound_headers(), st.integers(-1, 1), st.booleans())
def test_files_that_tile_are_judged_like_the_reference(
    made: tuple[dict[str, Any], int], extra: int, escaped: bool
) -> None:
    header, size = made
    raw = json.dumps(header, ensure_ascii=escaped).encode()
    assert_judged_alike(safetensors(raw, bytes(max(0, size + extra))))


@given(broken_headers(), st.integers(-1, 1))
def test_files_with_a_wrong_field_are_judged_like_the_reference(
    made: tuple[dict[str, Any], int], extra: int
) -> None:
    header, size = made
    assert_judged_alike(safetensors(header, bytes(max(0, size + extra))))


SAMPLE = save(
    {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.zeros((0, 4), np.uint8),
        "c": np.ones((), np.int64),
    },
    {"format": "np", "note": "naïve ☃"},
)


def test_a_file_cut_at_any_byte_is_refused_like_the_reference_refuses_it() -> None:
    for length in range(len(SAMPLE)):
        assert_judged_alike(SAMPLE[:length])
    assert_judged_alike(SAMPLE)


def stricter(found: Inspection) -> bool:
    """Whether we refuse for one of the reasons that the module's docstring lists."""
    return bool({"duplicate-key", "bad-header"} & set(codes(found)))


@given(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255))
def test_a_changed_byte_is_judged_like_the_reference_judges_it(position: int, value: int) -> None:
    raw = SAMPLE[:position] + bytes([value]) + SAMPLE[position + 1 :]
    if not stricter(read_safetensors(raw)):
        assert_judged_alike(raw)


@given(st.binary(max_size=200))
def test_random_headers_are_judged_like_the_reference_judges_them(raw: bytes) -> None:
    if not stricter(read_safetensors(safetensors(b"{" + raw))):
        assert_judged_alike(safetensors(b"{" + raw))


@pytest.mark.parametrize("dtype", sorted(BITS))
def test_every_dtype_has_the_size_that_the_reference_gives_it(dtype: str) -> None:
    size = BITS[dtype]
    assert_judged_alike(safetensors({"a": entry(dtype, [8], 0, size)}, bytes(size)))
    assert_judged_alike(safetensors({"a": entry(dtype, [8], 0, size + 1)}, bytes(size + 1)))
    assert_judged_alike(safetensors({"a": entry(dtype, [3], 0, 3)}, bytes(3)))


def test_the_dtypes_are_those_that_the_reference_knows() -> None:
    with pytest.raises(reference.SafetensorError) as caught:
        reference.deserialize(safetensors({"a": entry("F0", [1], 0, 1)}, b"\0"))  # type: ignore[no-untyped-call]
    known = str(caught.value).split("expected one of ")[1].split(" at line")[0]
    assert {name.strip("` ") for name in known.split(",")} == set(BITS)


STRICTER = {
    "a tensor given twice": b'{"a":%s,"a":%s}' % (ENTRY, ENTRY),
    "a metadata key given twice": b'{"__metadata__":{"k":"1","k":"2"},"a":%s}' % ENTRY,
    "space before the brace": b' {"a":%s}' % ENTRY,
    "an entry as an array": b'{"a":["U8",[1],[0,1]]}',
    "a dtype as an object": b'{"a":%s}' % ENTRY.replace(b'"U8"', b'{"U8":null}'),
    "an object in an unknown field": b'{"a":{"x":{},%s}' % ENTRY[1:],
}


@pytest.mark.parametrize("header", STRICTER.values(), ids=STRICTER.keys())
def test_what_two_readers_could_read_differently_is_refused_though_the_reference_takes_it(
    header: bytes,
) -> None:
    raw = safetensors(header, b"\0")
    assert reference_tensors(raw) is not None
    assert not read_safetensors(raw).ok


def test_an_unknown_plain_field_is_only_a_warning() -> None:
    raw = safetensors({"a": entry("U8", [1], 0, 1, note="x", list=[1, 2])}, b"\0")
    assert_judged_alike(raw)
    found = read_safetensors(raw)
    assert codes(found) == ["unknown-field"]
    assert found.findings[0].tensor == "a"


def test_a_file_of_the_reference_writer_is_told_whole(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"w": np.zeros((3, 5), np.float16), "b": np.zeros(7, np.float32)}, path, {"format": "pt"})
    with FileReader(path) as reader:
        found = inspect_safetensors(reader)
    assert found.ok
    assert found.parameters == {"F16": 15, "F32": 7}
    assert found.total_parameters == 22
    assert found.metadata == {"format": "pt"}
    assert found.data_start == 8 + struct.unpack("<Q", path.read_bytes()[:8])[0]
    assert Inspection.from_json(json.loads(json.dumps(found.to_json()))).to_json() == found.to_json()


def test_every_faulty_tensor_is_named() -> None:
    header = {"a": entry("U8", [1], 0, 1), "b": entry("XX", [1], 1, 2), "c": entry("U8", [9], 2, 3)}
    found = read_safetensors(safetensors(header, b"\0" * 3))
    assert [(f.code, f.tensor) for f in found.findings] == [("unknown-dtype", "b"), ("wrong-size", "c")]
    assert [tensor.name for tensor in found.tensors] == ["a"]


def test_a_thousand_faults_are_told_as_a_hundred_and_a_number() -> None:
    header = {str(number): entry("XX", [1], 0, 1) for number in range(1000)}
    found = read_safetensors(safetensors(header, b"\0"))
    assert len(found.findings) == 100
    assert found.to_json()["left_out"] == {"findings": 900}


def test_metadata_is_clipped_and_says_so() -> None:
    found = read_safetensors(safetensors({"__metadata__": {"long": "ü" * 100_000, "short": "x"}}))
    assert found.ok
    assert codes(found) == ["metadata-clipped"]
    assert found.metadata == {"long": "ü" * 65_536, "short": "x"}


def test_what_a_database_cannot_store_is_replaced() -> None:
    found = read_safetensors(safetensors({"a\0": entry("U8", [0], 0, 0), "__metadata__": {"k\0": "v\0"}}))
    assert found.ok
    assert "\\u0000" not in json.dumps(found.to_json())
