"""Second forms of large files: earned by pulls, made by a worker, dropped when room runs out."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from hub import valkey
from hub.accounts.identity import Viewer
from hub.catalog import forms, holdings, jobs, pulls
from hub.catalog.models import Job, Repo, RepoBlob
from storage import carving, forming, scrub, settling
from storage.models import Blob, Condemned, Recipe, Upload, Xorb
from tests.factories import at, make_repo, make_viewer, push_large, send, work
from tests.storage.chunked import keep_chunks
from tests.storage.helpers import overwrite
from tests.storage.xet.samples import random_bytes, weights
from workers import care, runs

pytestmark = pytest.mark.django_db(transaction=True)
CHUNKS = tuple(random_bytes(50_000, seed) for seed in range(4))
CONTENT = b"".join(CHUNKS)


@pytest.fixture(autouse=True)
def fresh_counts() -> None:
    valkey.client().flushdb()
    forms._noted.clear()


@pytest.fixture
def viewer() -> Viewer:
    return make_viewer()


@pytest.fixture
def repo(viewer: Viewer) -> Repo:
    return make_repo(viewer)


def chunked(repo: Repo, chunks: tuple[bytes, ...] = CHUNKS) -> Blob:
    blob = keep_chunks(chunks, domain=str(repo.namespace_id))
    with transaction.atomic():
        holdings.claim(repo, [blob], by=None)
    return blob


def pull(blob: Blob, start: int = 0, length: int = 0) -> bytes:
    return b"".join(pulls.stream(blob.sha256, start, length or blob.size))


def make(blob: Blob) -> Job:
    job = jobs.ask(kind=forms.MAKE_PLAIN, subject=blob.sha256, payload={"sha256": blob.sha256})
    runs.run(job.pk)
    job.refresh_from_db()
    return job


def kinds(blob: Blob) -> list[str]:
    return sorted(blob.forms.values_list("kind", flat=True))


def test_a_file_that_is_pulled_often_gets_a_plain_form(viewer: Viewer, repo: Repo) -> None:
    blob = chunked(repo)
    for _ in range(2):
        assert pull(blob) == CONTENT
    assert forms.ask_hot() == 0
    # Ranges add up to pulls.
    for start in range(0, blob.size, 50_000):
        pull(blob, start, 50_000)
    assert forms.ask_hot() == 1
    work()
    assert kinds(blob) == ["chunked", "plain"]
    assert pull(blob) == CONTENT
    way = pulls.way_to(viewer, repo, sha256=blob.sha256, filename="w.bin")
    assert way.url
    # What was earned is spent: a form that is dropped has to be earned again.
    assert forms.make_room(10**15) == 1
    pull(blob)
    assert forms.ask_hot() == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [("HUB_PLAIN_AFTER", 0), ("HUB_PLAIN_MAX_BYTES", 1000), ("HUB_PLAIN_BUDGET_BYTES", 1000)],
)
def test_no_plain_form_is_made_beyond_what_is_allowed(
    repo: Repo, settings: Settings, name: str, value: int
) -> None:
    setattr(settings, name, value)
    blob = chunked(repo)
    for _ in range(4):
        pull(blob)
    assert forms.ask_hot() == 0


def test_old_pulls_are_forgotten(repo: Repo, settings: Settings) -> None:
    blob = chunked(repo)
    for _ in range(3):
        pull(blob)
    (day,) = valkey.client().scan_iter(forms._PULLED.format("*"))
    long_ago = (timezone.now() - timedelta(days=settings.HUB_PLAIN_DAYS)).date().isoformat()
    assert 0 < valkey.client().ttl(day) <= (settings.HUB_PLAIN_DAYS + 1) * 86400
    valkey.client().rename(day, forms._PULLED.format(long_ago))
    assert forms.ask_hot() == 0


def test_counting_needs_no_database_and_no_valkey(
    repo: Repo, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    blob = chunked(repo)
    with django_assert_num_queries(0):
        forms.note_stream(blob.sha256, 5, from_chunks=True)
        forms.note_link(blob.sha256)
    settings.HUB_REDIS_URL = "redis://127.0.0.1:1/0"
    valkey._client_of.cache_clear()
    try:
        assert pull(blob) == CONTENT
    finally:
        valkey._client_of.cache_clear()


def test_the_sweep_drops_what_is_wanted_least_and_keeps_the_chunks(
    repo: Repo, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = [chunked(repo, (chunk,)) for chunk in CHUNKS[:3]]
    for blob in blobs:
        assert make(blob).result == {"made": True}
    forms.note_link(blobs[0].sha256)
    forms.ask_hot()
    settings.HUB_PLAIN_BUDGET_BYTES = 120_000
    monkeypatch.setattr(care, "CONDEMNED_GRACE", timedelta(0))
    job = jobs.ask(kind="sweep", subject="hub")
    work()
    job.refresh_from_db()
    assert job.result["plain forms"] == 1
    assert [kinds(blob) for blob in blobs] == [["chunked", "plain"], ["chunked"], ["chunked", "plain"]]
    assert not Condemned.objects.exists()
    assert pull(blobs[1]) == CHUNKS[1]
    # Room is made before a form is made, too.
    make(blobs[1])
    assert sum(kinds(blob) == ["chunked", "plain"] for blob in blobs) == 2


def test_a_form_pushed_by_a_user_is_never_dropped(repo: Repo) -> None:
    blob = chunked(repo)
    upload = Upload.objects.create(
        owner="someone", sha256=blob.sha256, size=blob.size, state="stored", final_key="blobs/x"
    )
    settling.settle_proven(upload)
    assert forms.make_room(10**15) == 0
    assert kinds(blob) == ["chunked", "plain"]


def test_a_worker_killed_in_the_middle_leaves_the_old_state_and_the_next_one_ends_it(repo: Repo) -> None:
    blob = chunked(repo)
    job = jobs.ask(kind=forms.MAKE_PLAIN, subject=blob.sha256, payload={"sha256": blob.sha256})
    killed = jobs.claim(job.pk)
    assert killed is not None
    # The killed run had the bytes stored and had not settled them.
    recipe = forming.recipe_for(blob.sha256)
    assert recipe is not None
    forming.assemble(recipe, owner=forms.OWNER, progress=lambda done: None)
    assert kinds(blob) == ["chunked"]
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    work()
    assert kinds(blob) == ["chunked", "plain"]
    assert Upload.objects.filter(owner=forms.OWNER).count() == 1
    with pytest.raises(jobs.LeaseLost), jobs.finishing(killed, {}):
        pass


def test_an_object_that_is_not_what_was_sent_is_thrown_away_and_made_anew(repo: Repo) -> None:
    blob = chunked(repo)
    recipe = forming.recipe_for(blob.sha256)
    assert recipe is not None
    upload = forming.assemble(recipe, owner=forms.OWNER, progress=lambda done: None)
    overwrite(upload.final_key, b"\1" + CONTENT[1:])
    job = make(blob)
    assert (job.state, "sha256" in job.error) == (Job.State.WAITING, True)
    assert kinds(blob) == ["chunked"]
    assert Condemned.objects.filter(key=upload.final_key).exists()
    Job.objects.filter(pk=job.pk).update(due_at=timezone.now())
    work()
    assert kinds(blob) == ["chunked", "plain"]
    assert pull(blob) == CONTENT


def test_damaged_chunks_make_no_plain_form_and_are_found_on_the_way(repo: Repo) -> None:
    blob = chunked(repo)
    xorb = Xorb.objects.get()
    overwrite(xorb.key, b"\1" * xorb.stored_size)
    job = make(blob)
    assert job.state == Job.State.WAITING
    work()
    assert Xorb.objects.get().state == Xorb.State.DAMAGED
    Job.objects.filter(pk=job.pk).update(due_at=timezone.now())
    work()
    job.refresh_from_db()
    assert (job.state, job.result) == (Job.State.DONE, {"made": False})
    assert kinds(blob) == ["chunked"]


def test_a_plain_form_that_is_ready_when_the_chunks_fail_saves_the_file(repo: Repo) -> None:
    blob = chunked(repo)
    make(blob)
    xorb = Xorb.objects.get()
    overwrite(xorb.key, b"\1" * xorb.stored_size)
    scrub.mark_xorb_damaged(xorb)
    holdings.reconcile()
    assert RepoBlob.objects.get(repo=repo).state == RepoBlob.State.PROVEN
    assert pull(blob) == CONTENT
    assert forms.make_room(10**15) == 0


LARGE = weights(300_000, 7)


@pytest.fixture
def chunks_above(settings: Settings) -> None:
    """Let files above 100 kB be too large for clients without chunks."""
    settings.HUB_CHUNK_ABOVE_BYTES = 100_000


def test_a_file_too_large_for_one_piece_gets_chunks_once_it_is_proven(
    viewer: Viewer, repo: Repo, chunks_above: None
) -> None:
    push_large(viewer, repo, "small.bin", LARGE[:100_000])
    sha256 = push_large(viewer, repo, "large.bin", LARGE)
    assert pulls.open_file(viewer, at(repo), "small.bin").xet_hash is None
    entry = pulls.open_file(viewer, at(repo), "large.bin")
    recipe = Recipe.objects.get()
    assert (entry.xet_hash, recipe.sha256, recipe.domain) == (
        recipe.file_hash,
        sha256,
        str(repo.namespace_id),
    )
    assert Job.objects.get(kind=forms.MAKE_CHUNKED).result == {"made": True, "xorbs": 1}
    # It is no plain form that the hub made, so none is ever dropped.
    assert forms.make_room(10**15) == 0
    assert pulls.way_to(viewer, repo, sha256=sha256, filename="w").url


def test_without_chunks_switched_on_none_are_made(
    viewer: Viewer, repo: Repo, chunks_above: None, settings: Settings
) -> None:
    settings.HUB_XET = False
    push_large(viewer, repo, "large.bin", LARGE)
    assert forms.ask_missing_chunks() == 0
    assert not Job.objects.filter(kind=forms.MAKE_CHUNKED).exists()
    # Switched on later, upkeep finds what is missing, and finds it once.
    settings.HUB_XET = True
    assert forms.ask_missing_chunks() == 1
    work()
    assert Recipe.objects.get().state == "proven"
    assert forms.ask_missing_chunks() == 0


def test_a_damaged_object_is_found_while_it_is_cut(
    viewer: Viewer, repo: Repo, chunks_above: None, settings: Settings
) -> None:
    settings.HUB_XET = False
    sha256 = push_large(viewer, repo, "large.bin", LARGE)
    overwrite(Blob.objects.get(sha256=sha256).forms.get().key, b"\1" + LARGE[1:])
    settings.HUB_XET = True
    forms.ask_missing_chunks()
    work()
    job = Job.objects.get(kind=forms.MAKE_CHUNKED)
    assert job.state == Job.State.WAITING
    assert RepoBlob.objects.get(repo=repo, sha256=sha256).state == RepoBlob.State.REJECTED
    Job.objects.filter(pk=job.pk).update(due_at=timezone.now())
    work()
    job.refresh_from_db()
    assert (job.state, job.result) == (Job.State.DONE, {"made": False})
    assert not Recipe.objects.exists()


def test_a_worker_killed_while_cutting_leaves_the_old_state_and_the_next_one_ends_it(
    viewer: Viewer, repo: Repo, chunks_above: None
) -> None:
    sha256 = send(viewer, repo, LARGE)
    runs.run(Job.objects.get(kind="verify").pk)
    job = Job.objects.get(kind=forms.MAKE_CHUNKED)
    assert jobs.claim(job.pk) is not None
    form = carving.form_to_carve(sha256)
    assert form is not None
    carving.carve(form, domain=job.payload["domain"], progress=lambda done: None)
    kept = set(Xorb.objects.values_list("key", flat=True))
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    work()
    assert kinds(form.blob) == ["chunked", "plain"]
    assert set(Xorb.objects.values_list("key", flat=True)) == kept
