"""Metadata that is put into the header of a GGUF file beside its own: who made it, out of what, under which license.

A value's type in the file follows from its type here: text; true or false; a whole number as u32, or u64, i32, i64
where u32 cannot hold it; another number as f32; a list of any one of these, not empty.
"""

import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import NamedTuple, TypeVar

from workers.formats.ggml_types import ARRAY, BOOL, SCALARS, STRING

Value = str | bool | int | float
Metadata = Mapping[str, Value | Sequence[Value]]
T = TypeVar("T")

# Decided by what is written, so nobody else may.
OURS = ("general.architecture", "general.alignment", "general.file_type", "general.quantization_version")
OUR_PARTS = ("split.", "quantize.imatrix.")
GENERAL = "general."
# Written in the middle or at the end of a header, whatever their names say.
OUT_OF_PLACE = OURS[2:]
KEY = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+", re.ASCII)
MAX_KEYS = 1024
MAX_KEY = 255
MAX_TEXT = 2**20
MAX_ITEMS = 65_536
U32, I32, F32, U64, I64 = 4, 5, 6, 10, 11
WHOLE = {U32: (0, 2**32), I32: (-(2**31), 2**31), U64: (0, 2**64), I64: (-(2**63), 2**63)}


class Typed(NamedTuple):
    """A value with its type in the file; `inner` is the type of a list's items."""

    value: Value | Sequence[Value]
    kind: int
    inner: int | None = None

    def to_bytes(self) -> bytes:
        """The value as the file holds it, a list with its item type and length in front."""
        if self.inner is None:
            return _packed(self.value, self.kind)
        assert isinstance(self.value, Sequence)
        head = struct.pack("<IQ", self.inner, len(self.value))
        return head + b"".join(_packed(item, self.inner) for item in self.value)


def typed(metadata: Metadata) -> dict[str, Typed]:
    """Judge keys and values, and give each its type. Raises ValueError that names the key."""
    if len(metadata) > MAX_KEYS:
        raise ValueError(f"metadata: {len(metadata)} keys are given; the limit is {MAX_KEYS}")
    for key in metadata:
        if not KEY.fullmatch(key) or len(key) > MAX_KEY:
            raise ValueError(f"metadata {key[:100]!r}: a key is words joined by dots, such as general.name")
        if key in OURS or key.startswith(OUR_PARTS):
            raise ValueError(f"metadata {key}: is decided by the file that is written; leave it out")
    return {key: _typed(key, value) for key, value in metadata.items()}


def merged(own: Iterable[tuple[str, T]], added: Mapping[str, T]) -> list[tuple[str, T]]:
    """A header's pairs with others added: in the place of one of the same name, else behind the general keys."""
    pairs = [(key, added.get(key, pair)) for key, pair in own]
    known = {key for key, _ in pairs}
    places = [
        place + 1
        for place, (key, _) in enumerate(pairs)
        if key.startswith(GENERAL) and key not in OUT_OF_PLACE
    ]
    place = max(places, default=0)
    return pairs[:place] + [(key, pair) for key, pair in added.items() if key not in known] + pairs[place:]


def _typed(key: str, value: Value | Sequence[Value]) -> Typed:
    if isinstance(value, str | bool | int | float):
        return Typed(value, _kind(key, [value]))
    if not isinstance(value, Sequence) or isinstance(value, bytes | bytearray) or not value:
        raise ValueError(f"metadata {key}: must be text, a number, true, false, or a list of some of these")
    if len(value) > MAX_ITEMS:
        raise ValueError(f"metadata {key}: has {len(value)} items; the limit is {MAX_ITEMS}")
    return Typed(value, ARRAY, _kind(key, value))


def _kind(key: str, items: Sequence[Value]) -> int:
    """The one type that holds all of the items."""
    kinds = {type(item) for item in items}
    if kinds == {str}:
        if any(len(str(item)) > MAX_TEXT or "\0" in str(item) for item in items):
            raise ValueError(f"metadata {key}: a text holds a NUL, or has more than {MAX_TEXT} characters")
        return STRING
    if kinds == {bool}:
        return BOOL
    if kinds == {int}:
        return _whole(key, [int(item) for item in items])
    if kinds <= {int, float}:
        if all(isfinite(item) and abs(item) < 3.4e38 for item in map(float, items)):
            return F32
        raise ValueError(f"metadata {key}: a number does not fit into 32-bit floating point")
    raise ValueError(f"metadata {key}: a list must hold only texts, only numbers, or only true and false")


def _whole(key: str, items: Sequence[int]) -> int:
    for kind, (least, end) in WHOLE.items():
        if all(least <= item < end for item in items):
            return kind
    raise ValueError(f"metadata {key}: a whole number does not fit into 64 bits")


def _packed(value: object, kind: int) -> bytes:
    if kind == STRING:
        raw = str(value).encode("utf-8", "replace")
        return struct.pack("<Q", len(raw)) + raw
    return struct.pack(SCALARS[kind][1], value)
