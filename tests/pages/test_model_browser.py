"""The model page in a real browser: formulas and pulls are drawn, differences come later, and a choice stays."""

import os
import shutil
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from hub.catalog.models import DownloadDay
from tests.factories import push
from tests.pages.test_browser import FLAGS, watched
from tests.workers.making import ships_of

pytestmark = pytest.mark.django_db(transaction=True)
CARD = (
    b"---\nlicense: mit\n---\n# Ships\n\nIt is $x^2$ and\n\n$$\n\\sum_i y_i\n$$\n\n$\\unknown{$ stays.\n\n"
    # Which would take minutes to draw.
    b"$\\def\\a{" + b"x" * 900 + b"}" + b"\\a" * 400 + b'$ <span class="math">' + b"y" * 3000 + b"</span>\n"
)


@pytest.fixture
def address(live_server: Any, ada: User) -> str:
    repo = ships_of(Viewer(user=ada))
    push(Viewer(user=ada), repo, {"README.md": CARD, "code.py": b"1\n2\n"})
    DownloadDay.objects.create(repo=repo, day=datetime.now(UTC).date(), count=7)
    return f"{live_server.url}"


@pytest.fixture
def chromium(address: str) -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None and not os.environ.get("CI"):
        warnings.warn("No chromium is installed: the model page was NOT tried in a browser.", stacklevel=1)
        pytest.skip("no chromium")
    assert program, "chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.mark.parametrize("width", [390, 1440])
def test_the_tabs_of_a_model_are_drawn_without_a_fault(chromium: Browser, address: str, width: int) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 800})
    faults = watched(page, address)
    page.goto(f"{address}/ada/ships")
    expect(page.locator(".prose .katex")).to_have_count(2)
    expect(page.locator(".prose .katex-display")).to_have_count(1)
    expect(page.locator("[data-plot] canvas")).to_be_visible()
    for path in (
        "integrity",
        "tree/main",
        "commits/main",
        "use",
        "compare/main..main",
        "commit/main?view=split",
    ):
        page.goto(f"{address}/ada/ships/{path}")
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, path
    page.goto(f"{address}/ada/ships/commits/main")
    page.get_by_role("link", name="push").nth(1).click()
    expect(page.get_by_role("heading", name="Tensors")).to_be_visible()
    expect(page.locator("#tensor-changes table")).to_be_visible()
    assert faults == []


def test_memory_is_chosen_and_stays_in_the_address(chromium: Browser, address: str) -> None:
    page = chromium.new_page()
    faults = watched(page, address)
    page.goto(f"{address}/ada/ships/quantizations")
    page.get_by_role("radio", name="8 GB", exact=True).check(force=True)
    expect(page.get_by_text("Take BF16.")).to_be_visible()
    page.wait_for_url("**/quantizations?ram=8&context=8192")
    page.get_by_label("for a context of").select_option("32768")
    page.wait_for_url("**/quantizations?ram=8&context=32768")
    page.reload()
    expect(page.get_by_role("radio", name="8 GB", exact=True)).to_be_checked()
    assert faults == []


def test_everything_is_read_without_scripts(chromium: Browser, address: str) -> None:
    page = chromium.new_context(java_script_enabled=False).new_page()
    page.goto(f"{address}/ada/ships")
    expect(page.get_by_text("x^2", exact=True)).to_be_visible()
    page.get_by_text("By day").click()
    expect(page.get_by_role("table").filter(has_text="Pulls")).to_be_visible()
    page.goto(f"{address}/ada/ships/quantizations")
    page.get_by_role("radio", name="16 GB").check(force=True)
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("Take BF16.")).to_be_visible()
