"""Writing with the keyboard: shortcuts, the buttons of the toolbar, and the way from the text to saving."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from rlm_site.testing.browser import barriers

if TYPE_CHECKING:
    from playwright.sync_api import Page

    NewPage = Callable[..., Page]
    Login = Callable[["Page"], None]

pytestmark = pytest.mark.browser

FIELD = "#id_body"


@pytest.fixture
def editor(new_page: "NewPage", editor_login: "Login") -> "Page":
    page = new_page(1400, 900)
    editor_login(page)
    page.goto("/admin/articles/article/add/")
    page.wait_for_selector("markdown-toolbar")
    page.wait_for_load_state()
    return page


def has_focus(page: "Page", selector: str) -> bool:
    return bool(page.evaluate("selector => document.activeElement.matches(selector)", selector))


def typed(page: "Page", text: str, start: int, end: int) -> None:
    page.fill(FIELD, text)
    page.locator(FIELD).evaluate("(field, [start, end]) => field.setSelectionRange(start, end)", [start, end])


def test_the_keys_and_buttons_of_the_text(editor: "Page") -> None:
    page = editor
    for key, result in (("b", "A **weir** here"), ("i", "A _weir_ here"), ("k", "A [weir](url) here")):
        typed(page, "A weir here", 2, 6)
        page.keyboard.press(f"Control+{key}")
        assert page.input_value(FIELD) == result
        assert has_focus(page, FIELD)
        page.keyboard.press("Control+z")
        assert page.input_value(FIELD) == "A weir here"
    typed(page, "A weir.", 7, 7)
    page.get_by_role("button", name="Note").click()
    page.keyboard.press("Control+z")
    assert page.input_value(FIELD) == "A weir."
    page.get_by_role("button", name="Note").click()
    page.keyboard.type("Of stone.")
    assert page.input_value(FIELD) == "A weir.^[Of stone.]"
    typed(page, "Before.\nAfter.", 7, 7)
    page.get_by_role("button", name="Table").click()
    page.keyboard.type("Year")
    table = "| Year | Heading |\n| --- | --- |\n|  |  |"
    assert page.input_value(FIELD) == f"Before.\n\n{table}\n\nAfter."


@pytest.mark.full
def test_a_key_is_where_it_is_on_a_cyrillic_keyboard(editor: "Page") -> None:
    typed(editor, "weir", 0, 4)
    editor.locator(FIELD).evaluate(
        "field => field.dispatchEvent(new KeyboardEvent('keydown',"
        " {key: 'и', code: 'KeyB', ctrlKey: true, bubbles: true, cancelable: true}))"
    )
    assert editor.input_value(FIELD) == "**weir**"


@pytest.mark.parametrize("width", [1400, 1000, 320])
@pytest.mark.full
def test_from_the_text_to_saving_in_at_most_five_tabs(new_page: "NewPage", editor_login: "Login", width: int) -> None:
    page = new_page(width, 900)
    editor_login(page)
    for address in ("/admin/articles/article/add/", "/admin/articles/article/?q=The+Millers"):
        page.goto(address)
        if "?q" in address:
            page.get_by_role("link", name="The Millers", exact=True).first.click()
        page.wait_for_selector("markdown-toolbar")
        page.focus(FIELD)
        passed = []
        while not has_focus(page, "[name=_continue], [name=_save]"):
            page.keyboard.press("Tab")
            passed.append(page.evaluate("document.activeElement.outerHTML.slice(0, 40)"))
            assert len(passed) <= 5, passed
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        bar, panels = (
            page.locator(name).evaluate("element => element.getBoundingClientRect().top + scrollY")
            for name in (".submit-row", ".side-panels")
        )
        assert bar > panels or width == 1400
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_draft_is_saved_by_a_key_and_the_caret_stays(editor: "Page") -> None:
    page = editor
    page.fill("#id_title", "Saved by a Key")
    page.fill("#id_summary", "How it was done.")
    page.fill("#id_tags", "zorbing")
    page.focus(FIELD)
    page.keyboard.type("In the spring of 1845.")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Control+s")
    page.wait_for_selector(".success")
    assert page.url.endswith("/change/")
    page.wait_for_function("() => document.activeElement.id === 'id_body'")
    page.keyboard.type(", they say")
    assert page.input_value(FIELD) == "In the spring of 1845, they say."
    page.click("[data-opens-dialog=insert-page]")
    page.keyboard.press("Control+s")
    assert page.locator("dialog[open]").count() == 1


def test_a_new_tag_is_seen_in_the_preview(editor: "Page") -> None:
    page = editor
    page.fill("#id_title", "A Page of the Keys")
    page.fill("#id_tags", "bread, zorbing at night")
    tags = page.frame_locator("iframe").locator(".tags li")
    tags.get_by_text("zorbing at night").wait_for()
    assert tags.all_inner_texts() == ["bread", "zorbing at night"]


def test_whoever_must_sign_in_again_is_told_why_and_that_the_text_is_safe(editor: "Page") -> None:
    page = editor
    page.fill("#id_title", "Kept in the Browser")
    page.wait_for_function("() => Object.keys(localStorage).some((key) => key.startsWith('kept '))")
    page.context.clear_cookies(name="sessionid")
    page.goto("/admin/articles/article/add/")
    assert "your session has ended" in page.locator(".why-sign-in").inner_text()
    assert "Your text is safe" in page.locator(".why-sign-in").inner_text()
    assert barriers(page) == []
    page.evaluate("localStorage.clear()")
    page.reload()
    assert "Your text is safe" not in page.locator(".why-sign-in").inner_text()
    page.goto("/admin/login/?next=/admin/")
    assert page.locator(".why-sign-in").count() == 0


@pytest.mark.full
def test_the_help_has_no_barriers(new_page: "NewPage", editor_login: "Login") -> None:
    found = []
    for width, dark in ((1400, False), (320, True)):
        page = new_page(width, 900, dark)
        editor_login(page)
        page.goto("/admin/articles/article/markdown/")
        found += barriers(page)
        assert page.evaluate("document.documentElement.scrollWidth") == width
    assert found == []
