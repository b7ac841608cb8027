"""How the admin looks, measured in Chromium: errors beside fields, links of one size, and no colours but the site’s."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from rlm_site.testing.browser import barriers

if TYPE_CHECKING:
    from playwright.sync_api import Page

    NewPage = Callable[..., Page]
    Login = Callable[["Page"], None]

pytestmark = pytest.mark.browser

OFFSETS = """() => [...document.querySelectorAll(".form-row ul.errorlist li")].map(error => {
  const field = error.closest(".form-row").querySelector("input:not([type=hidden]), textarea, select, .select2");
  return Math.abs(error.getBoundingClientRect().left - field.getBoundingClientRect().left);
})"""
TOOLS = """() => [...document.querySelectorAll("#user-tools a, #logout-form button")].map(link => {
  const style = getComputedStyle(link), box = link.getBoundingClientRect();
  return [style.fontSize, style.color, style.fontWeight, Math.round(box.height), Math.round(box.top)].join(" ");
})"""
# Pictures of Django's that are seen in their own colours: not masked, and not behind text as a background
PICTURES = """() => [...document.querySelectorAll("*")].filter(element => {
  for (const part of [null, "::before"]) {
    const style = getComputedStyle(element, part);
    if (/\\/icon-|calendar|inline-delete/.test(style.backgroundImage)) return true;
  }
  const style = getComputedStyle(element);
  return element.tagName === "IMG" && /\\/admin\\/img\\//.test(element.src) && style.maskImage === "none";
}).map(element => element.outerHTML.slice(0, 150))"""


@pytest.mark.parametrize(
    ("address", "button"), [("/admin/quotes/quote/add/", "_continue"), ("/admin/auth/user/add/", "_save")]
)
def test_an_error_stands_beside_its_field(
    address: str, button: str, new_page: "NewPage", editor_login: "Login"
) -> None:
    page = new_page()
    editor_login(page)
    page.goto(address)
    page.evaluate("document.querySelectorAll('form').forEach(form => { form.noValidate = true; })")
    page.click(f"[name={button}]")
    page.wait_for_selector(".form-row ul.errorlist li")
    offsets: list[float] = page.evaluate(OFFSETS)
    assert offsets
    assert max(offsets) < 1


def test_the_links_of_the_header_are_of_one_size_and_nothing_is_in_foreign_colours(
    new_page: "NewPage", editor_login: "Login"
) -> None:
    page = new_page(1200, 900)
    editor_login(page)
    assert len(set(page.evaluate(TOOLS))) == 1
    addresses = [
        "/admin/", "/admin/quotes/quote/?q=rain", "/admin/quotes/quote/add/", "/admin/quotes/person/add/",
        "/admin/rlm_site/tag/", "/admin/auth/user/", "/admin/articles/article/add/",
    ]  # fmt: skip
    for address in addresses:
        page.goto(address)
        assert page.evaluate(PICTURES) == [], address


@pytest.mark.full
@pytest.mark.parametrize("options", [{"width": 1400}, {"width": 320}, {"width": 1200, "dark": True}], ids=str)
def test_new_pages_have_no_barriers_and_stay_within_their_window(
    options: dict[str, Any], new_page: "NewPage", editor_login: "Login"
) -> None:
    page = new_page(**options)
    addresses = ["/admin/login/", "/admin/password_reset/", "/admin/password_reset/sent/", "/admin/password_reset/x/y/"]
    inside = [
        "/admin/", "/admin/search/?q=bread", "/admin/search/?q=zzzz", "/admin/articles/article/?tag=none",
        "/admin/quotes/quote/", "/admin/articles/event/", "/admin/auth/user/", "/admin/auth/user/add/",
        "/admin/auth/user/1/change/", "/admin/rlm_site/revision/",
    ]  # fmt: skip
    for address in addresses:
        page.goto(address)
        assert barriers(page) == [], address
    editor_login(page)
    for address in inside:
        page.goto(address)
        assert barriers(page) == [], address
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
