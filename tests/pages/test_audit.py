"""The audit pages, for reviewers and staff."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from hub.accounts.models import User
from hub.audit import acts, chain
from hub.catalog.models import PullRecord, Repo
from tests.pages.kit import logged_in, text_of, words_of

pytestmark = pytest.mark.django_db
MakeRepo = Callable[..., Repo]


@pytest.fixture
def desk(bob: User) -> Client:
    """Return a browser in which a reviewer is logged in."""
    User.objects.filter(pk=bob.pk).update(is_reviewer=True)
    bob.refresh_from_db()
    return logged_in(bob)


def released(repo: Repo, by: User) -> None:
    case = {"case": "c1", "digest": "d"}
    words: dict[str, Any] = {
        "actor": chain.person(by),
        "role": "reviewer",
        "subject": str(repo.pk),
        "label": repo.full_name,
    }
    chain.append(act="review.approve", data={**case, "reasons": ["LIC-ALTERED"]}, **words)
    chain.append(
        act=acts.CLEARANCE, data={**case, "clearance": "clear", "concluded": "LicenseRef-gemma"}, **words
    )
    chain.settle()


def test_the_date_page_says_what_was_released_on_whose_word(
    desk: Client, ada: User, make_repo: MakeRepo
) -> None:
    released(make_repo("ada/quay"), ada)
    said = words_of(desk.get("/audit"))
    assert "1 released now" in said
    for word in ("ada/quay", "clear", "LicenseRef-gemma", "approve by ada: LIC-ALTERED"):
        assert word in said
    assert "0 released at the end of 2020-01-01" in words_of(desk.get("/audit?at=2020-01-01"))
    refused = desk.get("/audit?at=soon")
    assert refused.status_code == 400
    assert "must be a date" in words_of(refused)


def test_a_review_that_was_not_enforced_is_told(desk: Client) -> None:
    chain.append(act=acts.SETTING, actor=chain.system("settings"), subject="setting:HUB_REVIEW",
                 data={"value": "advisory", "before": ""})  # fmt: skip
    chain.settle()
    assert "only advisory then" in words_of(desk.get("/audit"))


def test_the_log_shows_entries_as_text(desk: Client, ada: User) -> None:
    chain.append(act="tried", actor=chain.person(ada), label="<script>alert(1)</script>", data={"x": "<b>"})
    chain.settle()
    page = text_of(desk.get("/audit/entries"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "No entry fits" in words_of(desk.get("/audit/entries?act=other"))


def test_a_recall_shows_reach_and_people(desk: Client, ada: User, make_repo: MakeRepo) -> None:
    repo = make_repo("ada/quay")
    PullRecord.objects.create(
        repo=repo, label=repo.full_name, user=ada, sha256="a" * 64, day=datetime.now(UTC).date(), times=3
    )
    said = words_of(desk.get("/audit/recall?kind=repo&key=ada/quay"))
    assert "named by you: ada/quay" in said
    assert "who pulled their bytes" in said
    assert desk.get("/audit/recall").status_code == 200
    unknown = desk.get("/audit/recall?kind=repo&key=ada/none")
    assert unknown.status_code == 400
    assert "There is no repository ada/none" in words_of(unknown)


def test_a_recall_holds_what_it_names(desk: Client, make_repo: MakeRepo) -> None:
    repo = make_repo("ada/quay")
    asked = {"kind": "repo", "key": "ada/quay"}
    assert "Hold ada/quay" in words_of(desk.get("/audit/recall", asked))
    refused = desk.post("/audit/recall/suspend", {**asked, "reason": " "}, follow=True)
    assert "Give the reason" in words_of(refused)
    done = desk.post("/audit/recall/suspend", {**asked, "reason": "The steward asked."}, follow=True)
    assert "Held: ada/quay." in words_of(done)
    repo.refresh_from_db()
    assert repo.clearance == "suspended"


@pytest.mark.parametrize("path", ["/audit", "/audit/entries", "/audit/recall"])
def test_others_are_kept_out(browser: Client, path: str) -> None:
    assert browser.get(path).status_code == 403
    assert Client().get(path).status_code in (302, 303)
