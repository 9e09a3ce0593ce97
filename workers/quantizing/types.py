"""Names of types: of whole files, as on the command line, and of tensors, as in a GGUF file."""

from typing import NamedTuple

from workers.formats.ggml_types import FILE_TYPES as NAMES_BY_NUMBER
from workers.formats.ggml_types import TENSOR_TYPES
from workers.quantizing.errors import QuantizeError

FLOATS = ("F32", "F16", "BF16")
KNOWN = {kind.name: kind for kind in TENSOR_TYPES.values()}
NUMBERS = {kind.name: number for number, kind in TENSOR_TYPES.items()}

# What a tensor can be turned into.
MADE = (
    "F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K",
    "IQ4_NL", "IQ4_XS", "TQ1_0", "TQ2_0", "MXFP4", "NVFP4", "Q1_0", "Q2_0",
)  # fmt: skip

# The type that most tensors of a file get, where it is not the file's own name.
DEFAULTS = {
    "Q2_K_S": "Q2_K", "Q3_K_S": "Q3_K", "Q3_K_M": "Q3_K", "Q3_K_L": "Q3_K", "Q4_K_S": "Q4_K", "Q4_K_M": "Q4_K",
    "Q5_K_S": "Q5_K", "Q5_K_M": "Q5_K", "MXFP4_MOE": "MXFP4",
}  # fmt: skip
ALIASES = {"Q3_K": "Q3_K_M", "Q4_K": "Q4_K_M", "Q5_K": "Q5_K_M"}


class FileType(NamedTuple):
    """A mix: its name, its number in general.file_type, and the tensor type it is built on."""

    name: str
    number: int
    default: str


# NVFP4 has a number, but llama-quantize makes no file of it.
FILE_TYPES = {
    name: FileType(name, number, DEFAULTS.get(name, name))
    for number, name in NAMES_BY_NUMBER.items()
    if DEFAULTS.get(name, name) in MADE and name != "NVFP4"
}


def file_type(name: str) -> FileType:
    """The file type of a name in any case; Q3_K, Q4_K and Q5_K mean their medium mixes."""
    upper = name.upper()
    found = FILE_TYPES.get(ALIASES.get(upper, upper))
    if found is None:
        raise QuantizeError(f"{name!r} is no file type known here; known are {', '.join(FILE_TYPES)}")
    return found


def tensor_type(name: str) -> str:
    """The tensor type of a name in any case, if tensors can be turned into it."""
    upper = name.upper()
    if upper not in MADE:
        raise QuantizeError(f"{name!r} is no type that tensors can be given; known are {', '.join(MADE)}")
    return upper


def block(name: str) -> int:
    """How many weights of a row form one block."""
    return KNOWN[name].block


def bytes_of(name: str, weights: int) -> int:
    """What so many weights take; they must be whole blocks."""
    return weights // KNOWN[name].block * KNOWN[name].size
