"""The review desk in a real browser: keyboard, passages that light up, and no script at all."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from hub.accounts.identity import Viewer
from hub.accounts.models import User
from licenses.models import Case
from tests.pages.browsing import chromium, watched
from tests.pages.desk_kit import ADDED, MIT, answers, reviewer
from tests.terms.kit import card, case_of, model, reviewed_hub

__all__ = ["chromium", "reviewed_hub"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reviewed_hub")]


@pytest.fixture
def case(ada: User, reviewed_hub: object) -> Case:
    for name in ("Ledger", "Tide"):
        model(Viewer(user=ada), name, {"README.md": card("mit"), "LICENSE": ADDED.encode()})
    repo = model(
        Viewer(user=ada),
        "Quay",
        {"README.md": card("mit"), "LICENSE": MIT.replace("free", "for a fee").encode()},
    )
    return case_of(repo)


@pytest.fixture
def address(live_server: Any, case: Case, wanted: dict[str, str]) -> str:
    # All rows are read before the browser's event loop runs.
    return str(live_server.url)


@pytest.fixture
def session(case: Case) -> str:
    return reviewer("rita").cookies["sessionid"].value


@pytest.fixture
def wanted(case: Case) -> dict[str, str]:
    return answers(case)


def test_the_desk_by_keyboard_and_without_scripts(
    chromium: Browser, address: str, session: str, case: Case, wanted: dict[str, str]
) -> None:
    cookie: Any = {"name": "sessionid", "value": session, "url": address}
    context = chromium.new_context()
    context.add_cookies([cookie])
    page = context.new_page()
    faults = watched(page, address)
    page.goto(f"{address}/review")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/review/{case.pk}")
    approve = page.get_by_role("button", name="Approve")
    expect(approve).to_be_disabled()
    left = len(wanted)
    expect(page.get_by_text(f"{left} things need your answer.")).to_be_visible()
    page.keyboard.press("a")
    expect(page.get_by_label("Why may it be released nevertheless?").first).to_be_focused()
    page.keyboard.type("Because it was settled.")
    expect(page.get_by_text(f"{left - 1} things need your answer.")).to_be_visible()
    page.get_by_role("link", name="Its passage").first.click()
    expect(page.locator("mark.passage.is-lit").first).to_be_visible()
    for name, value in wanted.items():
        if not name.startswith("finding:"):
            page.locator(f'[name="{name}"][value="{value}"]').check(force=True)
    expect(approve).to_be_enabled()
    approve.click()
    expect(page.locator("#main").get_by_text("Approved.")).to_be_visible()
    assert faults == []
    bare = chromium.new_context(java_script_enabled=False)
    bare.add_cookies([cookie])
    plain = bare.new_page()
    plain.goto(f"{address}/review")
    plain.get_by_role("link", name="ada/Ledger").click()
    plain.get_by_role("button", name="Approve").click()
    expect(plain.get_by_role("alert")).to_contain_text("need your answer before this can be released")
