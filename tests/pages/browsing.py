"""A real browser for tests, a hub whose world stays for a whole file of them, and an eye on what pages must not do."""

import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import override_settings
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from pytest_django import DjangoDbBlocker
from pytest_django.live_server_helper import LiveServer

from tests.emptying import empty_tables

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
WIDE: ViewportSize = {"width": 1440, "height": 900}
SETTINGS: dict[str, Any] = {"HUB_REVIEW": "enforced", "HUB_LICENSE_WAIT_SECONDS": 0, "HUB_SIGNUP": "open"}


@dataclass
class Hub:
    """Where a hub answers, whose sessions it has, and what its addresses are made of."""

    url: str
    sessions: dict[str, str]
    words: dict[str, str]

    def at(self, address: str) -> str:
        """Return where ``/review/{case}`` is."""
        return self.url + address.format(**self.words)


@contextmanager
def launched() -> Iterator[Browser]:
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


@pytest.fixture(scope="module")
def hub(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Hub]:
    """One world for all tests of a file; what is done in it stays until their end."""
    from tests.pages import world  # noqa: PLC0415  Models can be imported only once the session's servers stand.
    from tests.terms.kit import load_small_catalogue  # noqa: PLC0415

    with django_db_blocker.unblock(), override_settings(**SETTINGS), pytest.MonkeyPatch.context() as patch:
        # The browser's event loop stands still while tests look into the database.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        load_small_catalogue()
        sessions, words = world.build()
        server = LiveServer("localhost")
        yield Hub(server.url, sessions, words)
        server.stop()
        empty_tables()


@pytest.fixture
def chromium(address: str, session: str) -> Iterator[Browser]:
    """A browser for one test, opened once its rows are made: none can be while the browser's event loop runs."""
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def chromium_of_all(hub: Hub) -> Iterator[Browser]:
    """One browser for all tests of a file, opened once the world stands."""
    with launched() as browser:
        yield browser


def opened(chromium: Browser, hub: Hub, who: str = "", **options: Any) -> Page:
    """Return a page in a browser of its own, in which somebody of the world, or nobody, is logged in."""
    context = chromium.new_context(viewport=WIDE, reduced_motion="reduce", **options)
    if who:
        context.add_cookies([{"name": "sessionid", "value": hub.sessions[who], "url": hub.url}])
    return context.new_page()


def watched(page: Page, address: str) -> list[str]:
    """Collect what a page must not do: complain, break the content policy, or ask another host."""
    faults: list[str] = []
    own = (address, "data:", "blob:")
    page.on(
        "console",
        lambda message: faults.append(message.text) if message.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(own) else faults.append(request.url))
    return faults
