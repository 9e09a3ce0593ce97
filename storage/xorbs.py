"""Xorbs: taken in, named, read.  Nothing is kept that was not decoded, hashed and found to be what it is called."""

from collections.abc import Collection
from dataclasses import dataclass
from io import BytesIO

from django.db import transaction
from django.utils import timezone

from storage import keys, layout, s3, sending
from storage.condemned import condemn
from storage.errors import ObjectMissing
from storage.models import Blob, Xorb, XorbDomain
from storage.soundness import heal_forms
from storage.xet.errors import XetError
from storage.xet.hashes import to_text, xorb_hash
from storage.xet.xorbs import Chunk, read_xorb

OK = Xorb.State.OK


@dataclass(frozen=True, slots=True)
class Kept:
    """Whether the domain gained the xorb, and which damaged blobs it made whole again."""

    gained: bool
    healed: list[Blob]


def keep(name: str, data: bytes, *, domain: str) -> Kept:
    """Verify the serialized xorb `data` and keep it under its hash `name`.

    A xorb that another domain has is verified like any other: its bytes are the proof that the sender has them.
    Not to be called in a transaction.  Raises XetError, StoreUnavailable.
    """
    chunks, length = read_xorb(data)
    found = to_text(xorb_hash([(chunk.hash, chunk.raw) for chunk in chunks]))
    if found != name:
        raise XetError(f"The chunks of this xorb hash to {found}, not to {name}.")
    healed: list[Blob] = []
    xorb = _mentioned(name)
    if xorb is None:
        xorb, healed = _store(name, data if length == len(data) else data[:length], chunks)
    _, gained = XorbDomain.objects.get_or_create(xorb=xorb, domain=domain)
    return Kept(gained, healed)


def _mentioned(name: str) -> Xorb | None:
    """Return the sound xorb of this hash, safe from the sweep from now on."""
    mine = Xorb.objects.filter(hash=name, state=OK)
    return mine.defer("index").first() if mine.update(mentioned_at=timezone.now()) else None


def _store(name: str, data: bytes, chunks: list[Chunk]) -> tuple[Xorb, list[Blob]]:
    """Write the bytes under a fresh key, then the row; the key of one who comes second is condemned."""
    key = keys.xorb_key(name)
    sending.write_stream(key, BytesIO(data), len(data))
    fresh = {
        "key": key, "raw_size": sum(chunk.raw for chunk in chunks), "stored_size": len(data),
        "index": layout.pack_index(chunks),
    }  # fmt: skip
    healed: list[Blob] = []
    with transaction.atomic():
        xorb, created = Xorb.objects.select_for_update().get_or_create(hash=name, defaults=fresh)
        if not created and xorb.state == OK:
            condemn(key)
        elif not created:
            condemn(xorb.key)
            for field, value in {**fresh, "state": OK}.items():
                setattr(xorb, field, value)
            xorb.save()
            healed = heal_forms(xorb)
        Xorb.objects.filter(pk=xorb.pk).update(mentioned_at=timezone.now())
    return xorb, healed


def named_in(domain: str, names: Collection[str]) -> dict[str, Xorb]:
    """Return those sound xorbs that this domain may name, by hash, and remember that they were mentioned."""
    rows = Xorb.objects.filter(hash__in=names, state=OK, domains__domain=domain)
    found = {xorb.hash: xorb for xorb in rows}
    Xorb.objects.filter(pk__in=[xorb.pk for xorb in found.values()]).update(mentioned_at=timezone.now())
    return found


def open_span(xorb_id: int, start: int, end: int) -> s3.ByteStream:
    """Open the stored bytes `start` up to `end` of a sound xorb; raises ObjectMissing, RangeNotSatisfiable."""
    key = Xorb.objects.filter(pk=xorb_id, state=OK).values_list("key", flat=True).first()
    if key is None:
        raise ObjectMissing("These chunks are not held, or are held back because they are damaged.")
    return s3.open_range(key, start, end - start)
