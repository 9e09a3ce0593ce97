"""What a domain already holds, told to its clients so that they send it no second time."""

import time
from collections.abc import Sequence

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from storage import layout
from storage.models import DedupChunk, Epoch, Recipe, Xorb
from storage.xet.hashes import Hash, from_text, to_text
from storage.xet.shards import XorbEntry, write_dedup_shard

DAY = 24 * 3600
REMEMBERED_DAYS = 7
# A file's other xorbs are told along with the one that was asked for, up to so many.
MOST_XORBS = 64


def current_epoch() -> int:
    """Return the number that stands for what clients may remember of this store."""
    number = Epoch.objects.values_list("number", flat=True).order_by("pk").first()
    return number if number is not None else Epoch.objects.get_or_create(pk=1)[0].number


def raise_epoch() -> int:
    """Make every client forget what it remembers of this store; to be called after a restore."""
    number = current_epoch() + 1
    Epoch.objects.update(number=number)
    return number


def learn(recipes: Sequence[Recipe], domain: str) -> None:
    """Let clients of this domain find proven files' chunks: their first ones, and those they ask for anywhere."""
    wanted = {int(pk) for recipe in recipes for pk in layout.unpack_terms(recipe.terms)["xorb"]}
    known: dict[Hash, int] = {}
    firsts = [layout.unpack_terms(recipe.terms)[0] for recipe in recipes]
    for xorb in Xorb.objects.filter(pk__in=wanted, domains__domain=domain).iterator(chunk_size=16):
        index = layout.Index.of(xorb.index)
        known |= dict.fromkeys(index.asked_for(), xorb.pk)
        starts = {int(first["start"]) for first in firsts if int(first["xorb"]) == xorb.pk}
        known |= {index.rows["hash"][at].tobytes(): xorb.pk for at in starts}
    DedupChunk.objects.bulk_create(
        [DedupChunk(domain=domain, chunk=to_text(digest), xorb_id=pk) for digest, pk in known.items()],
        ignore_conflicts=True,
    )


def answer(chunk: str, *, domain: str) -> bytes | None:
    """Return the shard that tells where this domain holds a chunk, or None.

    Its chunk hashes are keyed, so it says nothing to whoever does not have the chunks already.
    """
    hit = DedupChunk.objects.filter(domain=domain, chunk=chunk, xorb__state=Xorb.State.OK).first()
    if hit is None:
        return None
    xorbs = [Xorb.objects.get(pk=hit.xorb_id), *_siblings(hit.xorb_id, domain)]
    Xorb.objects.filter(pk__in=[xorb.pk for xorb in xorbs]).update(mentioned_at=timezone.now())
    now = int(time.time())
    return write_dedup_shard(
        [_entry(xorb) for xorb in xorbs], _key(domain, now // DAY), now + REMEMBERED_DAYS * DAY, now
    )


def _siblings(xorb_id: int, domain: str) -> list[Xorb]:
    """Return other xorbs of the files that need this one, the nearest first."""
    together = Xorb.objects.filter(
        needed_by__recipe__in=Recipe.objects.filter(
            state=Recipe.State.PROVEN, pk__in=Xorb.objects.get(pk=xorb_id).needed_by.values("recipe")
        ),
        domains__domain=domain, state=Xorb.State.OK,
    ).exclude(pk=xorb_id)  # fmt: skip
    pks = sorted(set(together.values_list("pk", flat=True)), key=lambda pk: abs(pk - xorb_id))
    return list(Xorb.objects.filter(pk__in=pks[: MOST_XORBS - 1]))


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
