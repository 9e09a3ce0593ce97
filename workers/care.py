"""Looking after what is kept: `scrub` reads it back, `sweep` clears away what nothing holds."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.utils import timezone

from hub.accounts.models import User
from hub.catalog import forms, jobs, upkeep
from hub.catalog.models import Job, Repo
from storage import scrub as scrubbing
from storage import sweep as sweeping
from storage.models import Form, Xorb
from workers import scratch
from workers.verify import Progress

_log = logging.getLogger(__name__)

SCRUB_BATCH = 200
# Longer than any address of stored bytes lives, so that a download that has begun can end.
CONDEMNED_GRACE = timedelta(hours=1)
DELETE_BATCH = 1000
# Clients name chunks for three weeks after they last heard of them, and never forget them earlier.
XORB_MEMORY = timedelta(days=22)


def reread(job: Job, form: Form) -> list[str]:
    """Hash a plain form again and hold it back where it is damaged; returns its sha256 then."""
    progress = Progress(job, form.blob.size, f"re-hashing {form.blob.sha256[:12]}")
    problem = scrubbing.check(form, progress=progress)
    if problem:
        return [_tell(form.blob.sha256, upkeep.hold_back(form), problem)]
    scrubbing.mark_sound(form)
    return []


def scrub(job: Job) -> None:
    """Hash stored objects again, oldest look first; hold damaged ones back and tell the administrators."""
    damaged: list[str] = []
    plain = list(scrubbing.due(SCRUB_BATCH, timedelta(days=settings.HUB_SCRUB_DAYS)))
    for form in plain:
        damaged += reread(job, form)
    xorbs = list(scrubbing.due_xorbs(SCRUB_BATCH, timedelta(days=settings.HUB_SCRUB_DAYS)))
    for number, xorb in enumerate(xorbs):
        jobs.report(job, progress=number / len(xorbs), step=f"re-hashing xorb {xorb.hash[:12]}")
        damaged += _looked_at(xorb)
    checked = len(plain) + len(xorbs)
    with jobs.finishing(job, {"checked": checked, "damaged": damaged}):
        if SCRUB_BATCH in (len(plain), len(xorbs)):
            jobs.ask(kind="scrub", subject=f"after {job.pk}")


def _looked_at(xorb: Xorb) -> list[str]:
    """Read a xorb and hold it back where it is damaged; returns the files that are not served any more."""
    problem = scrubbing.check_xorb(xorb)
    if problem:
        _log.error("The stored xorb %s is damaged: %s", xorb, problem)
        return [_tell(blob.sha256, repos, problem) for blob, repos in upkeep.hold_back_xorb(xorb)]
    scrubbing.mark_xorb_sound(xorb)
    return []


def look_at(xorb: int) -> list[str]:
    """The same at once for the xorb with this row id, where it counts as sound."""
    row = Xorb.objects.filter(pk=xorb, state=Xorb.State.OK).first()
    return _looked_at(row) if row else []


def check_xorb(job: Job) -> None:
    """Look at a xorb of which somebody was about to get damaged chunks."""
    damaged = look_at(job.payload["xorb"])
    with jobs.finishing(job, {"damaged": damaged}):
        pass


def _tell(sha256: str, repos: Sequence[Repo], problem: str) -> str:
    names = ", ".join(sorted({repo.full_name for repo in repos})) or "no repository"
    _log.error("Stored object %s is damaged: %s It is held back in: %s", sha256, problem, names)
    admins = (
        User.objects.filter(is_staff=True, is_active=True).exclude(email="").values_list("email", flat=True)
    )
    if admins:
        text = f"{problem}\n\nHeld back in: {names}\nPushing the file again heals it everywhere."
        send_mail(
            f"Weighhouse: stored object {sha256[:12]} is damaged",
            text,
            None,
            list(admins),
            fail_silently=True,
        )
    return sha256


def sweep(job: Job) -> None:
    """Clear away uploads that were given up, claims and small files that were never committed, and their bytes."""
    grace = timedelta(hours=settings.HUB_UPLOAD_GRACE_HOURS)
    before = timezone.now() - grace
    result = {
        "uploads": sweeping.expire_uploads(grace),
        "multiparts": sweeping.abort_stray_multiparts(grace),
        "abandoned": upkeep.abandon_uploads(before),
        "claims": upkeep.release_claims(before),
        "objects": upkeep.release_objects(before),
        "blobs": upkeep.release_blobs(before),
        "plain forms": forms.make_room(),
        "recipes": sweeping.forget_recipes(grace),
        "xorbs": sweeping.forget_xorbs(XORB_MEMORY),
        "jobs": upkeep.forget_jobs(),
        "scratch": scratch.sweep(),
    }
    jobs.report(job, progress=0.5, step="looking for keys that no row names")
    for lost in sweeping.unlisted_keys(grace):
        sweeping.condemn_keys(lost)
    for lost in sweeping.unlisted_objects(grace, lambda keys: upkeep.named_git_keys(list(keys))):
        sweeping.condemn_keys(lost)
    result["keys"] = sweeping.delete_condemned(DELETE_BATCH, CONDEMNED_GRACE)
    with jobs.finishing(job, result):
        pass
