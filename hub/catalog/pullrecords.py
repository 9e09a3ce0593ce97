"""Who got which bytes, and on which acceptance: collected in Valkey while bytes flow, written to the table in batches.

A record is one user, one repo, one file and one day.  Large files are named by their sha256, small ones by path and
commit.  Strangers are one user without a name.  Records stand outside the audit chain, since they are forgotten after
``HUB_PULL_RECORD_DAYS``.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import redis
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q

from hub import valkey
from hub.accounts.identity import Viewer
from hub.accounts.models import Membership, User
from hub.catalog.models import PullRecord, Repo
from licenses.models import Acceptance

_log = logging.getLogger(__name__)
_NOTED, _FLUSHING = "pulled", "pulled:flushing"
# In one hash, so that what was noted is taken over in one step.
_TIMES, _FIRST = "n|", "t|"
AT_ONCE = 500
_FLUSH_LOCK = 6_290_117_482_214


def note(viewer: Viewer, repo: Repo, *, sha256: str = "", commit: str = "", path: str = "") -> None:
    """Note that a viewer got a file, or its address; one round trip, and never a reason to refuse the file."""
    if not settings.HUB_PULL_RECORD_DAYS:
        return
    now = int(time.time())
    day = datetime.fromtimestamp(now, UTC).date().isoformat()
    field = f"{day}|{repo.pk}|{viewer.user.pk if viewer.user else ''}|{sha256}|{commit}|{path}"
    try:
        with valkey.client().pipeline(transaction=False) as pipe:
            pipe.hincrby(_NOTED, _TIMES + field, 1)
            pipe.hsetnx(_NOTED, _FIRST + field, str(now))
            pipe.execute()
    except redis.RedisError as error:
        _log.warning("A pull of %s was not recorded: %s", repo.full_name, error)


def flush() -> int:
    """Write what was noted to the table; returns how many records were added or counted up.

    What is noted meanwhile lands in a fresh hash.  A crash in between counts a batch twice rather than never.
    """
    store, written = valkey.client(), 0
    while store.exists(_FLUSHING) or (store.exists(_NOTED) and store.renamenx(_NOTED, _FLUSHING)):
        noted: dict[str, str] = store.hgetall(_FLUSHING)  # type: ignore[assignment]
        names = sorted(name.removeprefix(_TIMES) for name in noted if name.startswith(_TIMES))
        for start in range(0, len(names), AT_ONCE):
            _write([_noted(name, noted) for name in names[start : start + AT_ONCE]])
        written += len(names)
        store.delete(_FLUSHING)
    return written


def _noted(name: str, noted: dict[str, str]) -> PullRecord:
    """Return the record that a field of the hash asks for."""
    day, repo, user, sha256, commit, path = name.split("|", 5)
    return PullRecord(
        day=date.fromisoformat(day), repo_id=UUID(repo), user_id=int(user) if user else None, sha256=sha256,
        commit=commit, path=path, label=repo, times=int(noted[_TIMES + name]),
        first_at=datetime.fromtimestamp(int(noted.get(_FIRST + name, time.time())), UTC),
    )  # fmt: skip


def _key(record: PullRecord) -> tuple[object, ...]:
    return (record.day, record.repo_id, record.user_id, record.sha256, record.commit, record.path)


@transaction.atomic
def _write(records: list[PullRecord]) -> None:
    with connection.cursor() as cursor:
        # Two at once would both miss a record that neither has written yet.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_FLUSH_LOCK])
    _settle(records)
    known = _known(records)
    fresh: dict[tuple[object, ...], PullRecord] = {}
    for record in records:
        if row := known.get(_key(record)):
            PullRecord.objects.filter(pk=row).update(times=F("times") + record.times)
        else:
            twin = fresh.setdefault(_key(record), record)
            twin.times += 0 if twin is record else record.times
    _rely(list(fresh.values()))
    PullRecord.objects.bulk_create(fresh.values())


def _settle(records: list[PullRecord]) -> None:
    """Put names to repos, and leave out those and the users that are gone by now."""
    repos = Repo.objects.in_bulk({record.repo_id for record in records})
    users = User.objects.in_bulk({record.user_id for record in records if record.user_id})
    for record in records:
        record.repo = repos.get(record.repo_id)
        record.label = record.repo.full_name if record.repo else record.label
        record.user_id = record.user_id if record.user_id in users else None


def _known(records: Iterable[PullRecord]) -> dict[tuple[object, ...], int]:
    """Return the numbers of records that are there, by what they are about."""
    records = list(records)
    rows = PullRecord.objects.filter(
        day__in={record.day for record in records}, repo__in={record.repo_id for record in records}
    )
    large = Q(sha256__in={record.sha256 for record in records if record.sha256})
    rows = rows.filter(large | Q(sha256="", path__in={record.path for record in records if record.path}))
    return {_key(row): row.pk for row in rows.iterator()}


def _rely(records: Sequence[PullRecord]) -> None:
    """Write into new records the acceptance each relied on: the last that stood when the bytes went out."""
    bound = [record for record in records if record.user_id and record.repo and record.repo.consent]
    if not bound:
        return
    people = {record.user_id for record in bound}
    groups: dict[int | None, set[str]] = {}
    for user, name in Membership.objects.filter(user__in=people).values_list("user", "organization__name"):
        groups.setdefault(user, set()).add(name)
    given = Acceptance.objects.filter(
        Q(user__in=people) | Q(organization__in={name for theirs in groups.values() for name in theirs}),
        subject__in={subject for record in bound for subject in _subjects(record)},
    )
    found = list(given.order_by("-at"))
    for record in bound:
        theirs = groups.get(record.user_id, set())
        relied = (one for one in found if _covers(one, record, theirs))
        record.acceptance = next((one.pk for one in relied), None)


def _covers(given: Acceptance, record: PullRecord, organizations: set[str]) -> bool:
    own = given.organization in organizations if given.organization else given.user_id == record.user_id
    # Pulls are noted to the second.
    begun = given.at <= record.first_at + timedelta(seconds=1)
    ends = [end for end in (given.withdrawn_at, given.expires_at) if end is not None]
    return own and given.subject in _subjects(record) and begun and all(end > record.first_at for end in ends)


def _subjects(record: PullRecord) -> list[str]:
    """Return whose terms count for a record's repo: its own, and those of what it was made from."""
    followed = [record.repo.pk, record.repo.source_id] if record.repo else []
    return [str(pk) for pk in followed if pk]


def forget(today: date, limit: int = 10_000) -> int:
    """Delete records that are older than they are to be kept; returns how many."""
    old = PullRecord.objects.filter(day__lt=today - timedelta(days=settings.HUB_PULL_RECORD_DAYS))
    return PullRecord.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:limit])).delete()[0]
