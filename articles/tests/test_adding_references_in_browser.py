"""A work that is missing is added and cited without leaving the text."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from rlm_site.testing.browser import barriers

if TYPE_CHECKING:
    from playwright.sync_api import Page

    NewPage = Callable[..., Page]
    MemberLogin = Callable[["Page", str], str]

pytestmark = pytest.mark.browser

FORM = "/admin/articles/article/add/"


def open_form(page: "Page") -> None:
    page.goto(FORM)
    page.wait_for_selector("markdown-toolbar")
    page.wait_for_load_state()


def test_an_author_cites_a_work_that_was_not_there(new_page: "NewPage", member_login: "MemberLogin") -> None:
    page = new_page(1400, 900)
    member_login(page, "Authors")
    open_form(page)
    page.fill("#id_title", "Kept While Adding")
    body = page.locator("#id_body")
    body.fill("They were striped.")
    page.get_by_role("button", name="Cite…").click()
    page.get_by_role("combobox", name="Author, title or key").fill("zorblax")
    page.get_by_text("No reference has these words.").wait_for()
    page.get_by_role("button", name="Add a reference…").click()
    dialog = page.get_by_role("dialog", name="Add a reference")
    dialog.get_by_label("Authors").fill("Zorblax, Ann")
    dialog.get_by_label("Title:", exact=True).fill("On Stripes")
    dialog.get_by_label("Year").fill("1871")
    dialog.get_by_text("Its key will be zorblax-1871.").wait_for()
    dialog.get_by_label("ISBN").fill("978-0-521-30536-6")
    assert barriers(page) == []
    dialog.get_by_role("button", name="Add", exact=True).click()
    dialog.get_by_text("There is a slip in").wait_for()
    assert dialog.get_by_label("Authors").input_value() == "Zorblax, Ann"
    dialog.get_by_label("ISBN").fill("")
    dialog.get_by_label("DOI").fill("https://doi.org/10.1093/ehr/cez001")
    dialog.get_by_label("Year").press("Enter")
    page.wait_for_function("() => document.activeElement.id === 'id_body'")
    page.keyboard.type("4")
    assert body.input_value() == "They were striped.[@zorblax-1871, p. 4]"
    page.frame_locator("iframe").locator(".notes", has_text="Ann Zorblax, On Stripes (1871), p. 4.").wait_for()
    page.get_by_text("This cites a proposed reference.").wait_for()
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert body.input_value() == "They were striped."


@pytest.mark.full
def test_what_is_there_already_is_used_instead(new_page: "NewPage", member_login: "MemberLogin") -> None:
    page = new_page(320, 700, True)
    member_login(page, "Authors")
    open_form(page)
    page.get_by_role("button", name="Cite…").click()
    page.get_by_role("button", name="Add a reference…").click()
    dialog = page.get_by_role("dialog", name="Add a reference")
    dialog.get_by_label("Title:", exact=True).fill("Mills and millers of the Yarle")
    use = dialog.get_by_role("button", name="Use this one: Mills and Millers of the Yarle")
    use.wait_for()
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    use.click()
    assert page.input_value("#id_body") == "[@arden-1987, p. ]"


@pytest.mark.full
def test_a_session_that_ended_loses_nothing_in_the_dialog(new_page: "NewPage", member_login: "MemberLogin") -> None:
    page = new_page(1400, 900)
    member_login(page, "Authors")
    open_form(page)
    page.get_by_role("button", name="Cite…").click()
    page.get_by_role("button", name="Add a reference…").click()
    dialog = page.get_by_role("dialog", name="Add a reference")
    dialog.get_by_label("Title:", exact=True).fill("On Stripes")
    page.context.clear_cookies(name="sessionid")
    dialog.get_by_role("button", name="Add", exact=True).click()
    dialog.get_by_text("What you typed is still here.").wait_for()
    assert dialog.get_by_label("Title:", exact=True).input_value() == "On Stripes"
    page.keyboard.press("Escape")
    page.wait_for_function("() => document.activeElement.id === 'id_body'")


@pytest.mark.full
def test_without_scripts_it_is_an_ordinary_form(new_page: "NewPage", member_login: "MemberLogin") -> None:
    page = new_page(1000, 900, java_script_enabled=False)
    member_login(page, "Authors")
    page.goto(FORM)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Add a missing reference").click()
    tab = opened.value
    tab.get_by_label("Title:", exact=True).fill("Without Scripts")
    tab.get_by_label("Authors").fill("Zorblax, Eve")
    tab.get_by_role("button", name="Add", exact=True).click()
    tab.get_by_text("Type this into your text: [@zorblax-without, p. ]").wait_for()
    assert tab.get_by_role("button", name="Use").count() == 0


@pytest.mark.full
def test_the_page_of_its_own_has_no_barriers(new_page: "NewPage", member_login: "MemberLogin") -> None:
    found = []
    for width, dark in ((1400, True), (320, False)):
        page = new_page(width, 900, dark)
        member_login(page, "Authors")
        page.goto("/admin/articles/article/references/add/")
        found += barriers(page)
        page.get_by_role("button", name="Add", exact=True).click()
        page.wait_for_selector(".errornote")
        found += barriers(page)
        assert page.evaluate("document.documentElement.scrollWidth") == width
    assert found == []
