"""Bytes in and out: nothing is served that this repo did not come by honestly, or that is not proven."""

import hashlib

import pytest
from django.test import override_settings

from hub.accounts.identity import ANONYMOUS, Viewer
from hub.catalog import pulls, pushes, repos, tickets
from hub.catalog.errors import (
    AccessRestricted,
    BadRequest,
    BeingProven,
    BytesMissing,
    EntryNotFound,
    NotAllowed,
    RepoNotFound,
    SignInNeeded,
    StoreTrouble,
    TooLarge,
)
from hub.catalog.models import Repo, RepoBlob
from hub.catalog.names import FilePath
from hub.catalog.objects import Pointer
from hub.catalog.operations import AddFile, AddLarge
from hub.catalog.tickets import DownloadTicket, UploadTicket
from tests.factories import at, commit_all, make_repo, make_viewer, push_large, send, work

pytestmark = pytest.mark.django_db(transaction=True)

CONTENT = b"weights " * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def _large(path: str = "m.bin", sha256: str = SHA256, size: int | None = len(CONTENT)) -> AddLarge:
    return AddLarge(FilePath.parse(path), sha256, size)


def _bytes(viewer: Viewer, repo: Repo, path: str = "m.bin") -> bytes:
    entry = pulls.open_file(viewer, at(repo), path)
    return b"".join(pulls.stream(entry.sha256, 0, entry.size))


def test_a_pushed_file_is_served_once_it_is_proven() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    send(viewer, repo, CONTENT)
    with override_settings(HUB_PROOF_WAIT=0):
        commit_all(viewer, repo, [_large()])
    with pytest.raises(BeingProven) as waiting:
        pulls.open_file(viewer, at(repo), "m.bin")
    assert waiting.value.commit == at(repo).commit
    work()
    assert _bytes(ANONYMOUS, repo) == CONTENT
    assert Repo.objects.get(pk=repo.pk).used_storage == len(CONTENT)


def test_a_file_whose_bytes_are_others_is_rejected_and_never_served() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    send(viewer, repo, b"x" * len(CONTENT), claimed=SHA256)
    with override_settings(HUB_PROOF_WAIT=0):
        commit_all(viewer, repo, [_large()])
    work()
    with pytest.raises(EntryNotFound, match="rejected: The uploaded bytes do not hash to"):
        pulls.open_file(viewer, at(repo), "m.bin")
    with pytest.raises(BadRequest, match="do not hash"):
        commit_all(viewer, repo, [_large("again.bin")])
    send(viewer, repo, CONTENT)
    work()
    assert _bytes(viewer, repo) == CONTENT


def test_a_commit_whose_proof_fails_meanwhile_is_refused_and_the_pusher_told() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    before = at(repo).commit
    send(viewer, repo, b"x" * len(CONTENT), claimed=SHA256)
    work()
    with pytest.raises(BadRequest, match="do not hash"):
        commit_all(viewer, repo, [_large()])
    assert at(repo).commit == before


def test_bytes_that_never_came_cannot_be_committed() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    with pytest.raises(BytesMissing, match="have not been uploaded"):
        commit_all(viewer, repo, [_large()])
    pushes.offer(viewer, repo, [(SHA256, len(CONTENT))])
    with pytest.raises(BytesMissing):
        commit_all(viewer, repo, [_large()])


def test_knowing_a_digest_is_no_key_to_a_private_repo() -> None:
    owner, thief = make_viewer(), make_viewer()
    secret, own = make_repo(owner, private=True), make_repo(thief)
    push_large(owner, secret, "m.bin", CONTENT)
    assert pushes.offer(thief, own, [(SHA256, len(CONTENT))])[0].upload is not None
    pointer = AddFile(FilePath.parse("m.bin"), Pointer(SHA256, len(CONTENT)).text())
    for operation in (_large(), _large(size=None), pointer):
        with pytest.raises(BytesMissing):
            commit_all(thief, own, [operation])
    assert not RepoBlob.objects.filter(repo=own).exists()


def test_a_gated_file_is_not_copied_by_whom_the_gate_keeps_out() -> None:
    owner, other = make_viewer(), make_viewer()
    source = make_repo(owner)
    push_large(owner, source, "m.bin", CONTENT)
    repos.change_settings(owner, source, gated="manual")
    with pytest.raises(BytesMissing):
        commit_all(other, make_repo(other), [_large(size=None)])


def test_a_file_is_copied_from_a_repo_that_the_caller_may_pull_without_sending_it_again() -> None:
    owner, other = make_viewer(), make_viewer()
    source, copy = make_repo(owner), make_repo(other)
    push_large(owner, source, "m.bin", CONTENT)
    commit_all(other, copy, [_large("copied.bin", size=None)])
    repos.delete_repo(owner, source)
    assert _bytes(other, copy, "copied.bin") == CONTENT


def test_a_pointer_in_a_small_file_is_the_large_file_it_names() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    push_large(viewer, repo, "m.bin", CONTENT)
    commit_all(viewer, repo, [AddFile(FilePath.parse("p.txt"), Pointer(SHA256, len(CONTENT)).text())])
    assert _bytes(viewer, repo, "p.txt") == CONTENT
    with pytest.raises(BadRequest, match="size"):
        commit_all(viewer, repo, [AddFile(FilePath.parse("q.txt"), Pointer(SHA256, 5).text())])


def test_an_offer_for_what_is_there_asks_for_nothing_and_a_wrong_size_is_refused() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    push_large(viewer, repo, "m.bin", CONTENT)
    assert pushes.offer(viewer, repo, [(SHA256, len(CONTENT))])[0].upload is None
    with pytest.raises(BadRequest, match="size is 5"):
        pushes.offer(viewer, repo, [(SHA256, 5)])
    with pytest.raises(TooLarge):
        pushes.offer(viewer, repo, [("a" * 64, 10**15)])


def test_confirming_an_upload_says_how_far_it_is() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    send(viewer, repo, CONTENT)
    with override_settings(HUB_PROOF_WAIT=0):
        assert pushes.confirm(viewer, repo, sha256=SHA256, size=len(CONTENT)) == "proving"
    work()
    assert pushes.confirm(viewer, repo, sha256=SHA256, size=len(CONTENT)) == "proven"


def test_an_upload_belongs_to_one_repo_and_strangers_begin_none() -> None:
    viewer, other = make_viewer(), make_viewer()
    repo, elsewhere = make_repo(viewer), make_repo(other)
    offer = pushes.offer(viewer, repo, [(SHA256, len(CONTENT))])[0]
    assert offer.upload is not None
    with pytest.raises(BytesMissing, match="no such upload"):
        pushes.complete(other, elsewhere, offer.upload.pk, parts=None)
    with pytest.raises(SignInNeeded):
        pushes.offer(ANONYMOUS, repo, [(SHA256, len(CONTENT))])


def test_a_store_that_is_away_is_said_and_changes_nothing() -> None:
    viewer = make_viewer()
    repo = make_repo(viewer)
    offer = pushes.offer(viewer, repo, [(SHA256, len(CONTENT))])[0]
    assert offer.upload is not None
    from django.conf import settings  # noqa: PLC0415  Only to build the broken copy of one setting.

    with (
        override_settings(HUB_S3={**settings.HUB_S3, "endpoint": "http://127.0.0.1:9"}),
        pytest.raises(StoreTrouble),
    ):
        pushes.complete(viewer, repo, offer.upload.pk, parts=None)
    assert not RepoBlob.objects.filter(repo=repo).exists()
    send(viewer, repo, CONTENT)
    work()
    commit_all(viewer, repo, [_large()])
    assert _bytes(viewer, repo) == CONTENT


@override_settings(HUB_DELIVERY="proxy")
def test_a_ticket_asks_the_gate_again_when_it_is_used() -> None:
    owner, reader = make_viewer(), make_viewer()
    repo = make_repo(owner)
    push_large(owner, repo, "m.bin", CONTENT)
    way = pulls.way_to(reader, repo, sha256=SHA256, filename="m.bin")
    ticket = DownloadTicket.parse(way.ticket)
    assert pulls.redeem(ticket).sha256 == SHA256
    repos.change_settings(owner, repo, gated="manual")
    with pytest.raises(AccessRestricted):
        pulls.redeem(ticket)
    repos.change_settings(owner, repo, private=True)
    with pytest.raises(RepoNotFound):
        pulls.redeem(ticket)
    repos.change_settings(owner, repo, private=False, gated="")
    assert reader.user
    reader.user.is_active = False
    reader.user.save()
    with pytest.raises(NotAllowed, match="no longer valid"):
        pulls.redeem(ticket)


def test_one_kind_of_ticket_does_not_pass_for_another_and_none_can_be_changed() -> None:
    text = DownloadTicket("0" * 32, None, None, SHA256, "m.bin").sign()
    with pytest.raises(NotAllowed, match="not one that the hub has made"):
        UploadTicket.parse(text)
    with pytest.raises(NotAllowed):
        DownloadTicket.parse(text[:-1] + ("A" if text[-1] != "A" else "B"))
    with override_settings(HUB_BYTE_URL_SECONDS=-1), pytest.raises(NotAllowed, match="expired"):
        DownloadTicket.parse(text)
    assert tickets.identity_of(ANONYMOUS) == (None, None)
