"""Clearing away what nothing holds any more.  Rows go first, keys after them, never the other way round."""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, ProtectedError, QuerySet
from django.utils import timezone

from storage import keys, s3, uploads
from storage.condemned import condemn
from storage.errors import StoreUnavailable
from storage.models import Blob, Condemned, Form, Recipe, RecipeXorb, Upload, Xorb


def expire_uploads(older_than: timedelta, *, limit: int = 1000) -> int:
    """Abort open uploads that nobody touched for `older_than`, and return how many."""
    since = timezone.now() - older_than
    idle = Upload.objects.filter(state=Upload.State.OPEN, touched_at__lt=since).order_by("touched_at")
    return sum(uploads.abort_idle(upload, since=since) for upload in idle[:limit])


def abort_stray_multiparts(older_than: timedelta) -> int:
    """Give up multipart uploads in the store that no open upload names, and return how many."""
    begun_before = timezone.now() - older_than
    old = [(key, number) for key, number, begun in s3.list_multiparts() if begun < begun_before]
    named = set(
        Upload.objects.filter(state=Upload.State.OPEN)
        .exclude(s3_upload_id="")
        .values_list("final_key", "s3_upload_id")
    )
    stray = [pair for pair in old if pair not in named]
    for key, number in stray:
        s3.abort_multipart(key, number)
    return len(stray)


def forget_blob(blob: Blob) -> None:
    """Delete a blob and its forms and condemn their keys.

    Raises ProtectedError (or, for a holder that commits at the same moment, IntegrityError) while anything
    holds it, and then changes nothing.
    """
    with transaction.atomic():
        row = Blob.objects.select_for_update().get(pk=blob.pk)
        condemn(*row.forms.values_list("key", flat=True))
        recipes = list(Recipe.objects.filter(form__blob=row).values_list("pk", flat=True))
        row.forms.all().delete()
        Recipe.objects.filter(pk__in=recipes).delete()
        row.delete()


def forget_recipes(older_than: timedelta) -> int:
    """Delete recipes that nobody tried to prove within `older_than`, and return how many."""
    idle = Recipe.objects.filter(state=Recipe.State.PROVING, touched_at__lt=timezone.now() - older_than)
    count = idle.count()
    idle.delete()
    return count


def forget_xorbs(unmentioned_for: timedelta, *, limit: int = 1000) -> int:
    """Delete xorbs that no recipe needs and no client may still name, and return how many.

    A client names what it heard of for three weeks and never forgets earlier, so neither may this hub.
    """
    idle = Xorb.objects.filter(
        ~Exists(RecipeXorb.objects.filter(xorb=OuterRef("pk"))),
        mentioned_at__lt=timezone.now() - unmentioned_for,
    )
    return sum(_forget_xorb(idle, pk) for pk in list(idle.values_list("pk", flat=True)[:limit]))


def _forget_xorb(idle: QuerySet[Xorb], pk: int) -> bool:
    try:
        with transaction.atomic():
            row = idle.select_for_update(of=("self",)).defer("index").filter(pk=pk).first()
            if row is None:
                return False
            condemn(row.key)
            row.delete()
            return True
    except (ProtectedError, IntegrityError):
        # A recipe that came at the same moment needs it.
        return False


def delete_condemned(limit: int, grace: timedelta) -> int:
    """Delete up to `limit` keys that were condemned longer than `grace` ago, and return how many are gone.

    `grace` is longer than any link lives, so that a download that has begun can end.  Call it outside a
    transaction.
    """
    marked = Condemned.objects.filter(condemned_at__lt=timezone.now() - grace).order_by("condemned_at")
    # A key that a form or a xorb names stays, whatever condemned it.
    alive = [Exists(rows.filter(key=OuterRef("key"))) for rows in (Form.objects, Xorb.objects)]
    doomed = list(marked.exclude(alive[0] | alive[1]).values_list("key", flat=True)[:limit])
    gone = s3.delete_keys(doomed)
    Condemned.objects.filter(key__in=gone).delete()
    if len(gone) < len(doomed):
        raise StoreUnavailable(
            f"The object store kept {len(doomed) - len(gone)} keys that were to be deleted."
        )
    return len(gone)


def unlisted_keys(older_than: timedelta) -> Iterator[list[str]]:
    """Yield, in batches, keys of blobs, xorbs and staging older than `older_than` that no row here names."""
    for prefix in (keys.BLOBS, keys.XORBS, keys.STAGING):
        yield from _unlisted(prefix, timezone.now() - older_than, _named_here)


def unlisted_objects(
    older_than: timedelta, named: Callable[[Collection[str]], set[str]]
) -> Iterator[list[str]]:
    """The same for `storage.objects`, whose rows stand elsewhere: `named` tells which of these keys a row names."""
    yield from _unlisted(keys.GIT, timezone.now() - older_than, named)


def _unlisted(
    prefix: str, before: datetime, named: Callable[[Collection[str]], set[str]]
) -> Iterator[list[str]]:
    for batch in s3.list_prefix(prefix):
        old = [row.key for row in batch if row.modified < before]
        held = named(old) | set(Condemned.objects.filter(key__in=old).values_list("key", flat=True))
        if lost := [key for key in old if key not in held]:
            yield lost


def _named_here(wanted: Collection[str]) -> set[str]:
    alive = Upload.objects.filter(state__in=(Upload.State.OPEN, Upload.State.STORED))
    staging = alive.filter(staging_key__in=wanted, state=Upload.State.OPEN).values_list(
        "staging_key", flat=True
    )
    coming = {*staging, *alive.filter(final_key__in=wanted).values_list("final_key", flat=True)}
    # Forms are read last: an upload that is proven between the two questions is found by one of them.
    kept = (Form.objects.filter(key__in=wanted), Xorb.objects.filter(key__in=wanted))
    return coming.union(*(rows.values_list("key", flat=True) for rows in kept))


def condemn_keys(lost: Collection[str]) -> None:
    """Condemn keys that `unlisted_keys` or `unlisted_objects` found."""
    condemn(*lost)
