"""Files of a commit, copied to the disk for work on them, with their bytes hashed again."""

import hashlib
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from hub.catalog import objects
from hub.catalog.models import Repo
from hub.catalog.trees import Entry
from storage import downloads
from storage.digests import StreamHasher
from storage.errors import ChunksDamaged, ObjectMissing, StoreUnavailable
from workers.errors import Refused
from workers.meter import Meter


class Input(NamedTuple):
    """A file as it was read: its path in the repo, its sha256, its size in bytes."""

    path: str
    sha256: str
    size: int


def fetch(repo: Repo, entry: Entry, target: Path, meter: Meter) -> Input:
    """Copy one file; raises Refused where it is gone, StoreUnavailable where it read as something else."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if entry.is_large:
        found = _fetch_large(entry, target, meter)
    else:
        content = objects.read(repo.network_id, entry.oid)
        target.write_bytes(content)
        found = Input(entry.path, hashlib.sha256(content).hexdigest(), len(content))
    meter.end(found.size)
    return found


def _fetch_large(entry: Entry, target: Path, meter: Meter) -> Input:
    found = StreamHasher()
    try:
        with closing(downloads.open_range(entry.sha256, 0, entry.size)) as content, target.open("wb") as file:
            for piece in content:
                file.write(piece)
                found.update(piece)
                meter.tell(found.size, f"reading {entry.name}")
    except ChunksDamaged:
        # Somebody looks at that xorb now; the next run sees what is left.
        raise
    except ObjectMissing as error:
        raise Refused(f"{entry.path}: {error}") from error
    if found.digest() != entry.sha256:
        raise StoreUnavailable(f"{entry.path} did not read as what it is.")
    return Input(entry.path, entry.sha256, entry.size)
