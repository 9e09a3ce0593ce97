"""What happens between two steps: sweeps against commits, uploads against uploads, a kill in the middle."""

import hashlib
import threading
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pytest
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone

from hub.accounts.models import Token
from hub.catalog import holdings, likes, pulls, pushes, refs, repos, upkeep
from hub.catalog.errors import BytesMissing, EntryNotFound, NotAllowed, RevisionNotFound
from hub.catalog.models import CommitRecord, GitObject, RepoBlob, TokenScope, TreeRow
from hub.catalog.names import FilePath
from hub.catalog.objects import make_blob, oid_of, store
from hub.catalog.operations import AddLarge
from hub.catalog.tickets import UploadTicket, identity_of
from storage.models import Blob, Form, Upload
from tests.factories import (
    at,
    commit_all,
    jobs_of,
    make_repo,
    make_viewer,
    push,
    push_large,
    send,
    with_token,
    work,
)

pytestmark = pytest.mark.django_db(transaction=True)

CONTENT = b"weights " * 100
SHA256 = hashlib.sha256(CONTENT).hexdigest()
LONG_AGO = timedelta(days=30)


def _in_thread(act: Callable[[], object]) -> threading.Thread:
    def body() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=body)
    thread.start()
    return thread


def test_a_claim_that_a_commit_names_while_the_sweep_waits_for_it_stays() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    send(viewer, repo, CONTENT)
    work()
    RepoBlob.objects.update(created_at=timezone.now() - LONG_AGO)
    locked, go = threading.Event(), threading.Event()

    def land() -> None:
        with transaction.atomic():
            holdings.lock_claims(repo, {SHA256})
            locked.set()
            go.wait(10)
            TreeRow.objects.create(
                network=repo.network, tree="a" * 40, name="m", mode=0o100644, oid="b" * 40, sha256=SHA256
            )

    commit = _in_thread(land)
    assert locked.wait(10)
    sweep = _in_thread(lambda: upkeep.release_claims(timezone.now()))
    go.set()
    commit.join()
    sweep.join()
    assert RepoBlob.objects.filter(repo=repo, sha256=SHA256).exists()


def test_an_object_that_the_sweep_is_deleting_is_written_anew() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    blob = make_blob(b"small")
    store(repo.network_id, [blob])
    GitObject.objects.update(created_at=timezone.now() - LONG_AGO)
    deleted, go = threading.Event(), threading.Event()

    def sweep() -> None:
        with transaction.atomic():
            upkeep.release_objects(timezone.now() - timedelta(days=1))
            deleted.set()
            go.wait(10)

    sweeping = _in_thread(sweep)
    assert deleted.wait(10)
    keeping = _in_thread(lambda: store(repo.network_id, [blob]))
    go.set()
    sweeping.join()
    keeping.join()
    assert GitObject.objects.filter(network=repo.network_id, oid=oid_of(blob)).exists()


def test_an_object_that_a_commit_is_about_to_name_is_young_again() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    blob = make_blob(b"small")
    store(repo.network_id, [blob])
    GitObject.objects.update(created_at=timezone.now() - LONG_AGO)
    store(repo.network_id, [blob])
    upkeep.release_objects(timezone.now() - timedelta(days=1))
    assert GitObject.objects.filter(network=repo.network_id, oid=oid_of(blob)).exists()


def test_a_finish_that_comes_after_the_refusal_does_not_reopen_the_claim(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    send(viewer, repo, b"x" * len(CONTENT), claimed=SHA256)
    late = Upload.objects.get()
    work()
    # The second finish read the row before the worker refused the bytes.
    monkeypatch.setattr("hub.catalog.pushes.uploads.finish", lambda *_, **__: late)
    pushes.complete(viewer, repo, late.pk, parts=None)
    monkeypatch.undo()
    assert RepoBlob.objects.get(repo=repo).state == RepoBlob.State.REJECTED
    work()
    send(viewer, repo, CONTENT)
    work()
    assert RepoBlob.objects.get(repo=repo).state == RepoBlob.State.PROVEN


def test_a_claim_that_was_swept_after_its_proof_is_written_anew_while_the_bytes_are_kept() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    send(viewer, repo, CONTENT)
    work()
    RepoBlob.objects.all().delete()
    commit_all(viewer, repo, [AddLarge(FilePath.parse("m.bin"), SHA256, len(CONTENT))])
    assert pulls.open_file(viewer, at(repo), "m.bin").state == "proven"
    RepoBlob.objects.all().delete()
    Form.objects.all().delete()
    Blob.objects.all().delete()
    with pytest.raises(BytesMissing):
        commit_all(viewer, repo, [AddLarge(FilePath.parse("n.bin"), SHA256, len(CONTENT))])


def test_two_users_who_push_one_file_write_to_uploads_of_their_own() -> None:
    owner, stranger = make_viewer(), make_viewer()
    repo = make_repo(owner)
    theirs = pushes.offer(stranger, repo, [(SHA256, len(CONTENT))])[0].upload
    mine = pushes.offer(owner, repo, [(SHA256, len(CONTENT))])[0].upload
    assert theirs is not None
    assert mine is not None
    assert theirs.pk != mine.pk
    with pytest.raises(BytesMissing, match="no such upload"):
        pushes.write(stranger, repo, mine.pk, part=0, stream=BytesIO(CONTENT), length=len(CONTENT))


def test_a_damaged_file_is_held_back_in_one_step() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    push_large(viewer, repo, "m.bin", CONTENT)
    assert upkeep.hold_back(Form.objects.get()) == [repo]
    with pytest.raises(EntryNotFound, match="found damaged"):
        pulls.open_file(viewer, at(repo), "m.bin")
    assert upkeep.hold_back(Form.objects.get()) == []


def test_uploads_that_nobody_will_prove_are_given_up() -> None:
    viewer = make_viewer()
    gone, kept = make_repo(viewer), make_repo(viewer)
    send(viewer, gone, CONTENT)
    send(viewer, kept, CONTENT)
    jobs_of(gone, "verify")[0].delete()
    repos.delete_repo(viewer, gone)
    Upload.objects.update(touched_at=timezone.now() - LONG_AGO)
    assert upkeep.abandon_uploads(timezone.now() - timedelta(days=1)) == 1
    assert Upload.objects.get(owner__startswith=str(kept.pk)).state == Upload.State.STORED
    work()
    assert RepoBlob.objects.get(repo=kept).state == RepoBlob.State.PROVEN


def test_a_beginning_that_two_commits_share_means_neither() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    first = CommitRecord.objects.get(network=repo.network_id)
    assert at(repo, first.oid[:7]).commit == first.oid
    twin = first.oid[:10] + ("0" if first.oid[10] != "0" else "1") + first.oid[11:]
    CommitRecord.objects.create(
        network=repo.network, oid=twin, tree=first.tree, depth=0, created_at=first.created_at, title="x"
    )
    with pytest.raises(RevisionNotFound):
        at(repo, first.oid[:7])
    assert at(repo, first.oid[:11]).commit == first.oid


def test_a_narrowed_or_reading_token_acts_for_its_user_nowhere_else() -> None:
    owner, stranger = make_viewer(), make_viewer()
    public, own = make_repo(owner), make_repo(stranger)
    assert stranger.user
    narrowed, _ = with_token(stranger.user, Token.Kind.FINE_GRAINED)
    assert narrowed.token
    TokenScope.objects.create(token=narrowed.token, repo=own, permission="write")
    reading, _ = with_token(stranger.user, Token.Kind.READ)
    for viewer in (narrowed, reading):
        with pytest.raises(NotAllowed):
            pushes.offer(viewer, public, [(SHA256, len(CONTENT))])
        with pytest.raises(NotAllowed):
            commit_all(viewer, public, [], create_pr=True)
        with pytest.raises(NotAllowed):
            likes.like(viewer, public)
    assert pushes.offer(narrowed, own, [(SHA256, len(CONTENT))])[0].upload is not None


def test_a_ticket_does_not_outlive_its_token() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    assert viewer.user
    with_its_token, _ = with_token(viewer.user)
    ticket = UploadTicket(str(repo.pk), *identity_of(with_its_token), "0" * 32, 0)
    assert ticket.viewer().user == viewer.user
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(NotAllowed, match="no longer valid"):
        ticket.viewer()


@override_settings(HUB_PROOF_WAIT=0)
def test_whoever_manages_a_repo_can_take_a_pull_request_away() -> None:
    owner, stranger = make_viewer(), make_viewer()
    repo = make_repo(owner)
    push(owner, repo, {"a": b"1"})
    done = commit_all(stranger, repo, [], create_pr=True)
    with pytest.raises(NotAllowed):
        refs.delete_branch(stranger, repo, branch=done.ref)
    refs.delete_branch(owner, repo, branch=done.ref)
    with pytest.raises(RevisionNotFound):
        at(repo, done.ref)
    assert not repo.discussions.exists()
