"""What the catalog lets go of, and what it does when stored bytes turn out damaged."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, ProtectedError
from django.utils import timezone

from hub.catalog import forms, holdings, jobs
from hub.catalog.models import GitObject, Job, Repo, RepoBlob, TreeRow
from storage import dedup, scrub, soundness, sweep, uploads
from storage.models import Blob, Form, Upload, Xorb

State = RepoBlob.State
JOB_MEMORY = timedelta(days=30)


def release_claims(before: datetime, limit: int = 1000) -> int:
    """Delete claims older than ``before`` that no tree of their repo names: pushed, but never committed."""
    named = TreeRow.objects.filter(sha256=OuterRef("sha256"), network=OuterRef("repo__network"))
    idle = RepoBlob.objects.filter(~Exists(named), created_at__lt=before)
    with transaction.atomic():
        # The lock makes a commit that is about to name one wait, and then miss it with a clear error.
        found = list(idle.select_for_update(of=("self",)).order_by("pk").select_related("repo")[:limit])
        # A commit that held the lock before has named its files since: only a new statement sees that.
        doomed = idle.filter(pk__in=[claim.pk for claim in found])
        gone = set(doomed.values_list("pk", flat=True))
        RepoBlob.objects.filter(pk__in=gone).delete()
        for repo in {claim.repo for claim in found if claim.pk in gone}:
            holdings.weigh(repo)
    return len(gone)


def release_objects(before: datetime) -> int:
    """Delete small files older than ``before`` that no tree names: sent, but never committed."""
    named = TreeRow.objects.filter(network=OuterRef("network"), oid=OuterRef("oid"))
    idle = GitObject.objects.filter(~Exists(named), type=GitObject.Type.BLOB, created_at__lt=before)
    return idle.delete()[0]


def release_blobs(before: datetime, limit: int = 1000) -> int:
    """Let the store forget blobs that no repo claims any more; what is claimed meanwhile refuses to go."""
    held = RepoBlob.objects.filter(blob=OuterRef("pk"))
    gone = 0
    for blob in Blob.objects.filter(~Exists(held), created_at__lt=before)[:limit]:
        try:
            sweep.forget_blob(blob)
            gone += 1
        except (ProtectedError, IntegrityError):
            continue
    return gone


def named_git_keys(keys: list[str]) -> set[str]:
    """Return which of these keys of the store hold a git object that a row names."""
    return set(GitObject.objects.filter(key__in=keys).values_list("key", flat=True))


def forget_jobs() -> int:
    """Delete ended jobs after a month."""
    ended = Job.objects.filter(state__in=[Job.State.DONE, Job.State.FAILED])
    return ended.filter(finished_at__lt=timezone.now() - JOB_MEMORY).delete()[0]


def abandon_uploads(before: datetime, limit: int = 1000) -> int:
    """Give up stored uploads that nobody will ever prove: their repo or their claim is gone."""
    stored = Upload.objects.filter(state=Upload.State.STORED, touched_at__lt=before).order_by("touched_at")
    given_up = 0
    for upload in stored[:limit]:
        repo_id, waiting = holdings.repo_of(upload), RepoBlob.objects.filter(state=State.PROVING)
        claimed = waiting.filter(repo_id=repo_id, sha256=upload.sha256).exists()
        asked = Job.objects.filter(kind=holdings.VERIFY, subject=str(upload.pk), state__in=jobs.OPEN).exists()
        if not claimed and not asked:
            given_up += uploads.abort(upload)
    return given_up


def ask_missing_proofs() -> int:
    """Ask again for proofs that no open job works on, such as after a store was away for longer than the retries."""
    waiting = RepoBlob.objects.filter(state=State.PROVING).select_related("repo")
    asked = 0
    for claim in waiting.iterator():
        for upload in holdings.stored_uploads(claim.repo_id, claim.sha256):
            holdings.ask_proof(claim.repo, upload)
            asked += 1
    return asked


def ask_upkeep() -> None:
    """Ask for what has to be done from time to time; an open job of the same kind is enough."""
    ask_missing_proofs()
    forms.ask_missing_chunks()
    soundness.repair_forms()
    holdings.reconcile()
    jobs.ask(kind="sweep", subject="hub")
    jobs.ask(kind="scrub", subject="hub")


def hold_back(form: Form) -> list[Repo]:
    """Mark a stored form damaged; when it was the last sound one, stop serving its blob everywhere.

    Returns the repos that no longer serve it.  Pushing the file again heals it in all of them.
    """
    return holdings.reconcile([scrub.mark_damaged(form).pk])


def suspect(xorb: int, *, key: str = "") -> None:
    """Ask a worker to look at a xorb that may be damaged: chunks of it were about to be handed out, and were not.

    Nothing is asked where it is known to be damaged, or lies no more under the ``key`` that was read.
    """
    sound = Xorb.objects.filter(pk=xorb, state=Xorb.State.OK)
    if (sound.filter(key=key) if key else sound).exists():
        jobs.ask(kind="check-xorb", subject=str(xorb), payload={"xorb": xorb})


def hold_back_xorb(xorb: Xorb) -> list[tuple[Blob, list[Repo]]]:
    """The same for a xorb, which may be part of several blobs; returns those that are no longer served, and where.

    Clients that have sent the xorb would name it for weeks instead of sending it again, so they are made to forget.
    """
    with transaction.atomic():
        lost = scrub.mark_xorb_damaged(xorb)
        if lost is not None:
            dedup.raise_epoch()
    return [(blob, holdings.reconcile([blob.pk])) for blob in lost or ()]
