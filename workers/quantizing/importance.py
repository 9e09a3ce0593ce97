"""Importance matrices: how much each column of a tensor matters, as llama-imatrix counted it.

Two formats are read: GGUF, with two tensors for each entry (`NAME.in_sum2`, `NAME.counts`), and the older binary
one. Only positions are kept; an entry's values are read when its tensor comes up.
"""

import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workers.formats.findings import FormatError, Tensor
from workers.formats.ggml_types import ARRAY, STRING
from workers.formats.gguf import MAGIC, inspect_gguf
from workers.formats.gguf_values import Cursor
from workers.formats.reader import CachedReader, FileReader
from workers.quantizing.errors import QuantizeError
from workers.quantizing.pairs import ARRAY_HEAD, LENGTH, Pair, read_pairs

Values = NDArray[np.float32]

SUMS, COUNTS = ".in_sum2", ".counts"
DATASETS, CHUNKS, CHUNK_SIZE = "imatrix.datasets", "imatrix.chunk_count", "imatrix.chunk_size"
MAX_ENTRIES = 500_000
MAX_NAME = 65_535
MAX_ENTRY = 2**30
WORD = struct.Struct("<i")
FLOAT = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """Where the values of one tensor lie: `weights` sums, and counts of which each covers as many of them."""

    weights: int
    sums: int
    counts: int
    number: int = 1
    calls: int | None = None


@dataclass(slots=True)
class Importance:
    """One file: `dataset` is the first text it was made of, `chunks` how many pieces of it, where told."""

    path: Path
    entries: dict[str, Entry] = field(default_factory=dict)
    dataset: bytes | None = None
    chunks: int = 0

    def values(self, name: str) -> Values:
        """The weights of a tensor's columns, expert after expert. Raises QuantizeError for NaN or infinity."""
        entry = self.entries[name]
        with FileReader(self.path) as reader:
            sums = np.frombuffer(reader.read(entry.sums, entry.weights * FLOAT), "<f4")
            if entry.calls is None:
                counts = np.frombuffer(reader.read(entry.counts, entry.number * FLOAT), "<f4")
        found = _by_calls(sums, entry.calls) if entry.calls is not None else _by_counts(sums, counts)
        if not np.isfinite(found).all():
            raise QuantizeError(f"{self.path}: the entry of tensor {name!r} holds NaN or infinity")
        return found


def _by_counts(sums: Values, counts: Values) -> Values:
    """Means; an expert that nothing was sent through counts every column alike."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        whole = np.trunc(counts.astype(np.float64) + np.copysign(0.5, counts)).astype(np.float32)[:, None]
        means = sums.reshape(len(counts), -1) / whole
    return np.ascontiguousarray(np.where(whole > 0, means, np.float32(1)), np.float32).reshape(-1)


def _by_calls(sums: Values, calls: int) -> Values:
    return sums / np.float32(calls) if calls > 0 else sums.copy()


def read_importance(path: Path) -> Importance:
    """Read where everything lies. Raises QuantizeError for a file that is no importance matrix."""
    try:
        with FileReader(path) as file:
            reader = CachedReader(file)
            is_gguf = file.size >= len(MAGIC) and file.read(0, len(MAGIC)) == MAGIC
            found = _read_gguf(path, reader) if is_gguf else _read_older(path, reader)
    except FormatError as error:
        raise QuantizeError(f"{path}: {error}") from error
    except OSError as error:
        raise QuantizeError(f"{path}: {error.strerror or error}") from error
    if not found.entries:
        raise QuantizeError(f"{path}: holds no entries, so it is no importance matrix")
    return found


def _read_gguf(path: Path, reader: CachedReader) -> Importance:
    inspection = inspect_gguf(reader)
    fault = next((finding for finding in inspection.findings if finding.severity == "error"), None)
    if fault is not None:
        raise QuantizeError(f"{path}: {fault.message}")
    pairs = {pair.key: pair for pair in read_pairs(Cursor(reader))}
    missing = [key for key in (DATASETS, CHUNKS, CHUNK_SIZE) if key not in pairs]
    if missing:
        raise QuantizeError(f"{path}: {missing[0]} is missing, so it is no importance matrix")
    chunks = pairs[CHUNKS].value
    if type(chunks) is not int:
        raise QuantizeError(f"{path}: {CHUNKS} is no whole number")
    entries = _entries(path, {tensor.name: tensor for tensor in inspection.tensors})
    return Importance(path, entries, _first_text(pairs[DATASETS]), chunks)


def _entries(path: Path, tensors: dict[str, Tensor]) -> dict[str, Entry]:
    names = {
        name.removesuffix(ending) for name in tensors for ending in (SUMS, COUNTS) if name.endswith(ending)
    }
    entries = {}
    for name in sorted(names):
        sums, counts = tensors.get(name + SUMS), tensors.get(name + COUNTS)
        if sums is None or counts is None:
            raise QuantizeError(f"{path}: {name!r} has only one of {SUMS} and {COUNTS}")
        if sums.dtype != "F32" or counts.dtype != "F32":
            raise QuantizeError(f"{path}: {name!r} is no F32; sums and counts must be")
        if not counts.weights or sums.weights % counts.weights or sums.weights * FLOAT > MAX_ENTRY:
            raise QuantizeError(f"{path}: {name!r} has {sums.weights} sums for {counts.weights} counts")
        entries[name] = Entry(sums.weights, sums.start, counts.start, counts.weights)
    return entries


def _first_text(pair: Pair) -> bytes | None:
    """The first text of a list of texts."""
    if pair.kind != ARRAY:
        return None
    kind, number = ARRAY_HEAD.unpack_from(pair.raw)
    if kind != STRING or not number:
        return None
    start = ARRAY_HEAD.size + LENGTH.size
    return pair.raw[start : start + LENGTH.unpack_from(pair.raw, ARRAY_HEAD.size)[0]]


def _read_older(path: Path, reader: CachedReader) -> Importance:
    """A count of entries; each with a name, its number of calls, its values; then chunks and a dataset, or nothing."""
    cursor = Cursor(reader)
    # Unlike a header, such a file may be large throughout.
    cursor.limit = reader.size
    number = cursor.number("<i", "the number of entries")
    if not 1 <= number <= MAX_ENTRIES:
        raise QuantizeError(f"{path}: is neither GGUF nor an older importance matrix")
    found = Importance(path)
    for position in range(number):
        what = f"entry {position}"
        name = _older_text(cursor, what).decode("utf-8", "replace")
        calls, weights = cursor.numbers("<ii", what)
        if not 1 <= weights * FLOAT <= MAX_ENTRY:
            raise QuantizeError(f"{path}: {what} claims {weights} values")
        found.entries[name] = Entry(weights, cursor.at, 0, calls=calls)
        cursor.skip(weights * FLOAT, what)
    if cursor.at + WORD.size <= reader.size:
        found.chunks = cursor.number("<i", "the number of chunks")
        if cursor.at + WORD.size <= reader.size:
            found.dataset = _older_text(cursor, "the dataset") or None
    return found


def _older_text(cursor: Cursor, what: str) -> bytes:
    length = cursor.number("<i", what)
    if not 0 <= length <= MAX_NAME:
        raise FormatError("too-long", f"{what} claims a text of {length} bytes; the limit is {MAX_NAME}")
    return cursor.take(length, what).partition(b"\0")[0]
