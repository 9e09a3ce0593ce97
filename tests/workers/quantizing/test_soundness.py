"""Bytes that are copied are judged as ggml judges them."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.workers.kernel import ggml
from workers.formats.ggml_types import TENSOR_TYPES
from workers.quantizing.soundness import fault_in

BLOCKS = 64
# ggml has no use for these in files.
NEVER_IN_FILES = ("Q8_1",)


def patterns(size: int) -> Iterator[NDArray[np.uint8]]:
    """Two blocks, zeros but for what would be infinity or NaN in one place; and bytes all alike."""
    for at in range(2 * size - 1):
        row = np.zeros(2 * size, np.uint8)
        row[at : at + 2] = (0xFF, 0x7F)
        yield row
    for byte in (0x00, 0x7B, 0xFF):
        yield np.full(2 * size, byte, np.uint8)


@pytest.mark.parametrize("number", TENSOR_TYPES)
def test_blocks_are_refused_where_ggml_refuses_them(number: int) -> None:
    kind = TENSOR_TYPES[number]
    refused = 0
    for row in patterns(kind.size):
        blocks = np.zeros((BLOCKS, 2 * kind.size), np.uint8)
        blocks[BLOCKS // 3] = row
        with ggml.silence():
            sound = ggml.library().ggml_validate_row_data(number, blocks.ctypes.data, blocks.nbytes)
        if kind.name in NEVER_IN_FILES:
            assert not sound
            continue
        fault = fault_in(blocks.reshape(-1), kind.name)
        assert (fault is None) == sound
        assert fault is None or fault // 2 == BLOCKS // 3
        refused += fault is not None
    assert refused or kind.name in ("NVFP4", "I8", "I16", "I32", "I64", *NEVER_IN_FILES)


def test_types_that_no_file_holds_are_told_from_those_that_one_may_hold() -> None:
    with pytest.raises(KeyError):
        fault_in(np.zeros(36, np.uint8), "Q8_1")
