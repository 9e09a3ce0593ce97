"""`*.safetensors.index.json`: which shard holds which tensor, and whether the shards agree.

    {"metadata": {"total_size": 123}, "weight_map": {"a.weight": "model-00001-of-00002.safetensors", ...}}

The index is judged twice: by itself (`inspect_shard_index`), and against its shards once those have been
inspected (`check_shards`).
"""

from collections.abc import Mapping
from sys import intern
from typing import Any

from workers.formats.findings import MAX_TENSORS, Finding, FormatError, Inspection
from workers.formats.json_walk import json_object, well_formed
from workers.formats.reader import RangeReader

MAX_INDEX = 64 * 1024 * 1024
MAX_WIDE_INDEX = 16 * 1024 * 1024
MAX_ITEMS = 2 * MAX_TENSORS
MAX_FILE_NAME = 1024

Shards = Mapping[str, Inspection | None]


def inspect_shard_index(reader: RangeReader) -> Inspection:
    """Read an index and judge its form. Raises only what the reader raises."""
    found = Inspection("shard-index")
    try:
        _read(found, json_object(_text(reader)))
    except FormatError as error:
        found.error(error.code, str(error))
    return found


def _text(reader: RangeReader) -> str:
    """The index as text: bounded in bytes, and in the number of items before any becomes a Python object."""
    if reader.size > MAX_INDEX:
        raise FormatError("index-too-large", f"the index has {reader.size} bytes; the limit is {MAX_INDEX}")
    raw = reader.read(0, reader.size)
    if raw.count(b",") + raw.count(b"[") + raw.count(b"{") > MAX_ITEMS:
        raise FormatError("too-many-tensors", f"the index holds more than {MAX_ITEMS} items")
    if not raw.isascii() and len(raw) > MAX_WIDE_INDEX:
        raise FormatError("index-too-large", f"an index above {MAX_WIDE_INDEX} bytes must be ASCII")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise FormatError("bad-utf8", f"the index is not UTF-8 at byte {error.start}") from error


def _read(found: Inspection, index: dict[str, Any]) -> None:
    weight_map = index.get("weight_map")
    if not isinstance(weight_map, dict):
        raise FormatError("no-weight-map", "weight_map must be an object of tensor name to file name")
    if len(weight_map) > MAX_TENSORS:
        raise FormatError("too-many-tensors", f"weight_map names more than {MAX_TENSORS} tensors")
    for name, file in weight_map.items():
        if isinstance(file, str) and _is_file_name(file):
            found.weight_map[well_formed(name)] = intern(file)
        else:
            found.error("bad-file-name", f"{str(file)[:200]!r} names no file beside the index", name)
    _read_extras(found, index.get("metadata"))


def _read_extras(found: Inspection, extras: Any) -> None:
    if extras is not None and not isinstance(extras, dict):
        found.error("bad-metadata", "metadata must be an object")
    for key, value in (extras or {}).items() if isinstance(extras, dict) else ():
        if isinstance(value, str | int | float | None):
            found.put(key, value)
        else:
            found.warn("nested-metadata", f"metadata {key[:200]!r} holds an object or array and is not kept")


def _is_file_name(name: str) -> bool:
    """Whether it is a plain relative path: one that climbs or has odd characters could name anything."""
    parts = name.split("/")
    return (
        len(name) <= MAX_FILE_NAME
        and name.isprintable()
        and "\\" not in name
        and not any(part in ("", ".", "..") for part in parts)
    )


def check_shards(index: Inspection, shards: Shards, *, form: str = "safetensors") -> list[Finding]:
    """Judge an index against its shards of one form, by file name; None is a file that is not there.

    Findings beyond a hundred of each severity are dropped, as everywhere. A shard that was not read whole or
    whose list was cut cannot be judged tensor by tensor, so it gets one warning instead.
    """
    found = Inspection("shard-index")
    wanted: dict[str, set[str]] = {}
    for name, file in index.weight_map.items():
        wanted.setdefault(file, set()).add(name)
    for file, names in wanted.items():
        _check_shard(found, file, names, shards.get(file), form)
    if found.ok:
        _check_total(found, index, [shards[file] for file in wanted])
    return found.findings


def _check_shard(found: Inspection, file: str, names: set[str], shard: Inspection | None, form: str) -> None:
    if shard is None:
        found.error("missing-shard", f"{file[:200]} is in the index but not among the files")
    elif not shard.ok or shard.format != form:
        found.error("broken-shard", f"{file[:200]} is no sound {form} file")
    elif "tensors" in shard.left_out:
        found.warn("unjudged-shard", f"{file[:200]} has too many tensors to compare with the index")
    else:
        held = {tensor.name for tensor in shard.tensors}
        for name in sorted(names - held):
            found.error("missing-tensor", f"the index puts it in {file[:200]}, which does not hold it", name)
        for name in sorted(held - names):
            found.error("unlisted-tensor", f"{file[:200]} holds it, the index does not say so", name)


def _check_total(found: Inspection, index: Inspection, shards: list[Inspection | None]) -> None:
    """Compare total_size with all tensors' bytes: writers disagree on tied weights, so it only warns."""
    told = index.metadata.get("total_size")
    if told is None or any(shard is None or "tensors" in shard.left_out for shard in shards):
        return
    total = sum(tensor.end - tensor.start for shard in shards if shard for tensor in shard.tensors)
    if told != total:
        found.warn("total-size", f"metadata.total_size is {str(told)[:50]}; the tensors take {total} bytes")
