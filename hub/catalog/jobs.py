"""Work is a row.  Asking writes it; a worker claims it under a lease; only the run that holds the lease may write.

Celery only rings: whoever hears the bell claims what is due.  A lost bell costs one beat, a killed worker one lease.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import redis
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import OperationalError

from hub import valkey
from hub.accounts.models import User
from hub.catalog import notices
from hub.catalog.models import Job, Repo
from hub.celery import app

_log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
MAX_FAILURES = 5
RUN_TASK = "workers.run"
OPEN = (Job.State.WAITING, Job.State.RUNNING)
# In the result of a job that somebody ended.
CANCELLED = "cancelled"
_NOTICE = "job-ended:{}"


class LeaseLost(Exception):
    """Another run has taken the job over; this one must stop and write nothing."""


def ask(
    *,
    kind: str,
    subject: str,
    repo: Repo | None = None,
    payload: dict[str, Any] | None = None,
    delay: float = 0,
) -> Job:
    """Ask for work, or return the open job of the same kind and subject.  Rings once the transaction commits.

    An open job is returned with its row locked until the caller's transaction ends: a run that is about to finish
    either sees what the caller writes, or has finished before, and then a new job is made.
    """
    due = timezone.now() + timedelta(seconds=delay)
    with transaction.atomic():
        job = _open_or_new(kind=kind, subject=subject, repo=repo, payload=payload or {}, due_at=due)
        if not delay and job.state == Job.State.WAITING:
            transaction.on_commit(lambda: ring(job.pk))
    return job


def _open_or_new(*, kind: str, subject: str, **fields: Any) -> Job:
    while True:
        known = Job.objects.select_for_update().filter(kind=kind, subject=subject, state__in=OPEN).first()
        if known is not None:
            return known
        try:
            with transaction.atomic():
                return Job.objects.create(kind=kind, subject=subject, **fields)
        except IntegrityError:
            # Somebody else asked at the same moment; theirs is found in the next round.
            continue


def ring(job_id: UUID) -> None:
    """Tell the workers of a job.  A broker that does not answer is not an error: the row waits for the next beat."""
    try:
        app.send_task(RUN_TASK, [str(job_id)], retry=False)
    except (OperationalError, redis.RedisError, OSError) as error:
        _log.warning("The broker did not take the bell for job %s: %s", job_id, error)


def _claimable() -> Q:
    now = timezone.now()
    waiting = Q(state=Job.State.WAITING, due_at__lte=now)
    return waiting | Q(state=Job.State.RUNNING, lease_until__lt=now)


def due_ids(limit: int = 100) -> list[UUID]:
    """Return jobs that nobody works on though they could: never started, due again, or with a lease run out."""
    return list(Job.objects.filter(_claimable()).order_by("due_at").values_list("pk", flat=True)[:limit])


@transaction.atomic
def claim(job_id: UUID) -> Job | None:
    """Take a job for a new run, or return None when somebody else has it or it has ended."""
    job = Job.objects.select_for_update(skip_locked=True).filter(_claimable(), pk=job_id).first()
    if job is None:
        return None
    if job.state == Job.State.RUNNING:
        # The last run vanished without a word; a job that kills its worker each time must end too.
        job.failures += 1
        if job.failures >= MAX_FAILURES:
            _give_up(job, "The worker stopped in the middle of this job each time it was tried.")
            return None
    job.state, job.run, job.lease_until = Job.State.RUNNING, job.run + 1, timezone.now() + LEASE
    job.save(update_fields=["state", "run", "lease_until", "failures"])
    return job


def _give_up(job: Job, why: str) -> None:
    job.state, job.error, job.finished_at = Job.State.FAILED, why, timezone.now()
    job.save(update_fields=["state", "error", "finished_at", "failures"])
    _announce(job)


def heartbeat(job: Job) -> bool:
    """Prolong the lease of this run; False when it was lost."""
    mine = Job.objects.filter(pk=job.pk, run=job.run, state=Job.State.RUNNING)
    return mine.update(lease_until=timezone.now() + LEASE) == 1


def report(job: Job, *, progress: float, step: str, detail: dict[str, Any] | None = None) -> None:
    """Show how far this run is, with `detail` as the result for now; raises LeaseLost."""
    mine = Job.objects.filter(pk=job.pk, run=job.run, state=Job.State.RUNNING)
    shown: dict[str, Any] = {"progress": min(max(progress, 0.0), 1.0), "step": step[:200]}
    if not mine.update(**shown, **({} if detail is None else {"result": detail})):
        raise LeaseLost


def postpone(job: Job, *, seconds: float, step: str) -> None:
    """End this run without a result: the job waits, and is due again after so many seconds."""
    with fenced(job) as row:
        row.state, row.due_at, row.step = Job.State.WAITING, timezone.now() + timedelta(seconds=seconds), step
        row.save(update_fields=["state", "due_at", "step"])


def cancel(job: Job, *, why: str) -> bool:
    """End a job that is still open, and return whether it was; a run loses its lease and stops at its next report."""
    with transaction.atomic():
        row = Job.objects.select_for_update().filter(pk=job.pk, state__in=OPEN).first()
        if row is None:
            return False
        row.state, row.error, row.result = Job.State.FAILED, why, {CANCELLED: True}
        row.finished_at = timezone.now()
        row.save(update_fields=["state", "error", "result", "finished_at"])
        _announce(row)
        return True


@contextmanager
def fenced(job: Job) -> Iterator[Job]:
    """A transaction that holds the job's row and has checked that this run still owns it; raises LeaseLost."""
    with transaction.atomic():
        row = Job.objects.select_for_update().filter(pk=job.pk, run=job.run, state=Job.State.RUNNING).first()
        if row is None:
            raise LeaseLost
        yield row


@contextmanager
def finishing(job: Job, result: dict[str, Any]) -> Iterator[Job]:
    """Write results and ``done`` in one fenced transaction: the body writes what the run found."""
    with fenced(job) as row:
        yield row
        row.state, row.progress, row.step, row.error = Job.State.DONE, 1.0, "", ""
        row.result, row.finished_at = result, timezone.now()
        row.save(update_fields=["state", "progress", "step", "error", "result", "finished_at"])
        _announce(row)


def fail(job: Job, *, error: str, final: bool) -> None:
    """Note that a run failed.  It is tried again with growing pauses unless the failure is final."""
    with fenced(job) as row:
        row.error = error[:4000]
        row.failures += 1
        if final or job.failures + 1 >= MAX_FAILURES:
            row.state, row.finished_at = Job.State.FAILED, timezone.now()
            _announce(row)
        else:
            row.state, row.due_at = Job.State.WAITING, timezone.now() + timedelta(seconds=5 * 4**job.failures)
        row.save(update_fields=["error", "failures", "state", "finished_at", "due_at"])


def _announce(job: Job) -> None:
    """Leave a notice for those who wait, once the result is visible to them, and tell whoever asked for the work."""
    transaction.on_commit(lambda: _leave_notice(job.pk))
    _tell_asker(job)


# Work that a person asks for and waits for, in the words of its notice.
NAMES = {"quantize": "The quantization", "convert": "The conversion"}


def _tell_asker(job: Job) -> None:
    asker = job.payload.get("user")
    if not isinstance(asker, int) or job.result.get(CANCELLED):
        return
    repo = job.repo
    done = job.state == Job.State.DONE
    if done and job.kind not in NAMES:
        # What a push has to wait for is told once, by `tellings`, and not for each of its steps.
        return
    what = NAMES.get(job.kind, "The work") + (f" of {repo.full_name}" if repo else "")
    text = f"{what} is done." if done else f"{what} failed: {' '.join(job.error.split())[:300]}"
    kind = notices.JOB_DONE if done else notices.JOB_FAILED
    notices.notify(User.objects.filter(pk=asker).first(), kind, repo, text, f"/jobs/{job.pk}")


def _leave_notice(job_id: UUID) -> None:
    try:
        valkey.client().set(_NOTICE.format(job_id), "1", ex=120)
    except redis.RedisError as error:
        _log.warning("No notice was left for job %s: %s", job_id, error)


def has_notice(job_ids: list[UUID]) -> bool:
    """True once every one of these jobs has left its notice.

    Asks Valkey only, so a waiting request holds no database connection.
    """
    names = [_NOTICE.format(job_id) for job_id in job_ids]
    return not names or valkey.client().exists(*names) == len(names)
