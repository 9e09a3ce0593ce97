"""Gated repos on pages: asking, answering, and what is shown meanwhile."""

from typing import Any

import pytest
from django.test import Client

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.catalog.models import AccessRequest, Repo
from hub.catalog.repos import change_settings
from tests.pages.kit import CARD, logged_in, text_of


@pytest.fixture
def gated(ada: User, make_repo: Any) -> Repo:
    repo: Repo = make_repo("ada/ships", {"README.md": CARD, "config.json": b'{"secret": 1}'})
    return change_settings(Viewer(user=ada), repo, gated="manual")


def test_card_and_names_are_read_by_all_but_files_are_not(client: Client, gated: Repo) -> None:
    page = text_of(client.get("/ada/ships"))
    for words in ("They weigh ships.", "decides who may pull", "Log in to ask"):
        assert words in page
    assert "config.json" in text_of(client.get("/ada/ships/tree/main"))
    assert "/resolve/main/config.json" not in text_of(client.get("/ada/ships/tree/main"))
    one = text_of(client.get("/ada/ships/blob/main/config.json"))
    assert "secret" not in one
    assert "The owners decide who may read this file." in one
    readme = text_of(client.get("/ada/ships/blob/main/README.md?plain=1"))
    assert "They weigh ships." not in readme


def test_a_person_asks_and_the_owner_answers(browser: Client, bob: User, gated: Repo) -> None:
    theirs = logged_in(bob)
    assert "Ask for access" in text_of(theirs.get("/ada/ships"))
    assert "Your request was sent" in text_of(theirs.post("/ada/ships/ask-access", follow=True))
    assert "you have asked" in text_of(theirs.get("/ada/ships"))
    page = text_of(browser.get("/ada/ships/settings/access"))
    assert "bob@example.org" in page
    browser.post("/ada/ships/settings/access", {"user": "bob", "do": "accept"})
    assert "decides who may pull" not in text_of(theirs.get("/ada/ships"))
    assert "secret" in text_of(theirs.get("/ada/ships/blob/main/config.json"))
    browser.post("/ada/ships/settings/access", {"user": "bob", "do": "reject", "reason": "No more."})
    assert "turned down" in text_of(theirs.get("/ada/ships"))


def test_an_owner_lets_someone_in_without_asking(browser: Client, bob: User, gated: Repo) -> None:
    assert browser.post("/ada/ships/settings/access", {"user": "bob", "do": "grant"}).status_code == 302
    assert AccessRequest.objects.get().granted
    twice = browser.post("/ada/ships/settings/access", {"user": "bob", "do": "grant"})
    assert twice.status_code == 400
    assert "has access already" in text_of(twice)
    nobody = browser.post("/ada/ships/settings/access", {"user": "nobody", "do": "grant"})
    assert "does not exist" in text_of(nobody)
    assert browser.post("/ada/ships/settings/access", {"user": "bob", "do": "x"}).status_code == 400


def test_only_those_who_manage_see_who_asked(client: Client, bob: User, gated: Repo) -> None:
    assert client.get("/ada/ships/settings/access").status_code == 302
    assert logged_in(bob).get("/ada/ships/settings/access").status_code == 403
    answer = logged_in(bob).post("/ada/ships/settings/access", {"user": "bob", "do": "grant"})
    assert answer.status_code == 403
    assert not AccessRequest.objects.exists()


def test_strangers_are_asked_to_log_in_before_they_ask(client: Client, gated: Repo) -> None:
    assert client.get("/ada/ships/ask-access").status_code == 405
    assert client.post("/ada/ships/ask-access")["Location"].startswith("/login?next=")


def test_a_held_repo_hides_its_card(client: Client, browser: Client, gated: Repo) -> None:
    Repo.objects.update(gated="", disabled=True)
    page = text_of(client.get("/ada/ships"))
    assert "Held by an administrator" in page
    assert "They weigh ships." not in page
    assert "secret" not in text_of(client.get("/ada/ships/blob/main/config.json"))
