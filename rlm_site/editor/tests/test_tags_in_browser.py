"""Tags at the desk in Chromium: suggestions while one is typed, and two merged by keyboard."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from rlm_site.testing.browser import barriers

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    NewPage = Callable[..., Page]
    Login = Callable[["Page"], None]

pytestmark = [pytest.mark.browser, pytest.mark.full]


def options(page: "Page") -> "Locator":
    return page.locator("[role=listbox]:not([hidden]) [role=option]")


def type_tag(page: "Page", typed: str, first: str) -> None:
    """Type, and wait for what is suggested first."""
    page.keyboard.type(typed)
    options(page).filter(has_text=first).first.wait_for()
    assert options(page).first.inner_text() == first


def test_tags_are_suggested_and_taken_by_keyboard(new_page: "NewPage", editor_login: "Login") -> None:
    page = new_page()
    editor_login(page)
    page.goto("/admin/articles/article/add/")
    field = page.get_by_role("combobox", name="Tags")
    field.focus()
    type_tag(page, "bre", "bread")
    assert field.get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    active = field.get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").inner_text() == "bread"
    page.keyboard.press("Enter")
    assert field.input_value() == "bread, "
    assert options(page).count() == 0

    type_tag(page, "RAIN", "rain")
    assert "bread" not in options(page).all_inner_texts()
    page.keyboard.press("ArrowDown")
    page.keyboard.press(",")
    assert field.input_value() == "bread, rain, "

    type_tag(page, "Tol", "Tolby")
    page.keyboard.press("Escape")
    assert options(page).count() == 0
    assert field.input_value() == "bread, rain, Tol"
    page.keyboard.press("ArrowDown")
    options(page).first.wait_for()
    page.keyboard.press("Enter")  # nothing is chosen: the list is closed, the form stays
    assert options(page).count() == 0
    assert page.url.endswith("/add/")
    page.keyboard.type("edo, ")
    assert field.input_value() == "bread, rain, Toledo, "


def test_only_the_tag_at_the_cursor_is_replaced(new_page: "NewPage", editor_login: "Login") -> None:
    page = new_page()
    editor_login(page)
    page.goto("/admin/quotes/quote/add/")
    field = page.get_by_role("combobox", name="Tags")
    field.fill('law, "Ochota, Warsaw", , river')
    field.evaluate("field => field.setSelectionRange(23, 23)")
    type_tag(page, "bre", "bread")
    options(page).first.click()
    assert field.input_value() == 'law, "Ochota, Warsaw", bread, river'
    assert field.evaluate("field => field === document.activeElement && field.selectionStart") == 28


def test_two_tags_are_merged_by_keyboard_and_taken_apart_again(new_page: "NewPage", editor_login: "Login") -> None:
    page = new_page()
    editor_login(page)
    found = []
    for name in ("browsing by hand", "browsing, by keyboard"):
        page.goto("/admin/rlm_site/tag/add/")
        page.fill("#id_name", name)
        page.press("#id_name", "Enter")
        page.wait_for_selector(".success")
    page.goto("/admin/rlm_site/tag/?q=browsing+by+hand")
    page.get_by_role("link", name="browsing by hand", exact=True).click()
    page.get_by_role("link", name="Merge into another tag…").press("Enter")
    page.get_by_role("combobox", name="Merge into").focus()
    type_tag(page, "browsing", "browsing by hand")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    found += barriers(page)
    page.keyboard.press("Enter")
    assert page.get_by_role("combobox", name="Merge into").input_value() == "browsing, by keyboard"
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Merge “browsing by hand” into “browsing, by keyboard”").wait_for()
    found += barriers(page)
    page.get_by_role("button", name="Merge into “browsing, by keyboard”").press("Enter")
    page.get_by_role("heading", name="Renames and merges").wait_for()
    assert page.input_value("#id_name") == "browsing, by keyboard"
    found += barriers(page)
    page.get_by_role("button", name="Undo: “browsing by hand” merged into “browsing, by keyboard”").press("Enter")
    page.wait_for_selector("text=Undone: “browsing by hand” merged into “browsing, by keyboard”.")
    assert page.input_value("#id_name") == "browsing by hand"
    assert found == []


def test_the_pages_of_a_merge_have_no_barriers(new_page: "NewPage", editor_login: "Login") -> None:
    found = []
    for width, height, dark in ((1400, 900, False), (390, 800, True)):
        page = new_page(width, height, dark)
        editor_login(page)
        page.goto("/admin/rlm_site/tag/?q=bread")
        page.get_by_role("link", name="bread", exact=True).click()
        page.get_by_role("link", name="Merge into another tag…").click()
        page.fill("#id_into", "no such tag")
        page.keyboard.press("Enter")
        page.wait_for_selector(".errorlist")
        found += barriers(page)
        page.fill("#id_into", "rain")
        page.get_by_role("button", name="Preview changes").click()
        page.get_by_role("button", name="Merge into “rain”").wait_for()
        found += barriers(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert found == []


def test_without_a_script_the_field_is_a_plain_one(new_page: "NewPage", editor_login: "Login") -> None:
    page = new_page(java_script_enabled=False)
    editor_login(page)
    page.goto("/admin/rlm_site/tag/?q=bread")
    page.get_by_role("link", name="bread", exact=True).click()
    page.get_by_role("link", name="Merge into another tag…").click()
    page.get_by_role("textbox", name="Merge into").fill("rain")
    page.get_by_role("button", name="Preview changes").click()
    assert page.get_by_role("button", name="Merge into “rain”").is_visible()
