"""Looking after what is kept: every form is read back and hashed again from time to time."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from storage import proof, s3
from storage.errors import ObjectMissing, RangeNotSatisfiable, WrongSize
from storage.layout import pack_index
from storage.models import Blob, Form, Xorb
from storage.quarantine import quarantine_if_unsound, release_if_sound
from storage.soundness import settle_forms
from storage.xet.errors import XetError
from storage.xet.xorbs import scan_xorb


def due(limit: int, older_than: timedelta) -> QuerySet[Form]:
    """Return up to `limit` sound plain forms not looked at (or made) within `older_than`, oldest first."""
    looked_at = Coalesce("scrubbed_at", "created_at")
    forms = Form.objects.filter(state=Form.State.OK, kind=Form.Kind.PLAIN).annotate(looked_at=looked_at)
    old = forms.filter(looked_at__lt=timezone.now() - older_than)
    return old.select_related("blob").order_by("looked_at")[:limit]


def check(form: Form, *, progress: Callable[[int], None]) -> str:
    """Read a form and return what is wrong with it, or "" when it is sound.

    A store that does not answer says nothing about the bytes: that raises StoreUnavailable.
    """
    try:
        found = proof.hash_object(form.key, form.blob.size, progress=progress)
    except (ObjectMissing, WrongSize) as error:
        return str(error)
    return "" if found == form.blob.sha256 else f"The stored bytes hash to {found}."


def mark_sound(form: Form) -> None:
    """Record that a form was found sound just now; one that was damaged is handed out again."""
    _mark(form, Form.State.OK)


def mark_damaged(form: Form) -> Blob:
    """Record that a form is damaged and return its blob, quarantined when this was its last sound form."""
    return _mark(form, Form.State.DAMAGED)


def _mark(form: Form, state: Form.State) -> Blob:
    with transaction.atomic():
        blob = Blob.objects.select_for_update().get(pk=form.blob_id)
        Form.objects.filter(pk=form.pk).update(state=state, **_looked())
        quarantine_if_unsound(blob)
        release_if_sound(blob)
    return blob


def _looked() -> dict[str, Any]:
    return {"scrubbed_at": timezone.now(), "scrubs": F("scrubs") + 1}


def due_xorbs(limit: int, older_than: timedelta) -> QuerySet[Xorb]:
    """Return up to `limit` sound xorbs not looked at (or made) within `older_than`, oldest first."""
    looked_at = Coalesce("scrubbed_at", "created_at")
    sound = Xorb.objects.filter(state=Xorb.State.OK).annotate(looked_at=looked_at)
    return sound.filter(looked_at__lt=timezone.now() - older_than).order_by("looked_at")[:limit]


def check_xorb(xorb: Xorb) -> str:
    """Read a xorb, decode and hash its chunks, and return what is wrong with it, or "" when it is sound.

    A store that does not answer says nothing about the bytes: that raises StoreUnavailable.
    """
    try:
        with s3.open_range(xorb.key, 0, xorb.stored_size) as stream:
            chunks, length = scan_xorb(_Reader(stream), xorb.stored_size)
    except (ObjectMissing, RangeNotSatisfiable, XetError) as error:
        return str(error)
    same = length == xorb.stored_size and pack_index(chunks) == bytes(xorb.index)
    return "" if same else "Its chunks are not the ones that were stored."


class _Reader:
    """Reads what a stream brings."""

    def __init__(self, stream: Iterator[bytes]) -> None:
        self._stream = stream
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none only at the end of the stream."""
        piece = self._rest or next(self._stream, b"")
        self._rest = piece[size:]
        return piece[:size]


def mark_xorb_sound(xorb: Xorb) -> None:
    """Record that a xorb was found sound just now."""
    Xorb.objects.filter(pk=xorb.pk).update(**_looked())


def mark_xorb_damaged(xorb: Xorb) -> list[Blob] | None:
    """Record that a xorb is damaged; returns the blobs that have no sound form left because of it.

    Returns None where that is known by now, or the xorb was uploaded again meanwhile, under another key.
    """
    with transaction.atomic():
        row = Xorb.objects.select_for_update().get(pk=xorb.pk)
        if row.key != xorb.key or row.state == Xorb.State.DAMAGED:
            return None
        row.state, row.scrubbed_at = Xorb.State.DAMAGED, timezone.now()
        row.save(update_fields=["state", "scrubbed_at"])
        return [blob for blob in settle_forms(row) if blob.quarantined_at is not None]
