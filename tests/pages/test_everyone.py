"""Every page, for everyone: no barrier that axe finds, by keyboard alone, without scripts, on phones and on paper."""

from pathlib import Path

import pytest
from django.urls import get_resolver, resolve
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.pages.browsing import WIDE, Hub, hub, opened, watched
from tests.pages.browsing import chromium_of_all as chromium
from tests.pages.kit import PASSWORD
from tests.pages.walked import NO_PAGES, OWN_LOOKS, SIGNED_IN, SIGNED_OUT

__all__ = ["chromium", "hub"]

AXE = (Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js").read_text()
EVERY = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
PHONE: ViewportSize = {"width": 390, "height": 844}
NARROW_AND_DARK = {"runOnly": ["target-size", "color-contrast"]}
RUN = """async (options) => {
  const found = await axe.run(document, {
    resultTypes: ["violations"], preload: false, rules: {"target-size": {enabled: true}}, ...options,
  });
  return found.violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 200)}`));
}"""
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# What has the focus, and whether one sees that: its ring, and that nothing lies over it.
FOCUS = """() => {
  const has = document.activeElement, box = has.getBoundingClientRect();
  const ring = [has, has.parentElement].some((one) => {
    const style = getComputedStyle(one);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  });
  const above = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  const inView = box.bottom > 0 && box.top < innerHeight;
  const words = (has.getAttribute("aria-label") ?? (has.labels?.[0] ?? has).textContent).trim().replace(/\\s+/g, " ");
  const free = !inView || (above && (has.contains(above) || above.contains(has) || has.labels?.[0]?.contains(above)));
  return [words, ring, inView && !!free];
}"""


def test_no_page_is_left_out_of_the_walk(hub: Hub) -> None:
    walked = {resolve(one.format(**hub.words).partition("?")[0]).route for one in (*SIGNED_IN, *SIGNED_OUT)}
    every = {str(one.pattern) for one in get_resolver("hub.pages.urls").url_patterns}
    # Data sets have the pages of models.
    left = (
        {one.removeprefix("datasets/") if "<full_repo" in one else one for one in every} - walked - NO_PAGES
    )
    assert left == set(), "add an address to tests/pages/walked.py"


def seen(page: Page) -> list[str]:
    """Say what is wrong with the page as it stands: whether axe finds barriers, or whether it fits a phone."""
    if page.viewport_size == PHONE:
        return ["wider than a phone"] if page.evaluate(WIDER) > 0 else []
    found: list[str] = page.evaluate(RUN, EVERY)
    return found


def barriers(page: Page) -> list[str]:
    """Say what is wrong with the page that is open, wide and on a phone; it is left as it was seen last."""
    found = seen(page)
    page.set_viewport_size(WIDE if page.viewport_size == PHONE else PHONE)
    found += seen(page)
    return found if page.locator("h1").count() == 1 else [*found, "not one heading of the first level"]


@pytest.mark.matrix
def test_pages_with_looks_of_their_own_are_readable_in_the_dark_and_on_a_phone(
    chromium: Browser, hub: Hub
) -> None:
    page = opened(chromium, hub, "ada", color_scheme="dark")
    page.add_init_script(AXE)
    page.set_viewport_size(PHONE)
    found: dict[str, list[str]] = {}
    for address in OWN_LOOKS:
        page.goto(hub.at(address))
        found[address] = page.evaluate(RUN, NARROW_AND_DARK)
    assert {address: faults for address, faults in found.items() if faults} == {}


# What is drawn or fetched once the page is there.
AWAITED = {
    "/ada/ships": (".prose .katex-display", "[data-plot] canvas"),
    "/ada/ships/commit/{weights}": ("#tensor-changes table",),
}


@pytest.mark.parametrize(("who", "addresses"), [("ada", SIGNED_IN), ("", SIGNED_OUT)], ids=["in", "out"])
def test_pages_have_no_barriers_and_no_faults(
    chromium: Browser, hub: Hub, who: str, addresses: tuple[str, ...]
) -> None:
    page = opened(chromium, hub, who)
    page.add_init_script(AXE)
    noise, titles = watched(page, hub.url), dict[str, str]()
    found: dict[str, list[str]] = {}
    for address in addresses:
        page.goto(hub.at(address))
        for awaited in AWAITED.get(address, ()):
            expect(page.locator(awaited).first).to_be_visible()
        faults = barriers(page) + [one for one in noise if "404" not in one or "nowhere" not in address]
        place = address.partition("?")[0]
        if titles.setdefault(page.title(), place) != place:
            faults.append(f"has the title of {titles[page.title()]}")
        found |= {address: faults} if faults else {}
        noise.clear()
    assert found == {}


def tab_to(page: Page, name: str) -> None:
    """Press the tabulator until the focus is on what has the name; wherever it stops, one must see it."""
    for _ in range(90):
        page.keyboard.press("Tab")
        words, ring, free = page.evaluate(FOCUS)
        assert ring and free, f"The focus on {words!r} cannot be seen on the way to {name!r} at {page.url}."
        if words.startswith(name):
            return
    pytest.fail(f"No {name!r} is reached on {page.url}.")


def test_a_model_is_found_read_and_fetched_by_keyboard_alone(chromium: Browser, hub: Hub) -> None:
    page = opened(chromium, hub, color_scheme="light")
    faults = watched(page, hub.url)
    page.goto(hub.url)
    page.keyboard.press("/")
    page.keyboard.type("ships")
    page.wait_for_url(f"{hub.url}/?q=ships")
    expect(page.locator("[data-live]")).to_contain_text("what you look for")
    page.keyboard.type("zz9")
    expect(page.get_by_text("Nothing fits")).to_be_visible()
    page.go_back()
    expect(page.locator(".result").first).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("/")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(page.locator(".result h2 a").first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{hub.url}/ada/ships")
    # Two formulas are drawn; one that is wrong and two that would take minutes stay as they were written.
    expect(page.locator(".prose .katex")).to_have_count(2)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    tab_to(page, "Switch light or dark")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Skip to content").press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    tab_to(page, "Files")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tree/main")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 20, 19)"
    tab_to(page, "Download code.py")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert b"import os" in download.value.path().read_bytes()
    assert faults == []


def test_a_person_logs_in_likes_and_makes_a_token_by_keyboard_alone(chromium: Browser, hub: Hub) -> None:
    page = opened(chromium, hub, permissions=["clipboard-read", "clipboard-write"])
    faults = watched(page, hub.url)
    page.goto(f"{hub.url}/login?next=/ada/ships")
    page.keyboard.type("ada")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{hub.url}/ada/ships")
    tab_to(page, "Menu of ada")
    page.keyboard.press("Enter")
    tab_to(page, "Jobs")
    page.keyboard.press("Escape")
    assert page.evaluate(FOCUS)[0] == "Menu of ada"
    expect(page.get_by_role("link", name="Jobs")).to_be_hidden()
    tab_to(page, "Like")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Like", pressed=True)).to_be_visible()
    tab_to(page, "Compare")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Compare models")).to_be_visible()
    page.goto(f"{hub.url}/settings/tokens")
    tab_to(page, "Name")
    page.keyboard.type("by hand")
    tab_to(page, "Make token")
    page.keyboard.press("Enter")
    expect(page.get_by_text("shown this once")).to_be_visible()
    tab_to(page, "Copy")
    page.keyboard.press("Enter")
    expect(page.locator("[data-live]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("hf_")
    page.goto(f"{hub.url}/ada/secret/settings")
    tab_to(page, "To delete it")
    page.keyboard.type("ada/secre")
    assert faults == []
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was deleted")


def test_everything_that_is_read_works_without_scripts(chromium: Browser, hub: Hub) -> None:
    page = opened(chromium, hub, java_script_enabled=False)
    page.goto(hub.url)
    page.get_by_role("combobox", name="Parameters from").select_option("any")
    page.get_by_label("Search models").fill("ships")
    page.get_by_label("Search models").press("Enter")
    page.get_by_role("link", name="ada/ships", exact=True).click()
    expect(page.get_by_text("x^2", exact=True)).to_be_visible()
    page.locator("summary", has_text="By day").click()
    expect(page.get_by_role("table").filter(has_text="Pulls")).to_be_visible()
    page.get_by_role("link", name="Files").first.click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download code.py").click()
    assert b"import os" in download.value.path().read_bytes()
    page.get_by_role("link", name="Quantizations").click()
    page.get_by_role("radio", name="16 GB").check(force=True)
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("Take BF16.")).to_be_visible()
    page.get_by_role("link", name="Log in").click()
    page.get_by_label("User name").fill("bob")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")
    expect(page.get_by_label("Menu of bob")).to_be_visible()


def test_filters_count_anew_without_losing_the_place(chromium: Browser, hub: Hub) -> None:
    page = opened(chromium, hub)
    faults = watched(page, hub.url)
    page.goto(f"{hub.url}/models")
    every = page.locator(".result").count()
    box = page.get_by_role("checkbox", name="use it commercially")
    box.focus()
    page.keyboard.press("Space")
    page.wait_for_url("**/models?use=commercial")
    expect(page.get_by_role("link", name="Without: use it commercially")).to_be_visible()
    assert page.locator(".result").count() < every
    expect(box).to_be_focused()
    page.get_by_role("link", name="Without: use it commercially").click()
    expect(page.locator(".result")).to_have_count(every)
    page.get_by_role("radio", name="MIT", exact=False).check()
    page.get_by_label("Sort").select_option("likes")
    page.wait_for_url("**/models?license=mit&sort=likes")
    assert faults == []


def test_sizes_are_chosen_with_two_thumbs_that_cannot_pass_each_other(chromium: Browser, hub: Hub) -> None:
    page = opened(chromium, hub)
    faults = watched(page, hub.url)
    page.goto(f"{hub.url}/models")
    expect(page.get_by_role("combobox", name="Parameters to")).to_be_hidden()
    low, high = (page.get_by_role("slider", name=f"Parameters {which}") for which in ("from", "to"))
    page.locator(".slider").scroll_into_view_if_needed()
    box = page.locator(".slider").bounding_box()
    assert box is not None
    right, middle = box["x"] + box["width"], box["y"] + box["height"] / 2
    page.mouse.move(right, middle)
    page.mouse.down()
    page.mouse.move(right - box["width"] * 12 / 15, middle, steps=3)
    page.mouse.up()
    page.wait_for_url("**/models?to=500000000")
    expect(high).to_be_focused()
    expect(high).to_have_attribute("aria-valuetext", "500 M")
    low.focus()
    page.keyboard.press("End")
    page.wait_for_url("**/models?from=200000000&to=500000000")
    expect(low).to_have_attribute("aria-valuetext", "200 M")
    expect(page.locator(".histogram .in")).to_have_count(1)
    assert faults == []


def test_memory_is_chosen_and_stays_in_the_address(chromium: Browser, hub: Hub) -> None:
    page = opened(chromium, hub)
    faults = watched(page, hub.url)
    page.goto(f"{hub.url}/ada/ships/quantizations")
    page.get_by_role("radio", name="8 GB", exact=True).check(force=True)
    expect(page.locator("[data-live]")).to_contain_text("Take BF16.")
    page.wait_for_url("**/quantizations?ram=8&context=8192")
    page.get_by_label("for a context of").select_option("32768")
    page.wait_for_url("**/quantizations?ram=8&context=32768")
    page.reload()
    expect(page.get_by_role("radio", name="8 GB", exact=True)).to_be_checked()
    assert faults == []


def test_a_license_is_printed_dark_on_white(chromium: Browser, hub: Hub) -> None:
    page = opened(chromium, hub, color_scheme="dark")
    page.goto(f"{hub.url}/ada/Llama-Chat/license")
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator(".topbar")).to_be_hidden()
    expect(page.get_by_text(f"{hub.url}/ada/Llama-Chat/license · ")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(20, 32, 28)"
