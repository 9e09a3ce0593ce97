"""Metadata pairs as bytes, so that they can be written again: llama.cpp's own writing of them, not the file's."""

import struct
from dataclasses import dataclass
from typing import Any

from workers.formats.ggml_types import ARRAY, BOOL, STRING
from workers.formats.gguf_values import MAX_KEY, Cursor, read_value
from workers.quantizing.errors import QuantizeError

COUNTS = struct.Struct("<QQ")
LENGTH = struct.Struct("<Q")
ARRAY_HEAD = struct.Struct("<IQ")
HEAD = 8
U16, U32, I32 = 2, 4, 5


@dataclass(frozen=True, slots=True)
class Pair:
    """One key, its value type, the value's bytes (an array's begin with item type and count), and a look at it."""

    key: str
    kind: int
    raw: bytes
    value: Any = None

    def to_bytes(self) -> bytes:
        return string(self.key.encode()) + struct.pack("<I", self.kind) + self.raw


def string(raw: bytes) -> bytes:
    return LENGTH.pack(len(raw)) + raw


def text_pair(key: str, text: bytes) -> Pair:
    return Pair(key, STRING, string(text))


def number_pair(key: str, kind: int, number: int) -> Pair:
    return Pair(key, kind, struct.pack({U16: "<H", U32: "<I", I32: "<i"}[kind], number))


def read_pairs(cursor: Cursor) -> list[Pair]:
    """All pairs of a file that an inspection found sound."""
    cursor.skip(HEAD, "the magic and version")
    _, number = COUNTS.unpack(cursor.take(COUNTS.size, "the counts"))
    return [_read_pair(cursor) for _ in range(number)]


def _read_pair(cursor: Cursor) -> Pair:
    key = cursor.raw_string(MAX_KEY, "a metadata key").decode()
    if "\0" in key:
        raise QuantizeError(f"metadata key {key[:200]!r} holds a NUL, which llama.cpp would cut it at")
    kind = cursor.number("<I", key)
    start = cursor.at
    value, _ = read_value(cursor, kind, key)
    raw = cursor.reader.read(start, cursor.at - start)
    return Pair(key, kind, _as_written(kind, raw), value)


def _as_written(kind: int, raw: bytes) -> bytes:
    """llama.cpp copies texts up to their first NUL and writes any true as 1."""
    if kind == STRING:
        return string(raw[LENGTH.size :].partition(b"\0")[0])
    if kind == BOOL:
        return bytes([raw[0] != 0])
    if kind == ARRAY:
        inner, _ = ARRAY_HEAD.unpack_from(raw)
        if inner == STRING:
            return _strings_as_written(raw)
        if inner == BOOL:
            return raw[: ARRAY_HEAD.size] + bytes(item != 0 for item in raw[ARRAY_HEAD.size :])
    return raw


def _strings_as_written(raw: bytes) -> bytes:
    parts, at = [raw[: ARRAY_HEAD.size]], ARRAY_HEAD.size
    while at < len(raw):
        length = LENGTH.unpack_from(raw, at)[0]
        item = raw[at + LENGTH.size : at + LENGTH.size + length]
        parts.append(string(item.partition(b"\0")[0]))
        at += LENGTH.size + length
    return b"".join(parts)
