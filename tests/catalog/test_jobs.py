"""Jobs: one open job per subject, leases, fences and retries."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from hub.catalog import jobs
from hub.catalog.jobs import LeaseLost
from hub.catalog.models import Job

pytestmark = pytest.mark.django_db


def _ask(subject: str = "", **fields: Any) -> Job:
    return jobs.ask(kind="scrub", subject=subject or uuid4().hex, **fields)


def _claim(job: Job) -> Job:
    claimed = jobs.claim(job.pk)
    assert claimed is not None
    return claimed


def _expire(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_asking_twice_is_asking_once_until_the_job_has_ended() -> None:
    first = _ask("same")
    assert _ask("same").pk == first.pk
    with jobs.finishing(_claim(first), {"n": 1}):
        pass
    assert _ask("same").pk != first.pk


def test_a_job_is_claimed_by_one_run() -> None:
    job = _ask()
    assert _claim(job).run == 1
    assert jobs.claim(job.pk) is None
    assert job.pk not in jobs.due_ids()


def test_a_job_whose_lease_ran_out_is_due_again_and_the_old_run_may_write_no_more() -> None:
    old = _claim(_ask())
    _expire(old)
    assert old.pk in jobs.due_ids()
    new = _claim(old)
    assert new.run == 2
    assert not jobs.heartbeat(old)
    with pytest.raises(LeaseLost):
        jobs.report(old, progress=0.5, step="late")
    with pytest.raises(LeaseLost), jobs.finishing(old, {}):
        pass
    with pytest.raises(LeaseLost):
        jobs.fail(old, error="late", final=False)
    assert jobs.heartbeat(new)
    with jobs.finishing(new, {"by": "new"}):
        pass
    assert Job.objects.get(pk=old.pk).result == {"by": "new"}


def test_results_and_done_are_one_transaction() -> None:
    job = _claim(_ask("results"))
    with pytest.raises(RuntimeError), jobs.finishing(job, {}):
        Job.objects.create(kind="other", subject="made by the run")
        raise RuntimeError
    assert Job.objects.get(pk=job.pk).state == Job.State.RUNNING
    assert not Job.objects.filter(kind="other").exists()


def test_a_failed_job_is_tried_again_after_growing_pauses_and_then_given_up() -> None:
    job = _ask()
    pauses = []
    for _ in range(jobs.MAX_FAILURES):
        jobs.fail(_claim(job), error="no luck", final=False)
        job.refresh_from_db()
        pauses.append((job.due_at - timezone.now()).total_seconds())
        Job.objects.filter(pk=job.pk).update(due_at=timezone.now())
    assert (job.state, job.error) == (Job.State.FAILED, "no luck")
    assert [round(pause) for pause in pauses[:4]] == [5, 20, 80, 320]
    assert jobs.claim(job.pk) is None


def test_a_final_failure_is_not_tried_again() -> None:
    job = _claim(_ask())
    jobs.fail(job, error="never", final=True)
    assert Job.objects.get(pk=job.pk).state == Job.State.FAILED


def test_a_job_that_kills_its_worker_each_time_ends_too() -> None:
    job = _ask()
    for _ in range(jobs.MAX_FAILURES):
        _claim(job)
        _expire(job)
    assert jobs.claim(job.pk) is None
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert "stopped in the middle" in job.error


def test_a_delayed_job_waits() -> None:
    job = _ask(delay=60)
    assert jobs.claim(job.pk) is None
    assert job.pk not in jobs.due_ids()


@pytest.mark.django_db(transaction=True)
def test_a_notice_is_left_only_when_the_result_can_be_seen() -> None:
    job = _claim(_ask())
    assert not jobs.has_notice([job.pk])
    with jobs.finishing(job, {}):
        assert not jobs.has_notice([job.pk])
    assert jobs.has_notice([job.pk])


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_loses_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[UUID] = []

    def away(*_: object, **__: object) -> None:
        rung.append(uuid4())
        raise ConnectionError("no broker")

    monkeypatch.setattr("hub.catalog.jobs.app.send_task", away)
    job = _ask()
    assert rung
    assert job.pk in jobs.due_ids()
