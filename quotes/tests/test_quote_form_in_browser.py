"""Entering a quotation: its print, what is like it, and a person and a work that are missing."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from rlm_site.testing.browser import barriers

if TYPE_CHECKING:
    from playwright.sync_api import Page

    NewPage = Callable[..., Page]
    MemberLogin = Callable[["Page", str], str]

pytestmark = pytest.mark.browser

ADD = "/admin/quotes/quote/add/"


def test_an_author_enters_a_quotation_of_somebody_who_was_not_there(
    new_page: "NewPage", member_login: "MemberLogin"
) -> None:
    page = new_page(1400, 900)
    member_login(page, "Authors")
    page.goto(ADD)
    page.wait_for_load_state()
    page.fill("#id_text", "Zorblax abides by the river.")
    printed = page.locator("#printed .panel")
    printed.get_by_text("Zorblax abides by the river.").wait_for()
    page.get_by_role("link", name="Add a person").click()
    dialog = page.get_by_role("dialog", name="Add a person")
    dialog.get_by_label("Name as printed:").fill("Ann Quill")
    dialog.get_by_label("Born").fill("1821")
    assert barriers(page) == []
    dialog.get_by_role("button", name="Add", exact=True).click()
    page.locator("#select2-id_person-container", has_text="Ann Quill").wait_for()
    printed.get_by_text("— Ann Quill (b. 1821)").wait_for()

    page.locator(".field-quoted_in").get_by_role("link", name="Add a work").click()
    dialog = page.get_by_role("dialog", name="Add a work")
    dialog.get_by_label("Title:").fill("Odes of the Yarle")
    dialog.get_by_label("Title:").press("Enter")
    page.locator("#select2-id_quoted_in-container", has_text="Odes of the Yarle").wait_for()
    printed.get_by_text("As quoted in Odes of the Yarle").wait_for()
    page.keyboard.press("Control+s")
    page.wait_for_selector(".success")

    page.get_by_role("link", name="Add a person").click()
    page.get_by_role("dialog", name="Add a person").get_by_label("Name as printed:").fill("Quill, A.")
    page.get_by_role("button", name="Use this one: Ann Quill").click()
    page.goto(ADD)
    page.wait_for_load_state()
    page.fill("#id_text", "Zorblax abides by the river!")
    page.locator("#similar-quotations").get_by_text("The same words:").wait_for()


@pytest.mark.full
def test_the_form_is_in_two_columns_where_there_is_room(new_page: "NewPage", member_login: "MemberLogin") -> None:
    found = []
    for width, dark, beside in ((1400, False, True), (1000, True, False), (320, False, False)):
        page = new_page(width, 900, dark)
        member_login(page, "Editors")
        page.goto(ADD)
        page.wait_for_load_state()
        found += barriers(page)
        text, panels = (
            page.locator(name).evaluate("element => element.getBoundingClientRect().toJSON()")
            for name in ("#id_text", ".side-panels")
        )
        assert (panels["x"] >= text["x"] + text["width"]) == beside, width
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.get_by_role("link", name="Add a person").click()
        page.get_by_role("dialog", name="Add a person").get_by_label("Name as printed:").wait_for()
        found += barriers(page)
        page.goto("/admin/quotes/quote/works/add/")
        found += barriers(page)
    assert found == []
