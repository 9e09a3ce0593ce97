"""What a domain already holds, told to its clients so that they send it no second time."""

import time
from collections.abc import Sequence

from django.conf import settings
from django.db.models import F
from django.utils.crypto import salted_hmac

from storage import layout
from storage.models import DedupChunk, Epoch, Recipe, RecipeXorb, Xorb
from storage.xet.hashes import Hash, from_text, to_text
from storage.xet.shards import XorbEntry, write_dedup_shard
from storage.xorbs import named_in

DAY = 24 * 3600
REMEMBERED_DAYS = 7
# A file's other xorbs are told along with the one that was asked for, up to so many.
MOST_XORBS = 64


def current_epoch() -> int:
    """Return the number that stands for what clients may remember of this store."""
    number = Epoch.objects.values_list("number", flat=True).order_by("pk").first()
    return number if number is not None else Epoch.objects.get_or_create(pk=1)[0].number


def raise_epoch() -> int:
    """Make every client forget what it remembers of this store: after a restore, and when chunks are found damaged."""
    current_epoch()
    Epoch.objects.update(number=F("number") + 1)
    return current_epoch()


def learn(recipes: Sequence[Recipe], domain: str) -> None:
    """Let clients of this domain find its proven files' chunks: their first ones, and those they ask for anywhere.

    A chunk that was known to lie in a xorb which is damaged now is found in the new one.
    """
    wanted = {int(pk) for recipe in recipes for pk in layout.unpack_terms(recipe.terms)["xorb"]}
    known: dict[Hash, int] = {}
    firsts = [layout.unpack_terms(recipe.terms)[0] for recipe in recipes]
    for xorb in Xorb.objects.filter(pk__in=wanted, domain=domain).order_by("pk").iterator(chunk_size=16):
        index = layout.Index.of(xorb.index)
        known |= dict.fromkeys(index.asked_for(), xorb.pk)
        starts = {int(first["start"]) for first in firsts if int(first["xorb"]) == xorb.pk}
        known |= {index.rows["hash"][at].tobytes(): xorb.pk for at in starts}
    names = sorted((to_text(digest), pk) for digest, pk in known.items())
    damaged = Xorb.objects.filter(domain=domain, state=Xorb.State.DAMAGED)
    DedupChunk.objects.filter(domain=domain, chunk__in=[name for name, _ in names], xorb__in=damaged).delete()
    DedupChunk.objects.bulk_create(
        [DedupChunk(domain=domain, chunk=name, xorb_id=pk) for name, pk in names],
        ignore_conflicts=True, batch_size=5000,
    )  # fmt: skip


def answer(chunk: str, *, domain: str) -> bytes | None:
    """Return the shard that tells where this domain holds a chunk, or None.

    Its chunk hashes are keyed, so it says nothing to whoever does not have the chunks already.
    """
    known = DedupChunk.objects.filter(domain=domain, chunk=chunk, xorb__state=Xorb.State.OK)
    hit = known.select_related("xorb").defer("xorb__index").first()
    if hit is None:
        return None
    mentioned = [hit.xorb.hash, *_siblings(hit.xorb_id)]
    named = {xorb.pk for xorb in named_in(domain, mentioned).values()}
    # What was asked for comes first.
    xorbs = sorted(Xorb.objects.filter(pk__in=named), key=lambda xorb: (xorb.pk != hit.xorb_id, xorb.pk))
    now = int(time.time())
    return write_dedup_shard(
        [_entry(xorb) for xorb in xorbs], _key(domain, now // DAY), now + REMEMBERED_DAYS * DAY, now
    )


def _siblings(xorb_id: int) -> list[str]:
    """Return the hashes of other xorbs of the files that need this one, the nearest first."""
    files = RecipeXorb.objects.filter(xorb=xorb_id, recipe__state=Recipe.State.PROVEN).values("recipe")
    together = Xorb.objects.filter(needed_by__recipe__in=files, state=Xorb.State.OK).exclude(pk=xorb_id)
    pairs = sorted(set(together.values_list("pk", "hash")), key=lambda pair: abs(pair[0] - xorb_id))
    return [name for _, name in pairs[: MOST_XORBS - 1]]


def _entry(xorb: Xorb) -> XorbEntry:
    chunks, at = [], 0
    for digest, raw in layout.Index.of(xorb.index).pairs():
        chunks.append((digest, at, raw))
        at += raw
    return XorbEntry(from_text(xorb.hash), chunks, at)


def _key(domain: str, day: int) -> bytes:
    """Return the key of a domain's answers on one day; whoever gets an answer learns it, and nothing by it."""
    return salted_hmac(
        "storage.dedup", f"{domain}:{day}", secret=settings.SECRET_KEY, algorithm="sha256"
    ).digest()
