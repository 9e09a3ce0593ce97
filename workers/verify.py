"""Proving: read the stored bytes of an upload back, hash them, and settle what the repo may serve."""

import time
from typing import Any

from hub.catalog import holdings, jobs
from hub.catalog.models import Job
from storage import settling
from storage.errors import ObjectMissing, UploadClosed, WrongSize
from storage.models import Upload
from workers.errors import Refused

REPORT_SECONDS = 1.0


class Progress:
    """Reports the share of bytes done about once a second; raises LeaseLost when the job was taken over."""

    def __init__(self, job: Job, size: int, step: str) -> None:
        self.job, self.size, self.step = job, max(size, 1), step
        self.next = 0.0

    def __call__(self, done: int) -> None:
        if time.monotonic() >= self.next:
            jobs.report(self.job, progress=done / self.size, step=self.step)
            self.next = time.monotonic() + REPORT_SECONDS


def verify(job: Job) -> None:
    """Hash the bytes of the upload in the payload; the claim becomes proven or rejected with the job's last write."""
    upload = Upload.objects.filter(pk=job.payload["upload"]).first()
    if upload is None or upload.state not in (
        Upload.State.STORED,
        Upload.State.PROVEN,
        Upload.State.REJECTED,
    ):
        raise Refused("The upload is gone: it was given up before its bytes were proven.")
    if upload.state != Upload.State.STORED:
        with jobs.finishing(job, {"state": upload.state}):
            return
    found, size = _hash(job, upload)
    result: dict[str, Any] = {"sha256": found, "size": size}
    with jobs.finishing(job, result):
        result["state"] = holdings.settle(upload, found=found, size=size)


def _hash(job: Job, upload: Upload) -> tuple[str, int]:
    try:
        return settling.hash_stored(upload, progress=Progress(job, upload.size, "hashing")), upload.size
    except (WrongSize, ObjectMissing):
        # The store holds other bytes than were announced, or lost them: neither can ever be proven.
        return "missing", 0
    except UploadClosed as error:
        raise Refused(str(error)) from error
