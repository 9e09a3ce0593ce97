"""The pages in a real browser: scripts, keyboard, phones, and a policy that nothing on them breaks."""

import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright

from hub.accounts.models import User
from hub.catalog.models import Repo
from tests.pages.kit import CARD

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
PATHS = ["/", "/ada/ships", "/ada/ships/tree/main", "/ada/ships/blob/main/config.json", "/ada/ships/commits/main",
         "/ada/ships/use", "/ada/ships/quantizations", "/ada", "/login", "/password/reset"]  # fmt: skip

Maker = Callable[..., Repo]


@pytest.fixture
def address(live_server: Any, make_repo: Maker) -> str:
    """A hub with two models; returns its address.  All rows are made before the browser's event loop runs."""
    make_repo("ada/ships", {"README.md": CARD, "config.json": b'{"hidden_size": 576}\n'})
    make_repo("ada/planes", {"README.md": CARD.replace(b"apache-2.0", b"mit").replace(b"ships", b"wings")})
    return str(live_server.url)


@pytest.fixture
def session(ada: User) -> str:
    """The cookie of a browser in which ada is logged in."""
    client = Client()
    client.force_login(ada)
    return client.cookies["sessionid"].value


@pytest.fixture
def chromium(address: str, session: str) -> Iterator[Browser]:
    """Debian's browser.  Without one the tests fail where CI runs them, and say so elsewhere."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None and not os.environ.get("CI"):
        warnings.warn("No chromium is installed: the pages were NOT tried in a browser.", stacklevel=1)
        pytest.skip("no chromium")
    assert program, "chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


def watched(page: Page, address: str) -> list[str]:
    """Collect what a page must not do: complain, break the content policy, or ask another host."""
    faults: list[str] = []
    page.on(
        "console",
        lambda message: faults.append(message.text) if message.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "request", lambda request: None if request.url.startswith(address) else faults.append(request.url)
    )
    return faults


@pytest.mark.parametrize("width", [390, 1440])
def test_pages_are_quiet_and_never_wider_than_the_window(chromium: Browser, address: str, width: int) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 800})
    faults = watched(page, address)
    for path in PATHS:
        page.goto(address + path)
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, path
        assert page.locator("h1").count() == 1, path
    assert faults == []


def test_search_as_you_type_by_keyboard_alone_and_back_again(chromium: Browser, address: str) -> None:
    page = chromium.new_page()
    faults = watched(page, address)
    page.goto(address)
    page.keyboard.press("/")
    page.keyboard.type("ship")
    expect(page.locator(".result")).to_have_count(1)
    page.wait_for_url(f"{address}/?q=ship")
    page.keyboard.type("zz")
    expect(page.get_by_text("Nothing fits")).to_be_visible()
    page.go_back()
    expect(page.locator(".result")).to_have_count(1)
    page.goto(address)
    page.get_by_label("MIT").check()
    expect(page.locator(".result")).to_have_count(1)
    page.get_by_label("Sort").select_option("likes")
    page.wait_for_url("**/?license=mit&sort=likes")
    assert faults == []


def test_everything_that_is_read_works_without_scripts(chromium: Browser, address: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    page.get_by_label("Search models").fill("ship")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="ada/ships").click()
    expect(page.get_by_text("They weigh ships.")).to_be_visible()
    page.get_by_role("link", name="Files").first.click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download config.json").click()
    assert download.value.path().read_bytes() == b'{"hidden_size": 576}\n'


def test_a_token_is_made_and_copied(chromium: Browser, address: str, session: str) -> None:
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
    page = context.new_page()
    faults = watched(page, address)
    page.goto(f"{address}/settings/tokens")
    page.get_by_label("Name", exact=True).fill("laptop")
    page.get_by_role("button", name="Make token").click()
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_text("shown this once")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("hf_")
    assert faults == []


def test_a_chosen_theme_stays(chromium: Browser, address: str) -> None:
    page = chromium.new_context(color_scheme="light").new_page()
    page.goto(address)
    page.get_by_role("button", name="Switch light or dark").click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 20, 19)"
