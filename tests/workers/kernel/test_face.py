"""What the kernel refuses, how it says so, and what it gives back."""

import threading
from typing import Any

import numpy as np
import pytest

from tests.workers.kernel import recipes
from workers import kernel
from workers.formats.ggml_types import TENSOR_TYPES
from workers.kernel.arrays import type_of

ROWS = recipes.weights("gauss", 3, 4, 768)


@pytest.mark.parametrize("path", kernel.paths())
@pytest.mark.parametrize("name", kernel.TYPES)
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_no_number_is_named_by_row_and_column(name: str, odd: float, path: str) -> None:
    rows = ROWS.copy()
    rows[2, 701] = odd
    rows[3, 5] = odd
    with pytest.raises(
        kernel.KernelError, match="row 2, column 701: the weight is NaN or infinite"
    ) as caught:
        kernel.quantize(rows, name, path=path)
    assert (caught.value.row, caught.value.column) == (2, 701)


@pytest.mark.parametrize("dtype", ["float16", "uint16"])
def test_narrow_weights_that_are_no_numbers_are_refused_too(dtype: str) -> None:
    rows = np.zeros((40, 512), dtype)
    rows.view(np.uint16)[39, 17] = 0x7FC0 if dtype == "uint16" else 0xFC00
    with pytest.raises(kernel.KernelError, match="row 39, column 17"):
        kernel.quantize(rows, "Q6_K")


@pytest.mark.parametrize("path", kernel.paths())
@pytest.mark.parametrize("name", [name for name in kernel.TYPES if name not in ("BF16", "MXFP4", "NVFP4")])
def test_a_scale_beyond_half_precision_is_refused_by_its_block(name: str, path: str) -> None:
    rows = ROWS.copy()
    rows[1, 300:310] = [3e8, -3e8] * 5
    block = type_of(name)[1].block
    with pytest.raises(kernel.KernelError, match="cannot hold the scale") as caught:
        kernel.quantize(rows, name, path=path)
    assert (caught.value.row, caught.value.column) == (1, 300 // block * block)


def test_importance_that_is_no_number_is_refused() -> None:
    importance = np.ones(768, np.float32)
    importance[99] = np.inf
    with pytest.raises(kernel.KernelError, match="column 99: the importance is NaN or infinite"):
        kernel.quantize(ROWS, "Q4_K", importance)
    assert kernel.quantize(ROWS, "Q8_0", importance) == kernel.quantize(ROWS, "Q8_0")


@pytest.mark.parametrize(
    ("rows", "name", "importance", "fault"),
    [
        (ROWS, "Q4_Z", None, "type 'Q4_Z' is unknown"),
        (ROWS, "F32", None, "type 'F32' is unknown"),
        (ROWS[:, :700], "Q4_K", None, "blocks of 256, and rows of 700"),
        (ROWS[0], "Q4_K", None, "1 dimensions"),
        (ROWS, "Q4_K", np.ones(256), r"shape \(256,\)"),
        (ROWS, "Q4_K", np.ones((4, 768)), r"shape \(4, 768\)"),
    ],
)
def test_mistakes_are_told_apart_from_bad_weights(rows: Any, name: str, importance: Any, fault: str) -> None:
    with pytest.raises(ValueError, match=fault) as caught:
        kernel.quantize(rows, name, importance)
    assert not isinstance(caught.value, kernel.KernelError)


def test_other_kinds_of_numbers_are_refused() -> None:
    with pytest.raises(TypeError, match="float64"):
        kernel.quantize(ROWS.astype(np.float64), "Q8_0")


def test_an_unknown_path_is_refused() -> None:
    with pytest.raises(ValueError, match="does not run here"):
        kernel.quantize(ROWS, "Q8_0", path="abacus")


def test_rows_may_lie_anywhere_in_memory() -> None:
    scattered = np.asfortranarray(ROWS)
    reversed_bytes = ROWS.astype(">f4")
    expected = kernel.quantize(ROWS, "Q5_K")
    assert kernel.quantize(scattered, "Q5_K") == expected
    assert kernel.quantize(reversed_bytes, "Q5_K") == expected
    shifted = np.frombuffer(b"\0" + ROWS.tobytes(), np.uint8)[1:].view(np.float32).reshape(ROWS.shape)
    assert kernel.quantize(shifted, "Q5_K") == expected


def test_blocks_can_be_written_into_a_buffer() -> None:
    expected = kernel.quantize(ROWS, "Q4_K")
    room = bytearray(len(expected) + 7)
    assert kernel.quantize_into(ROWS, "Q4_K", room) == len(expected)
    assert bytes(room) == expected + bytes(7)
    with pytest.raises(ValueError, match="writable"):
        kernel.quantize_into(ROWS, "Q4_K", bytearray(10))
    with pytest.raises(ValueError, match="writable"):
        kernel.quantize_into(ROWS, "Q4_K", expected)


def test_no_rows_give_no_blocks() -> None:
    assert kernel.quantize(np.empty((0, 256), np.float32), "Q4_K") == b""
    assert kernel.dequantize(b"", "Q4_K", 256).shape == (0, 256)


@pytest.mark.parametrize("name", kernel.TYPES)
def test_narrow_results_are_the_wide_ones_rounded(name: str) -> None:
    data = kernel.quantize(ROWS, name)
    for path in kernel.paths():
        wide = kernel.dequantize(data, name, 768, path=path)
        narrow = kernel.dequantize(data, name, 768, dtype="bfloat16", path=path)
        assert np.array_equal(narrow, recipes.bf16(wide).view(np.uint32) >> 16)
        halves = kernel.dequantize(data, name, 768, dtype="float16", path=path)
        assert np.array_equal(halves, wide.astype(np.float16))


@pytest.mark.parametrize(
    ("name", "error"), [("Q8_0", 0.006), ("Q6_K", 0.02), ("Q5_K", 0.04), ("Q4_K", 0.08), ("Q3_K", 0.17)]
)
def test_weights_come_back_about_as_they_went(name: str, error: float) -> None:
    back = kernel.dequantize(kernel.quantize(ROWS, name), name, 768)
    assert np.linalg.norm(back - ROWS) < error * np.linalg.norm(ROWS)


def test_cut_blocks_are_refused() -> None:
    data = kernel.quantize(ROWS, "Q4_K")
    with pytest.raises(ValueError, match="no whole number of Q4_K rows"):
        kernel.dequantize(data[:-1], "Q4_K", 768)
    with pytest.raises(ValueError, match="no multiple"):
        kernel.dequantize(data, "Q4_K", 700)


def test_every_type_is_one_that_gguf_files_have() -> None:
    assert set(kernel.TYPES) <= {kind.name for kind in TENSOR_TYPES.values()}


def test_threads_do_not_disturb_each_other() -> None:
    rows = recipes.weights("gauss", 4, 64, 1024)
    expected = kernel.quantize(rows, "Q4_K")
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(kernel.quantize(rows, "Q4_K"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4
