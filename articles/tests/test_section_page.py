import json
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from django.test import Client
from django.utils import timezone

from articles.models import Article, QuoteChoice, Reference
from quotes.models import Person, Quote
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.tags.models import Tag
from rlm_site.tests.html import links, meta, parse, text_of, with_class

pytestmark = pytest.mark.django_db

ADDRESS = "/russian-liberation-movement/the-allies/"
SONTAG = (
    "... liberal intellectuals ... tend to have a classical theory of politics, in which the state has a monopoly of "
    "power; hoping that those in positions of authority may prove to be enlightened men, wielding power justly, they "
    "are natural, if cautious, allies of the “establishment.”"
)
GANNETT = (
    "They tell us that women can bring better things to pass by indirect influence. Try to persuade any man that he "
    "will have more weight, more influence, if he gives up his vote, allies himself with no party and relies on "
    "influence to achieve his ends! By all means let us use to the utmost whatever influence we have, but in all "
    "justice do not ask us to be content with this."
)


@pytest.fixture
def the_allies(client: Client) -> Element:
    return parse(client.get(ADDRESS))


def add_section(**fields: Any) -> Article:
    topic = Article.objects.get(slug="russian-liberation-movement")
    return Article.objects.create(**{"parent": topic, "published": True, "position": 99, **fields})


def test_the_title_begins_with_topic_and_section(the_allies: Element) -> None:
    assert text_of(the_allies.find(".//title")).startswith("Russian Liberation Movement - The Allies")


def test_the_heading_shows_the_same_two_parts(the_allies: Element) -> None:
    headings = the_allies.findall(".//h1")
    assert [text_of(heading) for heading in headings] == ["Russian Liberation Movement - The Allies"]


def test_the_body_stands_in_the_main_part(the_allies: Element) -> None:
    text = text_of(the_allies.find(".//main"))
    assert "In the spring of 1945 Vlasov's supporters" in text or "In the spring of 1945 Vlasov’s supporters" in text
    assert links(the_allies)["/smolensk-and-prague-programmes/"] == "Smolensk appeal"


def test_it_says_where_more_about_its_topic_is(the_allies: Element) -> None:
    sentences = [element for element in the_allies.iter("p") if "Read more about this topic:" in text_of(element)]
    assert [text_of(sentence) for sentence in sentences] == ["Read more about this topic: Russian Liberation Movement"]
    assert [(link.get("href"), text_of(link)) for link in sentences[0].iter("a")] == [
        ("/russian-liberation-movement/", "Russian Liberation Movement")
    ]


def test_quotations_follow_under_the_word_that_they_contain(the_allies: Element) -> None:
    assert "Famous quotes containing the word allies:" in [text_of(heading) for heading in the_allies.iter("h2")]
    words = [text_of(element) for element in the_allies.iter()]
    heading = words.index("Famous quotes containing the word allies:")
    body = next(place for place, text in enumerate(words) if text.startswith("In the spring of 1945"))
    assert body < heading
    assert all(place > heading for place, text in enumerate(words) if text == SONTAG)


@pytest.mark.parametrize(
    ("quotation", "attribution"),
    [
        (SONTAG, "Susan Sontag (1933–2004)"),
        (
            GANNETT,
            "Mrs. William C. Gannett, U.S. suffragist. As quoted in History of Woman Suffrage, vol. 5, ch. 8, "
            "by Ida Husted Harper (1922)",
        ),
    ],
    ids=["Sontag", "Gannett"],
)
def test_the_model_quotations_are_shown_word_by_word_and_attributed_in_full(
    the_allies: Element, quotation: str, attribution: str
) -> None:
    figures = [figure for figure in the_allies.iter("figure") if text_of(figure.find(".//blockquote")) == quotation]
    assert len(figures) == 1
    assert [text_of(mark) for mark in figures[0].iter("mark")] == ["allies"]
    assert text_of(figures[0].find(".//figcaption")).startswith(attribution)
    assert Quote.objects.filter(text=quotation).count() == 1


def test_no_more_than_three_quotations_and_none_twice_are_shown(the_allies: Element) -> None:
    shown = [text_of(quotation) for quotation in the_allies.iter("blockquote")]
    assert 2 <= len(shown) <= 3
    assert len(set(shown)) == len(shown)


def test_previous_and_next_section_are_linked(the_allies: Element) -> None:
    neighbours = {link.get("rel"): link.get("href") for link in the_allies.iter("a") if link.get("rel")}
    neighbours = {rel: address for rel, address in neighbours.items() if rel in {"prev", "next"}}
    assert neighbours == {
        "prev": "/russian-liberation-movement/crimes-and-victims/",
        "next": "/russian-liberation-movement/prague-the-last-battle/",
    }


@pytest.mark.parametrize(
    ("address", "absent"),
    [
        ("/russian-liberation-movement/beginnings/", "prev"),
        ("/russian-liberation-movement/exile-and-memory/", "next"),
    ],
)
def test_the_first_section_has_no_previous_one_and_the_last_no_next(client: Client, address: str, absent: str) -> None:
    kinds = {link.get("rel") for link in parse(client.get(address)).iter("a")}
    assert absent not in kinds
    assert {"prev", "next"} - {absent} <= kinds


def test_the_contents_name_every_section_in_order_and_mark_the_present_one(the_allies: Element) -> None:
    contents = next(nav for nav in the_allies.iter("nav") if "Contents" in nav.get("aria-label", ""))
    sections = Article.objects.filter(parent__slug="russian-liberation-movement").order_by("position")
    assert [text_of(item) for item in contents.iter("li")] == [section.title for section in sections]
    present = [element for element in contents.iter() if element.get("aria-current") == "page"]
    assert [text_of(element) for element in present] == ["The Allies"]
    assert ADDRESS not in [link.get("href") for link in contents.iter("a")]


def test_notes_are_numbered_and_lead_back_to_their_place(the_allies: Element) -> None:
    by_id = {element.get("id"): element for element in the_allies.iter() if element.get("id")}
    markers = [link for link in the_allies.iter("a") if str(link.get("href", "")).startswith("#note-")]
    assert len(markers) >= 2
    for marker in markers:
        note = by_id[marker.get("href", "")[1:]]
        assert f"#{marker.get('id')}" in [link.get("href") for link in note.iter("a")]
    assert text_of(markers[0]) == "1"
    notes = " ".join(text_of(by_id[marker.get("href", "")[1:]]) for marker in markers)
    assert "Foreign Relations of the United States" in notes
    assert "doc. 1150" in notes


def test_a_source_cited_twice_at_one_place_is_one_note_with_two_ways_back(client: Client) -> None:
    Reference.objects.create(key="zorblax-1950", title="On Zorblax", authors="Blax, Zora", year="1950")
    add_section(title="Zorblax", slug="zorblax", body="One.[@zorblax-1950, p. 3]\n\nTwo.[@zorblax-1950, p. 3]\n")
    document = parse(client.get("/russian-liberation-movement/zorblax/"))
    notes = [element for element in document.iter("li") if str(element.get("id", "")).startswith("note-")]
    assert len(notes) == 1
    assert "Zora Blax, On Zorblax (1950), p. 3." in text_of(notes[0])
    ways_back = [link.get("href", "") for link in notes[0].iter("a") if str(link.get("href")).startswith("#")]
    assert len(ways_back) == 2
    assert {way[1:] for way in ways_back} <= {element.get("id") for element in document.iter()}


def test_works_cited_are_listed_in_full(the_allies: Element) -> None:
    text = text_of(the_allies.find(".//main"))
    assert "Birstein, Vadim" in text


def test_tags_lead_to_their_pages(the_allies: Element) -> None:
    tags = Tag.objects.filter(taggedarticle_items__content_object__slug="the-allies")
    assert tags
    shown = {link.get("href"): text_of(link) for link in the_allies.iter("a") if link.get("rel") == "tag"}
    assert shown == {f"/tags/{tag.slug}/": tag.name for tag in tags}


def test_the_day_of_the_last_notable_change_is_shown(client: Client) -> None:
    section = Article.objects.get(slug="the-allies")
    changed = timezone.now()
    revisions.record_revision(section, state=Revision.State.PUBLISHED, kind=Revision.Kind.CORRECTION, created=changed)
    later = changed + timedelta(days=40)
    revisions.record_revision(section, state=Revision.State.PUBLISHED, kind=Revision.Kind.NONE, created=later)
    document = parse(client.get(ADDRESS))
    dates = [element.get("datetime") for element in document.iter("time")]
    assert f"{changed:%Y-%m-%d}" in dates
    assert f"{later:%Y-%m-%d}" not in dates
    assert f"{changed.day} {changed:%B %Y}" in text_of(document.find(".//main"))


def test_the_page_says_how_to_cite_it(the_allies: Element) -> None:
    text = text_of(the_allies.find(".//main"))
    assert "Cite this page" in text
    assert "http://127.0.0.1:8000/russian-liberation-movement/the-allies/" in text


def test_its_canonical_address_is_that_of_the_site(client: Client) -> None:
    document = parse(client.get(ADDRESS + "?utm_source=elsewhere"))
    canonical = [link.get("href") for link in document.iter("link") if link.get("rel") == "canonical"]
    assert canonical == ["http://127.0.0.1:8000/russian-liberation-movement/the-allies/"]


def test_open_graph_says_what_a_shared_link_shows(the_allies: Element) -> None:
    assert meta(the_allies, "og:type") == "article"
    assert meta(the_allies, "og:title") == "Russian Liberation Movement - The Allies"
    assert meta(the_allies, "og:url") == "http://127.0.0.1:8000/russian-liberation-movement/the-allies/"
    assert meta(the_allies, "og:site_name") == "Russian Liberation Movement"
    assert (meta(the_allies, "og:description") or "").startswith("In the spring of 1945")
    assert meta(the_allies, "description") == meta(the_allies, "og:description")


def test_linked_data_name_the_article_its_topic_and_the_way_to_it(the_allies: Element) -> None:
    [script] = [element for element in the_allies.iter("script") if element.get("type") == "application/ld+json"]
    data = json.loads(text_of(script))
    assert data["@context"] == "https://schema.org"
    things = {thing["@type"]: thing for thing in data["@graph"]}
    article = things["Article"]
    assert article["headline"] == "Russian Liberation Movement - The Allies"
    assert article["url"] == "http://127.0.0.1:8000/russian-liberation-movement/the-allies/"
    assert article["isPartOf"]["url"] == "http://127.0.0.1:8000/russian-liberation-movement/"
    assert datetime.fromisoformat(article["dateModified"])
    crumbs = things["BreadcrumbList"]["itemListElement"]
    assert [(crumb["position"], crumb["name"]) for crumb in crumbs] == [
        (1, "Russian Liberation Movement"),
        (2, "Russian Liberation Movement"),
        (3, "The Allies"),
    ]
    assert crumbs[2]["item"] == article["url"]


def test_a_title_cannot_end_the_linked_data_early(client: Client) -> None:
    add_section(title="</script><b>Zorblax</b> & co", slug="zorblax", body="Text.")
    response = client.get("/russian-liberation-movement/zorblax/")
    document = parse(response)
    assert document.find(".//b") is None
    [script] = document.findall(".//script[@type='application/ld+json']")
    assert json.loads(text_of(script))["@graph"][0]["headline"].endswith("</script><b>Zorblax</b> & co")


def test_markup_in_a_title_is_shown_as_it_was_typed(client: Client) -> None:
    add_section(title="Men & <em>Arms</em>", slug="men-arms", body="Text.")
    response = client.get("/russian-liberation-movement/men-arms/")
    assert text_of(parse(response).find(".//h1")) == "Russian Liberation Movement - Men & <em>Arms</em>"


def test_a_page_set_to_none_shows_no_quotations(client: Client) -> None:
    Article.objects.filter(slug="the-allies").update(quotations="none")
    document = parse(client.get(ADDRESS))
    assert "Famous quotes" not in text_of(document)
    assert with_class(document, "quotations") == []


def test_a_page_set_to_chosen_only_shows_what_editors_pinned(client: Client) -> None:
    section = Article.objects.get(slug="the-allies")
    Article.objects.filter(pk=section.pk).update(quotations="chosen")
    quote = Quote.objects.create(text="A zorblax knows no friend.", status="reported", published=True)
    QuoteChoice.objects.create(article=section, quote=quote, action=QuoteChoice.Action.PIN)
    document = parse(client.get(ADDRESS))
    assert [text_of(quotation) for quotation in document.iter("blockquote")] == ["A zorblax knows no friend."]
    assert "Famous quotes chosen for this page:" in text_of(document)


def test_a_disputed_quotation_prints_its_label_where_it_is_pinned(client: Client) -> None:
    section = Article.objects.get(slug="the-allies")
    person = Person.objects.create(name="Zora Blax", slug="zora-blax")
    quote = Quote.objects.create(text="No allies, no zorblax.", person=person, status="disputed", published=True)
    QuoteChoice.objects.create(article=section, quote=quote, action=QuoteChoice.Action.PIN)
    [figure] = [
        figure for figure in parse(client.get(ADDRESS)).iter("figure") if "no zorblax" in text_of(figure).lower()
    ]
    assert "Attributed to Zora Blax" in text_of(figure)
    assert "disputed" in text_of(figure).lower()


def test_a_banned_quotation_is_not_shown(client: Client) -> None:
    section = Article.objects.get(slug="the-allies")
    QuoteChoice.objects.create(article=section, quote=Quote.objects.get(text=SONTAG), action=QuoteChoice.Action.BAN)
    assert SONTAG not in [text_of(quotation) for quotation in parse(client.get(ADDRESS)).iter("blockquote")]


def test_an_edit_is_seen_on_the_next_request(client: Client) -> None:
    client.get(ADDRESS)
    Article.objects.filter(slug="the-allies").update(title="The Zorblax Allies")
    text = unescape(client.get(ADDRESS).content.decode())
    assert "The Zorblax Allies" in text


def test_a_section_is_not_found_under_another_topic(client: Client) -> None:
    assert client.get("/andrey-vlasov/the-allies/").status_code == 404
    assert client.get("/the-allies/").status_code == 404
