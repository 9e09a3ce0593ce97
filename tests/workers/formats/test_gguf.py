"""Files of the reference writer are read as its reader reads them; odd ones are named for what they are."""

import json
import math
import struct
from pathlib import Path

import numpy as np
import pytest
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFReader, GGUFWriter
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.formats.build import (
    ARCHITECTURE,
    array,
    codes,
    gguf,
    number_pair,
    pair,
    read_gguf,
    string,
    text_pair,
)
from workers.formats.findings import Inspection
from workers.formats.ggml_types import FILE_TYPES, TENSOR_TYPES
from workers.formats.gguf import inspect_gguf
from workers.formats.reader import FileReader

TOKENS = ["<s>", "</s>", "naïve", "☃", *(f"t{number}" for number in range(3000))]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model with every kind of value, by the reference writer."""
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    writer = GGUFWriter(path, "llama")
    writer.add_name("Tiny ☃")
    writer.add_license("apache-2.0")
    writer.add_file_type(7)
    writer.add_context_length(2048)
    writer.add_chat_template("{{ messages }}")
    writer.add_token_list(TOKENS)
    writer.add_token_scores([0.5] * len(TOKENS))
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_bool("x.bool", True)
    writer.add_uint64("x.u64", 2**64 - 1)
    writer.add_int64("x.i64", -(2**63))
    writer.add_float64("x.f64", math.inf)
    writer.add_int8("x.i8", -1)
    writer.add_tensor("token_embd.weight", np.zeros((3, 64), np.float32))
    writer.add_tensor("odd", np.zeros(5, np.float16))
    q8 = np.zeros((4, 68), np.uint8)
    writer.add_tensor("blk.0.ffn_up.weight", q8, raw_dtype=GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def inspected(path: Path) -> Inspection:
    with FileReader(path) as reader:
        return inspect_gguf(reader)


def test_tensors_are_where_the_reference_reader_finds_them(sample: Path) -> None:
    ours = {t.name: (t.dtype, list(t.shape), t.start, t.end, t.weights) for t in inspected(sample).tensors}
    theirs = {
        t.name: (t.tensor_type.name, t.shape.tolist(), t.data_offset, t.data_offset + t.n_bytes, t.n_elements)
        for t in GGUFReader(sample).tensors
    }
    assert ours == theirs


def test_metadata_has_the_values_that_the_reference_reader_finds(sample: Path) -> None:
    found = inspected(sample)
    assert found.ok, found.findings
    for key, value in found.metadata.items():
        expected = GGUFReader(sample).fields[key].contents()
        if isinstance(value, dict):
            assert value["len"] == len(expected)
            assert value["head"] == pytest.approx(expected[:8]) if value["type"] == "f32" else expected[:8]
        else:
            assert value == expected
    assert found.metadata["tokenizer.ggml.tokens"]["type"] == "str"


def test_the_summary_has_what_readers_ask_for_first(sample: Path) -> None:
    found = inspected(sample)
    assert found.summary == {
        "architecture": "llama",
        "name": "Tiny ☃",
        "file_type": "Q8_0",
        "context_length": 2048,
        "chat_template": "{{ messages }}",
        "license": "apache-2.0",
        "bos_token": "<s>",
        "eos_token": "</s>",
    }
    assert found.parameters == {"Q8_0": 256, "F32": 192, "F16": 5}


def test_an_inspection_survives_json_without_nan_or_infinity(sample: Path) -> None:
    found = inspected(sample)
    text = json.dumps(found.to_json(), allow_nan=False)
    assert json.loads(text)["metadata"]["x.f64"] == "inf"
    assert Inspection.from_json(json.loads(text)).to_json() == json.loads(text)


def test_a_file_cut_at_any_byte_is_never_ok(sample: Path) -> None:
    """The cut must reach the last tensor: behind it lies only padding."""
    raw, end = sample.read_bytes(), inspected(sample).tensors[-1].end
    step = max(1, end // 4000)
    for length in (*range(0, end, step), *range(end - 300, end)):
        assert not read_gguf(raw[:length]).ok
    assert codes(read_gguf(raw[:end])) == ["no-padding"]


SMALL = gguf(
    [
        ARCHITECTURE,
        number_pair("general.alignment", 32),
        pair("tokenizer.ggml.tokens", 9, array(8, 2, string("a") + string("b"))),
        number_pair("tokenizer.ggml.bos_token_id", 1),
        pair("x", 9, array(9, 1, array(0, 3, b"abc"))),
    ],
    [("a.weight", (32, 2), 8, 0), ("b", (4,), 0, 96)],
    b"\0" * 128,
)


def test_a_small_file_cut_at_any_byte_is_refused() -> None:
    found = read_gguf(SMALL)
    assert found.ok
    assert codes(found) == ["nested-array"]
    assert found.summary["bos_token"] == "b"
    for length in range(found.tensors[-1].end):
        assert not read_gguf(SMALL[:length]).ok


@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), max_size=8))
def test_changed_bytes_never_raise(changes: list[tuple[int, int]]) -> None:
    raw = bytearray(SMALL)
    for position, value in changes:
        raw[position] = value
    json.dumps(read_gguf(bytes(raw)).to_json(), allow_nan=False).encode()


@given(st.binary(max_size=300), st.integers(0, 4), st.integers(0, 4))
def test_random_bytes_behind_a_header_never_raise(raw: bytes, tensors: int, keys: int) -> None:
    read_gguf(b"GGUF" + struct.pack("<IQQ", 3, tensors, keys) + raw)


def test_block_sizes_are_those_of_the_reference() -> None:
    """Q8_1 differs on purpose: ggml itself packs two halves and 32 bytes, and no file holds it."""
    for kind, (block, size) in GGML_QUANT_SIZES.items():
        if kind.name != "Q8_1":
            assert TENSOR_TYPES[kind.value] == (kind.name, block, size)


def test_whole_file_types_name_known_tensor_types() -> None:
    plain = {name.removesuffix("_MOE") for name in FILE_TYPES.values()}
    known = {tensor_type.name for tensor_type in TENSOR_TYPES.values()}
    assert {name for name in plain if name not in known and name[:-2] not in known} == {
        "IQ3_XS",
        "IQ3_M",
        "IQ2_M",
    }


def test_version_2_is_read() -> None:
    assert read_gguf(gguf([ARCHITECTURE], [("a", (8,), 0, 0)], b"\0" * 32, version=2)).ok


def test_a_file_without_tensors_needs_no_padding() -> None:
    assert codes(read_gguf(gguf([ARCHITECTURE], []))) == []


def test_another_alignment_moves_the_data() -> None:
    raw = gguf(
        [ARCHITECTURE, number_pair("general.alignment", 1024)],
        [("a", (8,), 0, 0)],
        b"\0" * 1024,
        alignment=1024,
    )
    found = read_gguf(raw)
    assert found.ok
    assert found.data_start == 1024


def test_what_llama_cpp_refuses_by_habit_is_a_warning() -> None:
    found = read_gguf(gguf([], [("a" * 64, (8,), 0, 0)], b"\0" * 40))
    assert found.ok
    assert codes(found) == ["long-name", "no-architecture", "trailing-bytes"]


def test_a_part_of_a_split_model_says_which() -> None:
    split = [
        pair("split.no", 2, struct.pack("<H", 1)),
        pair("split.count", 2, struct.pack("<H", 2)),
        pair("split.tensors.count", 5, struct.pack("<i", 290)),
    ]
    found = read_gguf(gguf(split, []))
    assert codes(found) == []
    assert found.summary == {"split": {"no": 1, "count": 2, "tensors": 290}}


def test_a_long_template_is_clipped_and_text_that_is_not_utf8_is_repaired() -> None:
    found = read_gguf(
        gguf([ARCHITECTURE, text_pair("long", "x" * 70_000), text_pair("odd", b"a\xffb\0")], [])
    )
    assert codes(found) == ["metadata-clipped"]
    assert len(found.metadata["long"]) == 65_536
    assert found.to_json()["metadata"]["odd"] == "a\ufffdb\ufffd"


def test_a_token_id_without_a_token_is_a_warning() -> None:
    tokens = pair("tokenizer.ggml.tokens", 9, array(8, 1, string("a")))
    found = read_gguf(gguf([ARCHITECTURE, tokens, number_pair("tokenizer.ggml.bos_token_id", 1)], []))
    assert codes(found) == ["bad-token-id"]
