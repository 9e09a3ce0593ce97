"""Atom feeds of what is new."""

from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from django.test import Client

from hub.catalog.models import Repo
from tests.pages.kit import CARD

pytestmark = pytest.mark.django_db(transaction=True)

ATOM = "{http://www.w3.org/2005/Atom}"


def titles_in(body: bytes) -> list[str | None]:
    return [entry.findtext(f"{ATOM}title") for entry in ET.fromstring(body).iter(f"{ATOM}entry")]


def test_the_newest_public_models_come_first(browser: Client, make_repo: Callable[..., Repo]) -> None:
    make_repo("ada/ships", {"README.md": CARD})
    make_repo("ada/secret", private=True)
    make_repo("ada/planes")
    make_repo("ada/tables", kind="dataset")
    answer = browser.get("/models/new.atom")
    assert answer["Content-Type"].startswith("application/atom+xml")
    assert titles_in(answer.content) == ["ada/planes", "ada/ships"]
    assert b"Apache License 2.0" in answer.content
    assert titles_in(browser.get("/datasets/new.atom").content) == ["ada/tables"]
    assert titles_in(browser.get("/models/new.atom", {"author": "bob"}).content) == []


def test_a_card_with_control_characters_does_not_break_the_feed_for_all(
    client: Client, make_repo: Callable[..., Repo]
) -> None:
    make_repo(
        "ada/ships",
        {"README.md": b'---\npipeline_tag: "a\\x01b"\nlibrary_name: "c\\x02\\uffffd"\n---\nShips.\n'},
    )
    assert titles_in(client.get("/models/new.atom").content) == ["ada/ships"]
    assert titles_in(client.get("/models/new.atom", {"author": "x\x01"}).content) == []
