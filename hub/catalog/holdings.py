"""What becomes of a repo's claims to large files: proof asked for, awaited, settled.

Every function here is about rows only; bytes move in `pushes` and `pulls`.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from uuid import UUID

import redis
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery, Sum
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.catalog import forms, jobs, proofs
from hub.catalog.errors import BytesMissing, StoreTrouble
from hub.catalog.models import Job, Ref, Repo, RepoBlob
from hub.catalog.waiting import release_connection
from storage import dedup, recipes, settling
from storage.models import Blob, Form, Recipe, Upload
from storage.soundness import locked

VERIFY = "verify"
PROVE_CHUNKS = "prove-chunks"
State = RepoBlob.State


def ask_proof(repo: Repo, upload: Upload) -> Job:
    """Ask a worker to hash the stored bytes of an upload."""
    return jobs.ask(
        kind=VERIFY, subject=str(upload.pk), repo=repo,
        payload={"upload": str(upload.pk), "sha256": upload.sha256, "size": upload.size},
    )  # fmt: skip


def wait_for_proofs(repo: Repo, digests: list[str]) -> None:
    """Wait up to ``HUB_PROOF_WAIT`` seconds for the open proofs of these files, holding neither lock nor connection."""
    waiting = Job.objects.filter(
        repo=repo, kind=VERIFY, payload__sha256__in=digests, state__in=["waiting", "running"]
    )
    open_jobs = list(waiting.values_list("pk", flat=True))
    if not open_jobs or connection.in_atomic_block:
        return
    release_connection()
    deadline, pause = time.monotonic() + settings.HUB_PROOF_WAIT, 0.02
    try:
        while not jobs.has_notice(open_jobs) and time.monotonic() < deadline:
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)
    except redis.RedisError:
        # Without notices nobody can be woken; the proof goes on, and the file is listed as being proven.
        return


def lock_claims(repo: Repo, digests: set[str]) -> None:
    """Keep the claims of a commit from being swept until it has landed; raises BytesMissing when one is gone."""
    claims = RepoBlob.objects.select_for_update().filter(repo=repo, sha256__in=digests).order_by("pk")
    gone = digests - {claim.sha256 for claim in claims}
    if gone:
        raise BytesMissing(f"The bytes of oid {min(gone)} were removed meanwhile; upload the file again.")


def settle(upload: Upload, *, found: str, size: int) -> str:
    """Write what hashing the stored bytes of an upload gave, inside the job's last transaction; returns the state.

    The bytes of a refuted upload are condemned; a claim that another upload proved, or may yet prove, stays.
    """
    claims = RepoBlob.objects.select_for_update().filter(repo_id=repo_of(upload), sha256=upload.sha256)
    claim = claims.first()
    if found == upload.sha256 and size == upload.size:
        blob = settling.settle_proven(upload)
        _proven_elsewhere([blob])
        if claim is not None:
            # Asked for afterwards: whoever makes chunks holds its job's row when it writes the blob's.
            transaction.on_commit(partial(forms.ask_chunked, claim.repo, blob))
            claim.state, claim.problem, claim.blob, claim.size = State.PROVEN, "", blob, size
    else:
        problem = f"The uploaded bytes do not hash to oid {upload.sha256}: they are {size} bytes with sha256 {found}."
        settling.settle_rejected(upload, problem=problem)
        if claim is not None and claim.state == State.PROVING and not _is_still_open(upload):
            claim.state, claim.problem = State.REJECTED, problem
    if claim is None:
        return "forgotten"
    claim.settled_at = timezone.now()
    claim.save(update_fields=["state", "problem", "blob", "size", "settled_at"])
    # An inspection holds its job's row when it writes the repo's, so both are taken in that order here too.
    _look_again(claim.repo)
    weigh(claim.repo)
    return claim.state


def settle_recipes(
    found: Sequence[tuple[Recipe, str]], *, domain: str, repo: Repo, by: User | None
) -> tuple[list[str], bool]:
    """Write what hashing the chunks of files gave, inside the job's last transaction.

    Returns what was wrong, and whether pushing again may help.
    """
    true = {recipe.sha256: recipe.size for recipe, sha256 in found if recipe.sha256 == sha256}
    # Claims are locked before blobs, as everywhere.
    fresh = _hold(repo, true, by=by)
    blobs = recipes.settle(found)
    _prove(repo, {blob.sha256: blob for blob in blobs.values()}, fresh=fresh)
    _proven_elsewhere(blobs.values())
    names = [recipe.file_hash for recipe, _ in found if recipe.pk in blobs]
    dedup.learn(recipes.find_all(names, domain=domain), domain)
    lost = [(recipe, sha256) for recipe, sha256 in found if recipe.pk not in blobs]
    again = any(sha256 == recipe.sha256 for recipe, sha256 in lost)
    return [_problem(recipe, sha256) for recipe, sha256 in lost], again


def _problem(recipe: Recipe, found: str) -> str:
    if found == recipe.sha256:
        return f"The file {recipe.file_hash} was lost before it was proven; upload it again."
    return f"The chunks of the file {recipe.file_hash} have the sha256 {found}, not {recipe.sha256}."


def settle_made(made: Sequence[Upload], *, repo: Repo, by: User | None) -> None:
    """Give a repo what the hub made for it and hashed in the store, inside the job's last transaction."""
    uploads = {upload.sha256: upload for upload in made}
    # Claims are locked before blobs, as everywhere.
    fresh = _hold(repo, {sha256: upload.size for sha256, upload in uploads.items()}, by=by)
    blobs = {sha256: settling.settle_proven(uploads[sha256]) for sha256 in sorted(uploads)}
    _prove(repo, blobs, fresh=fresh)
    _proven_elsewhere(blobs.values())
    for blob in blobs.values():
        transaction.on_commit(partial(forms.ask_chunked, repo, blob))


def claim(repo: Repo, blobs: Collection[Blob], *, by: User | None) -> None:
    """Record that a repo holds proven bytes; the caller has made sure that it came by them.

    Raises StoreTrouble where some of them have been swept meanwhile.
    """
    fresh = _hold(repo, {blob.sha256: blob.size for blob in blobs}, by=by)
    kept = {blob.sha256: blob for blob in locked({blob.pk for blob in blobs})}
    if len(kept) < len({blob.sha256 for blob in blobs}):
        raise StoreTrouble("Some of these files were removed meanwhile; try again.")
    _prove(repo, kept, fresh=fresh)


def _hold(repo: Repo, sizes: Mapping[str, int], *, by: User | None) -> set[str]:
    """Make and lock a repo's claims to these files; returns those that are new."""
    claims = RepoBlob.objects.filter(repo=repo, sha256__in=sizes)
    fresh = sizes.keys() - set(claims.values_list("sha256", flat=True))
    # Rows go in by the order of their digests, so that two who claim the same files never wait for each other.
    RepoBlob.objects.bulk_create(
        [
            RepoBlob(repo=repo, sha256=sha256, size=sizes[sha256], state=State.PROVING, created_by=by)
            for sha256 in sorted(fresh)
        ],
        ignore_conflicts=True, batch_size=1000,
    )  # fmt: skip
    list(claims.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
    # Who claims a file again has as long to commit it as who claims it first.
    claims.update(created_at=timezone.now())
    return fresh


def _prove(repo: Repo, blobs: Mapping[str, Blob], *, fresh: set[str]) -> None:
    """Make locked claims proven by these blobs, and let go of those new ones for which there is none."""
    RepoBlob.objects.filter(repo=repo, sha256__in=fresh - blobs.keys(), state=State.PROVING).delete()
    waiting = RepoBlob.objects.filter(repo=repo, sha256__in=blobs).exclude(state=State.PROVEN)
    committed = not fresh.issuperset(waiting.values_list("sha256", flat=True))
    its_blob = Blob.objects.filter(sha256=OuterRef("sha256"))
    waiting.update(
        state=State.PROVEN, problem="", settled_at=timezone.now(),
        blob=Subquery(its_blob.values("pk")), size=Subquery(its_blob.values("size")),
    )  # fmt: skip
    if committed:
        _look_again(repo)
    weigh(repo)


def _proven_elsewhere(blobs: Collection[Blob]) -> None:
    """Serve these bytes again wherever they had been held back, once the caller's transaction has ended."""
    pks = [blob.pk for blob in blobs]
    transaction.on_commit(lambda: reconcile(pks))


def reconcile(blobs: Collection[int] | None = None) -> list[Repo]:
    """Make claims agree with what is known of their blobs, all of them or these; returns the repos that lost some.

    A blob that is held back is served nowhere, and a sound one everywhere again.  The two are written apart, since
    claims are locked before blobs; whoever dies in between is repaired by the next upkeep.
    """
    claims = RepoBlob.objects.filter(blob__isnull=False)
    if blobs is not None:
        claims = claims.filter(blob__in=blobs)
    sound = Form.objects.filter(blob=OuterRef("blob"), state=Form.State.OK)
    problem = f"The stored bytes were found damaged on {timezone.now():%Y-%m-%d}. Push the file again."
    with transaction.atomic():
        held_back = claims.filter(state=State.PROVEN, blob__quarantined_at__isnull=False)
        lost = _rewritten(held_back, state=State.REJECTED, problem=problem)
        whole = claims.filter(Exists(sound), state=State.REJECTED, blob__quarantined_at=None)
        _rewritten(whole, state=State.PROVEN, problem="")
    return [claim.repo for claim in lost]


def _rewritten(claims: QuerySet[RepoBlob], *, state: str, problem: str) -> list[RepoBlob]:
    rows = list(claims.select_for_update(of=("self",)).select_related("repo__namespace").order_by("pk"))
    RepoBlob.objects.filter(pk__in=[row.pk for row in rows]).update(state=state, problem=problem)
    for repo in sorted({row.repo for row in rows}, key=lambda repo: repo.pk):
        weigh(repo)
    return rows


def weigh(repo: Repo) -> None:
    """Write how many bytes of large files a repo holds, and how far those of main are proven."""
    with transaction.atomic():
        # Who adds up second sees what the first has added.
        mine = Repo.objects.filter(pk=repo.pk)
        list(mine.select_for_update(no_key=True).values_list("pk"))
        total = RepoBlob.objects.filter(repo=repo, state=State.PROVEN).aggregate(total=Sum("size"))["total"]
        mine.update(used_storage=total or 0)
        proofs.note(repo)


def _is_still_open(upload: Upload) -> bool:
    return stored_uploads(repo_of(upload), upload.sha256).exclude(pk=upload.pk).exists()


def owner_of(repo: Repo, viewer: Viewer) -> str:
    """Return whose an upload is: one user's in one repo, so that nobody writes into another's."""
    return f"{repo.pk}:{viewer.user.pk if viewer.user else ''}"


def repo_of(upload: Upload) -> UUID:
    """Return the id of the repo that an upload goes to."""
    return UUID(upload.owner.partition(":")[0])


def stored_uploads(repo_id: UUID, sha256: str) -> QuerySet[Upload]:
    """Return the uploads of a file into a repo whose bytes are there and not yet proven, whoever sent them."""
    return Upload.objects.filter(owner__startswith=f"{repo_id}:", sha256=sha256, state=Upload.State.STORED)


def _look_again(repo: Repo) -> None:
    """The tips of the repo may now be complete: ask for their inspection."""
    for oid in sorted(set(Ref.objects.filter(repo=repo).values_list("oid", flat=True))):
        jobs.ask(kind="inspect", subject=f"{repo.pk}:{oid}", repo=repo, payload={"commit": oid})
