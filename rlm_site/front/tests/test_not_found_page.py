"""An address at which there is no page leads to what was meant, or names it."""

import pytest
from django.test import Client

from articles.models import Article
from rlm_site.tests.html import parse, text_of

pytestmark = pytest.mark.django_db


def nearest(client: Client, path: str) -> list[str]:
    response = client.get(path)
    assert response.status_code == 404, path
    sections = [each for each in parse(response).iter("section") if each.get("aria-labelledby") == "nearest"]
    return [str(link.get("href")) for section in sections for link in section.iter("a")]


def entry(slug: str, *names: str, **fields: object) -> Article:
    aliases = [{"name": name, "language": "", "note": ""} for name in names]
    fields = {"title": slug.title(), "body": "It was there.", "published": True, **fields}
    return Article.objects.create(slug=slug, aliases=aliases, **fields)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/yarle-valley/the-milers/", "/yarle-valley/the-millers/"),
        ("/yarle-valley/low-watre/", "/yarle-valley/low-water/"),
        ("/yarle-vally/the-source/", "/yarle-valley/the-source/"),
        ("/the-millers/", "/yarle-valley/the-millers/"),
        ("/edgar-tarlof/", "/edgar-tarlow/"),
        ("/edgar-tarlof/zorblax/", "/edgar-tarlow/"),
        ("/edgar-tarlow/the-millers/", "/yarle-valley/the-millers/"),
        ("/tolby-market/bread-at-noon/", "/tolby-market/bread-before-noon/"),
    ],
)
def test_the_page_that_was_meant_is_named_first(client: Client, path: str, meant: str) -> None:
    assert nearest(client, path)[0] == meant


def test_a_page_beside_the_address_comes_before_one_elsewhere(client: Client) -> None:
    entry("the-miller")
    assert nearest(client, "/yarle-valley/the-milers/")[:1] == ["/yarle-valley/the-millers/"]
    assert nearest(client, "/the-milers/")[:1] == ["/the-miller/"]


def test_where_no_address_is_like_it_its_words_are_looked_for(client: Client) -> None:
    entry("quagga", title="The Striped Beast", body="Of zebras.")
    assert nearest(client, "/zoo/striped-zebras/") == ["/quagga/"]


def test_what_is_not_public_is_not_named(client: Client) -> None:
    entry("quaggafield", published=False)
    assert nearest(client, "/quagafield/") == []


def test_other_names_lead_to_the_entry(client: Client) -> None:
    entry("quagga", "Zebra Minor", "Куагга")
    Article.objects.create(parent=Article.objects.get(slug="quagga"), title="Herds", slug="herds", published=True)
    for path, target in {
        "/zebra-minor/": "/quagga/",
        "/Zebra-Minor": "/quagga/",
        "/kuagga/": "/quagga/",
        "/куагга/": "/quagga/",
        "/zebra-minor/herds/": "/quagga/herds/",
    }.items():
        response = client.get(path)
        assert (response.status_code, response.get("Location")) == (301, target), path


def test_another_name_of_a_term_without_a_page_leads_to_the_glossary(client: Client) -> None:
    entry("quag", "Zebra Minor", body="", kind="term")
    response = client.get("/zebra-minor/")
    assert (response.status_code, response["Location"]) == (301, "/glossary/#quag")


def test_the_words_of_the_address_can_be_searched_for(client: Client) -> None:
    page = parse(client.get("/no-such/page-here/"))
    assert [field.get("value") for field in page.iter("input") if field.get("name") == "q"][-1] == "no such page here"
    assert "There is no page" in text_of(page.find(".//main"))
