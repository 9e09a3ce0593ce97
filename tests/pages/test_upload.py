"""Uploading in a real browser: several parts, a reload in the middle, files that change under way, both deliveries."""

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, Request, Route, expect

from hub.catalog.lookups import locate_in
from hub.catalog.models import CommitRecord, Discussion, Repo, RepoBlob
from hub.catalog.names import FilePath
from hub.catalog.resuming import PART_SIZE
from hub.catalog.trees import entry_at
from tests.factories import work
from tests.pages.browsing import chromium, watched
from tests.pages.kit import logged_in

__all__ = ["chromium"]

PARTS = re.compile(r"partNumber=|/bytes/put/")
Maker = Callable[..., Repo]


@pytest.fixture
def address(live_server: Any, settings: Any, make_repo: Maker, monkeypatch: pytest.MonkeyPatch) -> str:
    # The browser's event loop stands still while a test looks into the database.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    settings.HUB_PROOF_WAIT = 0
    make_repo("ada/ships")
    return str(live_server.url)


@pytest.fixture
def session(browser: Client) -> str:
    return browser.cookies["sessionid"].value


def open_page(chromium: Browser, address: str, session: str, where: str = "main") -> Page:
    context = chromium.new_context()
    context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"{address}/ada/ships/upload/{where}")
    return page


def folder_of(tmp_path: Path, size: int) -> Path:
    folder = tmp_path / "ships"
    (folder / "sub").mkdir(parents=True)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Ships\n")
    (folder / "sub" / "config.json").write_text("{}\n")
    with (folder / "weights.bin").open("wb") as file:
        for start in range(0, size, PART_SIZE):
            file.write(os.urandom(min(PART_SIZE, size - start)))
    return folder


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Valve:
    """Lets so many parts pass and breaks the line after them."""

    def __init__(self, page: Page, passing: int) -> None:
        self.passing, self.passed, self.arrived = passing, 0, 0
        page.on("requestfinished", self.count)
        page.route(PARTS, self.decide)

    def count(self, request: Request) -> None:
        self.arrived += request.method == "PUT"

    def decide(self, route: Route) -> None:
        if route.request.method == "PUT" and self.passed >= self.passing:
            route.abort()
            return
        self.passed += route.request.method == "PUT"
        route.continue_()


@pytest.mark.parametrize(
    ("delivery", "size"),
    [
        ("redirect", 2 * PART_SIZE + 5000),
        ("proxy", PART_SIZE + 1),
        pytest.param("redirect", 10**9, marks=pytest.mark.matrix),
    ],
)
def test_what_arrived_before_a_reload_is_not_sent_again(
    chromium: Browser, address: str, session: str, settings: Any, tmp_path: Path, delivery: str, size: int
) -> None:
    settings.HUB_DELIVERY, settings.HUB_BYTES_URL = delivery, address
    folder, parts = folder_of(tmp_path, size), -(-size // PART_SIZE)
    page = open_page(chromium, address, session)
    first = Valve(page, parts // 2)
    page.locator("[data-is=folder]").set_input_files(folder)
    page.get_by_role("button", name="Upload and commit").click()
    while first.arrived < parts // 2:
        page.wait_for_timeout(100)
    # What was broken off is tried again after a pause, so the line stays broken until that page is gone.
    page.reload()
    page.unroute(PARTS)
    expect(page.get_by_text("An upload here was not finished: 3 files")).to_be_visible()
    second = Valve(page, parts)
    page.locator("[data-is=folder]").set_input_files(folder)
    page.get_by_role("button", name="Upload and commit").click()
    page.wait_for_url("**/ada/ships/tree/main", timeout=120_000)
    assert second.passed == parts - parts // 2
    work()
    repo = Repo.objects.get(key="ada/ships")
    claim = RepoBlob.objects.get(repo=repo)
    assert (claim.sha256, claim.state) == (digest(folder / "weights.bin"), "proven")
    assert CommitRecord.objects.filter(network=repo.network_id).count() == 2
    assert entry_at(repo, locate_in(repo, "main").tree, FilePath(("sub", "config.json")))


def test_a_file_that_changes_on_its_way_is_told_and_can_be_chosen_again(
    chromium: Browser, address: str, session: str, tmp_path: Path
) -> None:
    folder = folder_of(tmp_path, 2 * PART_SIZE)
    weights = folder / "weights.bin"
    page = open_page(chromium, address, session)
    Valve(page, 0)
    page.locator("[data-is=files]").set_input_files([weights])
    page.get_by_role("button", name="Upload and commit").click()
    expect(page.get_by_text("on its way")).to_be_visible()
    weights.write_bytes(b"other bytes \0" * 1000)
    expect(page.get_by_text("changed after it was chosen: choose it again")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was committed.")
    page.unroute(PARTS)
    page.locator("[data-is=files]").set_input_files([weights])
    page.get_by_role("button", name="Upload and commit").click()
    page.wait_for_url("**/ada/ships/tree/main")
    work()
    assert RepoBlob.objects.get(state="proven").sha256 == digest(weights)


def test_a_session_that_ended_and_a_pause_lose_nothing(
    chromium: Browser, address: str, session: str, tmp_path: Path, ada: Any
) -> None:
    folder = folder_of(tmp_path, PART_SIZE // 2)
    page = open_page(chromium, address, session)
    faults = watched(page, address)
    page.context.clear_cookies(name="sessionid")
    page.locator("[data-is=folder]").set_input_files(folder)
    page.get_by_role("button", name="Upload and commit").click()
    expect(page.get_by_role("alert")).to_contain_text("Log in again in another tab")
    again = logged_in(ada).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": again, "url": address}])
    page.get_by_role("button", name="Upload and commit").click()
    page.wait_for_url("**/ada/ships/tree/main")
    # The store is the only other place that the page may talk to; the refused call shows in the console.
    others = {fault.split("?")[0].rsplit("/", 2)[0] for fault in faults if fault.startswith("http")}
    assert len(others) <= 1
    assert [
        fault
        for fault in faults
        if not fault.startswith("http") and "403" not in fault and "401" not in fault
    ] == []


def test_a_guest_proposes_from_the_upload_page(
    chromium: Browser, address: str, bob: Any, tmp_path: Path
) -> None:
    page = open_page(chromium, address, logged_in(bob).cookies["sessionid"].value)
    expect(page.get_by_text("This becomes a proposal to ada")).to_be_visible()
    (tmp_path / "notes.md").write_text("Good ships.\n")
    page.locator("[data-is=files]").set_input_files([tmp_path / "notes.md"])
    page.get_by_label("What this adds").fill("Add notes")
    page.get_by_role("button", name="Upload and commit").click()
    page.wait_for_url("**/ada/ships/discussions/1")
    assert Discussion.objects.get().title == "Add notes"


def test_the_doors_of_uploads_want_a_member_a_token_and_sound_json(
    browser: Client, bob: Any, make_repo: Maker
) -> None:
    make_repo("ada/hidden", private=True)
    at = "/ada/hidden/sending/main/begin"
    assert Client().post(at, "{}", content_type="application/json").status_code == 404
    assert logged_in(bob).post(at, "{}", content_type="application/json").status_code == 404
    for body in (
        "",
        "[]",
        "{}",
        '{"files": [{"sha256": "x"}]}',
        '{"files": [1]}',
        '{"files": [{"sha256": "' + "a" * 64 + '", "size": -1}]}',
    ):
        answer = browser.post(at, body, content_type="application/json")
        assert answer.status_code == 400, body
        assert answer.json()["error"]
    broken = (
        '{"key": "header", "value": {"summary": "\\ud800"}}\n'
        '{"key": "file", "value": {"path": "a", "content": "YQ=="}}'
    )
    landed = browser.post("/ada/hidden/sending/main/commit", broken, content_type="application/x-ndjson")
    assert (landed.status_code, "cannot be kept" in landed.json()["error"]) == (400, True)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(bob)
    refused = strict.post(at, "{}", content_type="application/json", headers={"Accept": "application/json"})
    assert refused.status_code == 403
    assert "error" in refused.json()
