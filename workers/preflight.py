"""Whether the checkpoint of a commit can be converted, found out when the commit is inspected: before anybody asks.

Small files are copied; of the weights only the headers, with a hole behind them where the tensors would be.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings

from hub.catalog import objects
from hub.catalog.checkpoints import FACT, inputs, is_weights
from hub.catalog.models import CommitRecord, Repo, RepoBlob
from hub.catalog.trees import Entry
from storage.downloads import BlobReader
from storage.errors import ObjectMissing
from workers import scratch
from workers.converting.families import FAMILIES
from workers.formats.safetensors import MAX_HEADER
from workers.quantizing.types import FILE_TYPES
from workers.version import VERSION

MAX_SECONDS = 120
# No tokenizer is as large; more is not copied for a look.
MAX_BESIDE = 512 * 2**20
_LENGTH = 8


def verdict(repo: Repo, record: CommitRecord, entries: Sequence[Entry]) -> dict[str, Any] | None:
    """Return what a conversion would make or what is in its way; None where the commit holds no checkpoint."""
    found = inputs(entries)
    if not found:
        return None
    key = _key(repo, found)
    known = _known(record, key)
    return known if known is not None else {**_examined(repo, found), "key": key}


def _key(repo: Repo, found: Sequence[Entry]) -> str:
    """A name for all that a verdict depends on."""
    facts = [
        VERSION,
        sorted(FAMILIES),
        list(FILE_TYPES),
        repo.name,
        *((one.path, one.etag, one.state) for one in found),
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _known(record: CommitRecord, key: str) -> dict[str, Any] | None:
    """The verdict on the same files, where this commit or the one before has it."""
    before = CommitRecord.objects.filter(network=record.network_id, oid__in=record.parents[:1])
    for facts in (record.facts, *before.values_list("facts", flat=True)):
        told: dict[str, Any] = facts.get(FACT) or {}
        if told.get("key") == key:
            return told
    return None


def _examined(repo: Repo, found: Sequence[Entry]) -> Mapping[str, Any]:
    waiting = next((one for one in found if one.is_large and one.state != RepoBlob.State.PROVEN), None)
    if waiting is not None:
        return {"problem": f"the bytes of {waiting.path} are not proven"}
    large = next((one for one in found if not is_weights(one) and one.size > MAX_BESIDE), None)
    if large is not None:
        return {"problem": f"{large.path} has {large.size} bytes; the limit is {MAX_BESIDE}"}
    with scratch.folder("examine") as folder:
        place = folder / repo.name
        try:
            for entry in found:
                _lay(repo, entry, place / entry.path)
        except ObjectMissing as error:
            return {"problem": f"{error}"}
        return _asked(place)


def _lay(repo: Repo, entry: Entry, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not entry.is_large:
        target.write_bytes(objects.read(repo.network_id, entry.oid))
        return
    reader = BlobReader(entry.sha256)
    target.write_bytes(reader.read(0, _to_read(reader, entry)))
    os.truncate(target, entry.size)


def _to_read(reader: BlobReader, entry: Entry) -> int:
    """How many bytes of a file matter: all, or those of the header."""
    if not is_weights(entry) or entry.size < _LENGTH:
        return entry.size
    length = int.from_bytes(reader.read(0, _LENGTH), "little")
    return min(_LENGTH + min(length, MAX_HEADER), entry.size)


def _asked(place: Path) -> Mapping[str, Any]:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "workers.examine", str(place)],
            cwd=settings.BASE_DIR, capture_output=True, timeout=MAX_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"problem": f"reading its tokenizer and headers took more than {MAX_SECONDS} seconds"}
    try:
        told = json.loads(done.stdout)
    except ValueError:
        return {"problem": "reading its tokenizer and headers ended the program; they are broken"}
    return told if isinstance(told, dict) else {"problem": "it was not understood"}
