"""When stored bytes were last looked at: what there is to tell of each blob, for whoever wants to judge it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Min, OuterRef, Subquery
from django.db.models.functions import Coalesce

from storage.models import Form, RecipeXorb


@dataclass(frozen=True, slots=True)
class Look:
    """One form of a blob: ``plain`` or ``chunked``, when it was made, and when and how often it was hashed again.

    Of a form in chunks it is the chunk that was looked at longest ago that counts.
    """

    sha256: str
    kind: str
    is_sound: bool
    made_at: datetime
    looked_at: datetime | None
    times: int


def looks(digests: Collection[str]) -> list[Look]:
    """Return every form of these blobs, in one query."""
    xorbs = RecipeXorb.objects.filter(recipe=OuterRef("recipe")).order_by().values("recipe")
    # An xorb that was never looked at has no time, and says so for the whole; Min would pass over it.
    oldest = xorbs.annotate(at=Min(Coalesce("xorb__scrubbed_at", "xorb__created_at"))).values("at")
    fewest = xorbs.annotate(times=Min("xorb__scrubs")).values("times")
    rows = Form.objects.filter(blob__sha256__in=digests).annotate(
        oldest=Subquery(oldest), fewest=Subquery(fewest)
    )
    found = rows.order_by("pk").values_list(
        "blob__sha256", "kind", "state", "created_at", "scrubbed_at", "scrubs", "oldest", "fewest"
    )
    return [
        Look(sha256, kind, state == Form.State.OK, made_at, *_last(kind, at, times, oldest, fewest))
        for sha256, kind, state, made_at, at, times, oldest, fewest in found
    ]


def _last(
    kind: str, at: datetime | None, times: int, oldest: datetime | None, fewest: int | None
) -> tuple[datetime | None, int]:
    if kind == Form.Kind.PLAIN:
        return at, max(times, 1) if at else 0
    return (oldest, fewest) if fewest else (None, 0)
