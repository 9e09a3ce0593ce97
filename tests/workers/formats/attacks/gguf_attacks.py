"""GGUF files that lie, with the code of the finding that each must get."""

import struct
from collections.abc import Callable

from tests.workers.formats.build import ARCHITECTURE, Info, array, gguf, number_pair, pair, string, text_pair

F32: Info = ("a", (8,), 0, 0)
DATA = b"\0" * 32


def with_value(kind: int, value: bytes) -> bytes:
    return gguf([ARCHITECTURE, pair("x", kind, value)], [F32], DATA)


def with_tensors(*infos: Info, data: bytes = DATA) -> bytes:
    return gguf([ARCHITECTURE], list(infos), data)


def aligned(number: int) -> bytes:
    return gguf([ARCHITECTURE, number_pair("general.alignment", number)], [F32], DATA)


def nest(depth: int) -> bytes:
    return b"".join(array(9, 1) for _ in range(depth)) + array(0, 0)


ATTACKS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "only the magic": ("truncated", lambda: b"GGUF"),
    "another magic": ("bad-magic", lambda: b"GGML" + b"\0" * 20),
    "version 0": ("unknown-version", lambda: gguf([], [], version=0)),
    "version 1": ("old-version", lambda: gguf([], [], version=1)),
    "version 4": ("unknown-version", lambda: gguf([], [], version=4)),
    "version 3, big-endian": ("big-endian", lambda: gguf([], [], version=3 << 24)),
    "more tensors than the file could name": ("truncated", lambda: gguf([], [], counts=(1000, 0))),
    "2**63 tensors": ("too-many-tensors", lambda: gguf([], [], counts=(2**63, 0))),
    "2**64 - 1 keys": ("too-much-metadata", lambda: gguf([], [], counts=(0, 2**64 - 1))),
    "more keys than the file could hold": ("truncated", lambda: gguf([], [], counts=(0, 60_000))),
    "a key of 2**64 - 1 bytes": ("truncated", lambda: gguf([struct.pack("<Q", 2**64 - 1)], [], b"\0" * 64)),
    "a key of 70,000 bytes": ("too-long", lambda: gguf([text_pair("k" * 70_000, "")], [])),
    "an empty key": ("bad-key", lambda: gguf([text_pair("", "")], [])),
    "a key twice": ("bad-key", lambda: gguf([ARCHITECTURE, ARCHITECTURE], [])),
    "a key that is not UTF-8": ("bad-utf8", lambda: gguf([pair(b"\xff", 0, b"\0")], [])),
    "an unknown value type": ("bad-value-type", lambda: with_value(13, b"")),
    "an array of an unknown type": ("bad-value-type", lambda: with_value(9, array(99, 1))),
    "a text of 2**63 bytes": ("truncated", lambda: with_value(8, struct.pack("<Q", 2**63))),
    "an array of 2**61 numbers": ("truncated", lambda: with_value(9, array(12, 2**61))),
    "an array of 2**60 texts": ("truncated", lambda: with_value(9, array(8, 2**60))),
    "an array whose last text is too long": (
        "truncated",
        lambda: with_value(9, array(8, 20, string("") * 19 + struct.pack("<Q", 2**40))),
    ),
    "arrays in arrays in arrays": ("too-deep", lambda: with_value(9, nest(5))),
    "a deep well of arrays": ("too-deep", lambda: with_value(9, nest(100_000))),
    "more texts than are walked": (
        "too-many-items",
        lambda: with_value(9, array(8, 8_000_001, b"\0" * 64_000_100)),
    ),
    "a name of 2**40 bytes": (
        "truncated",
        lambda: gguf([struct.pack("<Q", 2**40) + b"\0" * 64], [], counts=(1, 0)),
    ),
    "a name that is not UTF-8": ("bad-utf8", lambda: gguf([string(b"\xff") + b"\0" * 64], [], counts=(1, 0))),
    "a tensor twice": ("duplicate-tensor", lambda: with_tensors(F32, F32)),
    "five dimensions": ("too-many-dimensions", lambda: with_tensors(("a", (1,) * 5, 0, 0))),
    "2**32 - 1 dimensions": (
        "too-many-dimensions",
        lambda: gguf([string("a") + struct.pack("<I", 2**32 - 1) + b"\0" * 64], [], counts=(1, 0)),
    ),
    "a shape that overflows": ("shape-overflow", lambda: with_tensors(("a", (2**32, 2**32), 0, 0))),
    "a negative dimension": ("shape-overflow", lambda: with_tensors(("a", (2**64 - 8,), 0, 0))),
    "a negative dimension beside a zero": (
        "shape-overflow",
        lambda: with_tensors(("a", (0, 2**64 - 8), 0, 0)),
    ),
    "a type that never was": ("unknown-dtype", lambda: with_tensors(("a", (8,), 1000, 0))),
    "a type that is gone": ("removed-dtype", lambda: with_tensors(("a", (32,), 31, 0))),
    "rows that end within a block": ("partial-block", lambda: with_tensors(("a", (16, 2), 2, 0))),
    "an offset off the alignment": ("unaligned", lambda: with_tensors(("a", (8,), 0, 8))),
    "an offset behind the end": ("gap", lambda: with_tensors(("a", (8,), 0, 2**40))),
    "an offset near 2**64": ("gap", lambda: with_tensors(("a", (8,), 0, 2**64 - 32))),
    "data cut short": ("out-of-bounds", lambda: with_tensors(F32, data=b"\0" * 31)),
    "no data at all": ("out-of-bounds", lambda: with_tensors(F32, data=b"")),
    "two tensors in one place": ("overlap", lambda: with_tensors(F32, ("b", (8,), 0, 0))),
    "a hole between tensors": ("gap", lambda: with_tensors(F32, ("b", (8,), 0, 64), data=b"\0" * 96)),
    "tensors out of order": ("tensor-order", lambda: with_tensors(("b", (8,), 0, 32), F32, data=b"\0" * 64)),
    "an alignment of 0": ("bad-alignment", lambda: aligned(0)),
    "an alignment of 4": ("bad-alignment", lambda: aligned(4)),
    "an alignment of 24": ("bad-alignment", lambda: aligned(24)),
    "an alignment beyond the file": ("out-of-bounds", lambda: aligned(2**31)),
    "an alignment in words": (
        "bad-alignment",
        lambda: gguf([ARCHITECTURE, text_pair("general.alignment", "32")], [F32], DATA),
    ),
    "an alignment behind nine megabytes of text": (
        "bad-alignment",
        lambda: gguf(
            [text_pair(str(number), "x" * 60_000) for number in range(150)]
            + [number_pair("general.alignment", 3)],
            [],
        ),
    ),
    "part 3 of 2": (
        "bad-split",
        lambda: gguf([ARCHITECTURE, number_pair("split.no", 2), number_pair("split.count", 2)], []),
    ),
    "half a split": ("bad-split", lambda: gguf([ARCHITECTURE, number_pair("split.no", 2)], [])),
}
