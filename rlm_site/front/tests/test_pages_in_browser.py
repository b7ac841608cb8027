"""The pages as readers get them: Chromium, light and dark, wide and narrow, by keyboard, on paper, without script."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from rlm_site.testing.browser import barriers

if TYPE_CHECKING:
    from playwright.sync_api import Page

    NewPage = Callable[..., Page]

pytestmark = pytest.mark.browser

PAGES = [
    "/",
    "/yarle-valley/",
    "/yarle-valley/the-millers/",
    "/tags/",
    "/tags/bread/",
    "/words/millers/",
    "/quotes/",
    "/quotes/?status=reported",
    "/yarle-valley/all/",
    "/yarle-valley/the-millers/versions/",
    "/yarle-valley/the-millers/versions/1/",
    "/yarle-valley/the-millers/versions/1/cite/",
    "/people/",
    "/places/",
    "/map/",
    "/chronology/",
    "/documents/",
    "/glossary/",
    "/index/",
    "/quotes/people/",
    "/quotes/people/lena-sommer/",
    "/references/",
    "/search/",
    "/search/?q=tarlow",
    "/search/?q=qqqwwwzzz",
    "/changes/",
    "/about/",
    "/tarlow/no-such-page/",
]
SECTION = "/yarle-valley/the-millers/"
SCREENS = [(1400, 900), (1024, 768), (320, 640)]


def open_quotation(page: "Page") -> None:
    """Numbers of quotations are the database's own; the way to one leads over its person."""
    page.goto("/quotes/people/lena-sommer/")
    page.locator("main a[href^='/quotes/']").first.click()
    page.wait_for_url("**/quotes/*/*/")


def sideways_scroll(page: "Page") -> int:
    found: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found


def faults(page: "Page") -> list[str]:
    """Barriers and sideways scrolling, light and dark, wide and narrow."""
    found = []
    for width, height in SCREENS:
        page.set_viewport_size({"width": width, "height": height})
        if (excess := sideways_scroll(page)) > 0:
            found.append(f"{width}: {excess} px too wide")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found += [f"{width} {scheme}: {barrier}" for barrier in barriers(page)]
    return found


@pytest.mark.full
def test_a_barrier_would_be_seen(new_page: "NewPage") -> None:
    page = new_page()
    page.goto("/about/")
    page.evaluate("document.documentElement.removeAttribute('lang')")
    assert len(faults(page)) == 2 * len(SCREENS)


@pytest.mark.full
@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_barrier_and_does_not_scroll_sideways(new_page: "NewPage", path: str) -> None:
    page = new_page()
    page.goto(path)
    assert faults(page) == []


@pytest.mark.full
def test_a_quotation_has_no_barrier_and_does_not_scroll_sideways(new_page: "NewPage") -> None:
    page = new_page()
    open_quotation(page)
    assert faults(page) == []


@pytest.mark.full
def test_an_open_note_has_no_barrier(new_page: "NewPage") -> None:
    page = new_page()
    page.goto(f"{SECTION}#note-1")
    assert page.locator(".notes li:target").is_visible()
    assert faults(page) == []


@pytest.mark.full
def test_text_twice_the_size_does_not_scroll_sideways(new_page: "NewPage") -> None:
    page = new_page(640, 900)
    for path in PAGES:
        page.goto(path)
        page.evaluate("document.documentElement.style.setProperty('font-size', '200%')")
        assert sideways_scroll(page) <= 0, path


@pytest.mark.full
def test_the_skip_link_leads_the_keyboard_past_the_navigation(new_page: "NewPage") -> None:
    page = new_page()
    page.goto(SECTION)
    page.keyboard.press("Tab")
    skip = page.locator("a.skip")
    assert skip.evaluate("link => link === document.activeElement")
    page.wait_for_function("() => document.querySelector('a.skip').getBoundingClientRect().top >= 0")
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


@pytest.mark.full
def test_every_stop_of_the_keyboard_can_be_seen(new_page: "NewPage") -> None:
    page = new_page()
    page.goto(SECTION)
    outlines = set()
    for _stop in range(15):
        page.keyboard.press("Tab")
        outlines.add(page.evaluate("getComputedStyle(document.activeElement).outline"))
    assert all("3px" in outline and "solid" in outline for outline in outlines)


@pytest.mark.parametrize(("width", "height"), [SCREENS[0], SCREENS[-1]], ids=["wide", "narrow"])
def test_a_note_opens_without_moving_the_page_and_leads_back(new_page: "NewPage", width: int, height: int) -> None:
    page = new_page(width, height, reduced_motion="reduce")
    page.goto(SECTION)
    page.locator(".text sup a").nth(3).evaluate("marker => marker.scrollIntoView({block: 'center'})")
    marker = page.locator(".text sup a").nth(3).bounding_box()
    assert marker is not None
    before = page.evaluate("scrollY")
    assert before > 0
    page.mouse.click(marker["x"] + marker["width"] / 2, marker["y"] + marker["height"] / 2)
    note = page.locator(".notes li:target")
    box = note.bounding_box()
    assert box is not None
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= height
    assert page.evaluate("scrollY") == before
    note.locator(".back a").first.click()
    assert note.count() == 0
    returned = page.locator(".text sup a").nth(3).bounding_box()
    assert returned is not None
    assert 0 < returned["y"] < height


@pytest.mark.full
def test_a_printed_page_has_its_address_and_no_navigation(new_page: "NewPage") -> None:
    page = new_page()
    page.goto(SECTION)
    page.emulate_media(media="print")
    gone = page.locator(".nav, .bottom nav, .contents, .neighbours, .quotations, .tags, .this-page, .back")
    assert gone.count() > 5
    assert [index for index in range(gone.count()) if gone.nth(index).is_visible()] == []
    assert page.locator("h1").is_visible()
    assert page.get_by_text(page.url, exact=False).first.is_visible()
    assert page.locator(".notes li").first.is_visible()


def stops_of_the_keyboard(page: "Page", number: int) -> list[str]:
    """Return where the first stops are: the element and what it says."""
    found = []
    for _stop in range(number):
        page.keyboard.press("Tab")
        found.append(
            page.evaluate("`${document.activeElement.localName} ${document.activeElement.textContent.trim()}`")
        )
    return found


def test_contents_that_are_seen_are_open_to_everybody(new_page: "NewPage") -> None:
    page = new_page(1400)
    page.goto(SECTION)
    contents = page.locator(".contents")
    told = contents.aria_snapshot()
    sections = contents.locator("li")
    assert sections.count() == 6
    assert all(sections.nth(index).is_visible() for index in range(6))
    assert [line for line in sections.all_inner_texts() if line not in told] == []
    assert "section 4 of 6" not in told  # nothing is told to be closed
    stops = stops_of_the_keyboard(page, 15)
    assert "a Low Water" in stops
    assert [stop for stop in stops if stop.startswith("summary")] == []


@pytest.mark.parametrize("width", [320, 1100])
def test_contents_that_are_closed_are_closed_to_everybody(new_page: "NewPage", width: int) -> None:
    page = new_page(width)
    page.goto(SECTION)
    contents = page.locator(".contents")
    assert not contents.locator("li").first.is_visible()
    assert "Low Water" not in contents.aria_snapshot()
    stops = stops_of_the_keyboard(page, 15)
    assert "a Low Water" not in stops
    [summary] = [stop for stop in stops if stop.startswith("summary")]
    assert summary == "summary Contents: section 4 of 6"
    contents.locator("summary").focus()
    page.keyboard.press("Enter")
    assert contents.locator("li").first.is_visible()
    assert "Low Water" in contents.aria_snapshot()


def test_a_section_can_be_read_without_script(new_page: "NewPage") -> None:
    page = new_page(320, 640, java_script_enabled=False)
    page.goto(SECTION)
    page.locator(".contents summary").click()
    page.locator(".contents a").first.click()
    assert page.locator("h1").is_visible()
    assert not page.url.endswith(SECTION)


def test_search_works_from_the_header(new_page: "NewPage") -> None:
    page = new_page()
    page.goto(SECTION)
    page.get_by_role("searchbox").first.fill("Tarlow")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=Tarlow*")
    assert page.locator("main mark").count() > 0


@pytest.mark.full
def test_readers_get_no_cookie(new_page: "NewPage") -> None:
    page = new_page()
    for path in PAGES:
        page.goto(path)
    assert page.context.cookies() == []
