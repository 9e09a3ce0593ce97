"""Builders of small files, right or wrong on purpose: nothing here checks what it is given."""

import json
import struct
from typing import Any

from workers.formats.findings import Inspection
from workers.formats.gguf import inspect_gguf
from workers.formats.reader import BytesReader
from workers.formats.safetensors import inspect_safetensors

Info = tuple[str, tuple[int, ...], int, int]


def safetensors(header: Any, data: bytes = b"", *, length: int | None = None) -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


def entry(dtype: str, shape: list[int], begin: int, end: int, **more: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end], **more}


def string(text: str | bytes) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(raw)) + raw


def pair(key: str | bytes, kind: int, value: bytes) -> bytes:
    return string(key) + struct.pack("<I", kind) + value


def text_pair(key: str, text: str | bytes) -> bytes:
    return pair(key, 8, string(text))


def number_pair(key: str, number: int) -> bytes:
    return pair(key, 4, struct.pack("<I", number))


def array(kind: int, count: int, items: bytes = b"") -> bytes:
    return struct.pack("<IQ", kind, count) + items


ARCHITECTURE = text_pair("general.architecture", "llama")


def gguf(
    pairs: list[bytes],
    infos: list[Info],
    data: bytes = b"",
    *,
    version: int = 3,
    counts: tuple[int, int] | None = None,
    alignment: int = 32,
) -> bytes:
    tensors, keys = counts or (len(infos), len(pairs))
    described = (
        string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
        for name, shape, kind, offset in infos
    )
    head = b"".join((b"GGUF", struct.pack("<IQQ", version, tensors, keys), *pairs, *described))
    return head + b"\0" * (-len(head) % alignment if infos else 0) + data


def read_safetensors(raw: bytes) -> Inspection:
    return inspect_safetensors(BytesReader(raw))


def read_gguf(raw: bytes) -> Inspection:
    return inspect_gguf(BytesReader(raw))


def codes(found: Inspection) -> list[str]:
    return [finding.code for finding in found.findings]
