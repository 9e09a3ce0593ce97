"""Claim, call, heartbeat, record, retry: what every job has in common, in one place."""

import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import DatabaseError, connection

from hub.catalog import clearances, conversions, indexing, jobs, resets, upkeep
from hub.catalog.jobs import LeaseLost
from hub.catalog.models import Job
from storage.errors import ChunksDamaged
from workers import (
    care,
    forms,
    indexer,
    inspect,
    licensing,
    mailing,
    quantize_job,
    recipes,
    tensor_digests,
    verify,
)
from workers.errors import Refused

_log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5.0
MAX_ROUND = 1000

KINDS: dict[str, Callable[[Job], None]] = {
    "verify": verify.verify,
    "prove-chunks": recipes.prove_chunks,
    "make-plain": forms.make_plain,
    "make-chunked": forms.make_chunked,
    "inspect": inspect.inspect_commit,
    indexing.KIND: indexer.index,
    clearances.KIND: licensing.scan,
    clearances.DESCENDANTS: licensing.descend,
    clearances.DIGESTS: tensor_digests.digest,
    conversions.KIND: quantize_job.quantize,
    resets.KIND: mailing.reset,
    "scrub": care.scrub,
    "sweep": care.sweep,
    "check-xorb": care.check_xorb,
}


def run(job_id: UUID) -> bool:
    """Do one job; False when there was nothing to claim.  Never raises for the job's own failure."""
    job = jobs.claim(job_id)
    if job is None:
        return False
    try:
        with _heartbeat(job):
            KINDS[job.kind](job)
        _log.info("job %s %s %s: done in run %d", job.pk, job.kind, job.subject, job.run)
    except LeaseLost:
        _log.warning("job %s %s: run %d lost its lease and stopped", job.pk, job.kind, job.run)
    except Exception as error:
        _record(job, error)
    return True


def _record(job: Job, error: Exception) -> None:
    _log.exception("job %s %s %s: run %d failed", job.pk, job.kind, job.subject, job.run)
    final = isinstance(error, Refused | KeyError) and (isinstance(error, Refused) or job.kind not in KINDS)
    text = str(error) if final else "".join(traceback.format_exception_only(error)).strip()
    if isinstance(error, ChunksDamaged):
        upkeep.suspect(error.xorb)
    try:
        jobs.fail(job, error=text, final=final)
    except LeaseLost:
        _log.warning("job %s: its failure was not recorded, another run has it", job.pk)


def run_due() -> int:
    """Do jobs as long as any is due, up to a bound; returns how many were claimed."""
    done = 0
    while done < MAX_ROUND and (waiting := jobs.due_ids(limit=20)):
        claimed = sum(run(job_id) for job_id in waiting)
        if not claimed:
            break
        done += claimed
    return done


@contextmanager
def _heartbeat(job: Job) -> Iterator[None]:
    """Prolong the lease from a thread of its own while the body works."""
    stop = threading.Event()
    thread = threading.Thread(target=_beat, args=(job, stop), daemon=True, name=f"heartbeat-{job.pk}")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _beat(job: Job, stop: threading.Event) -> None:
    try:
        while not stop.wait(HEARTBEAT_SECONDS):
            try:
                if not jobs.heartbeat(job):
                    return
            except DatabaseError as error:
                _log.warning("job %s: no heartbeat: %s", job.pk, error)
                connection.close()
    finally:
        connection.close()
