"""Who got what: noted at every door of bytes, one record for a user, a file and a day."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from hub import valkey
from hub.accounts.identity import ANONYMOUS, Viewer
from hub.catalog import pullrecords, pulls
from hub.catalog.models import PullRecord, Repo
from hub.catalog.tickets import DownloadTicket
from licenses.models import Acceptance
from tests.factories import at, make_organization, make_repo, make_viewer, push, push_large

pytestmark = pytest.mark.django_db
CONTENT = b"weights of the quay " * 40
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def nothing_noted() -> None:
    valkey.client().delete("pulled", "pulled:flushing")


@pytest.fixture
def owner() -> Viewer:
    return make_viewer()


@pytest.fixture
def repo(owner: Viewer) -> Repo:
    return make_repo(owner)


def records(repo: Repo) -> list[tuple[Any, ...]]:
    pullrecords.flush()
    found = PullRecord.objects.filter(repo=repo).order_by("pk")
    return list(found.values_list("user__username", "sha256", "path", "times"))


def test_an_address_a_ticket_and_a_small_file_are_recorded(owner: Viewer, repo: Repo) -> None:
    push_large(owner, repo, "model.bin", CONTENT)
    push(owner, repo, {"config.json": b"{}"})
    reader = make_viewer("reader")
    with override_settings(HUB_DELIVERY="redirect"):
        for _ in range(3):
            assert pulls.way_to(reader, repo, sha256=SHA256, filename="model.bin").url
    with override_settings(HUB_DELIVERY="proxy"):
        ticket = pulls.way_to(ANONYMOUS, repo, sha256=SHA256, filename="model.bin").ticket
        pulls.redeem(DownloadTicket.parse(ticket))
    here = at(repo)
    assert pulls.hand_out(reader, here, pulls.open_file(reader, here, "config.json")) == b"{}"
    assert sorted(records(repo), key=str) == [
        ("reader", "", "config.json", 1),
        ("reader", SHA256, "", 3),
        (None, SHA256, "", 1),
    ]
    assert PullRecord.objects.get(path="config.json").commit == here.commit


def test_later_pulls_of_a_day_count_up_the_record(owner: Viewer, repo: Repo) -> None:
    for _ in range(2):
        pullrecords.note(owner, repo, sha256=SHA256)
        assert pullrecords.flush() == 1
    assert pullrecords.flush() == 0
    record = PullRecord.objects.get(repo=repo)
    assert (record.times, record.label, record.day) == (2, repo.full_name, datetime.now(UTC).date())


def test_a_batch_whose_writer_died_is_written_by_the_next(owner: Viewer, repo: Repo) -> None:
    pullrecords.note(owner, repo, sha256=SHA256)
    valkey.client().rename("pulled", "pulled:flushing")
    pullrecords.note(owner, repo, sha256="b" * 64)
    assert pullrecords.flush() == 2


def test_records_outlive_repo_and_user(owner: Viewer, repo: Repo) -> None:
    reader = make_viewer()
    assert reader.user is not None
    pullrecords.note(reader, repo, sha256=SHA256)
    pullrecords.note(ANONYMOUS, repo, sha256=SHA256)
    name = str(repo.pk)
    repo.delete()
    reader.user.delete()
    pullrecords.flush()
    record = PullRecord.objects.get(sha256=SHA256)
    assert (record.repo, record.user, record.label, record.times) == (None, None, name, 2)


def test_old_records_are_forgotten(owner: Viewer, repo: Repo) -> None:
    today = datetime.now(UTC).date()
    for days in (0, 2, 4):
        PullRecord.objects.create(repo=repo, label="x", sha256=SHA256, day=today - timedelta(days=days))
    with override_settings(HUB_PULL_RECORD_DAYS=2):
        assert pullrecords.forget(today) == 1
    with override_settings(HUB_PULL_RECORD_DAYS=0):
        pullrecords.note(owner, repo, sha256=SHA256)
    assert pullrecords.flush() == 0


def accept(repo: Repo, viewer: Viewer, **words: Any) -> Acceptance:
    return Acceptance.objects.create(
        user=viewer.user, subject=str(repo.pk), label=repo.full_name, commit="", key="k", documents=[],
        shown_sha256="", method="click", **{"at": timezone.now() - timedelta(hours=1), **words},
    )  # fmt: skip


def relied(repo: Repo, viewer: Viewer) -> Any:
    pullrecords.note(viewer, repo, sha256=SHA256)
    pullrecords.flush()
    return PullRecord.objects.get(repo=repo, user=viewer.user).acceptance


def test_a_record_names_the_acceptance_that_stood(owner: Viewer, repo: Repo) -> None:
    Repo.objects.filter(pk=repo.pk).update(consent="k")
    reader, colleague, stranger, late = (make_viewer() for _ in range(4))
    assert reader.user is not None
    assert colleague.user is not None
    make_organization("lab", admin=reader.user, read=colleague.user)
    own = accept(repo, reader)
    shared = accept(repo, reader, organization="lab")
    hour = timedelta(hours=1)
    accept(repo, late, at=timezone.now() + hour)
    accept(repo, stranger, withdrawn_at=timezone.now() - hour / 2)
    assert relied(repo, reader) in (own.pk, shared.pk)
    assert relied(repo, colleague) == shared.pk
    assert relied(repo, stranger) is None
    assert relied(repo, late) is None


def test_what_was_made_from_a_repo_relies_on_its_terms(owner: Viewer, repo: Repo) -> None:
    made = make_repo(owner)
    Repo.objects.filter(pk=made.pk).update(consent="k", source=repo)
    reader = make_viewer()
    given = accept(repo, reader)
    assert relied(made, reader) == given.pk
