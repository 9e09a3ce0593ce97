"""A position in the header of a GGUF file, and the metadata values read there."""

import struct
from typing import Any

from workers.formats.findings import FormatError
from workers.formats.ggml_types import ARRAY, BOOL, SCALARS, STRING
from workers.formats.reader import RangeReader

MAX_HEADER = 256 * 1024 * 1024
MAX_ITEMS = 8_000_000
MAX_DEPTH = 4
MAX_KEY = 65_535
MAX_KEPT_STRING = 64 * 1024
MAX_HEAD_STRING = 256
HEAD = 8
NESTED_COST = 16
WALK = 64 * 1024
LENGTH = struct.Struct("<Q")


class Cursor:
    """Reads forward.

    The header must end within 256 MiB and hold at most 8 million items in arrays of strings or arrays;
    an inner array costs as much as 16 strings.
    """

    def __init__(self, reader: RangeReader) -> None:
        self.reader = reader
        self.limit = min(reader.size, MAX_HEADER)
        self.at = 0
        self.items = 0

    def need(self, length: int, what: str) -> None:
        """Refuse a length that the rest of the file, or the bound on the header, cannot hold."""
        if length <= self.limit - self.at:
            return
        if self.limit < self.reader.size and self.at + length <= self.reader.size:
            raise FormatError(
                "header-too-large", f"{what} at byte {self.at} would end past byte {MAX_HEADER}"
            )
        left = self.reader.size - self.at
        raise FormatError("truncated", f"{what} at byte {self.at} takes {length} bytes; {left} are left")

    def take(self, length: int, what: str) -> bytes:
        self.need(length, what)
        data = self.reader.read(self.at, length)
        self.at += length
        return data

    def skip(self, length: int, what: str) -> None:
        self.need(length, what)
        self.at += length

    def numbers(self, form: str, what: str) -> tuple[Any, ...]:
        return struct.unpack(form, self.take(struct.calcsize(form), what))

    def number(self, form: str, what: str) -> Any:
        return self.numbers(form, what)[0]

    def count(self, number: int, what: str) -> None:
        """Spend from the budget of items, before they are walked."""
        self.items += number
        if self.items > MAX_ITEMS:
            raise FormatError("too-many-items", f"{what} brings the header over {MAX_ITEMS} items")

    def raw_string(self, limit: int, what: str) -> bytes:
        """A string of at most `limit` bytes."""
        length = self.number("<Q", f"the length of {what}")
        self.need(length, what)
        if length > limit:
            raise FormatError("too-long", f"{what} takes {length} bytes; the limit is {limit}")
        return self.take(length, what)

    def clipped_string(self, limit: int, what: str) -> tuple[str, bool]:
        """A string of any length, of which the first `limit` bytes are kept; whether all of it was kept."""
        length = self.number("<Q", f"the length of {what}")
        self.need(length, what)
        kept = self.take(min(length, limit), what)
        self.skip(length - len(kept), what)
        return kept.decode("utf-8", "replace"), len(kept) == length

    def skip_strings(self, number: int, what: str) -> None:
        """Walk over strings a block at a time; only their lengths are looked at."""
        while number:
            block = self.reader.read(self.at, min(WALK, self.limit - self.at))
            walked = 0
            while number and walked <= len(block) - 8:
                walked += 8 + LENGTH.unpack_from(block, walked)[0]
                number -= 1
            self.skip(walked or 8, what)


def read_value(cursor: Cursor, kind: int, key: str) -> tuple[Any, bool]:
    """One metadata value as JSON has it, and whether it is whole; an array becomes {type, len, head}."""
    if kind in SCALARS:
        return _scalar(cursor, kind, key), True
    if kind == STRING:
        return cursor.clipped_string(MAX_KEPT_STRING, key)
    if kind == ARRAY:
        return _array(cursor, key, 1), True
    raise FormatError("bad-value-type", f"{key} has value type {kind}; known are 0 to 12")


def _scalar(cursor: Cursor, kind: int, key: str) -> Any:
    value = cursor.number(SCALARS[kind][1], key)
    return value != 0 if kind == BOOL else value


def _array(cursor: Cursor, key: str, depth: int) -> dict[str, Any]:
    """Summarise an array: its first eight items are read, the rest is only measured."""
    kind = cursor.number("<I", f"the item type of {key}")
    length = cursor.number("<Q", f"the item count of {key}")
    if kind in SCALARS:
        name, form = SCALARS[kind]
        width = struct.calcsize(form)
        cursor.need(length * width, key)
        head = [_scalar(cursor, kind, key) for _ in range(min(length, HEAD))]
        cursor.skip((length - len(head)) * width, key)
        return {"type": name, "len": length, "head": head}
    if kind == STRING:
        return _string_array(cursor, key, length)
    if kind == ARRAY:
        return _nested_array(cursor, key, length, depth)
    raise FormatError("bad-value-type", f"{key} is an array of value type {kind}; known are 0 to 12")


def _string_array(cursor: Cursor, key: str, length: int) -> dict[str, Any]:
    cursor.need(length * 8, key)
    cursor.count(length, key)
    head = [cursor.clipped_string(MAX_HEAD_STRING, key)[0] for _ in range(min(length, HEAD))]
    cursor.skip_strings(length - len(head), key)
    return {"type": "str", "len": length, "head": head}


def _nested_array(cursor: Cursor, key: str, length: int, depth: int) -> dict[str, Any]:
    if depth >= MAX_DEPTH:
        raise FormatError("too-deep", f"{key} nests arrays more than {MAX_DEPTH} deep")
    cursor.need(length * 12, key)
    cursor.count(length * NESTED_COST, key)
    for _ in range(length):
        _array(cursor, key, depth + 1)
    return {"type": "arr", "len": length, "head": []}
