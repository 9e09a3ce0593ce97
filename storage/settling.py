"""The end of an upload: its stored bytes are hashed, and it is recorded as proven or rejected."""

from collections.abc import Callable

from django.db import transaction

from storage import proof
from storage.condemned import condemn
from storage.errors import UploadClosed
from storage.models import Blob, Form, Upload
from storage.quarantine import release_if_sound

_State = Upload.State


def hash_stored(upload: Upload, *, progress: Callable[[int], None]) -> str:
    """Read the stored bytes and return their sha256.

    `progress` gets the number of bytes hashed so far and may raise to stop.  Raises UploadClosed where nothing
    is stored, ObjectMissing, WrongSize, StoreUnavailable.
    """
    if upload.state not in (_State.STORED, _State.PROVEN):
        raise UploadClosed(f"This upload is {upload.state}; there is nothing to hash.")
    return proof.hash_object(upload.final_key, upload.size, progress=progress)


def settle_proven(upload: Upload) -> Blob:
    """Record that the stored bytes hash to the announced sha256, as the caller saw; return their blob.

    Joins the caller's transaction.  When a sound form is kept already, the new bytes are condemned.  Repeating
    it is harmless.  Raises UploadClosed.
    """
    with transaction.atomic():
        row = _lock_stored(upload, _State.PROVEN)
        blob, _ = Blob.objects.select_for_update().get_or_create(
            sha256=row.sha256, defaults={"size": row.size}
        )
        if row.state == _State.PROVEN:
            return blob
        if blob.forms.filter(kind=Form.Kind.PLAIN, state=Form.State.OK).exists():
            condemn(row.final_key)
        else:
            Form.objects.create(blob=blob, kind=Form.Kind.PLAIN, key=row.final_key)
            release_if_sound(blob)
        close(row, _State.PROVEN)
        return blob


def settle_rejected(upload: Upload, *, problem: str) -> None:
    """Record why the stored bytes are not what was announced, and condemn them, in the caller's transaction."""
    with transaction.atomic():
        row = _lock_stored(upload, _State.REJECTED)
        if row.state == _State.STORED:
            condemn(row.final_key)
            close(row, _State.REJECTED, problem=problem)


def _lock_stored(upload: Upload, already: Upload.State) -> Upload:
    row = Upload.objects.select_for_update().get(pk=upload.pk)
    if row.state not in (_State.STORED, already):
        raise UploadClosed(f"This upload is {row.state}; it cannot become {already}.")
    return row


def close(row: Upload, state: Upload.State, *, problem: str = "") -> None:
    """End an upload whose row the caller holds."""
    row.state = state
    row.problem = problem
    row.save(update_fields=["state", "problem"])
