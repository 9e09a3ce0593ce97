"""Xorbs: taken in, named, read.  Nothing is kept that was not decoded, hashed and found to be what it is called."""

import threading
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import IO

from django.db import connection, transaction
from django.utils import timezone

from storage import keys, layout, s3, sending
from storage.condemned import condemn
from storage.errors import ObjectMissing, StoreUnavailable
from storage.models import Blob, Xorb
from storage.soundness import settle_forms
from storage.xet.errors import XetError
from storage.xet.hashes import to_text, xorb_hash
from storage.xet.xorbs import Chunk, Readable, scan_xorb

OK = Xorb.State.OK
# A mention is written down anew only when the last one is older, so that most requests write nothing.
MENTION = timedelta(hours=1)
# Verifying keeps a processor busy: so many uploads do it at once in a process, the others wait.
_VERIFYING = threading.BoundedSemaphore(2)
# More at once only slow each other down until the store seems not to answer.
_STORING = threading.BoundedSemaphore(4)


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
    chunks, data_length = _verified(name, file, length)
    if named_in(domain, [name]):
        return Kept(gained=False, healed=[])
    file.truncate(data_length)
    file.seek(0)
    key = keys.xorb_key(name)
    # Others may use the connection meanwhile: the store can be slow.
    connection.close()
    with _STORING:
        sending.write_stream(key, file, data_length)
    return _record(name, key, chunks, domain)


def keep_staged(name: str, staged: str, length: int, *, domain: str) -> Kept:
    """Verify a serialized xorb that somebody wrote to the key `staged`, and keep it under its hash `name`.

    Whoever wrote there may still write.  So the bytes are copied to a key of their own first, and what is verified is
    that copy.  Not to be called in a transaction.  Raises ObjectMissing where such bytes have not arrived, XetError,
    StoreUnavailable.
    """
    key = keys.xorb_key(name)
    s3.copy(staged, key, length)
    if s3.size_of(key) != length:
        _give_up(key, staged)
        raise ObjectMissing(f"The {length} bytes of this xorb have not arrived.")
    try:
        with s3.open_range(key, 0, length) as stream:
            chunks, data_length = _verified(name, stream, length)
        if data_length != length:
            raise XetError("A xorb that is sent to the store has no footer.")
    except XetError:
        _give_up(key, staged)
        raise
    kept = _record(name, key, chunks, domain)
    _give_up(staged)
    return kept


def _give_up(*unnamed: str) -> None:
    """Delete keys that no row names; where the store fails right now, the sweep finds them."""
    with suppress(StoreUnavailable):
        s3.delete_keys(list(unnamed))


def _verified(name: str, file: Readable, length: int) -> tuple[list[Chunk], int]:
    """Return the chunks of a xorb and the length of its data part; raises XetError for other than is called `name`."""
    with _VERIFYING:
        chunks, data_length = scan_xorb(file, length)
    found = to_text(xorb_hash([(chunk.hash, chunk.raw) for chunk in chunks]))
    if found != name:
        raise XetError(f"The chunks of this xorb hash to {found}, not to {name}.")
    return chunks, data_length


def _record(name: str, key: str, chunks: list[Chunk], domain: str) -> Kept:
    """Write the row of bytes that lie under a fresh key; the key of one who comes second is condemned."""
    fresh = {
        "key": key, "raw_size": sum(chunk.raw for chunk in chunks), "stored_size": chunks[-1].end,
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
            healed = [blob for blob in settle_forms(xorb) if blob.quarantined_at is None]
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


_PARTS = f"""
SELECT number, substring(index FROM start * {layout.INDEXED} + 1 FOR count * {layout.INDEXED})
FROM unnest(%s::bigint[], %s::int[], %s::int[]) WITH ORDINALITY AS wanted(xorb, start, count, number)
JOIN storage_xorb ON id = xorb
"""  # noqa: S608  Only a constant is put in.


def parts_of_indexes(wanted: Sequence[tuple[int, int, int]]) -> dict[int, layout.Index]:
    """Return by their place parts of indexes: of the xorb with this row id, from this chunk on, at most so many.

    Only these parts are read, so what is asked often of large indexes costs no more than what is asked for.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PARTS, [list(column) for column in zip(*wanted, strict=True)])
        return {number - 1: layout.Index.of(part) for number, part in cursor.fetchall()}


def open_span(xorb_id: int, key: str, start: int, end: int) -> s3.ByteStream:
    """Open the stored bytes `start` up to `end` of a sound xorb that still lies under `key`.

    Raises ObjectMissing, RangeNotSatisfiable.
    """
    if not Xorb.objects.filter(pk=xorb_id, key=key, state=OK).exists():
        raise ObjectMissing("These chunks are not held any more, or are held back because they are damaged.")
    return s3.open_range(key, start, end - start)
