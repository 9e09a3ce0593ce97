"""What the answer to a push says of the terms: the verdict, where it comes in time."""

import time

import redis
from django.conf import settings
from django.db import connection

from hub.catalog import clearing, jobs
from hub.catalog.clearances import KIND
from hub.catalog.clearing import OF_STATE, RELEASED
from hub.catalog.models import Job, Repo
from hub.catalog.refs import MAIN
from hub.catalog.waiting import release_connection
from licenses import cases
from licenses.models import Case
from licenses.policy import Mode

MOST_TOLD = 5


def after_commit(repo: Repo, ref: str) -> str:
    """Return what a pusher is told of the terms after a commit on this ref: '' where nothing is open.

    Waits for the scan where the repo is not cleared.
    """
    if ref != MAIN or repo.type != Repo.Type.MODEL or clearing.mode() is Mode.OFF:
        return ""
    if Repo.objects.filter(pk=repo.pk, clearance__in=RELEASED).exists():
        return ""
    return warning(repo, await_verdict(repo))


def await_verdict(repo: Repo) -> Case | None:
    """Return the case of a repo once its open scan has ended, or as it stands after ``HUB_LICENSE_WAIT_SECONDS``.

    Holds neither lock nor connection while it waits.
    """
    waiting = Job.objects.filter(kind=KIND, subject=str(repo.pk), state__in=jobs.OPEN)
    open_jobs = list(waiting.values_list("pk", flat=True))
    if open_jobs and not connection.in_atomic_block:
        release_connection()
        deadline, pause = time.monotonic() + settings.HUB_LICENSE_WAIT_SECONDS, 0.02
        try:
            while not jobs.has_notice(open_jobs) and time.monotonic() < deadline:
                time.sleep(pause)
                pause = min(pause * 1.5, 0.25)
        except redis.RedisError:
            # Nobody can be woken; what is known by now is told.
            pass
    return cases.current_case(str(repo.pk))


def warning(repo: Repo, case: Case | None) -> str:
    """Return what a pusher is told of the terms: '' where nothing is open."""
    if case is None or clearing.mode() is Mode.OFF:
        return ""
    clearance = OF_STATE[Case.State(case.state)]
    if clearance in RELEASED:
        return ""
    reason = clearing.SAYS[clearance]
    found = [
        f"{one['code']}: {one['message']}" for one in case.findings if one["severity"] in ("block", "fix")
    ]
    if found:
        more = f" (and {len(found) - MOST_TOLD} more)" if len(found) > MOST_TOLD else ""
        reason += f": {' '.join(found[:MOST_TOLD])}{more}"
    word = "held" if clearing.is_enforced() else "open"
    return f"{word}: {reason.rstrip('.')}, see {clearing.terms_url(repo)}"
