"""Making, managing, liking, gathering, organizations, notices and jobs: what the forms do, and who may."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from hub.accounts.models import Membership, Organization, User
from hub.catalog import jobs, notices
from hub.catalog.models import Collection, Job, Notice, Repo
from tests.pages.kit import logged_in, text_of, words_of

Maker = Callable[..., Repo]


def test_a_model_is_made_with_its_first_card(browser: Client, lab: User) -> None:
    page = text_of(browser.get("/new?owner=lab"))
    assert "<option selected>lab</option>" in page
    form = {
        "type": "model",
        "owner": "lab",
        "name": "Triage",
        "license": "mit",
        "about": "Sorts.",
        "visibility": "private",
    }
    assert browser.post("/new", form)["Location"] == "/lab/Triage/upload/main"
    repo = Repo.objects.get(key="lab/triage")
    assert (repo.license, repo.private) == ("mit", True)
    assert "Sorts." in words_of(browser.get("/lab/Triage"))
    again = browser.post("/new", form)
    assert again.status_code == 400
    assert "already exists" in words_of(again)
    assert "Sorts." in text_of(again)
    assert browser.post("/new", {**form, "name": "a b"}).status_code == 400
    reader = logged_in(User.objects.get(username="bob"))
    assert "don't have the rights" in words_of(reader.post("/new", {**form, "name": "Other"}))
    assert Client().get("/new")["Location"].startswith("/login")


def test_settings_rename_hide_gate_and_delete_only_when_the_name_is_typed(
    browser: Client, lab: User, make_repo: Maker
) -> None:
    make_repo("ada/ships")
    at = "/ada/ships/settings"
    assert browser.post(at, {"do": "visibility", "visibility": "private"}).status_code == 302
    assert browser.post(at, {"do": "gate", "gated": "manual"}).status_code == 302
    moved = browser.post(at, {"do": "rename", "owner": "lab", "name": "Boats"})
    assert moved["Location"] == "/lab/Boats/settings"
    repo = Repo.objects.get(key="lab/boats")
    assert (repo.private, repo.gated) == (True, "manual")
    refused = browser.post(moved["Location"], {"do": "delete", "confirm": "boats"})
    assert refused.status_code == 400
    assert "Nothing was deleted" in words_of(refused)
    assert browser.post(moved["Location"], {"do": "delete", "confirm": "lab/Boats"})["Location"] == "/lab"
    assert not Repo.objects.exists()


def test_settings_are_for_those_who_keep_the_repo(lab: User, bob: User, make_repo: Maker) -> None:
    make_repo("ada/ships")
    guest = logged_in(bob)
    assert guest.get("/ada/ships/settings").status_code == 403
    assert guest.post("/ada/ships/settings", {"do": "delete", "confirm": "ada/ships"}).status_code == 403
    assert guest.post("/ada/ships/branches", {"do": "branch", "name": "x"}).status_code == 400
    assert Client().post("/ada/ships/like").status_code == 302
    assert Repo.objects.get().likes == 0


def test_branches_and_tags_come_and_go(browser: Client, make_repo: Maker) -> None:
    repo = make_repo("ada/ships")
    at = "/ada/ships/branches"
    assert browser.post(at, {"do": "branch", "name": "next"}).status_code == 302
    assert (
        browser.post(at, {"do": "tag", "name": "v1", "start": "next", "message": "First"}).status_code == 302
    )
    assert "First" in words_of(browser.get(at))
    bad = browser.post(at, {"do": "branch", "name": "next/a"})
    assert (bad.status_code, "may not be a folder" in words_of(bad)) == (400, True)
    assert browser.post(at, {"do": "delete-branch", "name": "main"}).status_code == 400
    browser.post(at, {"do": "delete-tag", "name": "v1"})
    browser.post(at, {"do": "delete-branch", "name": "next"})
    assert [ref.name for ref in repo.refs.all()] == ["refs/heads/main"]


def test_likes_and_collections(browser: Client, bob: User, make_repo: Maker) -> None:
    make_repo("ada/ships")
    make_repo("ada/secret", private=True)
    browser.post("/ada/ships/like", {"do": "like"})
    browser.post("/ada/ships/like", {"do": "like"})
    assert Repo.objects.get(key="ada/ships").likes == 1
    assert 'aria-pressed="true"' in text_of(browser.get("/ada/ships"))
    place = browser.post("/ada/ships/collect", {"title": "Good böats", "note": "Fast"})["Location"]
    assert re.fullmatch(r"/collections/ada/good-boats-[0-9a-f]{32}", place)
    assert browser.post(place, {"do": "add", "repo": "ada/secret"}).status_code == 302
    assert browser.post(place, {"do": "add", "repo": "ada/ships"}).status_code == 400
    guest = logged_in(bob)
    seen = text_of(guest.get(place))
    assert "Fast" in seen and "ada/secret" not in seen
    assert "ada/secret" in text_of(browser.get(place))
    assert guest.post(place, {"do": "delete"}).status_code == 400
    second = browser.get(place).context["items"][1][0]
    browser.post(place, {"do": "up", "item": second.pk, "position": 1})
    assert [row.repo.name for row in Collection.objects.get().items.all()] == ["secret", "ships"]
    browser.post(place, {"do": "describe", "title": "Mine", "visibility": "private"})
    assert guest.get(place).status_code == 404
    assert Client().get("/collections").status_code == 200
    assert browser.post(place, {"do": "delete"})["Location"] == "/collections"


def test_organizations_keep_an_admin_and_tell_their_members(browser: Client, ada: User, bob: User) -> None:
    assert browser.post("/organizations/new", {"name": "quay"})["Location"] == "/organizations/quay/settings"
    at = "/organizations/quay/settings"
    assert "the only admin" in words_of(browser.get(at))
    unknown = text_of(browser.post(at, {"do": "member", "user": "nobody", "role": "read", "new": "1"}))
    assert 'aria-describedby="user-e"' in unknown and 'id="error"' not in unknown
    assert 'aria-invalid="true"' in text_of(browser.post("/new", {"owner": "ada", "name": "tide embed!!"}))
    browser.post(at, {"do": "member", "user": "Bob", "role": "write"})
    assert Membership.objects.get(user=bob).role == "write"
    assert Notice.objects.get(user=bob).text == "You may write in quay now."
    assert logged_in(bob).get(at).status_code == 403
    assert logged_in(bob).post(at, {"do": "member", "user": "bob", "role": "admin"}).status_code == 403
    for form in (
        {"do": "member", "user": "ada", "role": "read"},
        {"do": "leave"},
        {"do": "remove", "user": "ada"},
    ):
        refused = browser.post(at, form)
        assert (refused.status_code, "only admin" in words_of(refused)) == (400, True), form
    assert browser.post(at, {"do": "member", "user": "nobody", "role": "read"}).status_code == 400
    browser.post(
        at, {"do": "describe", "fullname": "The Quay", "about": "Ships.", "homepage": "https://quay.example"}
    )
    assert Organization.objects.get().about == "Ships."
    assert 'href="https://quay.example"' in text_of(browser.get("/quay"))
    assert browser.post(at, {"do": "describe", "homepage": "javascript:alert(1)"}).status_code == 400
    assert logged_in(bob).post(at, {"do": "leave"})["Location"] == "/quay"
    assert not Membership.objects.filter(user=bob).exists()
    assert browser.post("/organizations/new", {"name": "QUAY"}).status_code == 400


def test_a_profile_is_written_and_shown(browser: Client, ada: User) -> None:
    browser.post("/settings", {"fullname": "Ada L.", "about": "<b>Weighs</b>", "homepage": ""})
    page = text_of(browser.get("/ada"))
    assert "&lt;b&gt;Weighs&lt;/b&gt;" in page
    # A name that turns the direction of writing turns nothing beside it.
    assert "<bdi>Ada L.</bdi>" in page
    assert browser.post("/settings", {"homepage": "ftp://x"}).status_code == 400


def test_the_bell_counts_leads_on_and_is_quiet_again(browser: Client, ada: User, bob: User) -> None:
    notices.notify(ada, notices.JOB_DONE, None, "One is done.", "/jobs")
    notices.notify(ada, notices.JOB_DONE, None, "Two is done.")
    theirs = Notice.objects.create(user=bob, kind="x", text="Not yours", url="/bob")
    assert "2 unread notifications" in text_of(browser.get("/"))
    first = Notice.objects.get(text="One is done.")
    assert browser.get(f"/notifications/{first.pk}")["Location"] == "/jobs"
    assert browser.get(f"/notifications/{theirs.pk}")["Location"] == "/notifications"
    assert notices.unread(ada) == 1
    browser.post("/notifications")
    assert (notices.unread(ada), notices.unread(bob)) == (0, 1)
    assert "Two is done." in words_of(browser.get("/notifications"))
    assert Client().get("/notifications")["Location"].startswith("/login")


@pytest.fixture
def job(make_repo: Maker, ada: User) -> Job:
    repo = make_repo("ada/ships")
    Job.objects.all().delete()
    payload = {
        "user": ada.pk,
        "token": None,
        "commit": "c" * 40,
        "path": "a.gguf",
        "types": ["Q4_0"],
        "target": "x",
    }
    return jobs.ask(kind="quantize", subject="one", repo=repo, payload=payload)


def test_jobs_are_seen_ended_and_asked_for_again_by_those_they_belong_to(
    browser: Client, bob: User, job: Job
) -> None:
    at = f"/jobs/{job.pk}"
    assert "Quantization" in words_of(browser.get("/jobs"))
    assert "Q4_0" in words_of(browser.get(at))
    stranger = logged_in(bob)
    assert "Quantization" not in words_of(stranger.get("/jobs?whose=all"))
    assert stranger.get(at).status_code == 404
    assert stranger.post(f"{at}/cancel").status_code == 404
    assert "Only work that failed" in words_of(browser.post(f"{at}/retry", follow=True))
    assert browser.post(f"{at}/cancel")["Location"] == at
    assert "cancelled" in words_of(browser.get(at))
    # The commit is not there any more: what a new wish is told is told here too.
    assert "Invalid rev id" in words_of(browser.post(f"{at}/retry", follow=True))
    part = browser.get("/jobs", headers={"HX-Request": "true", "HX-Target": "jobs"})
    assert "<html" not in text_of(part)
    boss = User.objects.create_user("boss", is_staff=True)
    assert "Quantization" in words_of(logged_in(boss).get("/jobs?whose=all"))
    assert browser.get("/jobs/nonsense").status_code == 404
    for subject in ("a", "b"):
        jobs.ask(kind="inspect", subject=subject, repo=job.repo)
    assert "Reading the files" not in words_of(browser.get("/jobs"))
    assert "2 steps" in words_of(browser.get("/jobs?whose=steps"))
    assert "Reading the files" in words_of(browser.get("/jobs?whose=steps&repo=ada/ships"))
