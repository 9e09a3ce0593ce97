"""Bytes on their way out.  What is quarantined or damaged is never handed out: it counts as missing."""

from collections.abc import Generator
from contextlib import closing

from storage import chunks, s3, signing
from storage.errors import ObjectMissing, RangeNotSatisfiable
from storage.models import Form
from storage.s3 import ByteStream

OCTETS = "application/octet-stream"


Bytes = ByteStream | Generator[bytes, None, None]


def find_form(sha256: str) -> Form | None:
    """Return a sound form of a blob that is not quarantined, a plain one before others, in one query."""
    sound = Form.objects.filter(blob__sha256=sha256, blob__quarantined_at=None, state=Form.State.OK)
    return sound.select_related("blob", "recipe").order_by("-kind", "pk").first()


def _form(sha256: str) -> Form:
    form = find_form(sha256)
    if form is None:
        raise ObjectMissing("These bytes are not held, or are held back because they are damaged.")
    return form


def size(sha256: str) -> int:
    """Return the size in bytes of what can be handed out; raises ObjectMissing."""
    return _form(sha256).blob.size


def link(sha256: str, *, filename: str, expires: int, content_type: str = OCTETS) -> str:
    """Return a link, good for `expires` seconds, that saves the bytes as `filename`; raises ObjectMissing.

    Returns "" for bytes that lie in chunks only, which `open_range` puts together.
    """
    form = _form(sha256)
    if not form.key:
        return ""
    return signing.presign_get(form.key, filename=filename, content_type=content_type, expires=expires)


def open_range(sha256: str, start: int, length: int) -> Bytes:
    """Open `length` bytes from `start`; `close` it when stopping early (an iterating server does so).

    Raises ObjectMissing, RangeNotSatisfiable (also for an empty range), StoreUnavailable.
    """
    return _open(_form(sha256), start, length)


def is_from_chunks(stream: Bytes) -> bool:
    """True where what `open_range` returned is put together from chunks."""
    return not isinstance(stream, ByteStream)


def _open(form: Form, start: int, length: int) -> Bytes:
    if start < 0 or length < 1 or start + length > form.blob.size:
        raise RangeNotSatisfiable(
            f"{length} bytes from {start} are not within the {form.blob.size} bytes of this object."
        )
    if form.recipe is not None:
        return chunks.read(form.recipe, start, length)
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
        with closing(_open(self._form, start, length)) as stream:
            return b"".join(stream)
