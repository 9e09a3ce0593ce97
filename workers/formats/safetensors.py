"""safetensors: 8 bytes of length, a JSON header that names every tensor, then the data and nothing else.

Judges as the safetensors crate 0.8 does, and more strictly where that crate lets two readers see different
things. Refused here, accepted there: a tensor or metadata key given twice (the crate keeps the last), space
before the first brace (the format's text forbids it), an entry written as an array or a dtype as an object,
an unknown field that holds an object, and whatever passes the bounds below. Accepted here with a warning, there
without one: unknown fields with plain values; what they hold is not judged beyond being JSON.
"""

import struct
from typing import Any

from workers.formats.findings import MAX_TENSORS, FormatError, Inspection, Tensor
from workers.formats.json_walk import JsonWalk
from workers.formats.layout import U64, check_layout, element_count
from workers.formats.reader import RangeReader

MAX_HEADER = 100_000_000
MAX_NAME = 64 * 1024
MAX_ENTRY = 64 * 1024
MAX_METADATA_KEYS = 65_536
MAX_METADATA_STRING = 16 * 1024 * 1024
FIELDS = {"dtype", "shape", "data_offsets"}

BITS = {
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
    "BOOL": 8, "U8": 8, "I8": 8,
    "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32,
    "I64": 64, "U64": 64, "F64": 64, "C64": 64,
}  # fmt: skip


def inspect_safetensors(reader: RangeReader) -> Inspection:
    """Judge the header of a safetensors file against the file's size. Raises only what the reader raises."""
    found = Inspection("safetensors")
    try:
        walk = JsonWalk(_header(reader))
        found.data_start = 8 + len(walk.text)
        _read_header(found, walk)
    except FormatError as error:
        found.error(error.code, str(error))
    else:
        _check_data(found, reader.size)
    return found


def _header(reader: RangeReader) -> bytes:
    if reader.size < 8:
        raise FormatError("truncated", f"the file has {reader.size} bytes; the header length alone takes 8")
    (length,) = struct.unpack("<Q", reader.read(0, 8))
    if length > MAX_HEADER:
        raise FormatError("header-too-large", f"the header claims {length} bytes; {MAX_HEADER} are allowed")
    if 8 + length > reader.size:
        left = reader.size - 8
        raise FormatError("truncated", f"the header claims {length} bytes, but only {left} follow its length")
    raw = reader.read(8, length)
    if not raw.startswith(b"{"):
        raise FormatError("bad-header", "the header does not begin with '{'")
    return raw


def _read_header(found: Inspection, walk: JsonWalk) -> None:
    seen: set[str] = set()
    for name in walk.keys(limit=MAX_NAME, what="a tensor name"):
        if name in seen:
            raise FormatError("duplicate-key", f"the tensor {name[:200]!r} is given twice")
        seen.add(name)
        if len(seen) > MAX_TENSORS:
            raise FormatError("too-many-tensors", f"the header names more than {MAX_TENSORS} tensors")
        if name == "__metadata__":
            _read_metadata(found, walk)
        else:
            _read_tensor(found, name, walk)
    walk.finish()


def _read_metadata(found: Inspection, walk: JsonWalk) -> None:
    if walk.null():
        return
    seen: set[str] = set()
    for key in walk.keys(limit=MAX_NAME, what="a key of __metadata__"):
        if key in seen:
            raise FormatError("duplicate-key", f"__metadata__ gives {key[:200]!r} twice")
        seen.add(key)
        if len(seen) > MAX_METADATA_KEYS:
            raise FormatError("too-much-metadata", f"__metadata__ has more than {MAX_METADATA_KEYS} keys")
        found.put(key, walk.string(limit=MAX_METADATA_STRING, what=f"__metadata__[{key[:100]!r}]"))


def _read_tensor(found: Inspection, name: str, walk: JsonWalk) -> None:
    try:
        entry = walk.flat_object(limit=MAX_ENTRY)
    except FormatError as error:
        raise FormatError(error.code, f"the entry of {name[:200]!r}: {error}") from error
    try:
        found.tensors.append(_tensor(name, entry, found.data_start))
    except FormatError as error:
        found.error(error.code, str(error), name)
    if "\0" in name:
        found.warn("odd-name", "the name holds a NUL character", name)
    if unknown := entry.keys() - FIELDS:
        found.warn("unknown-field", f"unknown fields: {', '.join(sorted(unknown))[:200]}", name)


def _tensor(name: str, entry: dict[str, Any], data_start: int) -> Tensor:
    """The tensor of one entry, its size checked against its shape and dtype."""
    dtype: Any = entry.get("dtype")
    shape: Any = entry.get("shape")
    offsets: Any = entry.get("data_offsets")
    if not isinstance(dtype, str) or dtype not in BITS:
        raise FormatError("unknown-dtype", f"dtype is {str(dtype)[:50]!r}; known are {', '.join(BITS)}")
    if not _whole_numbers(shape):
        raise FormatError("bad-shape", f"shape must list whole numbers below 2**64, not {str(shape)[:100]}")
    if not _whole_numbers(offsets) or len(offsets) != 2 or offsets[1] < offsets[0]:
        text = str(offsets)[:100]
        raise FormatError("bad-offsets", f"data_offsets must be a begin and a later end, not {text}")
    count = element_count(shape, U64)
    if count is None or count * BITS[dtype] > U64:
        raise FormatError("shape-overflow", f"shape {str(shape)[:100]} of {dtype} overflows 64 bits")
    _check_size(offsets[1] - offsets[0], count, dtype)
    return Tensor(name, dtype, tuple(shape), data_start + offsets[0], data_start + offsets[1], count)


def _whole_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


def _check_size(size: int, count: int, dtype: str) -> None:
    bits = count * BITS[dtype]
    if bits % 8:
        raise FormatError("unaligned-size", f"{count} weights of {dtype} take {bits} bits, no whole byte")
    if bits // 8 != size:
        raise FormatError("wrong-size", f"{count} weights of {dtype} take {bits // 8} bytes, not {size}")


def _check_data(found: Inspection, size: int) -> None:
    """The tensors must tile the data exactly. An unreadable entry leaves a hole, so then none is reported."""
    if not found.ok:
        return
    end = check_layout(found, size=size)
    if end < size:
        found.error("trailing-bytes", f"{size - end} bytes at the end of the file belong to no tensor")
