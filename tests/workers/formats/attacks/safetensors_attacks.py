"""safetensors files that lie, with the code of the finding that each must get."""

import json
import struct
from collections.abc import Callable

from tests.workers.formats.build import entry, safetensors
from workers.formats.findings import MAX_TENSORS

GOOD = b'{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
MILLION = 1_000_000


def one(**changes: object) -> bytes:
    """One tensor of one F32 with some of its fields changed."""
    return safetensors({"a": {**entry("F32", [1], 0, 4), **changes}}, b"\0" * 4)


def many_keys() -> bytes:
    members = ",".join(
        f'"{number}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}' for number in range(MAX_TENSORS + 1)
    )
    return safetensors(b"{" + members.encode() + b"}")


def many_metadata_keys() -> bytes:
    return safetensors({"__metadata__": {str(number): "" for number in range(70_000)}})


ATTACKS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "an empty file": ("truncated", lambda: b""),
    "seven bytes": ("truncated", lambda: b"\0" * 7),
    "a length with nothing behind it": ("truncated", lambda: struct.pack("<Q", 10)),
    "a length beyond the file": ("truncated", lambda: safetensors(b"{}", length=1000)),
    "a length of 2**64 - 1": ("header-too-large", lambda: safetensors(b"{}", length=2**64 - 1)),
    "a length just above the bound": ("header-too-large", lambda: safetensors(b"{}", length=100_000_001)),
    "an empty header": ("bad-header", lambda: safetensors(b"")),
    "a header that is a list": ("bad-header", lambda: safetensors(b"[]")),
    "space before the brace": ("bad-header", lambda: safetensors(b" {}")),
    "a brace without end": ("bad-json", lambda: safetensors(b"{")),
    "a byte order mark": ("bad-header", lambda: safetensors(b"\xef\xbb\xbf{}")),
    "text behind the brace": ("bad-json", lambda: safetensors(b"{} {}")),
    "NUL behind the brace": ("bad-json", lambda: safetensors(b"{}\0")),
    "a trailing comma": ("bad-json", lambda: safetensors(b'{"a":%s,}' % GOOD, b"\0" * 4)),
    "the same tensor twice": (
        "duplicate-key",
        lambda: safetensors(b'{"a":%s,"a":%s}' % (GOOD, GOOD), b"\0" * 4),
    ),
    "the same tensor twice, once escaped": (
        "duplicate-key",
        lambda: safetensors(b'{"a":%s,"\\u0061":%s}' % (GOOD, GOOD), b"\0" * 4),
    ),
    "the same field twice": (
        "duplicate-key",
        lambda: safetensors(b'{"a":{"dtype":"F32",%s}' % GOOD[1:], b"\0" * 4),
    ),
    "metadata twice": ("duplicate-key", lambda: safetensors(b'{"__metadata__":{},"__metadata__":{}}')),
    "the same metadata key twice": (
        "duplicate-key",
        lambda: safetensors(b'{"__metadata__":{"a":"","a":""}}'),
    ),
    "metadata that is no text": ("bad-json", lambda: safetensors({"__metadata__": {"a": 1}})),
    "metadata that is a list": ("bad-json", lambda: safetensors({"__metadata__": []})),
    "half a surrogate pair": ("bad-json", lambda: safetensors(b'{"\\ud800":%s}' % GOOD, b"\0" * 4)),
    "a name that is not UTF-8": ("bad-utf8", lambda: safetensors(b'{"\xff":%s}' % GOOD, b"\0" * 4)),
    "an unknown dtype": ("unknown-dtype", lambda: one(dtype="F31")),
    "a dtype that is a list": ("unknown-dtype", lambda: one(dtype=["F32"])),
    "a missing dtype": ("unknown-dtype", lambda: safetensors({"a": {"shape": [], "data_offsets": [0, 0]}})),
    "a missing shape": ("bad-shape", lambda: safetensors({"a": {"dtype": "U8", "data_offsets": [0, 0]}})),
    "missing offsets": ("bad-offsets", lambda: safetensors({"a": {"dtype": "U8", "shape": []}})),
    "a negative dimension": ("bad-shape", lambda: one(shape=[-1])),
    "a dimension of minus zero": (
        "bad-shape",
        lambda: safetensors(b'{"a":%s}' % GOOD.replace(b"[1]", b"[-0]")),
    ),
    "a dimension with a point": ("bad-shape", lambda: one(shape=[1.0])),
    "a dimension of true": ("bad-shape", lambda: one(shape=[True])),
    "a dimension of 2**64": ("bad-shape", lambda: one(shape=[2**64])),
    "a dimension with ten thousand digits": (
        "bad-shape",
        lambda: safetensors(b'{"a":%s}' % GOOD.replace(b"[1]", b"[" + b"9" * 10_000 + b"]"), b"\0" * 4),
    ),
    "a shape whose product overflows to the right size": (
        "shape-overflow",
        lambda: one(shape=[2**32, 2**32 + 1]),
    ),
    "a shape whose bits overflow": ("shape-overflow", lambda: one(shape=[2**62])),
    "a shape that overflows before its zero": ("shape-overflow", lambda: one(shape=[2**63, 2, 0])),
    "three offsets": ("bad-offsets", lambda: one(data_offsets=[0, 4, 4])),
    "offsets in reverse": ("bad-offsets", lambda: one(data_offsets=[4, 0])),
    "negative offsets": ("bad-offsets", lambda: one(data_offsets=[-4, 0])),
    "a size that is not the shape's": ("wrong-size", lambda: one(shape=[2])),
    "half a byte": ("unaligned-size", lambda: one(dtype="F4", shape=[3])),
    "offsets behind the end": ("gap", lambda: one(data_offsets=[2**40, 2**40 + 4])),
    "data cut short": ("out-of-bounds", lambda: safetensors(b'{"a":%s}' % GOOD, b"\0" * 3)),
    "bytes behind the data": ("trailing-bytes", lambda: safetensors(b'{"a":%s}' % GOOD, b"\0" * 5)),
    "bytes that no tensor owns": ("trailing-bytes", lambda: safetensors({}, b"MZ")),
    "a hole in the middle": (
        "gap",
        lambda: safetensors({"a": entry("U8", [1], 0, 1), "b": entry("U8", [1], 2, 3)}, b"\0" * 3),
    ),
    "two tensors over each other": (
        "overlap",
        lambda: safetensors({"a": entry("U8", [2], 0, 2), "b": entry("U8", [2], 1, 3)}, b"\0" * 3),
    ),
    "two tensors in one place": (
        "overlap",
        lambda: safetensors({"a": entry("U8", [2], 0, 2), "b": entry("U8", [2], 0, 2)}, b"\0" * 2),
    ),
    "an entry as an array": ("bad-json", lambda: safetensors(b'{"a":["F32",[1],[0,4]]}', b"\0" * 4)),
    "an entry of null": ("bad-json", lambda: safetensors({"a": None})),
    "a nest of a thousand lists in a field": (
        "bad-json",
        lambda: safetensors(b'{"a":{"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}}"),
    ),
    "a nest of objects": ("bad-json", lambda: safetensors(b'{"a":' * 100_000)),
    "a megabyte of empty lists": (
        "bad-json",
        lambda: safetensors(b'{"a":{"x":[' + b"[]," * MILLION + b"[]]}}"),
    ),
    "a very long name": ("too-long", lambda: safetensors(json.dumps({"a" * 70_000: {}}).encode())),
    "too many tensors": ("too-many-tensors", many_keys),
    "too many metadata keys": ("too-much-metadata", many_metadata_keys),
}
