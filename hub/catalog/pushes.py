"""Bytes in.  One of the two files that move bytes for a user.

Knowing a digest is never a key: a repo has a large file only by uploading its bytes and having them proven, or by
copying it from a repo whose bytes the caller may pull.  `RepoBlob` records that, and nothing is served without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.catalog import access, holdings, quotas, reviewed
from hub.catalog.delivery import REDIRECT, mode, trouble_of
from hub.catalog.errors import BadRequest, BytesMissing, TooLarge
from hub.catalog.models import Job, Repo, RepoBlob
from hub.catalog.operations import AddLarge
from hub.catalog.waiting import release_connection
from storage import uploads
from storage.errors import StorageError
from storage.models import Blob, Upload

# A part of a large file may wait its turn for hours; its address writes to one upload only and dies with it.
UPLOAD_URL_SECONDS = 12 * 3600
State = RepoBlob.State


@dataclass(frozen=True, slots=True)
class Offer:
    """The answer to "I want to push this file": nothing to do (``upload`` is None), or where to send it."""

    sha256: str
    size: int
    upload: Upload | None = None


@dataclass(frozen=True, slots=True)
class WriteWay:
    """Where the parts of an upload go: presigned addresses, or none where they come through the hub."""

    parts: int
    part_size: int
    urls: list[str]


# The most that S3 takes in one PUT; for clients that cannot send parts.
LARGEST_SINGLE = 5 * 2**30


def offer(
    viewer: Viewer, repo: Repo, wanted: Sequence[tuple[str, int]], *, multipart: bool = True,
    part_size: int = uploads.PART_SIZE,
) -> list[Offer]:  # fmt: skip
    """Return, for each (sha256, size in bytes), whether this repo has the bytes or an upload to send them to.

    ``part_size`` is the least that a part has, and the most that is taken in one piece.
    """
    access.require_propose(viewer, repo)
    for _, size in wanted:
        if size > settings.HUB_MAX_FILE_BYTES:
            raise TooLarge(
                f"size is {size} bytes; this hub takes files of at most {settings.HUB_MAX_FILE_BYTES}."
            )
    claims = RepoBlob.objects.filter(repo=repo, sha256__in=[sha256 for sha256, _ in wanted])
    held = {claim.sha256: claim.size for claim in claims.exclude(state=State.REJECTED)}
    for sha256, size in wanted:
        if held.get(sha256, size) != size:
            raise BadRequest(f"size is {size}, but the file of oid {sha256} has {held[sha256]} bytes.")
    shape = (part_size if multipart else LARGEST_SINGLE, part_size)
    new = {sha256: size for sha256, size in wanted if sha256 not in held}
    begun = _begun(viewer, repo, new, shape)
    return [Offer(sha256, size, begun.get(sha256)) for sha256, size in wanted]


def _begun(viewer: Viewer, repo: Repo, new: dict[str, int], shape: tuple[int, int]) -> dict[str, Upload]:
    """Begin uploads of these files, all of which have room together; raises OverQuota and then has begun none."""
    owner = holdings.owner_of(repo, viewer)
    quotas.require_guest(viewer, repo, new)
    try:
        with quotas.making_room(repo.namespace, new):
            rows = {
                sha256: uploads.reserve(
                    owner=owner, sha256=sha256, size=size, single_limit=shape[0], part_size=shape[1]
                )
                for sha256, size in new.items()
            }
        return {sha256: uploads.opened(row) for sha256, row in rows.items()}
    except StorageError as error:
        raise trouble_of(error) from error


def way_for(upload: Upload) -> WriteWay:
    """Return where the client sends the bytes of an upload."""
    count = len(uploads.part_plan(upload)) if upload.part_size else 1
    if mode() != REDIRECT:
        return WriteWay(count, upload.part_size, [])
    try:
        links = uploads.links(upload, expires=UPLOAD_URL_SECONDS)
    except StorageError as error:
        raise trouble_of(error) from error
    return WriteWay(count, upload.part_size, [links.single] if links.single else links.parts)


def write(viewer: Viewer, repo: Repo, upload_id: UUID, *, part: int, stream: BinaryIO, length: int) -> str:
    """Take one part (0: the whole file) through the hub; returns its etag.  For proxied delivery."""
    access.require_propose(viewer, repo)
    upload = _upload_of(viewer, repo, upload_id)
    release_connection()
    try:
        if part:
            return uploads.write_part(upload, part, stream, length)
        uploads.write_single(upload, stream, length)
    except StorageError as error:
        raise trouble_of(error) from error
    return ""


def _upload_of(viewer: Viewer, repo: Repo, upload_id: UUID) -> Upload:
    try:
        upload = uploads.get(upload_id)
    except StorageError as error:
        raise trouble_of(error) from error
    if upload.owner != holdings.owner_of(repo, viewer):
        raise BytesMissing("There is no such upload in this repository.")
    return upload


def complete(
    viewer: Viewer, repo: Repo, upload_id: UUID, *, parts: list[tuple[int, str]] | None
) -> Job | None:
    """All parts are there: put them together and begin to prove them.  Repeating it does no harm."""
    access.require_propose(viewer, repo)
    upload = _upload_of(viewer, repo, upload_id)
    return _arrive(viewer, repo, upload, parts)


def _arrive(
    viewer: Viewer, repo: Repo, upload: Upload, parts: list[tuple[int, str]] | None = None
) -> Job | None:
    """Finish an upload and ask for its proof; returns the job, or None when it is settled already."""
    try:
        upload = uploads.finish(upload.pk, parts=parts)
    except StorageError as error:
        raise trouble_of(error) from error
    with transaction.atomic():
        # The job's row, the claim and the upload are locked in the order in which a run settles them.
        job = holdings.ask_proof(repo, upload) if upload.state == Upload.State.STORED else None
        claim, made = RepoBlob.objects.select_for_update().get_or_create(
            repo=repo, sha256=upload.sha256, defaults={"size": upload.size, "created_by": viewer.user}
        )
        upload = Upload.objects.select_for_update().get(pk=upload.pk)
        if upload.state == Upload.State.STORED and claim.state == State.REJECTED:
            claim.state, claim.problem, claim.size = State.PROVING, "", upload.size
            claim.save(update_fields=["state", "problem", "size"])
        elif made and upload.state != Upload.State.STORED:
            _claim_settled(claim, upload)
    return job


def _claim_settled(claim: RepoBlob, upload: Upload) -> None:
    """Write a claim anew that was swept after its upload had been settled; raises BytesMissing."""
    blob = Blob.objects.select_for_update().filter(sha256=upload.sha256, quarantined_at=None).first()
    if upload.state == Upload.State.REJECTED:
        claim.state, claim.problem = State.REJECTED, upload.problem
    elif upload.state == Upload.State.PROVEN and blob is not None:
        claim.state, claim.blob = State.PROVEN, blob
    else:
        raise BytesMissing("The bytes of this upload are no longer kept; send them again.")
    claim.settled_at = timezone.now()
    claim.save(update_fields=["state", "problem", "blob", "settled_at"])


def confirm(viewer: Viewer, repo: Repo, *, sha256: str, size: int) -> str:
    """The client says that it has sent a file: check the size, begin or await its proof.

    Returns the state after at most ``HUB_PROOF_WAIT`` seconds; raises BytesMissing or BadRequest.
    """
    access.require_propose(viewer, repo)
    admit(viewer, repo, [AddLarge(path=None, sha256=sha256, size=size)])  # type: ignore[arg-type]
    return RepoBlob.objects.values_list("state", flat=True).get(repo=repo, sha256=sha256)


def admit(viewer: Viewer, repo: Repo, files: Sequence[AddLarge]) -> dict[str, int]:
    """Make sure this repo came by every file honestly, and wait a while for proofs; returns the sizes in bytes.

    Raises BytesMissing for bytes that were never sent, and BadRequest for a wrong size or a refuted hash.  What is
    still being proven after ``HUB_PROOF_WAIT`` seconds is admitted as such, and served only once it is proven.
    """
    if not files:
        return {}
    wanted = {file.sha256: file for file in files}
    held = _claims(repo, wanted)
    for sha256, file in wanted.items():
        if sha256 not in held or held[sha256].state == State.REJECTED:
            _take_in(viewer, repo, file, held.get(sha256))
    holdings.wait_for_proofs(repo, list(wanted))
    held = _claims(repo, wanted)
    for sha256, file in wanted.items():
        _check_claim(held.get(sha256), file)
    return {sha256: claim.size for sha256, claim in held.items()}


def _claims(repo: Repo, wanted: dict[str, AddLarge]) -> dict[str, RepoBlob]:
    return {claim.sha256: claim for claim in RepoBlob.objects.filter(repo=repo, sha256__in=wanted)}


def _take_in(viewer: Viewer, repo: Repo, file: AddLarge, refused: RepoBlob | None) -> None:
    upload = uploads.find(holdings.owner_of(repo, viewer), file.sha256)
    if upload is not None and (upload.state == Upload.State.STORED or not upload.part_size):
        try:
            _arrive(viewer, repo, upload)
            return
        except BytesMissing:
            # An upload was begun, but its bytes never came; the file may still be held elsewhere.
            pass
    if not _copy_claim(viewer, repo, file.sha256):
        if refused is not None:
            raise BadRequest(refused.problem)
        raise BytesMissing(
            f"The bytes of {file.path or 'this file'} (oid {file.sha256}) have not been uploaded to this repository."
        )


def _copy_claim(viewer: Viewer, repo: Repo, sha256: str) -> bool:
    """Copy a proven file from a repo that the viewer may pull from; False where there is none."""
    sources = RepoBlob.objects.filter(
        sha256=sha256, state=State.PROVEN, repo__in=access.visible_repos(viewer)
    )
    for source in sources.select_related("repo__namespace", "blob")[:50]:
        if (
            source.blob is not None
            and access.may_pull(viewer, source.repo).allowed
            and not reviewed.withheld(viewer, source.repo, [sha256])
        ):
            quotas.require_room(repo.namespace, {sha256: source.size})
            RepoBlob.objects.update_or_create(
                repo=repo, sha256=sha256,
                defaults={"size": source.size, "state": State.PROVEN, "problem": "", "blob": source.blob,
                          "created_by": viewer.user, "settled_at": timezone.now()},
            )  # fmt: skip
            return True
    return False


def copy_files(viewer: Viewer, source: Repo, target: Repo, digests: Sequence[str]) -> list[str]:
    """Give proven files of a repo that the viewer may pull from to another; returns those it does not hold."""
    access.require_pull(viewer, source)
    access.require_propose(viewer, target)
    held = RepoBlob.objects.filter(repo=source, sha256__in=digests, state=State.PROVEN).select_related("blob")
    stopped = reviewed.withheld(viewer, source, digests)
    found = {one.sha256: one.blob for one in held if one.blob is not None and one.sha256 not in stopped}
    sizes = {blob.sha256: blob.size for blob in found.values()}
    with transaction.atomic(), quotas.making_room(target.namespace, sizes):
        holdings.claim(target, found.values(), by=viewer.user)
    return [sha256 for sha256 in dict.fromkeys(digests) if sha256 not in found]


def _check_claim(claim: RepoBlob | None, file: AddLarge) -> None:
    if claim is None:
        raise BytesMissing(f"The bytes of oid {file.sha256} were removed meanwhile; upload the file again.")
    if claim.state == State.REJECTED:
        raise BadRequest(claim.problem)
    if file.size is not None and file.size != claim.size:
        raise BadRequest(f"size is {file.size}, but the file of oid {file.sha256} has {claim.size} bytes.")
