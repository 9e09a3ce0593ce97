"""Counting downloads: collected in Valkey while bytes flow, written to the tables in batches."""

import hashlib
import logging
from datetime import UTC, date, datetime, timedelta

import redis
from django.db import connection, transaction
from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from hub import valkey
from hub.catalog.models import DownloadDay, Like, Repo

_log = logging.getLogger(__name__)
_COUNTS = "downloads:{}"
_SEEN = "download-seen:{}"
SAME_DOWNLOAD_SECONDS = 300
WINDOW_DAYS = 30
TRENDING_DAYS = 7
# One like says as much as so many pulls.
LIKE_WEIGHT = 20
CHART_DAYS = 90


def note_download(*, repo: Repo, commit: str, who: str) -> None:
    """Count one download.  The files of one snapshot, fetched by one client within minutes, are one download.

    ``who`` is hashed with the day and forgotten after minutes, so nobody's habits are kept.
    """
    today = datetime.now(UTC).date().isoformat()
    mark = hashlib.sha256(f"{today}|{repo.pk}|{commit}|{who}".encode()).hexdigest()[:32]
    try:
        store = valkey.client()
        if store.set(_SEEN.format(mark), "1", nx=True, ex=SAME_DOWNLOAD_SECONDS):
            store.hincrby(_COUNTS.format(today), str(repo.pk), 1)
    except redis.RedisError as error:
        _log.warning("A download of %s was not counted: %s", repo.full_name, error)


def flush_downloads() -> int:
    """Write the collected counts; returns how many downloads were written.

    The counters are first renamed, so that what is counted meanwhile lands in a fresh one, and removed only after the
    tables have them.  A crash in between counts a batch twice rather than never.
    """
    store = valkey.client()
    total = 0
    for key in [*store.scan_iter(_COUNTS.format("flushing:*")), *_rename_current(store)]:
        counts: dict[str, str] = store.hgetall(key)  # type: ignore[assignment]
        _write(
            date.fromisoformat(key.rpartition(":")[2]), {name: int(count) for name, count in counts.items()}
        )
        store.delete(key)
        total += sum(int(count) for count in counts.values())
    return total


def _rename_current(store: redis.Redis) -> list[str]:
    renamed = []
    for key in store.scan_iter(_COUNTS.format("????-??-??")):
        target = _COUNTS.format("flushing:" + key.rpartition(":")[2])
        if store.renamenx(key, target):
            renamed.append(target)
    return renamed


@transaction.atomic
def _write(day: date, counts: dict[str, int]) -> None:
    for repo_id, count in counts.items():
        if not Repo.objects.filter(pk=repo_id).update(downloads_all_time=F("downloads_all_time") + count):
            continue
        DownloadDay.objects.get_or_create(repo_id=repo_id, day=day)
        DownloadDay.objects.filter(repo_id=repo_id, day=day).update(count=F("count") + count)
    refresh_window(list(counts))


def refresh_window(repo_ids: list[str] | None = None) -> None:
    """Bring the 30-day figure of these repos (of all, for None) up to date."""
    since = datetime.now(UTC).date() - timedelta(days=WINDOW_DAYS)
    days = DownloadDay.objects.filter(repo=OuterRef("pk"), day__gt=since).values("repo")
    repos = Repo.objects.all() if repo_ids is None else Repo.objects.filter(pk__in=repo_ids)
    total = Coalesce(Subquery(days.annotate(total=Sum("count")).values("total")), 0)
    # Whoever pushes waits for rows that are being written, so only those are that change.
    repos.exclude(downloads=total).update(downloads=total)


_TRENDING = f"""
UPDATE catalog_repo r SET trending = found.score FROM (
  SELECT repo_id, sum(number * ({TRENDING_DAYS} - (%(today)s - day))) AS score FROM (
    SELECT repo_id, day, count AS number FROM catalog_downloadday
    UNION ALL
    SELECT repo_id, (created_at AT TIME ZONE 'UTC')::date, {LIKE_WEIGHT} FROM catalog_like) events
  WHERE day > %(today)s - {TRENDING_DAYS} GROUP BY repo_id) found
WHERE r.id = found.repo_id AND r.trending <> found.score
"""  # noqa: S608  Only constants are put in.


def refresh_trending() -> None:
    """Add up pulls and likes of the last week, today's seven times, those of six days ago once."""
    today = datetime.now(UTC).date()
    since = today - timedelta(days=TRENDING_DAYS)
    pulled = DownloadDay.objects.filter(day__gt=since).values("repo")
    liked = Like.objects.filter(created_at__date__gt=since).values("repo")
    with transaction.atomic():
        cooled = Repo.objects.exclude(trending=0).exclude(pk__in=pulled).exclude(pk__in=liked)
        cooled.update(trending=0)
        with connection.cursor() as cursor:
            cursor.execute(_TRENDING, {"today": today})


def downloads_by_day(repo: Repo, days: int = CHART_DAYS) -> list[tuple[date, int]]:
    """Return how often a repo was downloaded on each of the last days, the oldest first; empty where never."""
    today = datetime.now(UTC).date()
    since = today - timedelta(days=days - 1)
    counts = dict(DownloadDay.objects.filter(repo=repo, day__gte=since).values_list("day", "count"))
    if not any(counts.values()):
        return []
    return [(day, counts.get(day, 0)) for day in (since + timedelta(days=step) for step in range(days))]
