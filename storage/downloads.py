"""Bytes on their way out.  What is quarantined or damaged is never handed out: it counts as missing."""

from storage import s3, signing
from storage.errors import ObjectMissing, RangeNotSatisfiable
from storage.models import Form
from storage.s3 import ByteStream

OCTETS = "application/octet-stream"


def find_form(sha256: str) -> Form | None:
    """Return a sound form of a blob that is not quarantined, with its blob, in one query."""
    sound = Form.objects.filter(
        blob__sha256=sha256, blob__quarantined_at=None, state=Form.State.OK, kind=Form.Kind.PLAIN
    )
    return sound.select_related("blob").order_by("pk").first()


def _form(sha256: str) -> Form:
    form = find_form(sha256)
    if form is None:
        raise ObjectMissing("These bytes are not held, or are held back because they are damaged.")
    return form


def size(sha256: str) -> int:
    """Return the size in bytes of what can be handed out; raises ObjectMissing."""
    return _form(sha256).blob.size


def link(sha256: str, *, filename: str, expires: int, content_type: str = OCTETS) -> str:
    """Return a link, good for `expires` seconds, that saves the bytes as `filename`; raises ObjectMissing."""
    form = _form(sha256)
    return signing.presign_get(form.key, filename=filename, content_type=content_type, expires=expires)


def open_range(sha256: str, start: int, length: int) -> ByteStream:
    """Open `length` bytes from `start`; `close` it when stopping early (an iterating server does so).

    Raises ObjectMissing, RangeNotSatisfiable (also for an empty range), StoreUnavailable.
    """
    return _open(_form(sha256), start, length)


def _open(form: Form, start: int, length: int) -> ByteStream:
    if start < 0 or length < 1 or start + length > form.blob.size:
        raise RangeNotSatisfiable(
            f"{length} bytes from {start} are not within the {form.blob.size} bytes of this object."
        )
    return s3.open_range(form.key, start, length)


class BlobReader:
    """Random access to a blob, for whoever inspects it.  Every read is a request to the store."""

    def __init__(self, sha256: str) -> None:
        """Find the blob; raises ObjectMissing."""
        self._form = _form(sha256)
        self.size = self._form.blob.size

    def read(self, start: int, length: int) -> bytes:
        """Return exactly `length` bytes from `start`; raises RangeNotSatisfiable where there are fewer."""
        if length == 0 and 0 <= start <= self.size:
            return b""
        with _open(self._form, start, length) as stream:
            return b"".join(stream)
