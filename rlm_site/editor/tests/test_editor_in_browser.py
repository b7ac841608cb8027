"""The editors' desk with mouse and keyboard, in Chromium, against the served site."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from rlm_site.editor.states import STATES
from rlm_site.testing.browser import barriers

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    NewPage = Callable[..., Page]
    Login = Callable[["Page"], None]

pytestmark = pytest.mark.browser


def open_article(page: "Page", title: str) -> None:
    page.goto(f"/admin/articles/article/?q={title.replace(' ', '+')}")
    page.get_by_role("link", name=title, exact=True).first.click()
    page.locator("summary", has_text="Quotations").click()
    page.wait_for_selector(".quotation-panel-words")
    page.wait_for_load_state()  # with its scripts


def write_a_section(page: "Page", title: str) -> None:
    """With a link and a citation found by the dialogs."""
    page.goto("/admin/articles/article/?q=Tolby+Market")
    page.get_by_role("link", name="Tolby Market", exact=True).first.click()
    page.get_by_role("link", name="Add a section").click()
    page.fill("#id_title", title)
    page.fill("#id_summary", "How it was done.")
    page.fill("#id_body", "Written *by hand*, see ")
    page.get_by_role("button", name="Page…").click()
    page.get_by_role("combobox", name="Words from the title").fill("edgar tarl")
    page.get_by_role("option", name="Edgar Tarlow", exact=False).first.click()
    page.get_by_role("button", name="Cite…").click()
    page.get_by_role("combobox", name="Author, title or key").fill("arden")
    page.get_by_role("option", name="arden-1987", exact=False).first.click()
    page.fill("#id_tags", "free software, bread")


def test_a_section_goes_from_its_author_to_readers_and_is_deleted(
    new_page: "NewPage", editor_login: "Login", member_login: "Callable[[Page, str], str]"
) -> None:
    author, publisher, reader = new_page(1400, 900), new_page(1400, 900), new_page()
    name = member_login(author, "Authors")
    write_a_section(author, "A Page of the Browser")
    assert author.input_value("#id_body").startswith("Written *by hand*, see [[Edgar Tarlow]][@arden-1987")
    author.get_by_role("button", name="Send for review…").click()
    author.get_by_role("heading", name="What readers will see").wait_for()
    author.fill("#id_comment", "My first one.")
    author.get_by_role("button", name="Send for review").click()
    author.wait_for_selector(".success")

    member_login(publisher, "Publishers")
    publisher.goto("/admin/articles/article/?state=in_review")
    publisher.get_by_role("link", name="A Page of the Browser").click()
    assert f"{name} sent it for review" in publisher.locator(".current-state").inner_text()
    assert publisher.input_value("#id_tags") == "bread, free software"
    answer = reader.goto("/tolby-market/a-page-of-the-browser/")
    assert answer is not None
    assert answer.status == 404
    publisher.get_by_role("button", name="Publish…").click()
    publisher.get_by_role("heading", name="Checks").wait_for()
    publisher.get_by_role("button", name="Publish changes").click()
    publisher.get_by_role("link", name="See the public page").wait_for()

    reader.goto("/tolby-market/a-page-of-the-browser/")
    assert reader.title().startswith("Tolby Market - A Page of the Browser")
    assert reader.locator(".text a[href='/edgar-tarlow/']").count() == 1
    assert "Arden" in reader.locator(".notes").inner_text()
    reader.goto("/search/?q=browser+page")
    assert reader.get_by_role("link", name="A Page of the Browser").count() == 1

    publisher.get_by_role("link", name="Delete", exact=True).click()
    publisher.get_by_role("button", name="Yes, delete").click()
    publisher.wait_for_selector(".success")
    answer = reader.goto("/tolby-market/a-page-of-the-browser/")
    assert answer is not None
    assert answer.status == 410


@pytest.mark.full
def test_a_section_is_moved_to_another_topic_and_its_old_address_leads_there(
    new_page: "NewPage", editor_login: "Login"
) -> None:
    page, reader = new_page(1400, 900), new_page()
    editor_login(page)
    write_a_section(page, "A Page That Moves")
    page.get_by_role("button", name="Publish…").click()
    page.get_by_role("button", name="Publish changes").click()
    page.get_by_role("link", name="See the public page").wait_for()
    page.locator("#select2-id_parent-container").click()
    page.locator(".select2-search__field").fill("Edgar Tarlow")
    page.get_by_role("option", name="Edgar Tarlow", exact=True).click()
    page.get_by_role("button", name="Save draft").click()
    page.wait_for_selector(".success")

    answer = reader.goto("/tolby-market/a-page-that-moves/")
    assert answer is not None
    assert answer.status == 200
    assert reader.url.endswith("/edgar-tarlow/a-page-that-moves/")
    assert "Arden" in reader.locator(".notes").inner_text()
    assert reader.get_by_role("link", name="bread", exact=True).count() == 1


def test_a_quotation_is_pinned_by_keyboard_and_no_unsaved_text_is_lost(
    new_page: "NewPage", editor_login: "Login"
) -> None:
    page = new_page(1400, 900)
    editor_login(page)
    open_article(page, "Bread Before Noon")
    page.fill("#id_title", "Rivers Before Noon")
    page.wait_for_selector("text=Based on the form as it is now, not saved yet:")
    panel = page.locator(".quotation-panel-body")
    assert "rivers" in panel.locator("h3", has_text="Famous quotes").inner_text()

    pick = panel.locator("button[data-action=pin]").first
    pinned = pick.get_attribute("data-quote")
    pick.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".quotation-panel-message")
    assert panel.locator(f"button[data-action=release][data-quote='{pinned}']").count() == 1
    assert page.input_value("#id_title") == "Rivers Before Noon"

    reader = new_page()
    reader.goto("/tolby-market/bread-before-noon/")
    assert reader.locator("h1").inner_text().endswith("Bread Before Noon")
    assert reader.locator("#quotations").inner_text() == "Famous quotes chosen for this page:"

    panel.locator(f"button[data-action=release][data-quote='{pinned}']").click()
    page.wait_for_selector(f"button[data-action=release][data-quote='{pinned}']", state="detached")
    reader.reload()
    assert "bread" in reader.locator("#quotations").inner_text()


@pytest.mark.full
def test_any_quotation_says_what_kept_it_out(new_page: "NewPage", editor_login: "Login") -> None:
    page = new_page(1400, 900)
    editor_login(page)
    open_article(page, "The Millers")
    page.fill("[data-quotation-search]", "wolf lamb")
    page.press("[data-quotation-search]", "Enter")
    page.wait_for_selector("text=No quotations found.")
    first_shown = page.locator(".quotation-panel-list li p").first.inner_text()
    page.fill("[data-quotation-search]", " ".join(first_shown.split()[:5]))
    page.press("[data-quotation-search]", "Enter")
    page.wait_for_selector("text=It is shown.")
    assert page.evaluate("document.activeElement.matches('[data-quotation-search]')")


@pytest.mark.full
def test_what_is_typed_while_the_panel_is_brought_up_to_date_stays(new_page: "NewPage", editor_login: "Login") -> None:
    page = new_page(1400, 900)
    editor_login(page)
    open_article(page, "The Millers")
    held: list[Route] = []
    page.route("**/quotations/", lambda route: held.append(route))
    with page.expect_request("**/quotations/"):
        page.fill("#id_title", "The Milling Powers")
    page.fill("[data-quotation-search]", "rain")
    for route in held:
        route.continue_()
    page.wait_for_selector("text=Based on the form as it is now, not saved yet:")
    assert page.input_value("[data-quotation-search]") == "rain"
    assert page.evaluate("document.activeElement.matches('[data-quotation-search]')")


LOOKS = [(width, height, dark) for width, height in ((1400, 900), (390, 800)) for dark in (False, True)]


@pytest.mark.full
@pytest.mark.parametrize(
    "address",
    ["/admin/", "/admin/articles/article/", "/admin/articles/article/add/", "/admin/articles/article/coverage/",
     "/admin/articles/article/silence/",
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


@pytest.mark.full
def test_the_change_page_of_an_article_has_no_barriers(new_page: "NewPage", editor_login: "Login") -> None:
    found = []
    for width, height, dark in LOOKS:
        page = new_page(width, height, dark)
        editor_login(page)
        open_article(page, "The Millers")
        page.fill("[data-quotation-search]", "rain")
        page.press("[data-quotation-search]", "Enter")
        page.wait_for_selector("text=It contains no word")
        found += barriers(page)
    assert found == []


@pytest.mark.full
@pytest.mark.parametrize(
    "address",
    [
        *(f"/admin/articles/article/10/{act}/" for act in ("review", "publish", "times", "reviewed")),
        "/admin/articles/reference/1/change/",
        "/admin/quotes/quote/1/change/",
        "/admin/quotes/person/1/change/",
        "/admin/quotes/work/1/change/",
        "/admin/rlm_site/tag/1/change/",
        "/admin/auth/user/1/change/",
        "/admin/auth/group/1/change/",
    ],
)
def test_pages_of_records_and_acts_have_no_barriers(address: str, new_page: "NewPage", editor_login: "Login") -> None:
    found = []
    for width, height, dark in LOOKS[1:3]:  # wide and dark, narrow and light
        page = new_page(width, height, dark)
        editor_login(page)
        page.goto(address)
        assert page.locator("form").count() > 1
        found += barriers(page)
    assert found == []


@pytest.mark.full
@pytest.mark.parametrize(
    "address",
    [
        "/admin/articles/article/",
        "/admin/articles/reference/",
        "/admin/quotes/person/",
        "/admin/quotes/quote/",
        "/admin/quotes/work/",
        "/admin/rlm_site/tag/",
    ],
)
def test_a_list_stays_within_its_window_and_beside_its_filters(
    address: str, new_page: "NewPage", editor_login: "Login"
) -> None:
    page = new_page(1400, 900)
    editor_login(page)
    page.goto(address)
    longest_state = max(map(str, STATES.values()), key=len)
    page.locator("#result_list .state").evaluate_all(
        "(badges, words) => badges.forEach(badge => { badge.textContent = words; })", longest_state
    )
    for width in (1400, 1280, 1024, 800, 390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{address} at {width}"
        table = page.locator("#changelist-form .results").bounding_box()
        contents = page.evaluate("document.querySelector('#changelist-form .results').scrollWidth")
        assert table is not None
        assert contents <= table["width"] + 1, f"{address} at {width}"


@pytest.mark.full
@pytest.mark.parametrize("address", ["/admin/quotes/quote/1/change/", "/admin/articles/article/10/change/"])
def test_a_long_title_leaves_room_for_the_acts(address: str, new_page: "NewPage", editor_login: "Login") -> None:
    page = new_page(1400, 900)
    editor_login(page)
    page.goto(address)
    page.locator("#content > h2").evaluate("title => { title.textContent = 'Providence has given '.repeat(12); }")
    for width in (1400, 1024, 900, 390):
        page.set_viewport_size({"width": width, "height": 900})
        title = page.locator("#content > h2").bounding_box()
        acts = page.locator(".object-tools").bounding_box()
        assert title is not None
        assert acts is not None
        assert title["y"] + title["height"] <= acts["y"], width
