"""Every Celery task on one screen.  A task is a doorbell: ids travel, objects do not."""

from datetime import UTC, datetime
from uuid import UUID

from celery import shared_task

from hub.accounts.tokens import flush_uses
from hub.catalog import (
    clearances,
    counters,
    facets,
    forms,
    indexing,
    minutely,
    notices,
    popularity,
    pullrecords,
    pulse,
    quotas,
    upkeep,
)
from workers import runs


@shared_task(name="workers.run")
def run(job_id: str) -> None:
    """Do one job, if nobody else does."""
    runs.run(UUID(job_id))


@shared_task(name="workers.claim_due")
def claim_due() -> None:
    """Do whatever is due: jobs whose bell was lost, that are to be tried again, or whose worker was killed."""
    pulse.note_worker()
    runs.run_due()


@shared_task(name="workers.flush_downloads")
def flush_downloads() -> None:
    """Write counted downloads, uses of tokens and pulls to their tables, and ask for what pulls have earned."""
    counters.flush_downloads()
    flush_uses()
    forms.ask_hot()
    pullrecords.flush()
    clearances.expire()
    clearances.ask_missing()
    indexing.ask_missing()


@shared_task(name="workers.ask_upkeep")
def ask_upkeep() -> None:
    """Ask for sweeping, scrubbing and proofs that were left behind."""
    counters.refresh_window()
    counters.refresh_trending()
    pullrecords.forget(datetime.now(UTC).date())
    upkeep.ask_upkeep()


@shared_task(name="workers.count_lists")
def count_lists() -> None:
    """Count what large lists are narrowed and ordered by, so that no reader waits for it."""
    minutely.recount(facets.refresh, popularity.refresh)


@shared_task(name="workers.count_storage")
def count_storage() -> None:
    """Count what each namespace holds, and warn those that are nearly full."""
    quotas.count()


@shared_task(name="workers.mail_notices")
def mail_notices() -> None:
    """Send by mail what people asked to be told that way."""
    notices.send_mails()
