"""Writing an article with mouse and keyboard, in Chromium, against the served site."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from rlm_site.testing.browser import barriers

if TYPE_CHECKING:
    from playwright.sync_api import Page

    NewPage = Callable[..., Page]
    Login = Callable[["Page"], None]

pytestmark = pytest.mark.browser

LIST = "/admin/articles/article/"
LOOKS = [(width, height, dark) for width, height in ((1400, 900), (1200, 900), (320, 900)) for dark in (False, True)]


@pytest.fixture
def editor(new_page: "NewPage", editor_login: "Login") -> "Page":
    page = new_page(1400, 900)
    editor_login(page)
    return page


def open_article(page: "Page", title: str) -> None:
    page.goto(f"{LIST}?q={title.replace(' ', '+')}")
    page.get_by_role("link", name=title, exact=True).first.click()
    page.wait_for_selector("markdown-toolbar")
    page.wait_for_load_state()


def preview(page: "Page") -> str:
    return str(page.frame_locator("iframe").locator("main").inner_text())


def wait_for_preview(page: "Page", words: str) -> None:
    page.frame_locator("iframe").locator("main", has_text=words).wait_for()


def has_focus(page: "Page", selector: str) -> bool:
    return bool(page.evaluate("selector => document.activeElement.matches(selector)", selector))


def tab_to(page: "Page", selector: str, key: str = "Tab") -> None:
    for _press in range(150):
        if has_focus(page, selector):
            return
        page.keyboard.press(key)
    raise AssertionError(f"no way to {selector} with {key}")


@pytest.mark.full
def test_a_section_is_written_with_the_mouse_and_seen_beside_the_form(editor: "Page") -> None:
    page = editor
    open_article(page, "Tolby Market")
    page.get_by_role("link", name="Add a section").click()
    page.fill("#id_title", "Written With a Mouse")
    page.fill("#id_summary", "How it was done.")
    body = page.locator("#id_body")
    body.fill("They came to the river and ")
    page.click("markdown-toolbar [data-opens-dialog=insert-page]")
    page.get_by_role("combobox", name="Words from the title").fill("tarlow led")
    page.get_by_role("option", name="Ledgers and Maps").click()
    body.press_sequentially(" followed.")
    page.click("markdown-toolbar [data-opens-dialog=insert-citation]")
    page.get_by_role("combobox", name="Author, title or key").fill("arden")
    page.get_by_role("option", name="arden-1987").click()
    body.press_sequentially("42")
    assert body.input_value() == (
        "They came to the river and [[Edgar Tarlow#Ledgers and Maps]] followed.[@arden-1987, p. 42]"
    )
    wait_for_preview(page, "p. 42")
    assert "Written With a Mouse" in preview(page)
    assert "They came to the river and Ledgers and Maps followed." in preview(page)
    link = page.frame_locator("iframe").get_by_role("link", name="Ledgers and Maps")
    assert link.get_attribute("href") == "/edgar-tarlow/ledgers-and-maps/"
    assert "No problems found." in page.locator("#checks").inner_text()

    body.press("End")
    body.press_sequentially(" See [[No Such Page]].")
    page.wait_for_selector("#checks code:has-text('[[No Such Page]]')")
    with page.expect_popup() as opened:
        link.click()
    assert opened.value.url.endswith("/edgar-tarlow/ledgers-and-maps/")

    page.get_by_role("button", name="Save draft").click()
    page.wait_for_selector(".success")
    assert "[@arden-1987, p. 42]" in body.input_value()


def test_a_section_is_written_with_the_keyboard_alone(editor: "Page") -> None:
    page = editor
    keys = page.keyboard
    open_article(page, "Tolby Market")
    tab_to(page, "a.addlink[href*='parent=']")
    keys.press("Enter")
    page.wait_for_selector("markdown-toolbar")
    tab_to(page, "#id_title")
    keys.type("Written With Keys")
    tab_to(page, "#id_summary")
    keys.type("How it was done.")
    tab_to(page, "#id_body")
    keys.type("They came to the river and ")
    keys.press("Shift+Tab")
    assert has_focus(page, "markdown-toolbar button")
    keys.press("End")
    keys.press("ArrowLeft")
    assert has_focus(page, "[data-opens-dialog=insert-page]")
    keys.press("Enter")
    assert has_focus(page, "#insert-page-words")
    keys.type("tarlow")
    page.wait_for_selector("#insert-page-list [aria-selected=true]:has-text('Edgar Tarlow')")
    keys.press("ArrowDown")
    keys.press("ArrowUp")
    keys.press("Enter")
    assert has_focus(page, "#id_body")
    keys.type(" crossed it.")

    keys.press("Shift+Tab")
    tab_to(page, "[data-opens-dialog=insert-citation]", "ArrowRight")
    keys.press("Space")
    keys.type("nobody at all")
    page.wait_for_selector("text=No reference has these words.")
    keys.press("Escape")
    assert has_focus(page, "#id_body")
    assert page.input_value("#id_body") == "They came to the river and [[Edgar Tarlow]] crossed it."
    keys.press("Shift+Tab")
    keys.press("Enter")
    keys.type("arden")
    page.wait_for_selector("#insert-citation-list [aria-selected=true]")
    keys.press("Enter")
    keys.type("42")
    wait_for_preview(page, "p. 42")
    assert "They came to the river and Edgar Tarlow crossed it." in preview(page)
    assert has_focus(page, "#id_body")

    keys.press("Tab")
    assert not has_focus(page, "#id_body")
    tab_to(page, "input[name=_continue]")
    keys.press("Enter")
    page.wait_for_selector(".success")
    assert page.input_value("#id_body").endswith("[[Edgar Tarlow]] crossed it.[@arden-1987, p. 42]")


@pytest.mark.full
@pytest.mark.parametrize("leave", ["Escape", "Close"])
def test_a_dialog_that_is_left_hands_the_caret_back_before_the_next_key(editor: "Page", leave: str) -> None:
    page = editor
    open_article(page, "The Millers")
    page.click("[data-opens-dialog=insert-citation]")
    page.evaluate(
        "document.addEventListener('close',"
        " () => { document.body.dataset.focusAtClose = document.activeElement.id; }, {capture: true})"
    )
    if leave == "Escape":
        page.keyboard.press("Escape")
    else:
        page.get_by_role("button", name=leave, exact=True).click()
    page.wait_for_selector("body[data-focus-at-close]")
    assert page.get_attribute("body", "data-focus-at-close") == "id_body"
    assert has_focus(page, "#id_body")


@pytest.mark.full
def test_what_was_selected_becomes_the_words_of_the_link_and_all_of_it_can_be_undone(editor: "Page") -> None:
    page = editor
    open_article(page, "The Millers")
    body = page.locator("#id_body")
    before = body.input_value()
    body.evaluate("field => { field.focus(); field.setSelectionRange(0, 2); }")
    page.click("[data-opens-dialog=insert-page]")
    page.keyboard.press("Control+a")
    page.keyboard.type("edgar tarlow")
    page.wait_for_selector("#insert-page-list [aria-selected=true]:has-text('Edgar Tarlow')")
    page.keyboard.press("Enter")
    assert body.input_value() == f"[[Edgar Tarlow|{before[:2]}]]{before[2:]}"
    page.keyboard.press("Control+z")
    assert body.input_value() == before

    page.click("[data-md-button=header-2]")
    assert body.input_value() == f"## {before}"
    page.keyboard.press("Control+z")
    page.keyboard.press("End")
    page.click("[data-md-button=header-2]")
    assert body.input_value() == f"## {before}"
    page.keyboard.press("Control+z")
    assert body.input_value() == before


@pytest.mark.full
def test_another_topic_is_seen_in_the_preview_as_soon_as_it_is_chosen(editor: "Page") -> None:
    page = editor
    open_article(page, "The Millers")
    wait_for_preview(page, "In the spring of 1845")
    page.click(".field-parent .select2-selection")
    page.keyboard.type("tolby")
    page.locator(".select2-results__option", has_text="Tolby Market").click()
    wait_for_preview(page, "Tolby Market")
    assert page.frame_locator("iframe").locator("h1").inner_text().startswith("Tolby Market")


@pytest.mark.full
def test_the_preview_stays_where_it_was_scrolled_and_takes_no_focus(editor: "Page") -> None:
    page = editor
    open_article(page, "The Millers")
    wait_for_preview(page, "In the spring of 1845")
    scrolled = "frame => frame.contentDocument.documentElement.scrollTop"
    frame = page.locator("iframe")
    frame.evaluate("frame => frame.contentWindow.scrollTo({top: 700, behavior: 'instant'})")
    body = page.locator("#id_body")
    body.focus()
    body.evaluate("field => field.setSelectionRange(0, 0)")
    page.keyboard.type("Zorblax. ")
    wait_for_preview(page, "Zorblax. In the spring")
    assert frame.evaluate(scrolled) == 700
    assert has_focus(page, "#id_body")
    assert body.evaluate("field => field.selectionStart") == len("Zorblax. ")


@pytest.mark.full
def test_panels_stay_as_they_were_left(editor: "Page") -> None:
    page = editor
    open_article(page, "The Millers")
    page.click("#checks > summary")
    page.click("#quotations > summary")
    page.reload()
    is_open = page.locator(".side-panels> details").evaluate_all("all => all.map(panel => [panel.id, panel.open])")
    assert is_open == [["checks", False], ["quotations", True], ["preview", True]]
    page.fill("#id_body", "[[No Such Page]]")
    wait_for_preview(page, "No Such Page")
    page.click("#checks > summary")
    page.wait_for_selector("#checks code:has-text('[[No Such Page]]')")


@pytest.mark.full
def test_a_session_that_has_ended_is_said_and_the_text_stays(editor: "Page") -> None:
    page = editor
    open_article(page, "The Millers")
    wait_for_preview(page, "In the spring of 1845")
    page.context.clear_cookies(name="sessionid")
    page.locator("#id_body").press_sequentially("Zorblax.")
    page.wait_for_selector("#preview .panel-failed")
    page.wait_for_selector("#checks .panel-failed")
    assert "Zorblax." in page.input_value("#id_body")
    assert "Sign in" not in preview(page)


@pytest.mark.full
def test_sections_are_ordered_with_the_keyboard_and_the_focus_stays_on_the_row(editor: "Page") -> None:
    page = editor
    open_article(page, "Yarle Valley")
    page.get_by_role("link", name="Order of sections").click()
    titles = page.locator(".ordering-title a").all_inner_texts()
    button = page.locator(".ordering li").nth(1).get_by_role("button", name="Down")
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("text=is now section 3 of")
    moved = [titles[0], titles[2], titles[1], *titles[3:]]
    assert page.locator(".ordering-title a").all_inner_texts() == moved
    row = page.locator(".ordering li").nth(2)
    assert row.get_by_role("button", name="Down").evaluate("button => button === document.activeElement")
    tab_to(page, "button[value$=' up']", "Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=is now section 2 of")
    assert page.locator(".ordering-title a").all_inner_texts() == titles


@pytest.mark.full
def test_the_form_is_as_wide_as_it_reads_best_and_the_panels_stand_beside_it(
    new_page: "NewPage", editor_login: "Login"
) -> None:
    for width, beside in ((1400, True), (1280, True), (1200, False), (320, False)):
        page = new_page(width, 900)
        editor_login(page)
        open_article(page, "The Millers")
        body, panels, form = (
            page.locator(name).first.evaluate("element => element.getBoundingClientRect().toJSON()")
            for name in ("#id_body", ".side-panels", "fieldset.module")
        )
        assert (panels["x"] >= form["x"] + form["width"]) == beside, width
        assert body["height"] >= 540
        if beside:
            assert (form["width"], panels["width"]) == (704, 416)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        summaries = page.locator(".side-panels> details > summary").all_inner_texts()
        assert summaries == ["Checks", "Quotations", "Preview"]


@pytest.mark.full
def test_the_pages_of_writing_have_no_barriers(new_page: "NewPage", editor_login: "Login") -> None:
    found = []
    for width, height, dark in LOOKS:
        page = new_page(width, height, dark)
        editor_login(page)
        open_article(page, "Tolby Market")
        page.evaluate("document.querySelectorAll('.side-panelsdetails').forEach(panel => { panel.open = true; })")
        wait_for_preview(page, "Tolby")
        page.fill("#id_body", "[[No Such Page]]")
        page.wait_for_selector("#checks code")
        found += barriers(page)
        topic = page.url.split("/change/")[0]
        page.click("[data-opens-dialog=insert-page]")
        page.fill("#insert-page-words", "tarlow")
        page.wait_for_selector("#insert-page-list [role=option]")
        found += barriers(page)
        for address in (f"{LIST}add/", f"{topic}/sections/", f"{topic}/preview-links/"):
            page.goto(address)
            found += barriers(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (address, width)
        page.get_by_role("button", name="Create a link to the newest version").click()
        page.wait_for_selector(".success")
        found += barriers(page)
    assert found == []
