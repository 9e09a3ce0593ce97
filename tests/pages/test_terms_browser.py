"""Filters, the licence tab and acceptance in a real browser, by script and by keyboard."""

from playwright.sync_api import Browser, Page, expect

from tests.pages.test_browser import address, chromium, session, watched

__all__ = ["address", "chromium", "session"]

PATHS = ("/models?use=commercial&users=5000", "/ada/ships/license", "/ada/ships/license/accept",
         "/notice?model=ada/ships", "/licenses", "/settings/agreements")  # fmt: skip


def _signed_in(chromium: Browser, address: str, session: str, width: int) -> Page:
    context = chromium.new_context(viewport={"width": width, "height": 800})
    context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
    return context.new_page()


def test_pages_about_terms_are_quiet_and_fit_a_phone(chromium: Browser, address: str, session: str) -> None:
    page = _signed_in(chromium, address, session, 390)
    faults = watched(page, address)
    for path in PATHS:
        page.goto(address + path)
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, path
        assert page.locator("h1").count() == 1, path
    assert faults == []


def test_filters_count_anew_without_losing_the_place(chromium: Browser, address: str, session: str) -> None:
    page = _signed_in(chromium, address, session, 1440)
    faults = watched(page, address)
    page.goto(address + "/models")
    expect(page.locator(".result")).to_have_count(2)
    page.get_by_role("checkbox", name="use it commercially").focus()
    page.keyboard.press("Space")
    expect(page.locator("#results")).to_contain_text("0 models")
    expect(page.get_by_role("checkbox", name="use it commercially")).to_be_focused()
    assert "use=commercial" in page.url
    page.get_by_role("link", name="Without: use it commercially").click()
    expect(page.locator(".result")).to_have_count(2)
    page.get_by_role("radio", name="MIT", exact=False).check()
    expect(page.locator(".result")).to_have_count(1)
    assert faults == []
