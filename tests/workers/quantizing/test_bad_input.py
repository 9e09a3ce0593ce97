"""What cannot be quantized is refused by file, tensor and cause; nothing is left behind, and no source is touched."""

import math
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workers.formats.build import Info, gguf, number_pair, text_pair
from tests.workers.quantizing import small
from workers.quantize import Options, Progress, QuantizeError, quantize_file


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in which the test may leave nothing but what it put there itself under `in`."""
    (tmp_path / "in").mkdir()
    yield tmp_path / "in"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]
    assert all(path.suffix != ".partial" for path in (tmp_path / "in").iterdir())


def refusal(source: Path, kind: str = "Q4_K_M", **options: object) -> str:
    """The message; the source has the same bytes after."""
    before = source.read_bytes() if source.is_file() else None
    with pytest.raises(QuantizeError) as caught:
        quantize_file(source, source.parent.parent / "out.gguf", kind, options=Options(**options))  # type: ignore[arg-type]
    assert before is None or source.read_bytes() == before
    return str(caught.value)


def test_files_that_are_no_model_are_refused_for_what_they_are(folder: Path) -> None:
    assert "does not begin with 'GGUF'" in refusal(small.write(folder, b"PK\3\4" + bytes(99)))
    assert "the magic at byte 0 takes 4 bytes; 0 are left" in refusal(small.write(folder, b""))
    assert "is missing" in refusal(folder / "missing.gguf")
    assert "holds no tensors" in refusal(small.write(folder, gguf(small.pairs(), [])))
    assert "is a folder; name a file" in refusal(folder)


def test_a_file_cut_short_is_refused_wherever_it_was_cut(folder: Path) -> None:
    raw = small.model_bytes()
    for length in (10, 60, 900, 3000, len(raw) // 2, len(raw) - 200):
        message = refusal(small.write(folder, raw[:length]))
        assert "model.gguf" in message and ("left" in message or "is cut short" in message)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 2500), value=st.integers(0, 255))
def test_a_lying_header_is_refused_or_makes_a_file(place: int, value: int, folder: Path) -> None:
    raw = bytearray(small.model_bytes())
    raw[place] = value
    target = folder.parent / "out.gguf"
    try:
        quantize_file(small.write(folder, bytes(raw)), target, "Q8_0")
    except QuantizeError as error:
        assert not target.exists() and str(error)
    else:
        target.unlink()


def test_tensors_over_each_other_and_absurd_shapes_are_refused_by_name(folder: Path) -> None:
    infos: list[Info] = [("a.weight", (256, 4), 30, 0), ("b.weight", (256, 4), 30, 1024)]
    message = refusal(small.write(folder, gguf(small.pairs(), infos, bytes(4096))))
    assert "tensor 'b.weight' begins at byte" in message and "inside 'a.weight'" in message
    huge: list[Info] = [("a.weight", (2**40, 2**40), 30, 0)]
    assert "tensor 'a.weight' shape" in refusal(small.write(folder, gguf(small.pairs(), huge)))
    long_name: list[Info] = [("n" * 64, (256, 4), 30, 0)]
    assert "64 bytes or more" in refusal(small.write(folder, gguf(small.pairs(), long_name, bytes(2048))))


def test_a_row_that_no_memory_bound_holds_is_refused(folder: Path) -> None:
    columns = 2**24 + 256
    path = folder / "model.gguf"
    head = gguf(small.pairs(), [("a.weight", (columns, 2), 30, 0)])
    path.write_bytes(head)
    os.truncate(path, len(head) + 2 * 2 * columns)
    with pytest.raises(QuantizeError, match=f"a row has {columns} weights; the limit is {2**24}"):
        quantize_file(path, folder.parent / "out.gguf", "Q8_0")


def test_metadata_that_a_mix_needs_must_be_there_and_be_numbers(folder: Path) -> None:
    nameless = small.model_bytes(keys=small.pairs()[1:])
    assert "general.architecture is missing" in refusal(small.write(folder, nameless))
    without = small.model_bytes(keys=[small.pairs()[0]])
    assert "llama.block_count is None" in refusal(small.write(folder, without))
    odd = small.model_bytes(keys=[text_pair("llama.expert_count", "eight"), *small.pairs()])
    assert "llama.expert_count is eight" in refusal(small.write(folder, odd))


@pytest.mark.parametrize(
    ("name", "kind", "row", "column", "bad"),
    [
        ("blk.2.ffn_up.weight", small.BF16, 5, 17, math.nan),
        ("blk.2.ffn_up.weight", small.F16, 15, 255, math.inf),
        ("output.weight", small.F32, 0, 0, -math.inf),
        ("blk.3.attn_norm.weight", small.BF16, 0, 200, math.nan),
    ],
)
def test_a_weight_that_is_no_number_is_refused_with_its_place(
    folder: Path, name: str, kind: int, row: int, column: int, bad: float
) -> None:
    shape = small.TENSORS[name]
    own = kind if len(shape) > 1 else small.F32
    width = 4 if own == small.F32 else 2
    encoded = (
        struct.pack("<f", bad)[2:] if own == small.BF16 else struct.pack("<f" if width == 4 else "<e", bad)
    )
    raw = bytearray(small.weights(name, shape, own))
    at = (row * shape[0] + column) * width
    raw[at : at + width] = encoded
    source = small.write(folder, small.model_bytes(kind=kind, data={name: bytes(raw)}))
    for target in ("Q4_K_M", "Q8_0", "F32", "F16"):
        message = refusal(source, target)
        assert f"tensor '{name}', row {row}, column {column}: " in message and "infinite" in message


def test_weights_whose_scale_the_type_cannot_hold_are_refused(folder: Path) -> None:
    name = "blk.0.attn_q.weight"
    values = np.full(small.TENSORS[name][::-1], 3e38, np.float32)
    source = small.write(folder, small.model_bytes(kind=small.F32, data={name: values.tobytes()}))
    assert f"tensor '{name}', row 0, column 0: the weights are too large" in refusal(source, "Q8_0")


def test_a_scale_that_is_no_number_in_a_quantized_source_is_refused(folder: Path) -> None:
    source = small.write(folder, small.model_bytes())
    quantized = folder / "quantized.gguf"
    quantize_file(source, quantized, "Q8_0")
    raw = bytearray(quantized.read_bytes())
    raw[-34:-32] = b"\x00\x7c"
    broken = small.write(folder, bytes(raw), "broken.gguf")
    for kind, options in (("Q8_0", {}), ("Q4_0", {"allow_requantize": True})):
        message = refusal(broken, kind, **options)
        assert (
            "tensor 'blk.3.ffn_up.weight', row 15, column 224: the scale of a block is NaN or infinite"
            in message
        )


def test_quantizing_twice_must_be_allowed(folder: Path) -> None:
    source = small.write(folder, small.model_bytes())
    quantize_file(source, folder / "once.gguf", "Q8_0")
    assert "is Q8_0 already, and quantizing it again loses more" in refusal(folder / "once.gguf", "Q4_0")
    outcome = quantize_file(
        folder / "once.gguf", folder / "twice.gguf", "Q4_0", options=Options(allow_requantize=True)
    )
    assert {tensor.type for tensor in outcome.tensors} == {"F32", "Q4_0", "Q6_K"}


def test_whole_numbers_are_no_weights(folder: Path) -> None:
    infos: list[Info] = [("a.weight", (256, 4), 26, 0)]
    source = small.write(folder, gguf(small.pairs(), infos, bytes(4096)))
    assert "tensor 'a.weight': I32 cannot be turned into Q4_K" in refusal(source)


def test_wrong_names_of_types_and_wrong_patterns_are_refused(folder: Path) -> None:
    source = small.write(folder, small.model_bytes())
    assert "'Q7' is no file type" in refusal(source, "Q7")
    assert "'Q7' is no type that tensors can be given" in refusal(source, output_tensor_type="Q7")
    assert "the pattern '(' for tensor types is wrong" in refusal(source, tensor_types=(("(", "Q8_0"),))


def test_a_file_that_changes_meanwhile_is_refused(folder: Path) -> None:
    source = small.write(folder, small.model_bytes())

    def touch(progress: Progress) -> None:
        if progress.done == progress.total:
            with source.open("r+b") as file:
                file.write(b"GGUF")
            os.utime(source, ns=(1, 1))

    with pytest.raises(QuantizeError, match=r"model\.gguf: was changed while it was read"):
        quantize_file(source, folder.parent / "out.gguf", "Q8_0", progress=touch)


def test_a_file_that_shrinks_meanwhile_is_refused(folder: Path) -> None:
    source = small.write(folder, small.model_bytes({"a.weight": (256, 4096), "b.weight": (256, 4096)}))

    def shrink(progress: Progress) -> None:
        os.truncate(source, 4096)

    with pytest.raises(QuantizeError, match=r"ends inside tensor|was changed while it was read"):
        quantize_file(source, folder.parent / "out.gguf", "Q8_0", progress=shrink)


def test_alignments_that_are_none_are_refused(folder: Path) -> None:
    keys = [*small.pairs(), number_pair("general.alignment", 24)]
    assert "general.alignment is 24" in refusal(small.write(folder, small.model_bytes(keys=keys)))
