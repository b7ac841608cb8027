import json
import re
from datetime import timedelta
from xml.etree.ElementTree import Element

import pytest
from django.test import Client
from django.utils import timezone

from articles.models import Article
from rlm_site.tests.html import links, meta, parse, text_of

pytestmark = pytest.mark.django_db

ADDRESS = "/russian-liberation-movement/"


@pytest.fixture
def movement(client: Client) -> Element:
    return parse(client.get(ADDRESS))


def test_title_and_heading_are_the_name_of_the_topic(movement: Element) -> None:
    assert text_of(movement.find(".//title")).startswith("Russian Liberation Movement")
    assert [text_of(heading) for heading in movement.iter("h1")] == ["Russian Liberation Movement"]


def test_the_lead_stands_on_the_page(movement: Element) -> None:
    assert "The Russian Liberation Movement is a collective name" in text_of(movement.find(".//main"))


def test_one_sentence_links_all_sections_in_their_order(movement: Element) -> None:
    [sentence] = [p for p in movement.iter("p") if "Read more about" in text_of(p)]
    sections = Article.objects.filter(parent__slug="russian-liberation-movement").order_by("position")
    titles = [section.title for section in sections]
    assert len(titles) >= 10
    assert "The Allies" in titles
    assert text_of(sentence).rstrip(".") == "Read more about Russian Liberation Movement: " + ", ".join(titles)
    assert [link.get("href") for link in sentence.iter("a")] == [
        f"/russian-liberation-movement/{section.slug}/" for section in sections
    ]


def test_every_shown_quotation_bears_out_a_word_of_the_line_above_it(client: Client) -> None:
    lines = set()
    for topic in Article.objects.filter(parent=None):
        document = parse(client.get(f"/{topic.slug}/"))
        headings = [text_of(heading) for heading in document.iter("h2")]
        line = next((heading for heading in headings if heading.startswith("Famous quotes containing the word")), "")
        words = set(re.sub(r"^.*the words? |:$", "", line).replace(" and/or ", ", ").split(", "))
        for quotation in document.iter("blockquote") if line else ():
            assert words & {text_of(mark).lower() for mark in quotation.iter("mark")}
        lines.add(line)
    assert len(lines) >= 5
    assert any("the words" in line for line in lines)


def test_a_topic_has_no_previous_and_next_section(movement: Element) -> None:
    assert not {"prev", "next"} & {link.get("rel") for link in movement.iter("a")}


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


def test_linked_data_and_open_graph_are_those_of_the_topic(movement: Element) -> None:
    [script] = movement.findall(".//script[@type='application/ld+json']")
    article, crumbs = json.loads(text_of(script))["@graph"]
    assert article["headline"] == "Russian Liberation Movement"
    assert "isPartOf" not in article
    assert len(crumbs["itemListElement"]) == 2
    assert meta(movement, "og:url") == "http://127.0.0.1:8000/russian-liberation-movement/"


def test_wiki_links_of_the_lead_lead_to_public_pages(movement: Element) -> None:
    assert links(movement)["/andrey-vlasov/"] == "Andrey Vlasov"


def test_an_address_without_its_last_slash_is_corrected(client: Client) -> None:
    response = client.get("/russian-liberation-movement")
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
        title="Zorblax", slug="zorblax", published=True, retire_at=past, retired_to="/andrey-vlasov/"
    )
    Article.objects.create(parent=topic, title="Heights", slug="heights", published=True)
    for address in ("/zorblax/", "/zorblax/heights/"):
        response = client.get(address)
        assert (response.status_code, response["Location"]) == (301, "/andrey-vlasov/")


def test_a_page_that_names_itself_as_its_successor_is_just_withdrawn(client: Client) -> None:
    past = timezone.now() - timedelta(days=3)
    Article.objects.create(title="Zorblax", slug="zorblax", published=True, retire_at=past, retired_to="/zorblax/")
    assert client.get("/zorblax/").status_code == 410


def test_a_withdrawn_section_of_a_topic_that_never_was_public_was_never_here(client: Client) -> None:
    past = timezone.now() - timedelta(days=3)
    topic = Article.objects.create(title="Zorblax", slug="zorblax", published=False)
    Article.objects.create(parent=topic, title="Heights", slug="heights", published=True, retire_at=past)
    assert client.get("/zorblax/heights/").status_code == 404
