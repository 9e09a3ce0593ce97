"""What a domain already holds, told to its clients so that they send it no second time."""

import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy
from django.conf import settings
from django.db import connection
from django.db.models import F
from django.db.models.functions import Abs, Length
from django.utils.crypto import salted_hmac

from storage import layout
from storage.models import DedupChunk, Epoch, Recipe, RecipeXorb, Xorb
from storage.xet.hashes import Hash, from_text, to_text
from storage.xet.shards import XorbEntry, write_dedup_shard
from storage.xorbs import named_in

DAY = 24 * 3600
REMEMBERED_DAYS = 7
# A file's other xorbs are told along with the one that was asked for: so many in all, with so many chunks.
MOST_XORBS, MOST_CHUNKS = 64, 16 * 1024
# Hashing so many chunks keeps a processor busy: so many answers are made at once in a process, the others wait.
_TELLING = threading.BoundedSemaphore(2)


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
    wanted: set[int] = set()
    firsts: defaultdict[int, set[int]] = defaultdict(set)
    for recipe in recipes:
        terms = layout.unpack_terms(recipe.terms)
        wanted.update(terms["xorb"].tolist())
        firsts[int(terms["xorb"][0])].add(int(terms["start"][0]))
    known: dict[Hash, int] = {}
    for xorb in Xorb.objects.filter(pk__in=wanted, domain=domain).order_by("pk").iterator(chunk_size=16):
        index = layout.Index.of(xorb.index)
        known |= dict.fromkeys(index.asked_for(), xorb.pk)
        known |= {index.rows["hash"][at].tobytes(): xorb.pk for at in firsts[xorb.pk]}
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
    hit = known.values_list("xorb", "xorb__hash").first()
    if hit is None:
        return None
    with _turn():
        xorbs = _told(*hit, domain)
        return _shard(xorbs, domain) if xorbs else None


@contextmanager
def _turn() -> Iterator[None]:
    """Wait until an answer may be made, without a database connection, which others may use meanwhile."""
    if not _TELLING.acquire(blocking=False):
        if not connection.in_atomic_block:
            connection.close()
        _TELLING.acquire()
    try:
        yield
    finally:
        _TELLING.release()


def _told(asked: int, name: str, domain: str) -> list[Xorb]:
    """Return the xorb that was asked for and then its siblings by age, or none where that one is lost meanwhile."""
    named = named_in(domain, [name, *_siblings(asked)])
    if name not in named:
        return []
    rows = Xorb.objects.filter(pk__in=[xorb.pk for xorb in named.values()])
    return sorted(rows, key=lambda xorb: (xorb.pk != asked, xorb.pk))


def _siblings(asked: int) -> list[str]:
    """Return the hashes of other xorbs of the files that need this one, the nearest first."""
    files = RecipeXorb.objects.filter(xorb=asked, recipe__state=Recipe.State.PROVEN).values("recipe")
    # Each xorb once, however many files need both: those rows stay in the database.
    together = Xorb.objects.filter(
        pk__in=RecipeXorb.objects.filter(recipe__in=files).values("xorb"), state=Xorb.State.OK
    )
    nearest = together.alias(distance=Abs(F("pk") - asked)).order_by("distance", "pk")
    # What was asked for is nearest of all, and counts in whole.
    sizes = list(nearest.values_list("hash", Length("index"))[:MOST_XORBS])
    totals = itertools.accumulate(size // layout.INDEXED for _, size in sizes)
    return [name for (name, _), total in zip(sizes, totals, strict=True) if total <= MOST_CHUNKS]


def _shard(xorbs: Sequence[Xorb], domain: str) -> bytes:
    now = int(time.time())
    return write_dedup_shard(
        [_entry(xorb) for xorb in xorbs], _key(domain, now // DAY), now + REMEMBERED_DAYS * DAY, now
    )


def _entry(xorb: Xorb) -> XorbEntry:
    digests, lengths = zip(*layout.Index.of(xorb.index).pairs(), strict=True)
    ends = numpy.cumsum(lengths, dtype=numpy.int64)
    chunks = list(zip(digests, (ends - lengths).tolist(), lengths, strict=True))
    return XorbEntry(from_text(xorb.hash), chunks, int(ends[-1]))


def _key(domain: str, day: int) -> bytes:
    """Return the key of a domain's answers on one day; whoever gets an answer learns it, and nothing by it."""
    return salted_hmac(
        "storage.dedup", f"{domain}:{day}", secret=settings.SECRET_KEY, algorithm="sha256"
    ).digest()
