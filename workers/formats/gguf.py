"""GGUF versions 2 and 3: metadata, tensor infos, and a data section that holds every tensor whole.

Judges as ggml's own reader does. Accepted here with a warning, refused there: names of 64 bytes or more,
nested arrays. Refused here, accepted there: an alignment that is no multiple of 8 (its text asks for it),
and whatever passes the bounds in gguf_values. Shapes are told as in the file, fastest dimension first.
"""

from typing import Any

from workers.formats.findings import MAX_TENSORS, FormatError, Inspection, Tensor
from workers.formats.ggml_types import ARRAY, FILE_TYPES, REMOVED_TYPES, TENSOR_TYPES, TensorType
from workers.formats.gguf_values import MAX_HEAD_STRING, MAX_KEY, Cursor, read_value
from workers.formats.layout import align_up, check_layout, element_count
from workers.formats.reader import CachedReader, RangeReader

MAGIC = b"GGUF"
MAX_METADATA_KEYS = 65_536
MAX_DIMENSIONS = 4
MAX_TENSOR_NAME = 64 * 1024
NAME_ROOM = 64
I63 = 2**63 - 1
DEFAULT_ALIGNMENT = 32
TOKENS = "tokenizer.ggml.tokens"
SMALLEST_PAIR = 8 + 1 + 4 + 1
SMALLEST_INFO = 8 + 4 + 4 + 8


def inspect_gguf(reader: RangeReader) -> Inspection:
    """Judge the header of a GGUF file against the file's size. Raises only what the reader raises."""
    found = Inspection("gguf")
    cursor = Cursor(CachedReader(reader))
    try:
        tensors, pairs = _counts(cursor)
        tokens_at = _read_metadata(found, cursor, pairs)
        alignment = _alignment(found)
        _read_tensors(found, cursor, tensors, alignment)
        found.summary = _summary(found, cursor, tokens_at)
    except FormatError as error:
        found.error(error.code, str(error))
    else:
        _check_data(found, reader.size, alignment)
    return found


def _counts(cursor: Cursor) -> tuple[int, int]:
    """How many tensors and metadata pairs follow; refuses other versions by name."""
    if cursor.take(4, "the magic") != MAGIC:
        raise FormatError("bad-magic", "the file does not begin with 'GGUF'")
    version = cursor.number("<I", "the version")
    if version and version & 0xFFFF == 0:
        raise FormatError("big-endian", "the file is big-endian; only little-endian GGUF is read")
    if version == 1:
        raise FormatError(
            "old-version", "this is GGUF version 1, which no reader takes any more; convert it anew"
        )
    if version not in (2, 3):
        raise FormatError("unknown-version", f"this is GGUF version {version}; versions 2 and 3 are read")
    tensors, pairs = cursor.number("<Q", "the tensor count"), cursor.number("<Q", "the metadata count")
    if tensors > MAX_TENSORS:
        raise FormatError("too-many-tensors", f"{tensors} tensors are claimed; the limit is {MAX_TENSORS}")
    if pairs > MAX_METADATA_KEYS:
        raise FormatError("too-much-metadata", f"{pairs} keys are claimed; the limit is {MAX_METADATA_KEYS}")
    cursor.need(tensors * SMALLEST_INFO + pairs * SMALLEST_PAIR, "what the header counts")
    return tensors, pairs


def _text(raw: bytes, what: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise FormatError("bad-utf8", f"{what} is not UTF-8: {raw[:100]!r}") from error


def _read_metadata(found: Inspection, cursor: Cursor, pairs: int) -> int | None:
    """Keep every metadata value; answer where the list of tokens lies, if there is one."""
    tokens_at = None
    seen: set[str] = set()
    for number in range(pairs):
        what = f"metadata key {number}"
        key = _text(cursor.raw_string(MAX_KEY, what), what)
        if not key or key in seen:
            found.error("bad-key", f"{what}, {key[:200]!r}, is empty or given twice")
        kind = cursor.number("<I", f"the value type of {key[:200]!r}")
        if key == TOKENS and kind == ARRAY and key not in seen:
            tokens_at = cursor.at
        _keep(found, key, read_value(cursor, kind, repr(key[:200])), known=key in seen)
        seen.add(key)
    return tokens_at


def _keep(found: Inspection, key: str, read: tuple[Any, bool], *, known: bool) -> None:
    value, whole = read
    if not whole:
        found.warn("metadata-clipped", f"metadata {key[:200]!r} is longer than 64 KiB and is kept clipped")
    if isinstance(value, dict) and value["type"] == "arr":
        found.warn("nested-array", f"metadata {key[:200]!r} is an array of arrays, which llama.cpp refuses")
    if not known:
        found.put(key, value)


def _alignment(found: Inspection) -> int:
    value = found.metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    if type(value) is not int or value < 8 or value & (value - 1):
        message = f"general.alignment is {str(value)[:100]}; it must be a power of two and a multiple of 8"
        raise FormatError("bad-alignment", message)
    return value


def _read_tensors(found: Inspection, cursor: Cursor, number: int, alignment: int) -> None:
    """Read every tensor info; its offset becomes one in the file once the infos' end is known."""
    seen: set[str] = set()
    infos = []
    for position in range(number):
        what = f"the name of tensor {position}"
        name = _text(cursor.raw_string(MAX_TENSOR_NAME, what), what)
        if name in seen:
            found.error("duplicate-tensor", "the name is given twice", name)
        seen.add(name)
        if len(name.encode()) >= NAME_ROOM:
            found.warn("long-name", f"the name has {NAME_ROOM} bytes or more, which llama.cpp refuses", name)
        infos.append((name, *_info(cursor, name)))
    found.data_start = align_up(cursor.at, alignment) if infos else cursor.at
    for name, shape, kind, offset in infos:
        _add_tensor(found, (name, shape, kind, offset), alignment)


def _info(cursor: Cursor, name: str) -> tuple[tuple[int, ...], int, int]:
    what = f"the info of tensor {name[:200]!r}"
    dimensions = cursor.number("<I", what)
    if dimensions > MAX_DIMENSIONS:
        message = f"tensor {name[:200]!r} has {dimensions} dimensions; the limit is {MAX_DIMENSIONS}"
        raise FormatError("too-many-dimensions", message)
    *shape, kind, offset = cursor.numbers(f"<{dimensions}QIQ", what)
    return tuple(shape), kind, offset


def _add_tensor(found: Inspection, info: tuple[str, tuple[int, ...], int, int], alignment: int) -> None:
    name, shape, kind, offset = info
    try:
        if offset % alignment:
            raise FormatError("unaligned", f"the offset {offset} is no multiple of the alignment {alignment}")
        dtype = _tensor_type(kind)
        count = _count(shape, dtype)
    except FormatError as error:
        found.error(error.code, str(error), name)
        return
    start = found.data_start + offset
    end = start + count // dtype.block * dtype.size
    found.tensors.append(Tensor(name, dtype.name, shape, start, end, count))


def _tensor_type(kind: int) -> TensorType:
    if kind in REMOVED_TYPES:
        raise FormatError("removed-dtype", f"{REMOVED_TYPES[kind]} is gone from ggml; convert the model anew")
    if kind not in TENSOR_TYPES:
        raise FormatError("unknown-dtype", f"type {kind} is no ggml type known here")
    return TENSOR_TYPES[kind]


def _count(shape: tuple[int, ...], dtype: TensorType) -> int:
    count = element_count(shape, I63)
    if count is None or max(shape, default=0) > I63:
        raise FormatError("shape-overflow", f"shape {shape} overflows 63 bits")
    row = shape[0] if shape else 1
    if row % dtype.block:
        raise FormatError(
            "partial-block", f"a row has {row} weights; {dtype.name} needs a multiple of {dtype.block}"
        )
    return count


def _check_data(found: Inspection, size: int, alignment: int) -> None:
    """Every tensor must lie where the running sum of padded sizes puts it; llama.cpp reads no other file."""
    if not found.ok:
        return
    end = check_layout(found, size=size, alignment=alignment)
    starts = [tensor.start for tensor in found.tensors]
    if found.ok and starts != sorted(starts):
        found.error("tensor-order", "the tensors' data is not in the order of their infos")
    padded = align_up(end, alignment) if starts else end
    if found.ok and end <= size < padded:
        found.warn("no-padding", f"{padded - size} bytes of padding after the last tensor are missing")
    if size > padded:
        found.warn("trailing-bytes", f"{size - padded} bytes at the end of the file belong to no tensor")


def _summary(found: Inspection, cursor: Cursor, tokens_at: int | None) -> dict[str, Any]:
    """What readers ask for first, of the right type or absent."""
    meta = found.metadata
    architecture = _typed(meta.get("general.architecture"), str)
    wanted = {
        "architecture": architecture,
        "name": _typed(meta.get("general.name"), str),
        "file_type": FILE_TYPES.get(_typed(meta.get("general.file_type"), int)),
        "context_length": _typed(meta.get(f"{architecture}.context_length"), int),
        "chat_template": _typed(meta.get("tokenizer.chat_template"), str),
        "license": _typed(meta.get("general.license"), str),
        "bos_token": _token(found, cursor, tokens_at, "tokenizer.ggml.bos_token_id"),
        "eos_token": _token(found, cursor, tokens_at, "tokenizer.ggml.eos_token_id"),
        "split": _split(found),
    }
    if architecture is None and not (wanted["split"] or {}).get("no"):
        found.warn("no-architecture", "general.architecture is missing, so llama.cpp cannot load the file")
    return {key: value for key, value in wanted.items() if value is not None}


def _typed(value: Any, kind: type) -> Any:
    return value if type(value) is kind else None


def _token(found: Inspection, cursor: Cursor, tokens_at: int | None, key: str) -> str | None:
    """The text of the token whose id the key holds: the list is walked once more up to it."""
    number, tokens = found.metadata.get(key), found.metadata.get(TOKENS)
    if type(number) is not int or tokens_at is None:
        return None
    if not isinstance(tokens, dict) or tokens["type"] != "str":
        return None
    if not 0 <= number < tokens["len"]:
        found.warn("bad-token-id", f"{key} is {number}; there are {tokens['len']} tokens")
        return None
    here, cursor.at = cursor.at, tokens_at + 4 + 8
    cursor.skip_strings(number, TOKENS)
    token, _ = cursor.clipped_string(MAX_HEAD_STRING, TOKENS)
    cursor.at = here
    return token


def _split(found: Inspection) -> dict[str, int] | None:
    """Which part of a split model this file is: `no` counts from 0, `tensors` is the count over all parts."""
    meta = found.metadata
    if not any(key.startswith("split.") for key in meta):
        return None
    part = {name: meta.get(f"split.{name}") for name in ("no", "count")}
    part["tensors"] = meta.get("split.tensors.count")
    numbers = {name: value for name, value in part.items() if type(value) is int and value >= 0}
    if "no" not in numbers or "count" not in numbers or numbers["no"] >= max(numbers["count"], 1):
        found.error("bad-split", f"split.no is {part['no']!s:.50} of split.count {part['count']!s:.50}")
    return numbers
