"""Going through the repos whose words were never taken, or by older rules."""

from uuid import UUID

from hub.catalog import indexing, jobs
from hub.catalog.models import Job


def index(job: Job) -> None:
    """Write what each of them is found by."""
    after: UUID | None = None
    while (after := indexing.index_some(after)) is not None:
        jobs.report(job, progress=after.int / 2**128, step="taking the words of cards")
    with jobs.finishing(job, {}):
        pass
