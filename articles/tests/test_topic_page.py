import json
from datetime import timedelta
from xml.etree.ElementTree import Element

import pytest
from django.test import Client
from django.utils import timezone

from articles.models import Article
from rlm_site.tests.html import links, meta, parse, text_of

pytestmark = pytest.mark.django_db

ADDRESS = "/yarle-valley/"


@pytest.fixture
def valley(client: Client) -> Element:
    return parse(client.get(ADDRESS))


def test_title_and_heading_are_the_name_of_the_topic(valley: Element) -> None:
    assert text_of(valley.find(".//title")).startswith("Yarle Valley")
    assert [text_of(heading) for heading in valley.iter("h1")] == ["Yarle Valley"]


def test_the_lead_stands_on_the_page(valley: Element) -> None:
    assert "The Yarle Valley is a collective name" in text_of(valley.find(".//main"))


def test_one_sentence_links_all_sections_in_their_order(valley: Element) -> None:
    [sentence] = [p for p in valley.iter("p") if "Read more about" in text_of(p)]
    sections = Article.objects.filter(parent__slug="yarle-valley").order_by("position")
    titles = [section.title for section in sections]
    assert len(titles) == 6
    assert "The Millers" in titles
    assert text_of(sentence).rstrip(".") == "Read more about Yarle Valley: " + ", ".join(titles)
    assert [link.get("href") for link in sentence.iter("a")] == [
        f"/yarle-valley/{section.slug}/" for section in sections
    ]


def test_a_topic_has_no_previous_and_next_section(valley: Element) -> None:
    assert not {"prev", "next"} & {link.get("rel") for link in valley.iter("a")}


def test_a_topic_without_sections_says_nothing_of_them(client: Client) -> None:
    Article.objects.create(title="Zorblax", slug="zorblax", body="Alone.", published=True)
    document = parse(client.get("/zorblax/"))
    assert "Read more about" not in text_of(document)
    assert "Alone." in text_of(document)


def test_sections_follow_their_position(client: Client) -> None:
    topic = Article.objects.create(title="Zorblax", slug="zorblax", published=True)
    for title, position in [("Second", 2), ("First", 1), ("Third", 3)]:
        Article.objects.create(parent=topic, title=title, slug=title.lower(), position=position, published=True)
    [sentence] = [p for p in parse(client.get("/zorblax/")).iter("p") if "Read more about" in text_of(p)]
    assert text_of(sentence).rstrip(".") == "Read more about Zorblax: First, Second, Third"


def test_linked_data_and_open_graph_are_those_of_the_topic(valley: Element) -> None:
    [script] = valley.findall(".//script[@type='application/ld+json']")
    article, crumbs = json.loads(text_of(script))["@graph"]
    assert article["headline"] == "Yarle Valley"
    assert "isPartOf" not in article
    assert len(crumbs["itemListElement"]) == 2
    assert meta(valley, "og:url") == "http://127.0.0.1:8000/yarle-valley/"


def test_wiki_links_of_the_lead_lead_to_public_pages(valley: Element) -> None:
    assert links(valley)["/edgar-tarlow/"] == "Edgar Tarlow"


def test_an_address_without_its_last_slash_is_corrected(client: Client) -> None:
    response = client.get("/yarle-valley")
    assert (response.status_code, response["Location"]) == (301, ADDRESS)


def test_a_withdrawn_topic_says_since_when(client: Client) -> None:
    withdrawn = timezone.now() - timedelta(days=3)
    Article.objects.create(title="Zorblax", slug="zorblax", published=True, retire_at=withdrawn)
    response = client.get("/zorblax/")
    assert response.status_code == 410
    assert withdrawn.strftime("%Y") in text_of(parse(response).find(".//main"))


def test_a_withdrawn_page_leads_to_the_one_that_its_editor_named(client: Client) -> None:
    past = timezone.now() - timedelta(days=3)
    topic = Article.objects.create(
        title="Zorblax", slug="zorblax", published=True, retire_at=past, retired_to="/edgar-tarlow/"
    )
    Article.objects.create(parent=topic, title="Heights", slug="heights", published=True)
    for address in ("/zorblax/", "/zorblax/heights/"):
        response = client.get(address)
        assert (response.status_code, response["Location"]) == (301, "/edgar-tarlow/")


def test_a_page_that_names_itself_as_its_successor_is_just_withdrawn(client: Client) -> None:
    past = timezone.now() - timedelta(days=3)
    Article.objects.create(title="Zorblax", slug="zorblax", published=True, retire_at=past, retired_to="/zorblax/")
    assert client.get("/zorblax/").status_code == 410


def test_a_withdrawn_section_of_a_topic_that_never_was_public_was_never_here(client: Client) -> None:
    past = timezone.now() - timedelta(days=3)
    topic = Article.objects.create(title="Zorblax", slug="zorblax", published=False)
    Article.objects.create(parent=topic, title="Heights", slug="heights", published=True, retire_at=past)
    assert client.get("/zorblax/heights/").status_code == 404
