"""Plain bytes on their way in: begin, write (by links or through the hub), finish, prove or reject.

No client ever holds a link that writes a key which is served.  A small upload is PUT to a staging key and
copied to a fresh final key when it is finished; a multipart upload is assembled at its final key, after which
its part links are dead.  Every step may be repeated, and a process may die between any two of them: what is
left over is named by a row.
"""

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from storage import keys, s3, sending, signing
from storage import parts as cutting
from storage.condemned import condemn
from storage.digests import Digest
from storage.errors import PartsMismatch, StoreUnavailable, UploadClosed, UploadNotFound, WrongSize
from storage.models import Upload
from storage.settling import close

PART_SIZE = 64 * 2**20
SINGLE_LIMIT = 64 * 2**20

_State = Upload.State


@dataclass(frozen=True, slots=True)
class WriteLinks:
    """Links for a client: one for a small upload, else one per part, each of `part_size` bytes."""

    single: str | None
    parts: list[str]
    part_size: int


# --- begin --------------------------------------------------------------------------------------------------


def begin(
    *, owner: str, sha256: str, size: int, single_limit: int = SINGLE_LIMIT, part_size: int = PART_SIZE
) -> Upload:
    """Return the open upload of these bytes by this owner in this shape, a new one where there is none.

    Up to `single_limit` bytes are one PUT, more are parts.  A client that knows no parts and one that does
    never get each other's upload.  Raises BadDigest, WrongSize, StoreUnavailable.
    """
    return opened(
        reserve(owner=owner, sha256=sha256, size=size, single_limit=single_limit, part_size=part_size)
    )


def reserve(
    *, owner: str, sha256: str, size: int, single_limit: int = SINGLE_LIMIT, part_size: int = PART_SIZE
) -> Upload:
    """The first half of `begin`, which writes the row and asks nothing of the store; raises BadDigest, WrongSize."""
    digest = Digest.parse(sha256)
    if size < 0:
        raise WrongSize(f"size={size} is not a number of bytes.")
    upload_id = uuid.uuid4()
    shape = cutting.size_for(size, at_least=part_size) if size > single_limit else 0
    fresh = {"final_key": keys.blob_key(digest)} if shape else {"staging_key": keys.staging_key(upload_id)}
    upload, created = Upload.objects.get_or_create(
        owner=owner,
        sha256=digest,
        size=size,
        part_size=shape,
        state=_State.OPEN,
        defaults={"id": upload_id, **fresh},
    )
    if not created:
        _touch(upload)
    return upload


def opened(upload: Upload) -> Upload:
    """The second half of `begin`: have the store ready to take the bytes; raises StoreUnavailable."""
    return _with_multipart(upload) if upload.part_size and not upload.s3_upload_id else upload


def _touch(upload: Upload) -> None:
    Upload.objects.filter(pk=upload.pk).update(touched_at=timezone.now())


def _release_connection() -> None:
    """Give the database connection back while a client sends its bytes, which may take long."""
    if not connection.in_atomic_block:
        connection.close()


def _with_multipart(upload: Upload) -> Upload:
    """Ask the store for a multipart upload; when two callers race, the second one's is given up."""
    begun = s3.begin_multipart(upload.final_key)
    taken = Upload.objects.filter(pk=upload.pk, state=_State.OPEN, s3_upload_id="").update(s3_upload_id=begun)
    if not taken:
        # A store that fails right now keeps an empty multipart upload, which the sweep finds.
        with contextlib.suppress(StoreUnavailable):
            s3.abort_multipart(upload.final_key, begun)
    return get(upload.pk)


# --- look ---------------------------------------------------------------------------------------------------


def get(upload_id: uuid.UUID | str) -> Upload:
    """Return an upload in whatever state; raises UploadNotFound."""
    try:
        return Upload.objects.get(pk=uuid.UUID(str(upload_id)))
    except (Upload.DoesNotExist, ValueError) as error:
        raise UploadNotFound(f"There is no upload {str(upload_id)[:80]!r}.") from error


def find(owner: str, sha256: str) -> Upload | None:
    """Return the latest upload of these bytes by this owner that is open, stored or proven."""
    usable = (_State.OPEN, _State.STORED, _State.PROVEN)
    return (
        Upload.objects.filter(owner=owner, sha256=sha256, state__in=usable)
        .order_by("-created_at", "-pk")
        .first()
    )


def part_plan(upload: Upload) -> list[tuple[int, int]]:
    """Return (number, length in bytes) of every part; empty for a single PUT."""
    return list(cutting.plan(upload.size, upload.part_size).items()) if upload.part_size else []


def arrived(upload: Upload) -> set[int]:
    """Return the numbers of the parts of an open upload that are there whole; for a single PUT, 1 when it is.

    Raises UploadNotFound where the store has given the upload up, and StoreUnavailable.
    """
    if not upload.part_size:
        return {1} if s3.size_of(upload.staging_key) == upload.size else set()
    planned = dict(part_plan(upload))
    held = s3.list_parts(upload.final_key, upload.s3_upload_id)
    return {part.number for part in held if planned.get(part.number) == part.size}


def _require_open(upload: Upload) -> None:
    if upload.state != _State.OPEN:
        raise UploadClosed(f"This upload is {upload.state} and takes no more bytes.")


# --- write --------------------------------------------------------------------------------------------------


def links(upload: Upload, *, expires: int) -> WriteLinks:
    """Return links, good for `expires` seconds, that each write exactly as many bytes as planned."""
    _require_open(upload)
    _touch(upload)
    if not upload.part_size:
        single = signing.presign_put(upload.staging_key, length=upload.size, expires=expires)
        return WriteLinks(single=single, parts=[], part_size=0)
    parts = [
        signing.presign_part(upload.final_key, upload.s3_upload_id, number, length=length, expires=expires)
        for number, length in part_plan(upload)
    ]
    return WriteLinks(single=None, parts=parts, part_size=upload.part_size)


def write_single(upload: Upload, stream: sending.Readable, length: int) -> None:
    """Write a small upload through the hub; raises WrongSize, UploadClosed, StoreUnavailable."""
    _require_open(upload)
    if upload.part_size:
        raise PartsMismatch("This upload is written in parts.")
    if length != upload.size:
        raise WrongSize(f"The body is announced as {length} bytes; the upload has {upload.size}.")
    _touch(upload)
    _release_connection()
    sending.write_stream(upload.staging_key, stream, length)


def write_part(upload: Upload, number: int, stream: sending.Readable, length: int) -> str:
    """Write one part through the hub and return its ETag; raises as `write_single`, and PartsMismatch."""
    _require_open(upload)
    planned = dict(part_plan(upload)).get(number)
    if planned is None:
        raise PartsMismatch(f"This upload has no part {number}.")
    if length != planned:
        raise WrongSize(f"Part {number} is announced as {length} bytes; it has {planned}.")
    _touch(upload)
    _release_connection()
    return sending.write_part_stream(upload.final_key, upload.s3_upload_id, number, stream, length)


# --- finish -------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _one_at_a_time(upload_id: uuid.UUID) -> Iterator[None]:
    """Let one caller at a time finish an upload, holding no row and no transaction while the store works.

    The lock belongs to the database session, so it ends with a process that is killed.
    """
    number = upload_id.int % 2**63
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [number])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


def finish(upload_id: uuid.UUID | str, *, parts: list[tuple[int, str]] | None = None) -> Upload:
    """Take the bytes as arrived and return the upload, now stored; again for one that is stored or proven.

    `parts` is (number, ETag) as the client saw them; without it, what the store holds is taken.  Not to be
    called in a transaction.  Raises UploadNotFound, UploadClosed, WrongSize, PartsMismatch (the upload stays
    open), StoreUnavailable.
    """
    found = get(upload_id)
    with _one_at_a_time(found.pk):
        upload = get(found.pk)
        if upload.state in (_State.STORED, _State.PROVEN):
            return upload
        _require_open(upload)
        ready = _assemble(upload, parts) if upload.part_size else _copy(upload)
        return _store(ready)


def _copy(upload: Upload) -> Upload:
    """Copy the staged bytes to a fresh key, which the row names before it is written."""
    size = s3.size_of(upload.staging_key)
    if size is None:
        raise UploadNotFound("The bytes of this upload have not arrived.")
    if size != upload.size:
        raise WrongSize(f"{size} bytes have arrived; the upload has {upload.size}.")
    with transaction.atomic(durable=True):
        row = Upload.objects.select_for_update().get(pk=upload.pk)
        _require_open(row)
        condemn(row.final_key)
        row.final_key = keys.blob_key(Digest.parse(row.sha256))
        row.save(update_fields=["final_key"])
    s3.copy(row.staging_key, row.final_key, row.size)
    return row


def _assemble(upload: Upload, parts: list[tuple[int, str]] | None) -> Upload:
    """Have the store put the parts together, unless it did so for a call that died before it could say so."""
    try:
        arrived = s3.list_parts(upload.final_key, upload.s3_upload_id)
        chosen = cutting.choose(dict(part_plan(upload)), arrived, parts)
        s3.complete_multipart(upload.final_key, upload.s3_upload_id, chosen)
    except UploadNotFound:
        if s3.size_of(upload.final_key) is None:
            abort(upload)
            raise UploadNotFound("The object store gave this upload up; begin it again.") from None
    return upload


def _store(ready: Upload) -> Upload:
    """Record that the bytes lie at `ready.final_key`; a key that lost its row meanwhile is condemned."""
    with transaction.atomic(durable=True):
        row = Upload.objects.select_for_update().get(pk=ready.pk)
        if row.state == _State.OPEN and row.final_key == ready.final_key:
            row.state = _State.STORED
            row.save(update_fields=["state"])
            condemn(row.staging_key)
            return row
        if row.final_key != ready.final_key or row.state in (_State.ABORTED, _State.REJECTED):
            condemn(ready.final_key)
    if row.state in (_State.STORED, _State.PROVEN):
        return row
    raise UploadClosed(f"This upload was {row.state} while it was being finished.")


# --- give up ------------------------------------------------------------------------------------------------


def abort(upload: Upload) -> bool:
    """Give up an upload that is open or stored and return True; nothing happens to one that has ended.

    The row is closed first.  Where the store fails after that, the sweep gives up the parts.
    """
    return _abort(Upload.objects.filter(pk=upload.pk, state__in=(_State.OPEN, _State.STORED)))


def abort_idle(upload: Upload, *, since: datetime) -> bool:
    """Give up an upload if it is open and nobody touched it after `since`, and return whether it was."""
    return _abort(Upload.objects.filter(pk=upload.pk, state=_State.OPEN, touched_at__lt=since))


def _abort(which: QuerySet[Upload]) -> bool:
    with transaction.atomic():
        row = which.select_for_update().first()
        if row is None:
            return False
        condemn(row.staging_key, row.final_key)
        close(row, _State.ABORTED)
    if row.s3_upload_id:
        s3.abort_multipart(row.final_key, row.s3_upload_id)
    return True
