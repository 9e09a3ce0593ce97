"""Proving files of chunks when stored bytes are spoiled, the store is away, or a run was killed in between."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone

from hub.accounts.identity import Viewer
from hub.catalog import forms, holdings, jobs, pulls, upkeep, xet_pushes
from hub.catalog.models import Job, Repo, RepoBlob
from hub.catalog.xet_pushes import Beat, Registration
from hub.catalog.xet_tokens import WRITE, Caller
from storage import dedup, recipes, s3
from storage.errors import ObjectMissing
from storage.models import Blob, Form, Recipe, Xorb
from storage.xet.shards import FileEntry, write_shard
from tests.factories import make_repo, make_viewer, work
from tests.storage.files import Pile, content_of, made_of
from tests.storage.helpers import overwrite

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def bucket() -> None:
    s3.ensure_bucket()


@pytest.fixture
def caller() -> Caller:
    alice = make_viewer()
    repo = make_repo(alice)
    return Caller(alice, repo, WRITE, str(repo.namespace_id))


def registered(caller: Caller, files: Sequence[FileEntry]) -> UUID | None:
    registration = Registration(caller, BytesIO(write_shard(files, [])))
    assert registration.go_on(60)
    return registration.job


def kept(caller: Caller, *piles: Pile) -> None:
    for pile in piles:
        pile.keep(caller.domain)


def spoil(pile: Pile) -> Xorb:
    xorb = Xorb.objects.get(hash=pile.name)
    stored = bytearray(s3.get_bytes(xorb.key))
    stored[len(stored) // 2] ^= 1
    overwrite(xorb.key, bytes(stored))
    return xorb


def end_of(caller: Caller, job: UUID | None) -> Beat:
    return list(xet_pushes.await_proof(job, by=caller))[-1]


def proven(repo: Repo) -> set[str]:
    return set(RepoBlob.objects.filter(repo=repo, state="proven").values_list("sha256", flat=True))


def test_chunks_found_damaged_while_a_file_is_proven_are_held_back_at_once(caller: Caller) -> None:
    good, bad = Pile.of(60, 6), Pile.of(61, 6)
    kept(caller, good, bad)
    files = [made_of([(good, 0, 6)]), made_of([(good, 1, 2), (bad, 0, 6)]), made_of([(bad, 0, 1)])]
    job = registered(caller, files)
    xorb = spoil(bad)
    epoch = dedup.current_epoch()
    work()
    end = end_of(caller, job)
    assert (end.again, end.problem.count("Push it again")) == (True, 2)
    xorb.refresh_from_db()
    assert xorb.state == Xorb.State.DAMAGED
    assert dedup.current_epoch() == epoch + 1
    # The sound file is served, and nothing is left of the others.
    assert proven(caller.repo) == {files[0].sha256}
    assert RepoBlob.objects.count() == Recipe.objects.count() == Form.objects.count() == 1
    kept(caller, bad)
    job = registered(caller, files)
    work()
    assert end_of(caller, job) == Beat(1.0, ended=True)
    assert proven(caller.repo) == {file.sha256 for file in files}


def test_a_damaged_chunk_never_leaves_the_hub_and_is_looked_at(caller: Caller) -> None:
    pile = Pile.of(62, 8)
    kept(caller, pile)
    file = made_of([(pile, 0, 8)])
    registered(caller, [file])
    work()
    content, got = content_of([(pile, 0, 8)]), bytearray()
    assert b"".join(pulls.stream(str(file.sha256), 0, len(content))) == content
    xorb = spoil(pile)
    with pytest.raises(ObjectMissing):
        for data in pulls.stream(str(file.sha256), 0, len(content)):
            got += data
    assert content.startswith(bytes(got))
    assert len(got) < len(content)
    assert Job.objects.get(kind="check-xorb").payload == {"xorb": xorb.pk}
    work()
    assert proven(caller.repo) == set()
    assert Blob.objects.get().quarantined_at is not None
    kept(caller, pile)
    registered(caller, [file])
    work()
    assert proven(caller.repo) == {file.sha256}


def test_a_store_that_is_away_only_delays_a_proof(caller: Caller, settings: Any) -> None:
    pile = Pile.of(63, 4)
    kept(caller, pile)
    job = registered(caller, [made_of([(pile, 0, 4)])])
    place = settings.HUB_S3
    settings.HUB_S3 = {**place, "endpoint": "http://127.0.0.1:9"}
    work()
    row = Job.objects.get(kind="prove-chunks")
    assert (row.state, row.failures) == (Job.State.WAITING, 1)
    assert not RepoBlob.objects.exists()
    assert Xorb.objects.get().state == Xorb.State.OK
    # Who has waited over one failure and sees another is asked to come again; the work is not given up.
    Job.objects.update(due_at=timezone.now())
    work()
    end = end_of(caller, job)
    assert (end.ended, end.again) == (True, True)
    settings.HUB_S3 = place
    Job.objects.update(due_at=timezone.now())
    work()
    assert end_of(caller, job) == Beat(1.0, ended=True)
    assert len(proven(caller.repo)) == 1


def test_a_run_that_is_killed_before_its_last_write_leaves_nothing_half_done(caller: Caller) -> None:
    pile = Pile.of(64, 4)
    kept(caller, pile)
    job = registered(caller, [made_of([(pile, 0, 4)])])
    assert job is not None
    first = jobs.claim(job)
    assert first is not None
    Job.objects.update(lease_until=timezone.now())
    work()
    assert end_of(caller, job) == Beat(1.0, ended=True)
    # The first run comes back from the dead and may write nothing.
    with pytest.raises(jobs.LeaseLost), jobs.finishing(first, {}):
        pass
    assert Recipe.objects.get().state == "proven"


def test_two_repos_that_prove_the_same_file_at_once_both_hold_it(caller: Caller) -> None:
    pile = Pile.of(65, 4)
    kept(caller, pile)
    beside = Caller(caller.viewer, make_repo(caller.viewer), WRITE, caller.domain)
    files = [made_of([(pile, 0, 4)])]
    both = [registered(one, files) for one in (caller, beside)]
    assert Recipe.objects.count() == 2
    work()
    assert [end_of(caller, job).problem for job in both] == ["", ""]
    assert proven(caller.repo) == proven(beside.repo) == {files[0].sha256}
    assert Recipe.objects.count() == Form.objects.count() == 1


def test_files_that_the_sweep_took_before_their_proof_are_asked_for_again(caller: Caller) -> None:
    pile = Pile.of(66, 4)
    kept(caller, pile)
    file = made_of([(pile, 0, 4)])
    job = registered(caller, [file])
    recipes.give_up(list(Recipe.objects.all()))
    again = registered(caller, [file])
    assert again != job
    work()
    assert (end_of(caller, job).again, bool(end_of(caller, job).problem)) == (True, True)
    assert end_of(caller, again) == Beat(1.0, ended=True)
    assert proven(caller.repo) == {file.sha256}


def test_the_same_shard_sent_twice_waits_for_one_proof(caller: Caller) -> None:
    pile = Pile.of(67, 4)
    kept(caller, pile)
    files = [made_of([(pile, 0, 4)]), made_of([(pile, 0, 2)])]
    assert registered(caller, files) == registered(caller, files[::-1])
    work()
    # What is proven by now is taken without a job, and by another repo of the domain too.
    viewer: Viewer = caller.viewer
    beside = Caller(viewer, make_repo(viewer), WRITE, caller.domain)
    assert registered(beside, files) is None
    assert len(proven(beside.repo)) == 2


def test_what_was_hashed_before_its_xorb_was_found_damaged_is_not_proven(caller: Caller) -> None:
    pile = Pile.of(70, 100, 120_000)
    kept(caller, pile)
    files = [made_of([(pile, 0, 50)]), made_of([(pile, 50, 100)])]
    job = registered(caller, files)
    xorb = Xorb.objects.get()
    stored = bytearray(s3.get_bytes(xorb.key))
    stored[-10] ^= 1
    overwrite(xorb.key, bytes(stored))
    work()
    end = end_of(caller, job)
    assert (end.ended, end.again) == (True, True)
    assert proven(caller.repo) == set()
    assert not Form.objects.exists()
    kept(caller, pile)
    registered(caller, files)
    work()
    assert proven(caller.repo) == {file.sha256 for file in files}


def test_a_xorb_found_damaged_between_hashing_and_settling_proves_nothing(caller: Caller) -> None:
    pile = Pile.of(71, 4)
    kept(caller, pile)
    registered(caller, [made_of([(pile, 0, 4)])])
    (recipe,) = Recipe.objects.all()
    upkeep.hold_back_xorb(Xorb.objects.get())
    with transaction.atomic():
        problems, again = holdings.settle_recipes(
            [(recipe, recipe.sha256)], domain=caller.domain, repo=caller.repo, by=None
        )
    assert (len(problems), again) == (1, True)
    assert not RepoBlob.objects.exists()
    assert not Form.objects.exists()


def test_damage_makes_clients_forget_once(caller: Caller) -> None:
    pile = Pile.of(72, 4)
    kept(caller, pile)
    xorb, epoch = Xorb.objects.get(), dedup.current_epoch()
    upkeep.hold_back_xorb(xorb)
    upkeep.hold_back_xorb(xorb)
    assert dedup.current_epoch() == epoch + 1


def test_only_the_bytes_that_flowed_earn_a_plain_form(caller: Caller, settings: Any) -> None:
    settings.HUB_PLAIN_AFTER = 1
    pile = Pile.of(73, 40, 60_000)
    kept(caller, pile)
    file = made_of([(pile, 0, 40)])
    registered(caller, [file])
    work()
    size = 40 * 60_000
    for _ in range(3):
        begun = pulls.stream(str(file.sha256), 0, size)
        next(begun)
        begun.close()  # type: ignore[attr-defined]
    forms.ask_hot()
    assert not Job.objects.filter(kind=forms.MAKE_PLAIN).exists()
    assert len(b"".join(pulls.stream(str(file.sha256), 0, size))) == size
    forms.ask_hot()
    assert Job.objects.filter(kind=forms.MAKE_PLAIN).exists()
