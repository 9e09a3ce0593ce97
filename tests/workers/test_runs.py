"""Workers: verify, inspect, retries, and what a killed worker leaves."""

import json
import struct
from datetime import timedelta

import pytest
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.catalog import jobs, pulls
from hub.catalog.errors import EntryNotFound
from hub.catalog.lookups import Located
from hub.catalog.models import Inspection, Job, Repo, RepoBlob
from storage.models import Blob, Condemned, Upload
from tests.factories import at, jobs_of, make_repo, make_viewer, push, push_large, send, work
from workers import care, runs

pytestmark = pytest.mark.django_db(transaction=True)


def safetensors(**tensors: tuple[str, list[int], bytes]) -> bytes:
    """Return a file with these tensors, laid out one after the other."""
    header, data = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


A = safetensors(a=("F32", [2, 3], b"\0" * 24))
B = safetensors(b=("BF16", [4], b"\0" * 8))


def _repo() -> tuple[Viewer, Repo]:
    viewer = make_viewer()
    return viewer, make_repo(viewer)


def _facts(repo: Repo) -> dict[str, object]:
    located: Located = at(repo)
    return located.facts


def test_a_model_is_weighed_into_the_facts_of_its_commit() -> None:
    viewer, repo = _repo()
    push(viewer, repo, {"config.json": b'{"architectures": ["X"], "model_type": "x", "big": [1]}'})
    push_large(viewer, repo, "model.safetensors", A)
    facts = _facts(repo)
    assert "architecture 'X' is not converted" in facts.pop("checkpoint")["problem"]  # type: ignore[index]
    assert facts == {
        "complete": True,
        "findings": [],
        "safetensors": {"parameters": {"F32": 6}, "total": 6},
        "config": {"architectures": ["X"], "model_type": "x"},
        "tensors": 1,
        "sizes": {},
    }
    assert Repo.objects.get(pk=repo.pk).parameters == 6


def test_shards_are_checked_against_their_index() -> None:
    viewer, repo = _repo()
    index = {"metadata": {"total_size": 32}, "weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}}
    push(viewer, repo, {"model.safetensors.index.json": json.dumps(index).encode()})
    push_large(viewer, repo, "m-1.safetensors", A)
    findings = _facts(repo)["findings"]
    assert isinstance(findings, list)
    assert any("m-2.safetensors" in finding["message"] for finding in findings)
    push_large(viewer, repo, "m-2.safetensors", B)
    assert _facts(repo)["findings"] == []
    assert _facts(repo)["safetensors"] == {"parameters": {"F32": 6, "BF16": 4}, "total": 10}


def test_a_broken_file_is_named_and_still_served_as_what_was_pushed() -> None:
    viewer, repo = _repo()
    sha256 = push_large(viewer, repo, "model.safetensors", A[:-1])
    inspection = Inspection.objects.get(sha256=sha256)
    assert not inspection.ok
    findings = _facts(repo)["findings"]
    assert isinstance(findings, list)
    assert findings[0]["path"] == "model.safetensors"
    assert "safetensors" not in _facts(repo)
    assert pulls.open_file(viewer, at(repo), "model.safetensors").state == "proven"


def test_one_content_under_two_names_is_read_once_and_judged_by_each_name() -> None:
    viewer, repo = _repo()
    push_large(viewer, repo, "model.safetensors", A)
    push_large(viewer, repo, "wrong.gguf", A)
    assert Inspection.objects.count() == 1
    findings = _facts(repo)["findings"]
    assert isinstance(findings, list)
    assert [(item["path"], item["code"]) for item in findings] == [("wrong.gguf", "wrong-format")]


def test_a_killed_worker_costs_one_lease_and_the_job_still_ends() -> None:
    viewer, repo = _repo()
    send(viewer, repo, A)
    job = jobs_of(repo, "verify")[0]
    assert jobs.claim(job.pk) is not None
    work()
    assert RepoBlob.objects.get(repo=repo).state == RepoBlob.State.PROVING
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert work() >= 1
    job.refresh_from_db()
    assert (job.state, job.run) == (Job.State.DONE, 2)
    assert RepoBlob.objects.get(repo=repo).state == RepoBlob.State.PROVEN


def test_a_run_that_lost_its_lease_in_the_middle_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer, repo = _repo()
    send(viewer, repo, A)
    job = jobs_of(repo, "verify")[0]

    def overtaken(*_: object, **__: object) -> tuple[str, int]:
        Job.objects.filter(pk=job.pk).update(run=99)
        return "0" * 64, 5

    monkeypatch.setattr("workers.verify._hash", overtaken)
    assert runs.run(job.pk)
    assert RepoBlob.objects.get(repo=repo).state == RepoBlob.State.PROVING
    assert Upload.objects.get(owner__startswith=str(repo.pk)).state == Upload.State.STORED


def test_a_failing_run_keeps_its_error_and_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer, repo = _repo()
    send(viewer, repo, A)
    job = jobs_of(repo, "verify")[0]

    def broken(*_: object) -> tuple[str, int]:
        raise OSError("the store went away")

    monkeypatch.setattr("workers.verify._hash", broken)
    runs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.failures) == (Job.State.WAITING, 1)
    assert "the store went away" in job.error
    monkeypatch.undo()
    Job.objects.filter(pk=job.pk).update(due_at=timezone.now())
    work()
    job.refresh_from_db()
    assert (job.state, job.error) == (Job.State.DONE, "")


def test_a_job_of_an_unknown_kind_fails_for_good() -> None:
    job = jobs.ask(kind="dance", subject="x")
    runs.run(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.FAILED


def _damage(sha256: str) -> None:
    from storage import s3  # noqa: PLC0415  The one test that plays a failing disk.

    form = Blob.objects.get(sha256=sha256).forms.get()
    s3.put_bytes(form.key, b"\1" + A[1:])


def test_a_flipped_byte_is_found_by_scrub_held_back_everywhere_and_healed_by_a_push(
    mailoutbox: list[object],
) -> None:
    viewer, repo = _repo()
    assert viewer.user
    viewer.user.is_staff, viewer.user.email = True, "admin@example.org"
    viewer.user.save()
    sha256 = push_large(viewer, repo, "model.safetensors", A)
    copy = make_repo(viewer)
    push_large(viewer, copy, "copy.safetensors", A)
    _damage(sha256)
    Blob.objects.get(sha256=sha256).forms.update(created_at=timezone.now() - timedelta(days=365))
    jobs.ask(kind="scrub", subject="hub")
    work()
    assert Job.objects.get(kind="scrub").result == {"checked": 1, "damaged": [sha256]}
    for held, path in ((repo, "model.safetensors"), (copy, "copy.safetensors")):
        with pytest.raises(EntryNotFound, match="found damaged"):
            pulls.open_file(viewer, at(held), path)
    assert len(mailoutbox) == 1
    send(viewer, repo, A)
    work()
    for held, path in ((repo, "model.safetensors"), (copy, "copy.safetensors")):
        entry = pulls.open_file(viewer, at(held), path)
        assert b"".join(pulls.stream(entry.sha256, 0, entry.size)) == A


def test_the_sweep_takes_what_was_never_committed_and_leaves_what_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    viewer, repo = _repo()
    kept = push_large(viewer, repo, "model.safetensors", A)
    lost = send(viewer, repo, B)
    work()
    long_ago = timezone.now() - timedelta(days=30)
    RepoBlob.objects.update(created_at=long_ago)
    Blob.objects.update(created_at=long_ago)
    monkeypatch.setattr(care, "CONDEMNED_GRACE", timedelta(0))
    jobs.ask(kind="sweep", subject="hub")
    work()
    assert list(Blob.objects.values_list("sha256", flat=True)) == [kept]
    assert not RepoBlob.objects.filter(sha256=lost).exists()
    assert not Condemned.objects.exists()
    entry = pulls.open_file(viewer, at(repo), "model.safetensors")
    assert b"".join(pulls.stream(entry.sha256, 0, entry.size)) == A


def test_what_an_old_commit_names_is_kept() -> None:
    viewer, repo = _repo()
    sha256 = push_large(viewer, repo, "model.safetensors", A)
    push(viewer, repo, {"model.safetensors": None})
    RepoBlob.objects.update(created_at=timezone.now() - timedelta(days=30))
    jobs.ask(kind="sweep", subject="hub")
    work()
    assert RepoBlob.objects.filter(sha256=sha256).exists()
