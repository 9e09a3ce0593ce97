"""The small JSON files of a checkpoint, read with a bound."""

import json
from pathlib import Path
from typing import Any

from workers.converting.errors import ConvertError
from workers.formats.troubles import why

MAX_JSON = 256 * 2**20
MAX_CARD = 16 * 2**20


def read_bytes(path: Path, limit: int = MAX_JSON) -> bytes:
    """The whole file; raises ConvertError where it is missing or longer than the limit."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise ConvertError(why(path, error)) from error
    if len(data) > limit:
        raise ConvertError(f"{path}: has more than {limit} bytes; no such file is that long")
    return data


def read_object(path: Path) -> dict[str, Any]:
    """The file's JSON object; raises ConvertError for anything else."""
    try:
        value = json.loads(read_bytes(path).decode())
    except (ValueError, RecursionError) as error:
        raise ConvertError(f"{path}: is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise ConvertError(f"{path}: must hold one JSON object")
    return value


def optional_object(path: Path) -> dict[str, Any]:
    """The file's JSON object, or an empty one where there is no file."""
    return read_object(path) if path.is_file() else {}
