"""The editors' desk with mouse and keyboard, in Chromium, against the served site."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from rlm_site.testing import Site, barriers

if TYPE_CHECKING:
    from playwright.sync_api import Page

    NewPage = Callable[..., Page]
    Login = Callable[["Page"], None]

pytestmark = pytest.mark.browser


def open_article(page: "Page", title: str) -> None:
    page.goto(f"/admin/articles/article/?q={title.replace(' ', '+')}")
    page.get_by_role("link", name=title, exact=True).first.click()
    page.wait_for_selector(".desk-words")


def test_a_section_is_written_published_found_and_deleted(
    new_page: "NewPage", editor_login: "Login", server: Site
) -> None:
    page = new_page(1400, 900)
    editor_login(page)
    open_article(page, "Operation Keelhaul")
    page.get_by_role("link", name="Add a section").click()
    page.fill("#id_title", "A Page of the Browser")
    page.fill("#id_body", "Written *by hand*, see [[Andrey Vlasov]].[@andreyev-1987, p. 42]")
    page.fill("#id_tags", "free software, exile")
    page.check("#id_published")
    page.click("input[name=_continue]")
    page.wait_for_selector(".success")
    assert page.input_value("#id_tags") == "exile, free software"

    reader = new_page()
    reader.goto("/operation-keelhaul/a-page-of-the-browser/")
    assert reader.title().startswith("Operation Keelhaul - A Page of the Browser")
    assert reader.locator(".text a[href='/andrey-vlasov/']").count() == 1
    assert "p. 42" in reader.locator(".notes").inner_text()
    reader.goto("/search/?q=browser+page")
    assert reader.get_by_role("link", name="A Page of the Browser").count() == 1

    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Yes, I’m sure").click()
    page.wait_for_selector(".success")
    answer = reader.goto("/operation-keelhaul/a-page-of-the-browser/")
    assert answer is not None
    assert answer.status == 404


def test_a_quotation_is_pinned_by_keyboard_and_no_unsaved_text_is_lost(
    new_page: "NewPage", editor_login: "Login"
) -> None:
    page = new_page(1400, 900)
    editor_login(page)
    open_article(page, "Policy Before Yalta")
    page.fill("#id_title", "Peace Before Yalta")
    page.wait_for_selector("text=With the form as it stands, not saved yet:")
    panel = page.locator(".desk-panel")
    assert "peace" in panel.locator("h3", has_text="Famous quotes").inner_text()

    pick = panel.locator("button[data-act=pin]").first
    pinned = pick.get_attribute("data-quote")
    pick.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".desk-said")
    assert panel.locator(f"button[data-act=release][data-quote='{pinned}']").count() == 1
    assert page.input_value("#id_title") == "Peace Before Yalta"

    reader = new_page()
    reader.goto("/yalta-and-the-repatriation-agreements/policy-before-yalta/")
    assert reader.locator("h1").inner_text().endswith("Policy Before Yalta")
    assert reader.locator("#quotations").inner_text() == "Famous quotes chosen for this page:"

    panel.locator(f"button[data-act=release][data-quote='{pinned}']").click()
    page.wait_for_selector(f"button[data-act=release][data-quote='{pinned}']", state="detached")
    reader.reload()
    assert "policy" in reader.locator("#quotations").inner_text()


def test_any_quotation_says_what_kept_it_out(new_page: "NewPage", editor_login: "Login") -> None:
    page = new_page(1400, 900)
    editor_login(page)
    open_article(page, "The Allies")
    page.fill("[data-quotation-search]", "wolf lamb")
    page.press("[data-quotation-search]", "Enter")
    page.wait_for_selector("text=No quotation has these words.")
    page.fill("[data-quotation-search]", "Sontag")
    page.press("[data-quotation-search]", "Enter")
    page.wait_for_selector("text=It is shown.")
    assert page.evaluate("document.activeElement.matches('[data-quotation-search]')")


LOOKS = [(width, height, dark) for width, height in ((1400, 900), (390, 800)) for dark in (False, True)]


@pytest.mark.parametrize(
    "address",
    ["/admin/", "/admin/articles/article/", "/admin/articles/article/add/", "/admin/articles/article/coverage/",
     "/admin/quotes/quote/", "/admin/quotes/quote/add/", "/admin/quotes/person/", "/admin/rlm_site/tag/"],
)  # fmt: skip
def test_pages_of_the_desk_have_no_barriers(address: str, new_page: "NewPage", editor_login: "Login") -> None:
    found = []
    for width, height, dark in LOOKS:
        page = new_page(width, height, dark)
        editor_login(page)
        page.goto(address)
        found += barriers(page)
    assert found == []


def test_the_change_page_of_an_article_has_no_barriers(new_page: "NewPage", editor_login: "Login") -> None:
    found = []
    for width, height, dark in LOOKS:
        page = new_page(width, height, dark)
        editor_login(page)
        open_article(page, "The Allies")
        page.fill("[data-quotation-search]", "war")
        page.press("[data-quotation-search]", "Enter")
        page.wait_for_selector("text=It contains no word")
        found += barriers(page)
    assert found == []
