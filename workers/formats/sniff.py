"""What a file is, by its first bytes, and its inspection. Nothing is ever unpickled.

A pickle is known by its protocol byte (2 and later) or, in archives as PyTorch writes, by a `.pkl` member.
Protocols 0 and 1 have no mark of their own; such files are "unknown".
"""

import struct
from collections.abc import Callable

from workers.formats.findings import Format, FormatError, Inspection
from workers.formats.gguf import MAGIC, inspect_gguf
from workers.formats.reader import RangeReader
from workers.formats.safetensors import MAX_HEADER, inspect_safetensors
from workers.formats.shard_index import MAX_INDEX, inspect_shard_index
from workers.formats.zip_names import zip_names

HEAD = 64 * 1024
PICKLE_PROTOCOLS = (2, 3, 4, 5)
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")

INSPECTORS: dict[Format, Callable[[RangeReader], Inspection]] = {
    "safetensors": inspect_safetensors,
    "gguf": inspect_gguf,
    "shard-index": inspect_shard_index,
}


def named_format(name: str) -> Format | None:
    """The format that a file's name promises, or None where it promises none known here."""
    lower = name.lower()
    if lower.endswith(".safetensors.index.json"):
        return "shard-index"
    if lower.endswith(".safetensors"):
        return "safetensors"
    return "gguf" if lower.endswith(".gguf") else None


def sniff(reader: RangeReader) -> Format:
    """What the file is by its bytes, whatever its name. Raises only what the reader raises."""
    head = reader.read(0, min(HEAD, reader.size))
    if head.startswith(MAGIC):
        return "gguf"
    if len(head) > 8 and head[8:9] == b"{" and struct.unpack("<Q", head[:8])[0] <= MAX_HEADER:
        return "safetensors"
    if head.startswith(ZIP_MAGICS):
        return "pickle" if _holds_pickle(reader) else "unknown"
    if head[:1] == b"\x80" and len(head) > 1 and head[1] in PICKLE_PROTOCOLS:
        return "pickle"
    if head.startswith(b"{") and b'"weight_map"' in head and reader.size <= MAX_INDEX:
        return "shard-index"
    return "unknown"


def _holds_pickle(reader: RangeReader) -> bool:
    """Whether an archive holds a pickle. One with an unreadable directory is taken for one."""
    try:
        return any(name.endswith(b".pkl") for name in zip_names(reader))
    except FormatError:
        return True


def inspect(reader: RangeReader, *, name: str = "") -> Inspection:
    """Inspect a file as its name promises, or else as its bytes say. Never raises over a file's content.

    A file named as one format and holding another gets the error `wrong-format` and is read as neither.
    """
    actual, promised = sniff(reader), named_format(name)
    if promised is not None and actual not in (promised, "unknown"):
        found = Inspection(actual)
        found.error("wrong-format", f"the name promises {promised}, but the content is {actual}")
        return found
    kind = promised or actual
    if kind in INSPECTORS:
        return INSPECTORS[kind](reader)
    found = Inspection(kind)
    if kind == "pickle":
        found.warn("pickle", "loading this file can run any code; it was not opened")
    return found
