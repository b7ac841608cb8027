import pytest
from django.test import Client

from articles import markdown
from articles.models import Article, Reference
from rlm_site.tests.html import parse, text_of

pytestmark = pytest.mark.django_db


def entry(client: Client, key: str) -> dict[str | None, str]:
    """Address -> text of the links in the entry of a work; empty where it is not listed."""
    for item in parse(client.get("/references/")).iter("li"):
        if item.get("id") == key:
            return {link.get("href"): text_of(link) for link in item.iter("a")}
    return {}


def test_every_cited_work_is_listed_with_the_pages_that_cite_it(client: Client) -> None:
    pages = entry(client, "jones-after-the-flood")
    assert pages["/yarle-valley/the-millers/"] == "Yarle Valley - The Millers"


def test_a_work_that_no_page_cites_is_not_listed(client: Client) -> None:
    Reference.objects.create(key="zorblax-1950", title="On Zorblax", authors="Blax, Zora", year="1950")
    assert "On Zorblax" not in text_of(parse(client.get("/references/")))


def test_a_work_appears_with_the_first_page_that_cites_it(client: Client) -> None:
    client.get("/references/")
    Reference.objects.create(key="zorblax-1950", title="On Zorblax", authors="Blax, Zora", year="1950")
    Article.objects.create(title="Zorblax", slug="zorblax", body="It is.[@zorblax-1950]", published=True)
    document = parse(client.get("/references/"))
    assert "Blax, Zora. On Zorblax (1950)." in text_of(document)
    assert "/zorblax/" in entry(client, "zorblax-1950")


def test_every_reference_record_is_cited(client: Client) -> None:
    listed = {item.get("id") for item in parse(client.get("/references/")).iter("li")}
    assert set(Reference.objects.values_list("key", flat=True)) <= listed


def test_no_citation_lacks_its_record() -> None:
    keys = set(Reference.objects.values_list("key", flat=True))
    unknown = {
        (article.slug, cited.key)
        for article in Article.objects.all()
        for cited in markdown.source(article.body).citations
        if cited.key not in keys
    }
    assert unknown == set()
