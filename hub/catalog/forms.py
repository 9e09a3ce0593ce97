"""Which large files get a second form: a plain one where it spares work, a chunked one where clients need it.

Pulls are counted in Valkey while bytes flow, in one round trip and without the database; what follows from the counts
is decided in the background.
"""

import logging
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import redis
from django.conf import settings

from hub import valkey
from hub.catalog import jobs
from hub.catalog.models import Job, Repo, RepoBlob
from storage import carving, forming
from storage.models import Blob

_log = logging.getLogger(__name__)

MAKE_PLAIN, MAKE_CHUNKED = "make-plain", "make-chunked"
# Uploads of a repo begin with its id; these belong to none.
OWNER = f"{UUID(int=0)}:forms"
# Bytes put together from chunks, by sha256, in a sorted set for each day; and what was wanted since the last look.
_PULLED, _WANTED = "plain-pulled:{}", "plain-wanted"
MOST_AT_ONCE = 1000
# A file whose address is given out over and over is noted this often by each process.
NOTE_SECONDS = 300.0
_noted: dict[str, float] = {}
MOST_NOTED = 10_000


def note_link(sha256: str) -> None:
    """Note that the address of a plain form was given out, so that a form which is in use is not dropped."""
    if time.monotonic() < _noted.get(sha256, 0.0):
        return
    if len(_noted) >= MOST_NOTED:
        _noted.clear()
    _noted[sha256] = time.monotonic() + NOTE_SECONDS
    _note(sha256, 0)


def note_stream(sha256: str, length: int, *, from_chunks: bool) -> None:
    """Note that the hub hands out `length` bytes of a file, put together from chunks or as they lie."""
    if from_chunks:
        _note(sha256, length)
    else:
        note_link(sha256)


def _note(sha256: str, length: int) -> None:
    if not settings.HUB_PLAIN_AFTER:
        return
    try:
        with valkey.client().pipeline(transaction=False) as pipe:
            if length:
                today = _PULLED.format(datetime.now(UTC).date().isoformat())
                pipe.zincrby(today, length, sha256)
                pipe.expire(today, timedelta(days=settings.HUB_PLAIN_DAYS + 1))
            pipe.sadd(_WANTED, sha256)
            pipe.execute()
    except redis.RedisError as error:
        _log.warning("A pull of %s was not counted: %s", sha256, error)


def ask_hot() -> int:
    """Ask for plain forms of the files that were pulled often enough; returns how many.

    Ranges add up: as many bytes as so many whole pulls have.
    """
    store = valkey.client()
    wanted: list[str] = store.spop(_WANTED, MOST_AT_ONCE) or []  # type: ignore[assignment]
    if not wanted or not settings.HUB_PLAIN_AFTER:
        return 0
    forming.touch(wanted, owner=OWNER)
    pulled = _pulled(store, wanted)
    largest = min(settings.HUB_PLAIN_MAX_BYTES, settings.HUB_PLAIN_BUDGET_BYTES)
    asked = 0
    for blob in forming.lacking_plain(wanted).filter(size__lte=largest):
        if pulled[blob.sha256] >= blob.size * settings.HUB_PLAIN_AFTER:
            jobs.ask(kind=MAKE_PLAIN, subject=blob.sha256, payload={"sha256": blob.sha256})
            asked += 1
    return asked


def _days() -> list[str]:
    today = datetime.now(UTC).date()
    return [
        _PULLED.format((today - timedelta(days=back)).isoformat()) for back in range(settings.HUB_PLAIN_DAYS)
    ]


def _pulled(store: redis.Redis, wanted: Iterable[str]) -> dict[str, float]:
    """Return how many bytes of each file were put together within the last days."""
    names = list(wanted)
    with store.pipeline(transaction=False) as pipe:
        for day in _days():
            pipe.zmscore(day, names)
        scores = pipe.execute()
    return {name: sum(day[at] or 0.0 for day in scores) for at, name in enumerate(names)}


def forget_pulls(sha256: str) -> None:
    """Begin to count anew, so that a form which is dropped again has to be earned again."""
    try:
        with valkey.client().pipeline(transaction=False) as pipe:
            for day in _days():
                pipe.zrem(day, sha256)
            pipe.execute()
    except redis.RedisError as error:
        _log.warning("The pulls of %s were not forgotten: %s", sha256, error)


def make_room(size: int = 0) -> int:
    """Drop made plain forms until `size` more bytes fit into the budget; returns how many were dropped.

    Damaged ones go in any case, then those that were wanted longest ago.
    """
    rows = forming.made(OWNER)
    total = size + sum(row.size for row in rows)
    dropped = 0
    for row in rows:
        if (row.damaged or total > settings.HUB_PLAIN_BUDGET_BYTES) and forming.drop(row):
            total -= row.size
            dropped += 1
    return dropped


def ask_chunked(repo: Repo, blob: Blob) -> None:
    """Ask for chunks of a file that a repo holds, if it is so large that the stock client takes it only by chunks.

    They come under the domain of the repo's namespace.
    """
    if settings.HUB_XET and blob.size > settings.HUB_CHUNK_ABOVE_BYTES:
        payload = {"sha256": blob.sha256, "domain": str(repo.namespace_id)}
        jobs.ask(kind=MAKE_CHUNKED, subject=blob.sha256, repo=repo, payload=payload)


def is_being_cut(sha256: str, size: int) -> bool:
    """True for a file that is to be taken by chunks only, as long as a worker is cutting it."""
    if not settings.HUB_XET or size <= settings.HUB_CHUNK_ABOVE_BYTES:
        return False
    return Job.objects.filter(kind=MAKE_CHUNKED, subject=sha256, state__in=jobs.OPEN).exists()


def ask_missing_chunks() -> int:
    """Ask for the chunks of every such file that has none yet; returns how many."""
    if not settings.HUB_XET:
        return 0
    asked = 0
    for blob in carving.lacking_chunks(settings.HUB_CHUNK_ABOVE_BYTES):
        claims = RepoBlob.objects.filter(blob=blob, state=RepoBlob.State.PROVEN).order_by("pk")
        if claim := claims.select_related("repo").first():
            ask_chunked(claim.repo, blob)
            asked += 1
    return asked
