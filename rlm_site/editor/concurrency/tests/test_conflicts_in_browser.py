"""Two browsers edit one article, in Chromium, against the served site; and what a browser keeps of what is typed."""

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from rlm_site.testing.browser import barriers
from rlm_site.testing.served import Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

    NewPage = Callable[..., Page]
    MemberLogin = Callable[["Page", str], str]

pytestmark = pytest.mark.browser

BODY = "The quagga had stripes. It lived in herds.\n\nThe last one died in 1883.\n\nNobody knew."
NEW_ARTICLE = """
from articles.models import Article
from rlm_site.history import revisions
article = Article.objects.create(title="{title}", slug="{title}", body={body!r})
revisions.record_revision(article)
print(article.pk)
"""
ADD = "/admin/articles/article/add/"
SAVE = "input[name=_continue]"


@pytest.fixture
def article(server: Site) -> str:
    """Return the address of a fresh article's form."""
    script = NEW_ARTICLE.format(title=f"quagga-{secrets.token_hex(4)}", body=BODY)
    return f"/admin/articles/article/{server.manage('shell', '-v', '0', given=script).strip()}/change/"


FULL = """
const setItem = Storage.prototype.setItem;
Storage.prototype.setItem = function (key, value) {
    if (key.startsWith("kept ")) throw new DOMException("full", "QuotaExceededError");
    setItem.call(this, key, value);
};
"""
KEPT = "window.kept = () => Object.keys(localStorage).filter((key) => key.startsWith('kept ')).length"


def editor(new_page: "NewPage", member_login: "MemberLogin") -> "Page":
    page = new_page(1200, 900)
    page.context.add_init_script(KEPT)
    member_login(page, "Editors")
    return page


@pytest.fixture
def anna(new_page: "NewPage", member_login: "MemberLogin") -> "Page":
    return editor(new_page, member_login)


@pytest.fixture
def ivan(new_page: "NewPage", member_login: "MemberLogin") -> "Page":
    return editor(new_page, member_login)


def save(page: "Page") -> None:
    page.click(SAVE)
    page.wait_for_selector(".success")


def type_over(page: "Page", address: str, **typed: str) -> None:
    page.goto(address)
    for name, text in typed.items():
        page.fill(f"#id_{name}", text)


@pytest.mark.full
def test_two_browsers_edit_one_article_and_nothing_is_lost(anna: "Page", ivan: "Page", article: str) -> None:
    type_over(ivan, article, body=BODY.replace("1883", "August 1883"), quote_words="herds")
    type_over(anna, article, body=BODY.replace("1883", "1883 in Amsterdam").replace("Nobody", "Hardly anybody"))
    anna.fill("#id_title", "The Quagga")
    save(anna)

    ivan.click(SAVE)
    ivan.wait_for_selector(".conflict")
    ivan.wait_for_function("() => document.activeElement.id === 'conflict-said'")
    assert "added:\nThe Quagga" in ivan.locator(".conflict ins").all_inner_texts()
    found = []
    for width, dark in ((1200, False), (320, False), (1200, True), (320, True)):
        ivan.set_viewport_size({"width": width, "height": 900})
        ivan.emulate_media(color_scheme="dark" if dark else "light")
        ivan.wait_for_timeout(300)  # the admin's links change their colour slowly
        found += barriers(ivan)
        assert ivan.evaluate("document.documentElement.scrollWidth") == width
    assert found == []
    three = ivan.locator(".conflict .three").first
    assert three.locator("h3").all_inner_texts() == ["Yours", "Before", "Theirs"]

    ivan.set_viewport_size({"width": 1200, "height": 900})
    ivan.get_by_role("radio", name="Keep both, one after the other").focus()
    ivan.keyboard.press("Space")
    ivan.get_by_role("button", name="Apply my choices without saving").focus()
    ivan.keyboard.press("Enter")
    ivan.wait_for_selector("text=This is not saved yet.")
    both = "The last one died in August 1883.\n\nThe last one died in 1883 in Amsterdam."
    expected = BODY.replace("The last one died in 1883.", both).replace("Nobody", "Hardly anybody")
    assert ivan.input_value("#id_body") == expected
    save(ivan)

    anna.goto(article)
    assert anna.input_value("#id_body") == expected
    assert anna.input_value("#id_title") == "The Quagga"
    assert anna.input_value("#id_quote_words") == "herds"


@pytest.mark.full
def test_whoever_opens_a_form_sees_who_else_has_it_open(anna: "Page", ivan: "Page", article: str) -> None:
    anna.goto(article)
    with ivan.expect_response("**/presence/"):
        ivan.goto(article)
    ivan.wait_for_function(
        "() => document.querySelector('.presence').textContent.includes('has had this page open since')"
    )
    assert "editors-" in ivan.inner_text(".presence")
    assert barriers(ivan) == []
    anna.goto("/admin/")
    ivan.wait_for_function(
        """() => {
            document.dispatchEvent(new Event("visibilitychange")); // asks now, not some seconds later
            return document.querySelector(".presence").textContent === "";
        }""",
        polling=500,
    )


@pytest.mark.full
def test_text_survives_an_expired_session(anna: "Page", article: str) -> None:
    type_over(anna, article, body="Typed before the session expired.")
    cookies: Any = anna.context.cookies()
    anna.context.clear_cookies(name="sessionid")
    anna.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # or some seconds later
    anna.wait_for_selector("text=You are signed out. What you typed stays here")
    anna.click(SAVE)
    anna.wait_for_selector("text=You are signed out. Nothing has been saved yet.")
    assert barriers(anna) == []
    anna.context.add_cookies(cookies)  # signed in again, in another tab
    anna.goto(article)
    anna.get_by_role("button", name="Restore it").click()
    anna.wait_for_selector("text=This is not saved yet.")
    save(anna)
    assert anna.input_value("#id_body") == "Typed before the session expired."


@pytest.mark.full
def test_text_survives_a_closed_tab_and_is_put_back_or_discarded(
    anna: "Page", article: str, new_page: "NewPage"
) -> None:
    type_over(anna, article, body="Typed in a tab that was closed.", tags="zebras")
    anna.wait_for_function("() => kept() === 1")
    context = anna.context
    anna.close()
    page = context.new_page()
    page.goto(article)
    offer = page.locator(".autosave")
    assert "Text you typed on" in offer.inner_text()
    assert "was not saved." in offer.inner_text()
    assert barriers(page) == []
    assert page.input_value("#id_body") == BODY
    offer.get_by_role("button", name="Restore it").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("text=This is not saved yet.")
    assert page.input_value("#id_body") == "Typed in a tab that was closed."
    assert page.input_value("#id_tags") == "zebras"
    page.goto(article)  # still not saved, and still kept
    page.get_by_role("button", name="Restore it").click()
    page.wait_for_selector("text=This is not saved yet.")
    save(page)
    assert page.locator(".autosave").inner_text() == ""
    assert page.evaluate("kept()") == 0
    page.fill("#id_body", "Typed and not wanted.")
    page.goto("/admin/")
    page.goto(article)
    page.get_by_role("button", name="Discard it").click()
    assert page.evaluate("kept()") == 0
    page.goto(article)
    assert page.locator(".autosave").inner_text() == ""


@pytest.mark.full
def test_kept_text_meets_what_was_saved_since(anna: "Page", ivan: "Page", article: str) -> None:
    type_over(ivan, article, quote_words="herds", title="Ivan’s Quagga")
    ivan.wait_for_function("() => kept() === 1")
    ivan.goto("/admin/")
    type_over(anna, article, title="Anna’s Quagga")
    save(anna)
    ivan.goto(article)
    assert ivan.input_value("#id_title") == "Anna’s Quagga"
    ivan.get_by_role("button", name="Restore it").click()
    ivan.wait_for_selector(".conflict .three")
    ivan.get_by_role("radio", name="Keep yours").check()
    save(ivan)
    assert ivan.input_value("#id_title") == "Ivan’s Quagga"
    assert ivan.input_value("#id_quote_words") == "herds"


@pytest.mark.full
def test_text_of_a_new_record_is_kept_with_its_rows(anna: "Page") -> None:
    anna.goto("/admin/quotes/quote/add/")
    anna.fill("#id_text", "Not one quagga.\nNot two.")
    anna.get_by_role("button", name="Add another Index word").or_(
        anna.get_by_role("link", name="Add another Index word")
    ).click()
    anna.fill("#id_index_terms-0-word", "zebra")
    anna.wait_for_timeout(400)
    anna.goto("/admin/quotes/quote/add/")
    anna.get_by_role("button", name="Restore it").click()
    anna.wait_for_selector("text=This is not saved yet.")
    assert anna.input_value("#id_text") == "Not one quagga.\nNot two."
    assert anna.input_value("#id_index_terms-0-word") == "zebra"
    save(anna)
    assert anna.evaluate("kept()") == 0


@pytest.mark.full
def test_another_account_is_not_offered_the_text(anna: "Page", article: str, member_login: "MemberLogin") -> None:
    type_over(anna, article, body="Anna’s own.")
    anna.wait_for_function("() => kept() === 1")
    anna.goto("/")
    anna.context.clear_cookies()
    member_login(anna, "Editors")
    anna.goto(article)
    assert anna.locator(".autosave").inner_text() == ""
    assert anna.evaluate("kept()") == 1


@pytest.mark.full
def test_a_browser_that_keeps_nothing_says_so_once(anna: "Page", article: str) -> None:
    anna.add_init_script(FULL)
    type_over(anna, article, body="Typed.")
    anna.wait_for_selector("text=This browser cannot keep a copy")
    anna.fill("#id_body", "Typed again.")
    anna.wait_for_timeout(500)
    assert anna.locator("text=This browser cannot keep a copy").count() == 1
    save(anna)
