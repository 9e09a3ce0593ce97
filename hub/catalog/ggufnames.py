"""PURE: names for files that the hub makes, such that readers who choose a file by its name find the one they mean.

llama.cpp's ``-hf NAME:TYPE`` takes the first file in which the type is followed by "." or "-", whatever stands before
it and whatever its case, and passes over names with words that it keeps for other things.
"""

import re

# What files of models can be made into; a test holds this against the worker's own list.
TYPES = (
    "F32", "F16", "BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q5_K_S", "Q5_1", "Q5_0", "Q4_K_M", "Q4_K_S", "Q4_1", "Q4_0",
    "IQ4_NL", "IQ4_XS", "MXFP4_MOE", "Q3_K_L", "Q3_K_M", "Q3_K_S", "Q2_K", "TQ2_0", "TQ1_0", "Q2_0", "Q1_0",
)  # fmt: skip
# Made only with an importance matrix.
TYPES_BY_MATRIX = ("Q2_K_S",)
MAX_STEM_BYTES = 180

_ASKED_FOR = (*TYPES, *TYPES_BY_MATRIX, "FP16", "FP32", "Q3_K", "Q4_K", "Q5_K")
_TYPE = re.compile(
    f"[-_.]?(?:{'|'.join(sorted(_ASKED_FOR, key=len, reverse=True))})(?=[-.]|\\Z)", re.IGNORECASE
)
# With a type behind it, a stem that ends so would begin one of these.
_KEPT_WORD = re.compile(r"(mtp|eagle3|dflash|dspark)(?=-|\Z)")


def stem_of(name: str) -> str:
    """Return what the names of files made of a model begin with, given its own name without ending."""
    bare = _TYPE.sub("", name).replace("mmproj", "mm_proj").replace("imatrix", "i_matrix")
    # With a type and a temporary ending behind it, a name must still fit a disk.
    return _KEPT_WORD.sub(r"\1_", bare).encode()[:MAX_STEM_BYTES].decode(errors="ignore") or "model"


def file_name(stem: str, type_: str) -> str:
    """Return the name of a file of one type; bf16 in small letters comes after F16, whose name it contains."""
    return f"{stem}-{'bf16' if type_ == 'BF16' else type_}.gguf"
