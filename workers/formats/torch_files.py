"""Files that `torch.save` writes, read as what they are for: tensors by name. Neither torch nor pickle is needed.

Since 1.6 such a file is a zip archive that packs nothing: `NAME/data.pkl` tells the tensors, `NAME/data/0` and so on
hold their numbers. Before, it was one stream: a few pickles, then the numbers behind a count. In both a tensor is a
view of a storage, by offset, shape and strides; here it becomes bytes [start, end) of the file.
"""

import zlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from workers.formats.findings import MAX_TENSORS, FormatError
from workers.formats.layout import U64, element_count
from workers.formats.pickled import read_pickle
from workers.formats.reader import RangeReader
from workers.formats.safetensors import MAX_NAME
from workers.formats.torch_views import Reading, Storage, View, width
from workers.formats.zip_names import Member, data_start, zip_members

MAX_PICKLE = 64 * 2**20
ZIP_MAGIC, PICKLE = b"PK\x03\x04", b"/data.pkl"
LEGACY_MAGIC, LEGACY_VERSION = 0x1950A86A20F9469CFC6C, 1001
COUNT = 8
ENCRYPTED = 1
# What all tensors may take beside the file, which views of one storage can blow up without end.
MOST_OF_FILE = 8


class TorchTensor(NamedTuple):
    """One tensor: bytes [start, end) of the file; where they are not in its own order, its strides in weights."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int
    strides: tuple[int, ...]


def read_torch(reader: RangeReader) -> list[TorchTensor]:
    """The tensors of a file, in its order. Raises FormatError for anything but a plain list of named tensors."""
    head = reader.read(0, min(len(ZIP_MAGIC), reader.size))
    found, places = _read_zip(reader) if head == ZIP_MAGIC else _read_stream(reader)
    if type(found) is not dict:
        raise FormatError("no-tensors", "the file holds no dict of tensors by name")
    if len(found) > MAX_TENSORS:
        raise FormatError("too-many-tensors", f"the file names more than {MAX_TENSORS} tensors")
    tensors = [_placed(name, view, places) for name, view in found.items()]
    total = sum(_size(tensor) for tensor in tensors)
    if total > MOST_OF_FILE * reader.size:
        raise FormatError(
            "too-large", f"the tensors take {total} bytes, which {reader.size} in the file cannot hold"
        )
    return tensors


def _size(tensor: TorchTensor) -> int:
    return (element_count(tensor.shape, U64) or 0) * width(tensor.dtype)


def _placed(name: object, view: object, places: Mapping[str, int]) -> TorchTensor:
    if type(name) is not str or len(name) > MAX_NAME:
        raise FormatError("bad-name", f"a {type(name).__name__} is given for the name of a tensor")
    if type(view) is not View:
        raise FormatError(
            "no-tensors",
            f"{name[:200]!r} is a {type(view).__name__}, no tensor; keep the model's state dict in a file of its own",
        )
    each, last = width(view.dtype), 0
    number = element_count(view.shape, U64)
    if number is None:
        raise FormatError("shape-overflow", f"tensor {name[:200]!r} has a shape that overflows 64 bits")
    if number:
        last = 1 + sum((size - 1) * stride for size, stride in zip(view.shape, view.strides, strict=True))
    if (view.offset + last) * each > view.storage.size:
        raise FormatError("out-of-bounds", f"tensor {name[:200]!r} reaches beyond its storage")
    start = places[view.storage.key] + view.offset * each
    strides = () if not number or _is_plain(view) else view.strides
    return TorchTensor(name, view.dtype, view.shape, start, start + last * each, strides)


def _is_plain(view: View) -> bool:
    """Whether the numbers lie one after the other in the tensor's own order."""
    expected = 1
    for size, stride in zip(reversed(view.shape), reversed(view.strides), strict=True):
        if size != 1 and stride != expected:
            return False
        expected *= size
    return True


def _read_zip(reader: RangeReader) -> tuple[object, dict[str, int]]:
    members = _members(reader)
    pickles = [name for name in members if name.endswith(PICKLE)]
    if len(pickles) != 1:
        raise FormatError(
            "no-tensors", f"the archive holds {len(pickles)} data.pkl; a file of tensors has one"
        )
    root = pickles[0].removesuffix(PICKLE)
    if root + b"/constants.pkl" in members:
        raise FormatError("no-tensors", "the archive is a TorchScript program, which is not run")
    order = members.get(root + b"/byteorder")
    if order is not None and _content(reader, order, 16) != b"little":
        raise FormatError("big-endian", "the file's numbers are big-endian; only little-endian ones are read")
    reading = Reading()
    found, _ = read_pickle(_content(reader, members[pickles[0]], MAX_PICKLE), reading.rules)
    places = {}
    for key, storage in reading.storages.items():
        member = members.get(root + b"/data/" + key.encode("utf-8", "replace"))
        if member is None or member.size != storage.size:
            told = "is not there" if member is None else f"has {member.size} bytes, not {storage.size}"
            raise FormatError("bad-storage", f"storage {key[:200]!r} {told}")
        places[key] = data_start(reader, member)
    return found, places


def _members(reader: RangeReader) -> dict[bytes, Member]:
    """All members by name; none packed, none over another."""
    members: dict[bytes, Member] = {}
    for member in zip_members(reader):
        told = repr(member.name[:200].decode("utf-8", "replace"))
        if member.name in members:
            raise FormatError("bad-zip", f"the archive holds {told} twice")
        if member.method or member.packed != member.size or member.flags & ENCRYPTED:
            raise FormatError("bad-zip", f"{told} is packed or encrypted; torch.save packs nothing")
        members[member.name] = member
    end = 0
    for member in sorted(members.values(), key=lambda member: member.header):
        start = data_start(reader, member)
        if member.header < end:
            raise FormatError("bad-zip", f"{member.name[:200]!r} lies over another member of the archive")
        end = start + member.size
    return members


def _content(reader: RangeReader, member: Member, limit: int) -> bytes:
    if member.size > limit:
        raise FormatError("too-long", f"{member.name[:200]!r} has {member.size} bytes; the limit is {limit}")
    raw = reader.read(data_start(reader, member), member.size)
    if zlib.crc32(raw) != member.crc:
        raise FormatError("bad-zip", f"{member.name[:200]!r} is damaged: its checksum is another")
    return raw


def _read_stream(reader: RangeReader) -> tuple[object, dict[str, int]]:
    """The format before 1.6: magic, version, machine, tensors, order of storages, then each with its count."""
    data = reader.read(0, min(reader.size, MAX_PICKLE))
    reading, at = Reading(), 0
    parts: list[object] = []
    try:
        for _ in range(5):
            part, at = read_pickle(data, reading.rules, at)
            parts.append(part)
            if parts[0] != LEGACY_MAGIC:
                break
    except FormatError:
        if not parts or parts[0] != LEGACY_MAGIC:
            raise _no_torch_file() from None
        raise
    if parts[0] != LEGACY_MAGIC or parts[1] != LEGACY_VERSION:
        raise _no_torch_file()
    machine, found, order = parts[2:]
    if type(machine) is not dict or machine.get("little_endian") is not True:
        raise FormatError("big-endian", "the file's numbers are big-endian; only little-endian ones are read")
    places = {}
    for storage in _in_order(order, reading.storages):
        number = int.from_bytes(reader.read(at, min(COUNT, reader.size - at)), "little")
        if number != storage.number or at + COUNT + storage.size > reader.size:
            raise FormatError(
                "truncated", f"storage {storage.key[:200]!r} is not whole, or of another length"
            )
        places[storage.key] = at + COUNT
        at += COUNT + storage.size
    return found, places


def _no_torch_file() -> FormatError:
    return FormatError(
        "no-tensors", "is no file of torch.save from release 0.4 on; load it there and save it as safetensors"
    )


def _in_order(order: object, storages: Mapping[str, Storage]) -> Iterator[Storage]:
    if type(order) is not list or any(type(key) is not str for key in order):
        raise FormatError("bad-pickle", "the order of the storages is no list of names")
    if len(set(order)) != len(order) or set(order) != storages.keys():
        raise FormatError("bad-pickle", "the order of the storages names others than the tensors do")
    return (storages[key] for key in order)
