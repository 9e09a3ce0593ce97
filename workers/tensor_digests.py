"""Hashing the bytes of large tensors, so that the same weights are known again in whatever file they lie."""

import hashlib
from contextlib import closing

from hub.catalog import clearances, jobs
from hub.catalog.kinship import LEAST_BYTES, MOST_TENSORS
from hub.catalog.models import Inspection, Job, RepoBlob, TensorDigest
from storage import downloads
from storage.errors import ObjectMissing
from workers.errors import Refused
from workers.verify import Progress

DIGEST_BYTES = 16


def digest(job: Job) -> None:
    """Hash each large tensor of one file, largest first up to a bound, and have its repos' terms read again."""
    sha256 = job.payload["sha256"]
    row = Inspection.objects.filter(sha256=sha256).first()
    if row is None:
        raise Refused("The file was never inspected.")
    tensors = [(start, end) for _, _, _, start, end, _ in row.data["tensors"] if end - start >= LEAST_BYTES]
    chosen = sorted(tensors, key=lambda one: one[0] - one[1])[:MOST_TENSORS]
    progress = Progress(job, sum(end - start for start, end in chosen), "hashing tensors")
    found: dict[str, int] = {}
    done = 0
    try:
        for start, end in sorted(chosen):
            found[_hash(sha256, start, end, progress, done)] = end - start
            done += end - start
    except ObjectMissing as error:
        raise Refused("The file is gone.") from error
    with jobs.finishing(job, {"tensors": len(found)}):
        rows = [TensorDigest(sha256=sha256, digest=text, size=size) for text, size in found.items()]
        TensorDigest.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
        Inspection.objects.filter(pk=row.pk).update(digested=True)
    clearances.ask_all(RepoBlob.objects.filter(sha256=sha256).values_list("repo", flat=True))


def _hash(sha256: str, start: int, end: int, progress: Progress, before: int) -> str:
    state = hashlib.blake2b(digest_size=DIGEST_BYTES)
    done = before
    with closing(downloads.open_range(sha256, start, end - start)) as stream:
        for piece in stream:
            state.update(piece)
            done += len(piece)
            progress(done)
    return state.hexdigest()
