"""Plain forms that the hub makes itself, of blobs that lie in chunks only, and gives up again.

Such a form comes as an upload whose sender is the hub, so whatever holds for an upload that breaks off holds for it
too: parts that arrived are not sent again, and what is left over is named by a row.  Its proof is the hash of the
stored object, read back from the store: that alone covers a fault in the chunks, on the way and in the store, which
neither a hash of what was sent nor a checksum of the store's own does.

The upload's row stays and tells which forms were made (by its `owner`) and when each was last wanted (`touched_at`).
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone

from storage import chunks, making
from storage.condemned import condemn
from storage.models import Blob, Form, Recipe, Upload
from storage.streams import PieceStream

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
    return making.send(
        owner=owner,
        sha256=recipe.sha256,
        size=recipe.size,
        opened=partial(_reading, recipe),
        progress=progress,
    )


@contextmanager
def _reading(recipe: Recipe, start: int, length: int) -> Iterator[PieceStream]:
    with closing(chunks.read(recipe, start, length)) as content:
        yield PieceStream(content)


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
