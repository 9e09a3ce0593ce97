"""Who is told what, in the page and by mail."""

from typing import Any

import pytest
from django.core import mail

from hub.accounts.identity import Viewer
from hub.catalog import discussions, gating, jobs, notices, talk, tellings
from hub.catalog.models import Job, Notice, RepoBlob
from hub.catalog.repos import change_settings
from licenses.models import Case
from tests.factories import make_organization, make_repo, make_user, make_viewer

pytestmark = pytest.mark.django_db


def texts(viewer: Viewer) -> list[str]:
    assert viewer.user
    return [notice.text for notice in notices.recent(viewer.user)]


def test_owners_hear_who_asks_and_the_asker_hears_the_answer() -> None:
    ada, bob, carol = make_viewer("ada"), make_viewer("bob"), make_viewer("carol")
    assert ada.user and bob.user and carol.user
    make_organization("lab", admin=ada.user, write=carol.user)
    repo = make_repo(ada, "ships", namespace="lab")
    change_settings(ada, repo, gated="manual")
    gating.ask_access(bob, repo)
    gating.ask_access(bob, repo)
    assert texts(ada) == ["bob asks to pull lab/ships."]
    assert texts(carol) == []
    gating.handle(ada, repo, state="rejected", user="bob", reason="Not for bob.")
    assert texts(bob) == ["You were turned down for lab/ships. Not for bob."]
    assert notices.unread(bob.user) == 1
    assert notices.mark_read(bob.user) == 1
    assert notices.unread(bob.user) == 0


def test_whoever_asked_for_work_is_told_how_it_ended_and_not_that_they_cancelled_it() -> None:
    ada = make_viewer("ada")
    assert ada.user
    repo = make_repo(ada, "ships")
    asked = [
        jobs.ask(kind="quantize", subject=str(number), repo=repo, payload={"user": ada.user.pk})
        for number in range(3)
    ]
    done, failing = (jobs.claim(job.pk) for job in asked[:2])
    assert done and failing
    with jobs.finishing(done, {}):
        pass
    jobs.fail(failing, error="The disk is full.", final=True)
    jobs.cancel(asked[2], why="Cancelled by ada.")
    told = Notice.objects.order_by("pk").values_list("text", "kind", "url")
    assert list(told) == [
        ("The quantization of ada/ships is done.", "job-done", f"/jobs/{done.pk}"),
        ("The quantization of ada/ships failed: The disk is full.", "job-failed", f"/jobs/{failing.pk}"),
    ]
    assert Job.objects.filter(state="failed").count() == 2


def test_a_repo_has_one_unread_notice_of_a_kind_and_steps_of_a_push_have_none() -> None:
    ada = make_viewer("ada")
    repo = make_repo(ada, "ships")
    assert ada.user
    job = jobs.claim(jobs.ask(kind="prove-chunks", subject="1", repo=repo, payload={"user": ada.user.pk}).pk)
    assert job
    with jobs.finishing(job, {}):
        pass
    for size in (5, 2_000_000):
        RepoBlob.objects.create(repo=repo, sha256=f"{size:064}", size=size, state=RepoBlob.State.PROVEN)
        tellings.proven(repo, ada.user)
    tellings.held_up(repo, Case(findings=[]))
    assert texts(ada) == [
        "ada/ships is held: a person reviews its terms.", "ada/ships is proven: 2 large files, 2.00 MB.",
    ]  # fmt: skip


def test_what_is_out_of_sight_is_told_no_more(settings: Any) -> None:
    settings.EMAIL_HOST, settings.HUB_PUBLIC_URL = "mail.example", "https://hub.example"
    ada, bob = make_viewer("ada"), make_viewer("bob")
    assert ada.user and bob.user
    bob.user.email, bob.user.mail_notices = "bob@example.org", True
    bob.user.save()
    repo = make_repo(ada, "ships")
    found = discussions.open_discussion(bob, repo, title="Bad word", text="")
    talk.comment(ada, repo, found, text="No.")
    renamed = talk.rename(ada, repo, found, title="Why?")
    assert texts(bob) == ["ada commented: Bad word (ada/ships #1)"]
    talk.hide_comment(ada, repo, found, event=renamed.pk)
    assert texts(bob) == ["ada commented: … (ada/ships #1)"]
    change_settings(ada, repo, private=True)
    (told,) = notices.recent(bob.user)
    assert (told.text, told.url, notices.send_mails(), mail.outbox) == (notices.LOST, "", 0, [])
    change_settings(ada, repo, private=False)
    assert texts(bob) == ["ada commented: … (ada/ships #1)"]


def test_notices_are_mailed_once_to_those_who_want_it(settings: Any) -> None:
    settings.EMAIL_HOST, settings.HUB_PUBLIC_URL = "mail.example", "https://hub.example"
    wants, silent = make_user("wants"), make_user("silent")
    for user in (wants, silent):
        user.email, user.mail_notices = f"{user.username}@example.org", user == wants
        user.save()
        notices.notify(user, notices.JOB_DONE, None, "It is\ndone.", "/jobs/1")
        notices.notify(user, notices.JOB_DONE, None, "Elsewhere.", "https://evil.example")
    assert notices.send_mails() == 2
    assert notices.send_mails() == 0
    assert [item.to for item in mail.outbox] == [["wants@example.org"]] * 2
    assert "https://hub.example/jobs/1" in mail.outbox[0].body
    assert "evil.example" not in mail.outbox[1].body
