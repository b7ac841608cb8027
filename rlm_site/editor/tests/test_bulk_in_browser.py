"""Acts on many records, and rows that are dragged, in Chromium against the served site."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from rlm_site.testing.browser import barriers

if TYPE_CHECKING:
    from playwright.sync_api import Page

    NewPage = Callable[..., Page]

pytestmark = [pytest.mark.browser, pytest.mark.full]


def add_page(page: "Page", title: str, topic: str = "") -> None:
    page.goto(f"/admin/articles/article/add/{f'?parent={topic}' if topic else ''}")
    page.fill("#id_title", title)
    page.fill("#id_summary", "An animal.")
    page.fill("#id_body", f"{title} in few words.")
    page.get_by_role("button", name="Save and close").click()
    page.wait_for_selector(".success")


def test_drafts_are_published_at_once_and_tell_how_far_it_is(
    new_page: "NewPage", member_login: "Callable[[Page, str], str]"
) -> None:
    page, reader = new_page(1200, 900), new_page()
    member_login(page, "Publishers")
    titles = [f"Bulk Quagga {number}" for number in range(12)]  # more than are done in one transaction
    for title in titles:
        add_page(page, title)
    page.goto("/admin/articles/article/?q=Bulk+Quagga&state=draft")
    page.get_by_role("checkbox", name="Select all").check()
    page.select_option("select[name=action]", "many_publish")
    page.get_by_role("button", name="Go").click()
    assert "12 records" in page.locator(".bulk-counts").inner_text()
    assert barriers(page) == []
    page.get_by_role("button", name="Publish (12)").click()
    page.get_by_text("12 of 12 records.").wait_for()
    page.get_by_text("Done.").wait_for()
    assert barriers(page) == []
    for title in titles:
        answer = reader.goto(f"/{title.lower().replace(' ', '-')}/")
        assert answer is not None
        assert answer.status == 200
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto("/admin/articles/article/order/")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert barriers(page) == []


def test_a_topic_is_dragged_to_its_place(new_page: "NewPage", member_login: "Callable[[Page, str], str]") -> None:
    page = new_page(1200, 1600)
    member_login(page, "Publishers")
    page.goto("/admin/articles/article/order/")
    rows = page.locator(".ordering li .ordering-title a")
    before = rows.all_inner_texts()
    page.locator(".ordering li").nth(0).drag_to(page.locator(".ordering li").nth(2), target_position={"x": 40, "y": 30})
    page.wait_for_selector(".success")
    assert rows.all_inner_texts()[:3] == [before[1], before[2], before[0]]
    page.get_by_role("group", name=before[0]).get_by_role("button", name="To the top").click()
    page.wait_for_selector(".success")
    assert rows.all_inner_texts() == before
