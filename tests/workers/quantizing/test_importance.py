"""Importance matrices: both formats, what they change, and those that do not belong."""

import struct
from pathlib import Path

import numpy as np
import pytest

from tests.workers.formats.build import Info, array, gguf, number_pair, pair, string, text_pair
from tests.workers.quantizing import small
from tests.workers.quantizing.conftest import Built
from tests.workers.quantizing.models import EXPERTS, GQA, squares
from workers.formats.gguf import inspect_gguf
from workers.formats.reader import FileReader
from workers.quantize import Options, QuantizeError, quantize_file
from workers.quantizing.importance import read_importance

KEYS = [
    text_pair("general.type", "imatrix"),
    pair("imatrix.datasets", 9, array(8, 2, string("first ☃" + "x" * 200) + string("second"))),
    number_pair("imatrix.chunk_count", 7),
    number_pair("imatrix.chunk_size", 512),
]
NAMES = [name for name, shape in small.TENSORS.items() if len(shape) > 1]


def matrix(entries: dict[str, tuple[list[float], list[float]]], keys: list[bytes] | None = None) -> bytes:
    """A GGUF matrix of sums and counts."""
    infos: list[Info] = []
    data = b""
    for name, (sums, counts) in entries.items():
        for ending, values in ((".in_sum2", sums), (".counts", counts)):
            raw = struct.pack(f"<{len(values)}f", *values)
            infos.append((name + ending, (len(values),), 0, len(data)))
            data += raw + bytes(-len(raw) % 32)
    return gguf(KEYS if keys is None else keys, infos, data)


def sums_of(name: str, columns: int = small.WIDTH) -> list[float]:
    return [float(value) for value in squares(len(name), columns)]


def older(entries: dict[str, list[float]], calls: int, tail: bytes = b"") -> bytes:
    parts = [struct.pack("<i", len(entries))]
    for name, values in entries.items():
        parts.append(struct.pack("<i", len(name)) + name.encode())
        parts.append(struct.pack(f"<ii{len(values)}f", calls, len(values), *values))
    return b"".join(parts) + tail


def metadata(path: Path) -> dict[str, object]:
    with FileReader(path) as reader:
        return inspect_gguf(reader).metadata


def test_values_are_means_and_ones_where_nothing_was_counted(tmp_path: Path) -> None:
    path = small.write(tmp_path, matrix({"a": ([2, 4, 6, 8, 3, 5], [2, 0, 2.5])}), "m.gguf")
    assert read_importance(path).values("a").tolist() == [1, 2, 1, 1, 1, np.float32(5) / np.float32(3)]


def test_both_formats_of_the_same_matrix_give_the_same_weights(tmp_path: Path) -> None:
    source = small.write(tmp_path, small.model_bytes())
    new = small.write(tmp_path, matrix({name: (sums_of(name), [3.0]) for name in NAMES}), "m.gguf")
    tail = struct.pack("<ii", 9, 4) + b"text"
    old = small.write(tmp_path, older({name: sums_of(name) for name in NAMES}, 3, tail), "m.dat")
    files = []
    for path in (new, old):
        out = tmp_path / "out.gguf"
        quantize_file(source, out, "Q4_K_M", options=Options(imatrix=str(path), imatrix_label="m"))
        files.append((out.read_bytes(), metadata(out)))
    assert files[0][0][-30_000:] == files[1][0][-30_000:]
    told = {key: value for key, value in files[0][1].items() if key.startswith("quantize.imatrix.")}
    assert list(told.values())[::2] == ["m", len(NAMES)] and told["quantize.imatrix.chunks_count"] == 7
    dataset = str(told["quantize.imatrix.dataset"])
    assert dataset.startswith("first ☃xxx") and len(dataset.encode()) == 127
    assert files[1][1]["quantize.imatrix.dataset"] == "text"
    assert files[1][1]["quantize.imatrix.chunks_count"] == 9


def test_every_expert_is_weighed_by_its_own_importance(built: Built, tmp_path: Path) -> None:
    """The reference's bytes prove it elsewhere; here the entries are exchanged, and the bytes change."""
    source, path = built(EXPERTS.name)
    raw = bytearray(path.read_bytes())
    with FileReader(path) as reader:
        entry = next(t for t in inspect_gguf(reader).tensors if t.name == "blk.0.ffn_up_exps.weight.in_sum2")
    raw[entry.start : entry.end] = raw[entry.start : entry.end][1024:] + raw[entry.start : entry.start + 1024]
    other = small.write(tmp_path, bytes(raw), path.name)
    outcomes = [
        quantize_file(
            source, tmp_path / "out.gguf", "Q4_0", options=Options(imatrix=str(use), imatrix_label="m")
        )
        for use in (path, other)
    ]
    assert outcomes[0].files[0].sha256 != outcomes[1].files[0].sha256


def refusal(tmp_path: Path, raw: bytes, kind: str = "Q4_K_M") -> str:
    source = small.write(tmp_path, small.model_bytes())
    path = small.write(tmp_path, raw, "matrix")
    with pytest.raises(QuantizeError) as caught:
        quantize_file(source, tmp_path / "out.gguf", kind, options=Options(imatrix=str(path)))
    assert not list(tmp_path.glob("out.gguf*"))
    return str(caught.value)


def test_a_matrix_of_another_model_is_refused(tmp_path: Path) -> None:
    name = "blk.0.attn_q.weight"
    wrong_size = matrix({name: (sums_of(name, 128), [1.0])})
    assert f"the entry of tensor '{name}' has 128 values, the tensor needs 256" in refusal(
        tmp_path, wrong_size
    )
    unknown = matrix({"blk.77.attn_q.weight": (sums_of(name), [1.0])})
    assert "it was made for another model" in refusal(tmp_path, unknown)


def test_a_matrix_without_use_for_the_tensors_that_change_is_named_all_the_same(tmp_path: Path) -> None:
    source = small.write(tmp_path, small.model_bytes())
    path = small.write(tmp_path, matrix({"output_norm.weight": ([1.0], [1.0])}), "m.gguf")
    quantize_file(source, tmp_path / "out.gguf", "Q4_0", options=Options(imatrix=str(path)))
    assert metadata(tmp_path / "out.gguf")["quantize.imatrix.entries_count"] == 1


def test_an_entry_of_another_size_for_the_embeddings_is_passed_over(tmp_path: Path) -> None:
    source = small.write(tmp_path, small.model_bytes())
    entries = {name: (sums_of(name), [1.0]) for name in NAMES}
    entries["token_embd.weight"] = ([1.0], [1.0])
    path = small.write(tmp_path, matrix(entries), "m.gguf")
    outcome = quantize_file(source, tmp_path / "out.gguf", "Q4_K_M", options=Options(imatrix=str(path)))
    assert outcome.files[0].size == (tmp_path / "out.gguf").stat().st_size


def test_a_matrix_with_infinities_is_refused_by_tensor(tmp_path: Path) -> None:
    name = "blk.0.attn_q.weight"
    for bad in (float("inf"), float("nan")):
        raw = matrix({name: ([*sums_of(name)[:-1], bad], [1.0])})
        assert f"the entry of tensor '{name}' holds NaN or infinity" in refusal(tmp_path, raw)


def test_files_that_are_no_matrix_are_refused_for_what_they_lack(tmp_path: Path) -> None:
    one = {"blk.0.attn_q.weight": (sums_of("x"), [1.0])}
    assert "imatrix.chunk_count is missing" in refusal(tmp_path, matrix(one, KEYS[:2]))
    assert "holds no entries" in refusal(tmp_path, matrix({}))
    assert "256 sums for 3 counts" in refusal(tmp_path, matrix({"a": (sums_of("x"), [1.0] * 3)}))
    half = gguf(KEYS, [("a.in_sum2", (8,), 0, 0)], bytes(32))
    assert "'a' has only one of .in_sum2 and .counts" in refusal(tmp_path, half)
    words = gguf(KEYS, [("a.in_sum2", (16,), 30, 0), ("a.counts", (8,), 0, 32)], bytes(64))
    assert "'a' is no F32" in refusal(tmp_path, words)
    assert "neither GGUF nor an older importance matrix" in refusal(
        tmp_path, struct.pack("<i", -1) + bytes(60)
    )
    assert "entry 0 claims a text of" in refusal(tmp_path, struct.pack("<ii", 1, 2**30) + bytes(60))
    assert "claims -1 values" in refusal(tmp_path, struct.pack("<iiii", 1, 0, 1, -1) + bytes(60))
    whole = older({"a": [1.0] * 64}, 1)
    assert "are left" in refusal(tmp_path, whole[:-5])


def test_the_smallest_mix_needs_a_matrix_with_an_entry_for_every_tensor(built: Built, tmp_path: Path) -> None:
    source = built(GQA.name)[0]
    with pytest.raises(
        QuantizeError, match=r"tensor 'blk\.0\.attn_k\.weight': Q2_K_S needs an importance matrix"
    ):
        quantize_file(source, tmp_path / "out.gguf", "Q2_K_S")
    name = "blk.0.attn_q.weight"
    message = refusal(tmp_path, matrix({name: (sums_of(name), [1.0])}), "Q2_K_S")
    assert "tensor 'blk.0.attn_k.weight': Q2_K_S needs an importance matrix" in message
