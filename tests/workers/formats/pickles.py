"""PyTorch's files written by hand: pickles opcode by opcode, archives with any fault. No torch is needed."""

import io
import struct
import zipfile
from dataclasses import dataclass
from typing import Any

LEGACY = (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}})
STORAGES = {
    "F64": "DoubleStorage", "F32": "FloatStorage", "F16": "HalfStorage", "BF16": "BFloat16Storage",
    "I64": "LongStorage", "U8": "ByteStorage", "BOOL": "BoolStorage",
}  # fmt: skip
SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "U8": 1, "BOOL": 1}


@dataclass(frozen=True)
class Name:
    """Something a pickle asks for."""

    module: str
    name: str


@dataclass(frozen=True)
class Call:
    """What a pickle makes by calling something."""

    name: Name
    given: tuple[Any, ...]


@dataclass(frozen=True)
class Storage:
    key: str
    dtype: str
    number: int


@dataclass(frozen=True)
class Raw:
    """Opcodes as they are."""

    code: bytes


def view(
    storage: Storage, shape: tuple[int, ...], strides: tuple[int, ...] | None = None, offset: int = 0
) -> Call:
    """A tensor over a storage; in the order of its numbers unless strides are given."""
    if strides is None:
        strides, step = (), 1
        for size in reversed(shape):
            strides, step = (step, *strides), step * size
    hooks = Call(Name("collections", "OrderedDict"), ())
    return Call(Name("torch._utils", "_rebuild_tensor_v2"), (storage, offset, shape, strides, False, hooks))


def dumped(value: Any) -> bytes:
    return b"\x80\x02" + _code(value) + b"."


def _code(value: Any) -> bytes:
    match value:
        case None:
            return b"N"
        case bool():
            return b"\x88" if value else b"\x89"
        case int():
            raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            return b"\x8a" + bytes([len(raw)]) + raw
        case str():
            return b"X" + struct.pack("<I", len(value.encode())) + value.encode()
        case tuple():
            return b"(" + b"".join(map(_code, value)) + b"t"
        case list():
            return b"](" + b"".join(map(_code, value)) + b"e"
        case dict():
            return b"}(" + b"".join(_code(key) + _code(item) for key, item in value.items()) + b"u"
        case Name():
            return b"c" + f"{value.module}\n{value.name}\n".encode()
        case Call():
            return _code(value.name) + _code(value.given) + b"R"
        case Storage():
            kind = Name("torch", STORAGES[value.dtype])
            return _code(("storage", kind, value.key, "cpu", value.number)) + b"Q"
        case Raw():
            return value.code
    raise TypeError(value)


def archive(members: dict[str, bytes], *, packed: bool = False, root: str = "archive") -> bytes:
    """A zip archive as torch.save writes it, or packed as it never does."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as made:
        for name, content in members.items():
            made.writestr(f"{root}/{name}", content)
    return out.getvalue()


def torch_file(value: Any, storages: dict[str, bytes], **members: bytes) -> bytes:
    """A file of today: a pickle of a value, and storages by key."""
    data = {f"data/{key}": raw for key, raw in storages.items()}
    return archive({"data.pkl": dumped(value), "byteorder": b"little", **data, **members})


def legacy_file(value: Any, storages: dict[Storage, bytes]) -> bytes:
    """A file as before release 1.6."""
    parts = [dumped(part) for part in (*LEGACY, value, [storage.key for storage in storages])]
    for storage, raw in storages.items():
        parts += [struct.pack("<Q", storage.number), raw]
    return b"".join(parts)


def state(tensors: dict[str, tuple[str, tuple[int, ...], bytes]]) -> tuple[Any, dict[Storage, bytes]]:
    """A state dict of whole tensors (dtype, shape, bytes), and their storages."""
    told, storages = {}, {}
    for number, (name, (dtype, shape, raw)) in enumerate(tensors.items()):
        storage = Storage(str(number), dtype, len(raw) // SIZES[dtype])
        storages[storage] = raw
        told[name] = view(storage, shape)
    return told, storages
