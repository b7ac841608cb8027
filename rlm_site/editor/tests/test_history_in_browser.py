"""The way back, with mouse and keyboard in Chromium: an old version is restored, a topic deleted and recovered."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from rlm_site.testing.browser import barriers

if TYPE_CHECKING:
    from playwright.sync_api import Page

    NewPage = Callable[..., Page]
    Login = Callable[["Page"], None]

pytestmark = pytest.mark.browser


def open_article(page: "Page", title: str) -> None:
    page.goto(f"/admin/articles/article/?q={title.replace(' ', '+')}")
    page.get_by_role("link", name=title, exact=True).first.click()
    page.wait_for_selector("#id_title")


@pytest.mark.full
def test_an_old_version_is_compared_and_restored(new_page: "NewPage", editor_login: "Login") -> None:
    page = new_page()
    editor_login(page)
    open_article(page, "Low Water")
    before = page.input_value("#id_body")
    page.get_by_role("link", name="History").click()
    page.wait_for_selector(".versions")
    newest = page.locator(".versions li").count()
    page.go_back()
    for text in ("The zorblax was green.", "The zorblax was blue."):
        page.fill("#id_body", text)
        page.click("input[name=_continue]")
        page.wait_for_selector(".success")

    page.get_by_role("link", name="History").click()
    page.wait_for_selector(".versions")
    assert page.locator(".versions li").count() == newest + 2
    page.get_by_role("button", name="Compare").click()
    page.wait_for_selector(".differences")
    assert page.locator("del").inner_text().endswith("green")
    assert page.locator("ins").inner_text().endswith("blue")

    page.go_back()
    page.get_by_role("link", name=f"Restore this version… {newest}", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("input[name=comment]")
    page.fill("input[name=comment]", "There is no zorblax.")
    page.keyboard.press("Enter")
    page.wait_for_selector(".success")
    assert page.input_value("#id_body") == before
    page.get_by_role("link", name="History").click()
    assert f"Restored version {newest}. There is no zorblax." in page.locator(".versions li").first.inner_text()

    reader = new_page()
    reader.goto("/yarle-valley/low-water/")
    assert "zorblax" not in reader.content()


@pytest.mark.full
def test_a_topic_with_sections_is_deleted_and_recovered(new_page: "NewPage", editor_login: "Login") -> None:
    page, reader = new_page(), new_page()
    editor_login(page)
    addresses = ["/tolby-market/"]
    reader.goto(addresses[0])
    sections = reader.locator("main .read-more a[href^='/tolby-market/']")
    addresses += [str(link.get_attribute("href")) for link in sections.all()]
    before = {}
    for address in addresses:
        reader.goto(address)
        before[address] = reader.locator("main").inner_text()
    assert len(before) > 3

    open_article(page, "Tolby Market")
    page.get_by_role("link", name="Delete", exact=True).click()
    page.get_by_role("button", name="Yes, delete").click()
    page.wait_for_selector(".success")
    for address in addresses:
        answer = reader.goto(address)
        assert answer is not None
        assert answer.status == 410

    page.get_by_role("link", name="Restore…").first.click()
    assert "Tolby Market" in page.locator("#content").inner_text()
    page.get_by_role("button", name="Restore").click()
    page.wait_for_selector(".success")
    for address in addresses:
        reader.goto(address)
        assert reader.locator("main").inner_text() == before[address]
    page.get_by_role("link", name="Open it").click()
    page.get_by_role("link", name="History").click()
    assert "Restored after deletion" in page.locator(".versions li").first.inner_text()


LOOKS = [(1200, False), (1200, True), (320, False), (320, True)]


@pytest.mark.full
def test_the_first_page_history_and_deletions_have_no_barriers(new_page: "NewPage", editor_login: "Login") -> None:
    page = new_page()
    editor_login(page)
    page.goto("/admin/articles/article/add/")
    for title in ("Zorblaxes", "The Zorblaxes"):
        page.fill("#id_title", title)
        page.fill("#id_summary", "An animal.")
        page.fill("#id_tags", "zorblax")
        page.click("input[name=_continue]")
        page.wait_for_selector(".success")
    row = page.url.removesuffix("change/")
    page.goto("/admin/quotes/quote/add/")
    page.fill("#id_text", "A saying that is here to be deleted.")
    page.click("input[name=_continue]")
    page.wait_for_selector(".success")
    page.get_by_role("link", name="Delete", exact=True).click()
    page.get_by_role("button", name="Yes, delete").click()
    page.wait_for_selector(".success")
    page.get_by_role("link", name="Restore…").first.click()
    addresses = [
        "/admin/", f"{row}history/", f"{row}history/compare/", f"{row}history/1/restore/",
        "/admin/rlm_site/deletion/", page.url, "/admin/rlm_site/revision/",
    ]  # fmt: skip
    found = []
    for width, dark in LOOKS:
        page = new_page(width, 800, dark)
        editor_login(page)
        for address in addresses:
            page.goto(address)
            found += [f"{address}: {barrier}" for barrier in barriers(page)]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append(f"{address} is wider than {width} px")
    assert found == []
