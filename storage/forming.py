"""Plain forms that the hub makes itself, of blobs that lie in chunks only, and gives up again.

Such a form comes as an upload whose sender is the hub, so whatever holds for an upload that breaks off holds for it
too: parts that arrived are not sent again, and what is left over is named by a row.  Its proof is the hash of the
stored object, read back from the store: that alone covers a fault in the chunks, on the way and in the store, which
neither a hash of what was sent nor a checksum of the store's own does.

The upload's row stays and tells which forms were made (by its `owner`) and when each was last wanted (`touched_at`).
"""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone

from storage import chunks, s3, uploads
from storage.condemned import condemn
from storage.models import Blob, Form, Recipe, Upload

# So many decoded pieces are gathered while as many are sent.
AT_ONCE = 4
PART_SIZE = 64 * 2**20
SINGLE_LIMIT = 64 * 2**20

PROVEN = Upload.State.PROVEN
OK, PLAIN, CHUNKED = Form.State.OK, Form.Kind.PLAIN, Form.Kind.CHUNKED


# --- making -------------------------------------------------------------------------------------------------


def lacking_plain(digests: Collection[str]) -> QuerySet[Blob]:
    """Return which of these blobs can be handed out, but lie in chunks only."""
    sound = Form.objects.filter(blob=OuterRef("pk"), state=OK)
    mine = Blob.objects.filter(sha256__in=digests, quarantined_at=None, size__gt=0)
    return mine.filter(Exists(sound.filter(kind=CHUNKED)), ~Exists(sound.filter(kind=PLAIN)))


def recipe_for(sha256: str) -> Recipe | None:
    """Return how a blob that lies in chunks only is put together; None for one that needs no plain form."""
    blob = lacking_plain([sha256]).first()
    return Recipe.objects.filter(form__blob=blob, form__state=OK).order_by("pk").first() if blob else None


def assemble(recipe: Recipe, *, owner: str, progress: Callable[[int], None]) -> Upload:
    """Put a file together as one object and return its upload: stored, not yet proven.

    Every chunk is hashed again on the way.  What an earlier call sent is not sent again.  `progress` gets the number
    of bytes sent so far and may raise to stop.  Raises ObjectMissing, StoreUnavailable, UploadNotFound, UploadClosed.
    """
    upload = uploads.find(owner, recipe.sha256)
    if upload is not None and upload.state == Upload.State.STORED:
        return upload
    upload = uploads.begin(
        owner=owner, sha256=recipe.sha256, size=recipe.size, single_limit=SINGLE_LIMIT, part_size=PART_SIZE
    )
    if upload.part_size:
        _send_parts(upload, recipe, progress)
    else:
        with _reading(recipe, 0, recipe.size) as content:
            uploads.write_single(upload, content, recipe.size)
    return uploads.finish(upload.pk)


def _send_parts(upload: Upload, recipe: Recipe, progress: Callable[[int], None]) -> None:
    arrived = {(part.number, part.size) for part in s3.list_parts(upload.final_key, upload.s3_upload_id)}
    done = 0
    for number, length in uploads.part_plan(upload):
        if (number, length) not in arrived:
            with _reading(recipe, done, length) as content:
                uploads.write_part(upload, number, content, length)
        done += length
        progress(done)


@contextmanager
def _reading(recipe: Recipe, start: int, length: int) -> Iterator["_Ahead"]:
    # The thread ends before what it reads is closed.
    with closing(chunks.read(recipe, start, length)) as content, ThreadPoolExecutor(1) as decoder:
        yield _Ahead(content, decoder)


class _Ahead:
    """A stream of decoded chunks; the next ones are decoded by another thread while these are taken."""

    def __init__(self, content: Iterator[bytes], decoder: Executor) -> None:
        self._content = content
        self._decoder = decoder
        self._held = memoryview(b"")
        self._next = decoder.submit(self._some)

    def _some(self) -> bytes:
        return b"".join(islice(self._content, AT_ONCE))

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        if not self._held:
            self._held = memoryview(self._next.result())
            self._next = self._decoder.submit(self._some)
        piece, self._held = self._held[:size], self._held[size:]
        return bytes(piece)


# --- giving up ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Made:
    """A plain form that was made for speed; a damaged one is of no use."""

    sha256: str
    size: int
    key: str
    damaged: bool


def made(owner: str) -> list[Made]:
    """Return the plain forms that were made, damaged ones first, then those that were wanted longest ago."""
    mine = Upload.objects.filter(owner=owner, state=PROVEN)
    rows = Form.objects.filter(kind=PLAIN, key__in=mine.values("final_key")).select_related("blob")
    wanted_at = Subquery(mine.filter(final_key=OuterRef("key")).values("touched_at")[:1])
    forms = sorted(
        rows.annotate(wanted_at=wanted_at).order_by("wanted_at"), key=lambda form: form.state == OK
    )
    return [Made(form.blob.sha256, form.blob.size, form.key, form.state != OK) for form in forms]


def touch(digests: Collection[str], *, owner: str) -> None:
    """Note that the plain forms made of these blobs were wanted just now."""
    mine = Upload.objects.filter(owner=owner, state=PROVEN, sha256__in=digests)
    mine.update(touched_at=timezone.now())


def drop(form: Made) -> bool:
    """Give up a form that was made; False, and nothing happens, where it is the last sound one or gone already."""
    with transaction.atomic():
        blob = Blob.objects.select_for_update().filter(sha256=form.sha256).first()
        row = Form.objects.filter(blob=blob, key=form.key).first()
        if blob is None or row is None or not blob.forms.filter(state=OK).exclude(pk=row.pk).exists():
            return False
        condemn(row.key)
        Upload.objects.filter(final_key=row.key).delete()
        row.delete()
        return True
