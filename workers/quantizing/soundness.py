"""Bytes that are copied are looked at too: NaN and infinity, and scales of blocks that are one of them."""

import numpy as np
from numpy.typing import NDArray

from workers.quantizing.types import KNOWN

Bytes = NDArray[np.uint8]

# The bits of an exponent that is all ones: infinity or NaN.
EXPONENTS = {"F16": (2, 0x7C00), "BF16": (2, 0x7F80), "F32": (4, 0x7F800000)}
# Where the half-precision scales lie in a block.
SCALES = {
    "Q4_0": (0,), "Q4_1": (0, 2), "Q5_0": (0,), "Q5_1": (0, 2), "Q8_0": (0,), "Q2_K": (80, 82), "Q3_K": (108,),
    "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,), "IQ2_XXS": (0,), "IQ2_XS": (0,), "IQ2_S": (0,),
    "IQ3_XXS": (0,), "IQ3_S": (0,), "IQ1_S": (0,), "IQ4_NL": (0,), "IQ4_XS": (0,), "TQ1_0": (52,), "TQ2_0": (64,),
    "Q1_0": (0,), "Q2_0": (0,),
}  # fmt: skip
WHOLE_NUMBERS = ("I8", "I16", "I32", "I64")
# Its scales are small floats of which every pattern is a number, as far as llama.cpp checks.
UNCHECKED = ("NVFP4", *WHOLE_NUMBERS)
IQ1_M_SCALES = 48
NO_EXPONENT = 0xFF


def fault_in(raw: Bytes, kind: str) -> int | None:
    """The number of the first block (or float) that is no number, or None. Raises KeyError for types no file holds."""
    if kind in UNCHECKED:
        return None
    if kind in EXPONENTS:
        width, mask = EXPONENTS[kind]
        words = raw.view(f"<u{width}")
        return _first((words & words.dtype.type(mask)) == mask)
    if kind == "F64":
        # ggml looks at them as floats of half the width.
        with np.errstate(over="ignore", invalid="ignore"):
            return _first(~np.isfinite(raw.view("<f8").astype(np.float32)))
    blocks = raw.reshape(-1, KNOWN[kind].size)
    if kind == "MXFP4":
        return _first(blocks[:, 0] == NO_EXPONENT)
    if kind == "Q8_K":
        return fault_in(np.ascontiguousarray(blocks[:, :4]).reshape(-1), "F32")
    if kind == "IQ1_M":
        return fault_in(_scales_of_iq1_m(blocks), "F16")
    faults = [
        fault
        for at in SCALES[kind]
        if (fault := fault_in(np.ascontiguousarray(blocks[:, at : at + 2]).reshape(-1), "F16")) is not None
    ]
    return min(faults, default=None)


def _scales_of_iq1_m(blocks: Bytes) -> Bytes:
    """The scale is spread over the top four bits of four words."""
    words = np.ascontiguousarray(blocks[:, IQ1_M_SCALES:]).view("<u2")
    tops = words & np.uint16(0xF000)
    return (tops[:, 0] >> 12 | tops[:, 1] >> 8 | tops[:, 2] >> 4 | tops[:, 3]).astype("<u2").view(np.uint8)


def _first(wrong: NDArray[np.bool_]) -> int | None:
    return int(wrong.argmax()) if wrong.any() else None
