"""The map as Chromium draws it: the base map under the dots, numbers that lead to the list, wide and narrow."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from rlm_site.testing.browser import barriers
from rlm_site.testing.served import Site

if TYPE_CHECKING:
    from playwright.sync_api import Page

    NewPage = Callable[..., Page]

pytestmark = pytest.mark.browser

PLACES = """
from articles.models import Article
for n, (name, point) in enumerate([("Berlin", "52.52, 13.41"), ("Wien", "48.21, 16.37"), ("Kiew", "50.45, 30.52")]):
    facts = [{"fact": "coordinates", "value": point}, {"fact": "country", "value": "Land"}]
    Article.objects.create(
        title=name, slug=f"zorb-{n}", kind="place", facts=facts, body="A place.", summary="A place.", published=True
    )
"""


@pytest.fixture
def places(server: Site) -> Iterator[None]:
    server.manage("shell", given=PLACES)
    yield
    server.manage("shell", given="from articles.models import Article; Article.objects.filter(kind='place').delete()")


@pytest.mark.full
def test_the_map_is_drawn_and_has_no_barriers(new_page: "NewPage", places: None) -> None:
    for width, dark in ((1400, False), (1024, True), (360, False), (320, True)):
        page = new_page(width, 800, dark=dark)
        for address, dots in (("/map/", 3), ("/zorb-1/", 0), ("/", 0)):
            page.goto(address)
            page.wait_for_load_state("networkidle")
            assert page.evaluate("document.querySelector('.map use').getBBox().width") > 500
            assert page.locator(".map circle").count() == dots
            assert barriers(page) == []
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_number_leads_to_its_line_and_a_small_map_to_the_large_one(new_page: "NewPage", places: None) -> None:
    page = new_page(1400, 800)
    page.goto("/map/")
    page.locator(".map circle").nth(1).click()
    page.wait_for_url("**/map/#place-zorb-2")
    page.goto("/zorb-1/")
    page.locator(".map a").click()
    page.wait_for_url("**/map/#place-zorb-1")
    assert page.locator(".legend :target").inner_text().startswith("Wien")


def test_on_a_phone_the_map_keeps_its_size_and_scrolls_by_keyboard(new_page: "NewPage", places: None) -> None:
    page = new_page(360, 740)
    page.goto("/map/")
    page.wait_for_load_state("networkidle")
    plate = page.locator(".plate")
    assert page.evaluate("document.querySelector('.map svg').getBoundingClientRect().width") > 800
    plate.focus()
    for _time in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('.plate').scrollLeft > 0")
