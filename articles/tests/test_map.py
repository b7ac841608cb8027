"""The map of places, and the small ones on the front page and on the pages of places."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import brotli
import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.utils import timezone

from articles import atlas_views
from articles.models import Article
from rlm_site.page_cache.dependencies import collect_dependencies
from rlm_site.tests.editor import count_queries
from rlm_site.tests.html import links, parse, text_of, with_class

pytestmark = pytest.mark.django_db

VIENNA, BERLIN, POTSDAM, KYIV, AMERICA = "48.21, 16.37", "52.52, 13.41", "52.4, 13.06", "50.45, 30.52", "40.03, -74.62"
DAHLEM = "52.4581, 13.287"


def row(fact: str, value: str) -> dict[str, str]:
    return {"fact": fact, "value": value, "detail": "", "source": ""}


def add(title: str, coordinates: str = "", country: str = "", **fields: Any) -> Article:
    facts = [row("coordinates", coordinates)] * bool(coordinates) + [row("country", country)] * bool(country)
    given = {"slug": title.lower().replace(" ", "-"), "summary": f"Of {title}.", "published": True}
    return Article.objects.create(title=title, kind="place", facts=facts, **(given | fields))


def page(client: Client, address: str = "/map/") -> Element:
    """Return the page, with the elements of SVG by their bare names."""
    document = parse(client.get(address))
    for element in document.iter():
        if isinstance(element.tag, str):
            element.tag = element.tag.removeprefix("{http://www.w3.org/2000/svg}")
    return document


def lines(document: Element) -> list[str]:
    return [text_of(item) for legend in with_class(document, "legend") for item in legend.iter("li")]


def nav(document: Element) -> list[str]:
    [header] = [each for each in document.iter("header") if each.get("class") == "top"]
    return [text_of(item) for item in header.iter("li")]


def dots(document: Element) -> list[Element]:
    return [link for each in with_class(document, "map") for link in each.iter("a") if link.find("circle") is not None]


def test_places_are_numbered_in_the_order_of_the_list_by_country_and_name(client: Client) -> None:
    add("Potsdam", POTSDAM, "Germany (Brandenburg)")
    add("Wien", VIENNA, "[[Tolby Market|Austria]]")
    add("Kiew", KYIV)
    add("Berlin", BERLIN, "Germany")
    add("Dahlem", DAHLEM, "Germany (Berlin)")
    document = page(client)
    assert lines(document) == [
        "1Kiew Of Kiew.",
        "2Wien Of Wien.",
        "3Berlin Of Berlin.Dahlem Of Dahlem.",
        "4Potsdam Of Potsdam.",
    ]
    [legend] = with_class(document, "legend")
    assert [text_of(heading) for heading in legend.iter("h2")] == ["In no country of today", "Austria", "Germany"]
    assert [text_of(dot.find("text")) for dot in dots(document)] == ["1", "2", "3", "4"]
    assert {link.get("href") for link in legend.iter("a")} >= {"/kiew/", "/wien/", "/berlin/", "/dahlem/", "/potsdam/"}
    ids = {element.get("id") for element in document.iter()}
    assert {str(dot.get("href"))[1:] for dot in dots(document)} <= ids
    assert "Places less than 20 km apart share a dot." in text_of(with_class(document, "map")[0])
    assert "5 places" in text_of(document.find(".//main"))


def test_a_dot_at_a_border_stands_under_both_countries(client: Client) -> None:
    add("Schellenberg", "47.2312, 9.5468", "Liechtenstein")
    add("Feldkirch", "47.2371, 9.5981", "Austria")
    document = page(client)
    assert lines(document) == ["1Feldkirch Of Feldkirch.", "1Schellenberg Of Schellenberg."]
    assert len(dots(document)) == 1
    ids = [element.get("id") for element in document.iter() if element.get("id")]
    assert len(ids) == len(set(ids))


def test_a_dot_lies_where_its_place_is(client: Client) -> None:
    add("Berlin", BERLIN)
    [dot] = dots(page(client))
    circle = dot.find("circle")
    assert circle is not None
    assert (circle.get("cx"), circle.get("cy")) == ("366", "305")


def test_places_beyond_the_map_and_without_a_point_are_said_to_be(client: Client) -> None:
    add("Berlin", BERLIN)
    add("Fort Dix", AMERICA)
    add("Nowhere")
    add("Wrong", "91, 500")
    document = page(client)
    assert lines(document) == ["1Berlin Of Berlin.", "–Fort Dix Of Fort Dix."]
    assert "Beyond the map" in text_of(document)
    assert "All places from A to Z; 2, whose point is not known, are only there." in text_of(document)
    assert links(document)["/places/"] == "All places from A to Z"


def test_the_map_says_what_it_shows_and_whose_it_is(client: Client) -> None:
    add("Berlin", BERLIN)
    [figure] = with_class(page(client), "map")
    said = text_of(figure)
    assert "present borders" in said
    assert "Base map: Natural Earth." in said
    assert "Coordinates: GeoNames." in said
    assert "200 km" in said
    assert "thread" not in said
    assert "share a dot" not in said
    [region] = with_class(figure, "plate")
    assert (region.get("role"), region.get("tabindex"), bool(region.get("aria-label"))) == ("region", "0", True)


@pytest.mark.parametrize(
    "hidden",
    [
        {"published": False},
        {"publish_at": timezone.now() + timedelta(days=1)},
        {"retire_at": timezone.now() - timedelta(days=1)},
    ],
)
def test_only_public_places_are_on_a_map(client: Client, hidden: dict[str, Any]) -> None:
    add("Hidden Berlin", BERLIN, **hidden)
    assert "Map" not in nav(page(client, "/"))
    assert "/map/" not in client.get("/sitemap-pages.xml").content.decode()
    assert with_class(page(client, "/"), "map") == []
    add("Wien", VIENNA)
    assert "Hidden" not in client.get("/map/").content.decode()
    assert len(dots(page(client))) == 1
    for address in ("/", "/wien/"):
        [figure] = with_class(page(client, address), "map")
        assert sum(str(path.get("d")).count("M") for path in figure.iter("path")) == 1


def test_an_article_of_another_kind_and_a_section_are_no_places(client: Client) -> None:
    person = add("Berlin", BERLIN)
    Article.objects.filter(pk=person.pk).update(kind="person")
    section = Article.objects.get(slug="the-millers")
    Article.objects.filter(pk=section.pk).update(kind="place", facts=[row("coordinates", VIENNA)])
    assert dots(page(client)) == []
    assert "Map" not in nav(page(client, "/"))
    assert with_class(page(client, section.get_absolute_url()), "map") == []


def test_a_map_without_places_says_so(client: Client) -> None:
    assert "No place on the map has an entry yet." in text_of(page(client).find(".//main"))


def test_a_site_without_a_base_map_has_no_map(client: Client, settings: Any) -> None:
    add("Berlin", BERLIN)
    settings.BASE_MAP = ""
    assert client.get("/map/").status_code == 404
    assert "Map" not in nav(page(client, "/"))
    assert "/map/" not in client.get("/sitemap-pages.xml").content.decode()
    for address in ("/", "/berlin/"):
        assert with_class(page(client, address), "map") == []
        assert "/map/" not in client.get(address).content.decode()


def test_the_site_leads_to_the_map(client: Client) -> None:
    add("Berlin", BERLIN)
    assert "Map" in nav(page(client, "/tags/"))
    assert "/map/</loc>" in client.get("/sitemap-pages.xml").content.decode()
    home = page(client, "/").find(".//main")
    assert home is not None
    assert "Map with names" in [text_of(link) for link in home.iter("a") if link.get("href") == "/map/"]


# Small maps


def paths(document: Element) -> dict[str, int]:
    [figure] = with_class(document, "map")
    return {str(path.get("class")): str(path.get("d")).count("M") for path in figure.iter("path")}


def test_the_page_of_a_place_shows_its_own_dot_among_all(client: Client) -> None:
    add("Berlin", BERLIN)
    add("Wien", VIENNA)
    add("Kiew", KYIV)
    document = page(client, "/wien/")
    assert paths(document) == {"spots": 2, "spots own": 1}
    [link] = with_class(document, "map")[0].iter("a")
    assert link.get("href") == "/map/#place-wien"
    assert paths(page(client, "/")) == {"spots": 3}


def test_a_place_beyond_the_map_or_without_a_point_has_none(client: Client) -> None:
    add("Berlin", BERLIN)
    add("Fort Dix", AMERICA)
    add("Nowhere")
    assert with_class(page(client, "/fort-dix/"), "map") == []
    assert with_class(page(client, "/nowhere/"), "map") == []
    assert paths(page(client, "/")) == {"spots": 1}


def test_a_place_of_its_own_has_a_map_with_one_dot(client: Client) -> None:
    add("Berlin", BERLIN)
    assert paths(page(client, "/berlin/")) == {"spots own": 1}


def test_a_small_map_is_out_of_date_when_any_place_changes_and_only_then(client: Client) -> None:
    place = add("Berlin", BERLIN)
    with collect_dependencies() as dependencies:
        atlas_views.small_map(timezone.now(), place)
    assert set(dependencies) == {"places"}


def test_a_draft_shows_its_own_dot_where_it_would_be(client: Client) -> None:
    place = add("Berlin", BERLIN)
    add("Wien", VIENNA)
    place.facts = [row("coordinates", KYIV)]
    drawn = atlas_views.small_map(timezone.now(), place)
    assert drawn is not None
    assert drawn.own == "M740 366h0"
    assert drawn.dots.count("M") == 1


# Many


def fill(number: int) -> None:
    countries = ("Germany", "Poland", "Czech Republic (Bohemia)", "Ukraine", "")
    for n in range(number):
        coordinates = f"{44 + n * 7.3 % 15:.4f}, {9 + n * 11.7 % 27:.4f}"
        add(f"Okapi {n}", coordinates, countries[n % 5], summary=f"Village {n * n} by the Zorb {n}.")


@pytest.mark.parametrize("address", ["/map/", "/okapi-1/", "/", "/tags/"])
def test_a_page_costs_the_same_however_many_places_there_are(client: Client, address: str) -> None:
    fill(3)
    few = count_queries(client, address)
    Article.objects.filter(kind="place").delete()
    fill(40)
    assert count_queries(client, address) <= few


def test_three_hundred_places_can_still_be_read(client: Client) -> None:
    fill(300)
    response = client.get("/map/")
    document = page(client)
    [legend] = with_class(document, "legend")
    assert len([each for item in legend.iter("li") for each in item.iter("p")]) == 300
    numbered = sum(dot.find("text") is not None for dot in dots(document))
    assert numbered > 0.9 * len(dots(document))
    css = b"".join(Path(str(finders.find(f"css/{name}.css"))).read_bytes() for name in ("tokens", "site"))
    assert len(brotli.compress(response.content)) + len(brotli.compress(css)) <= 20_000


def test_a_long_list_has_the_names_alone(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    add("Berlin", BERLIN)
    add("Wien", VIENNA)
    monkeypatch.setattr(atlas_views, "MOST_WITH_SUMMARY", 1)
    assert lines(page(client)) == ["1Berlin", "2Wien"]
