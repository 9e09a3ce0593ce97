"""The dashboard of staff."""

from collections.abc import Callable

import pytest
from django.test import Client

from hub.accounts.models import User
from hub.catalog import jobs, pulse
from hub.catalog.models import Job, Repo
from tests.factories import work
from tests.pages.kit import logged_in, pointer_of, put, text_of, words_of
from workers import tasks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff(bob: User) -> Client:
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    bob.refresh_from_db()
    return logged_in(bob)


def test_staff_sees_the_state_of_the_house(staff: Client, ada: User, make_repo: Callable[..., Repo]) -> None:
    repo = make_repo("ada/ships", {"README.md": b"# ships"})
    put(ada, repo, {"model.bin": pointer_of(repo, b"weights")})
    work()
    Repo.objects.filter(pk=repo.pk).update(used_storage=7_000_000, downloads=3)
    bad = jobs.ask(kind="inspect", subject="somewhere", repo=repo)
    Job.objects.filter(pk=bad.pk).update(state="failed", error="the header lies", finished_at=bad.created_at)
    tasks.claim_due()
    words = words_of(staff.get("/staff"))
    for said in ("All proven", "the header lies", "7.00 MB", "database", "ada/ships"):
        assert said in words


def test_the_panels_alone_are_sent_again(staff: Client) -> None:
    assert "<main" not in text_of(staff.get("/staff", headers={"HX-Target": "dashboard"}))


def test_for_everybody_else_there_is_no_such_page(client: Client, browser: Client) -> None:
    for path in ("/staff", "/design/"):
        assert client.get(path).status_code == 404
        assert browser.get(path).status_code == 404


def test_staff_sees_every_component_on_one_page(staff: Client) -> None:
    words = words_of(staff.get("/design/"))
    for part in ("Colour", "Seals", "Meters", "Toasts", "Empty and loading"):
        assert part in words


def test_a_silent_worker_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    pulse.note_worker()
    assert pulse.workers().up
    monkeypatch.setattr(pulse, "SILENCE_SECONDS", 0)
    assert not pulse.workers().up
