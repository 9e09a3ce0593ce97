"""How far a long job is: bytes done of all, about how many seconds are left, and in what it is at the moment."""

import time
from typing import Any

from hub.catalog import jobs
from hub.catalog.models import Job

REPORT_SECONDS = 1.0


class Meter:
    """Reports bytes done of all bytes to be read, made, sent and hashed; raises LeaseLost when the job was taken."""

    def __init__(self, job: Job, total: int) -> None:
        self.job, self.total, self.before = job, max(total, 1), 0
        self.began, self.next = time.monotonic(), 0.0

    def tell(self, done: int, step: str, **more: Any) -> None:
        """Show the bytes done of what is done now, at most once a second."""
        now = time.monotonic()
        if now < self.next:
            return
        self.next = now + REPORT_SECONDS
        share = min((self.before + done) / self.total, 1.0)
        left = (now - self.began) * (1 - share) / share if share else None
        detail = {"bytes": min(self.before + done, self.total), "of": self.total, **more}
        detail["secondsLeft"] = None if left is None else round(left)
        jobs.report(self.job, progress=share, step=step, detail=detail)

    def end(self, size: int) -> None:
        """So many bytes are done for good."""
        self.before += size
