"""Xorbs: taken in, named, read.  Nothing is kept that was not decoded, hashed and found to be what it is called."""

import threading
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import IO

from django.db import transaction
from django.utils import timezone

from storage import keys, layout, s3, sending
from storage.condemned import condemn
from storage.errors import ObjectMissing
from storage.models import Blob, Xorb
from storage.soundness import heal_forms
from storage.xet.errors import XetError
from storage.xet.hashes import to_text, xorb_hash
from storage.xet.xorbs import Chunk, scan_xorb

OK = Xorb.State.OK
# A mention is written down anew only when the last one is older, so that most requests write nothing.
MENTION = timedelta(hours=1)
# Verifying keeps a processor busy: so many uploads do it at once in a process, the others wait.
_VERIFYING = threading.BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Kept:
    """Whether the domain gained the xorb, and which blobs it made whole again in the place of a damaged one."""

    gained: bool
    healed: list[Blob]


def keep(name: str, file: IO[bytes], length: int, *, domain: str) -> Kept:
    """Verify the serialized xorb of `length` bytes in `file` and keep it under its hash `name`.

    The file is read from its start, by pieces, and cut to the xorb's data part.  Not to be called in a transaction.
    Raises XetError, StoreUnavailable.
    """
    file.seek(0)
    with _VERIFYING:
        chunks, data_length = scan_xorb(file, length)
    found = to_text(xorb_hash([(chunk.hash, chunk.raw) for chunk in chunks]))
    if found != name:
        raise XetError(f"The chunks of this xorb hash to {found}, not to {name}.")
    if named_in(domain, [name]):
        return Kept(gained=False, healed=[])
    file.truncate(data_length)
    return _store(name, file, chunks, domain)


def _store(name: str, file: IO[bytes], chunks: list[Chunk], domain: str) -> Kept:
    """Write the file under a fresh key, then the row; the key of one who comes second is condemned."""
    key, length = keys.xorb_key(name), chunks[-1].end
    file.seek(0)
    sending.write_stream(key, file, length)
    fresh = {
        "key": key, "raw_size": sum(chunk.raw for chunk in chunks), "stored_size": length,
        "index": layout.pack_index(chunks), "mentioned_at": timezone.now(),
    }  # fmt: skip
    healed: list[Blob] = []
    with transaction.atomic():
        xorb, created = Xorb.objects.select_for_update().get_or_create(
            domain=domain, hash=name, defaults=fresh
        )
        if not created and xorb.state == OK:
            condemn(key)
        elif not created:
            condemn(xorb.key)
            Xorb.objects.filter(pk=xorb.pk).update(**fresh, state=OK)
            healed = heal_forms(xorb)
    return Kept(created, healed)


def named_in(domain: str, names: Collection[str]) -> dict[str, Xorb]:
    """Return those sound xorbs of a domain that have these hashes, without their indexes.

    They are safe from the sweep from now on.
    """
    mine = Xorb.objects.filter(domain=domain, hash__in=names, state=OK).defer("index")
    with transaction.atomic():
        # Locked in one order, so that two who name the same xorbs never wait for each other.
        rows = list(mine.select_for_update(no_key=True).order_by("pk"))
        now = timezone.now()
        stale = [xorb.pk for xorb in rows if xorb.mentioned_at < now - MENTION]
        if stale:
            Xorb.objects.filter(pk__in=stale).update(mentioned_at=now)
    return {xorb.hash: xorb for xorb in rows}


def open_span(xorb_id: int, key: str, start: int, end: int) -> s3.ByteStream:
    """Open the stored bytes `start` up to `end` of a sound xorb that still lies under `key`.

    Raises ObjectMissing, RangeNotSatisfiable.
    """
    if not Xorb.objects.filter(pk=xorb_id, key=key, state=OK).exists():
        raise ObjectMissing("These chunks are not held any more, or are held back because they are damaged.")
    return s3.open_range(key, start, end - start)
