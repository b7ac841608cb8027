import json
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
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

ADDRESS = "/yarle-valley/the-millers/"
SOMMER = (
    "... townspeople ... tend to have a simple theory of flour, in which the stream does all the work; hoping that "
    "those who own the wheels may prove to be honest men, they are natural, if cautious, friends of the millers of "
    "the “upper reach.”"
)
GARLAND = (
    "They tell us that patience and small loaves will bring lower prices. Try to persuade any man that he will get "
    "fuller sacks by asking nicely! By all means let us bake what we are sold, but in all justice do not ask us to "
    "thank the millers for it."
)


@pytest.fixture
def the_millers(client: Client) -> Element:
    return parse(client.get(ADDRESS))


def add_section(**fields: Any) -> Article:
    topic = Article.objects.get(slug="yarle-valley")
    return Article.objects.create(**{"parent": topic, "published": True, "position": 99, **fields})


def test_the_title_begins_with_topic_and_section(the_millers: Element) -> None:
    assert text_of(the_millers.find(".//title")).startswith("Yarle Valley - The Millers")


def test_the_heading_shows_the_same_two_parts(the_millers: Element) -> None:
    headings = the_millers.findall(".//h1")
    assert [text_of(heading) for heading in headings] == ["Yarle Valley - The Millers"]


def test_the_body_stands_in_the_main_part(the_millers: Element) -> None:
    text = text_of(the_millers.find(".//main"))
    assert "In the spring of 1845 Tarlow's neighbours" in text or "In the spring of 1845 Tarlow’s neighbours" in text
    assert links(the_millers)["/tolby-market/"] == "corn market"


def test_it_says_where_more_about_its_topic_is(the_millers: Element) -> None:
    sentences = [element for element in the_millers.iter("p") if "Read more about this topic:" in text_of(element)]
    assert [text_of(sentence) for sentence in sentences] == ["Read more about this topic: Yarle Valley"]
    assert [(link.get("href"), text_of(link)) for link in sentences[0].iter("a")] == [
        ("/yarle-valley/", "Yarle Valley")
    ]


def test_quotations_follow_under_the_word_that_they_contain(the_millers: Element) -> None:
    assert "Famous quotes containing the word millers:" in [text_of(heading) for heading in the_millers.iter("h2")]
    words = [text_of(element) for element in the_millers.iter()]
    heading = words.index("Famous quotes containing the word millers:")
    body = next(place for place, text in enumerate(words) if text.startswith("In the spring of 1845"))
    assert body < heading
    assert all(place > heading for place, text in enumerate(words) if text == SOMMER)


@pytest.mark.parametrize(
    ("quotation", "attribution"),
    [
        (SOMMER, "Lena Sommer (1933–2004)"),
        (
            GARLAND,
            "Mrs. Edmund T. Garland, Tolby baker. As quoted in History of the Yarle Mills, vol. 5, ch. 8, "
            "by Ida Marsh Hollis (1922)",
        ),
    ],
    ids=["Sommer", "Garland"],
)
def test_quotations_are_shown_word_by_word_and_attributed_in_full(
    the_millers: Element, quotation: str, attribution: str
) -> None:
    figures = [figure for figure in the_millers.iter("figure") if text_of(figure.find(".//blockquote")) == quotation]
    assert len(figures) == 1
    assert [text_of(mark) for mark in figures[0].iter("mark")] == ["millers"]
    assert text_of(figures[0].find(".//figcaption")).startswith(attribution)
    assert Quote.objects.filter(text=quotation).count() == 1


def test_no_more_than_three_quotations_and_none_twice_are_shown(the_millers: Element) -> None:
    shown = [text_of(quotation) for quotation in the_millers.iter("blockquote")]
    assert 2 <= len(shown) <= 3
    assert len(set(shown)) == len(shown)


def test_previous_and_next_section_are_linked(the_millers: Element) -> None:
    neighbours = {link.get("rel"): link.get("href") for link in the_millers.iter("a") if link.get("rel")}
    neighbours = {rel: address for rel, address in neighbours.items() if rel in {"prev", "next"}}
    assert neighbours == {
        "prev": "/yarle-valley/the-great-flood/",
        "next": "/yarle-valley/weirs-and-wheels/",
    }


@pytest.mark.parametrize(
    ("address", "absent"),
    [
        ("/yarle-valley/the-source/", "prev"),
        ("/yarle-valley/the-estuary/", "next"),
    ],
)
def test_the_first_section_has_no_previous_one_and_the_last_no_next(client: Client, address: str, absent: str) -> None:
    kinds = {link.get("rel") for link in parse(client.get(address)).iter("a")}
    assert absent not in kinds
    assert {"prev", "next"} - {absent} <= kinds


def test_the_contents_name_every_section_in_order_and_mark_the_present_one(the_millers: Element) -> None:
    contents = next(nav for nav in the_millers.iter("nav") if "Contents" in nav.get("aria-label", ""))
    sections = Article.objects.filter(parent__slug="yarle-valley").order_by("position")
    assert [text_of(item) for item in contents.iter("li")] == [section.title for section in sections]
    present = [element for element in contents.iter() if element.get("aria-current") == "page"]
    assert [text_of(element) for element in present] == ["The Millers"]
    assert ADDRESS not in [link.get("href") for link in contents.iter("a")]


def test_notes_are_numbered_and_lead_back_to_their_place(the_millers: Element) -> None:
    by_id = {element.get("id"): element for element in the_millers.iter() if element.get("id")}
    markers = [link for link in the_millers.iter("a") if str(link.get("href", "")).startswith("#note-")]
    assert len(markers) >= 2
    for marker in markers:
        note = by_id[marker.get("href", "")[1:]]
        assert f"#{marker.get('id')}" in [link.get("href") for link in note.iter("a")]
    assert text_of(markers[0]) == "1"
    notes = " ".join(text_of(by_id[marker.get("href", "")[1:]]) for marker in markers)
    assert "Court Rolls of the Manor of Tolby" in notes
    assert "doc. 1150" in notes


def test_a_source_cited_twice_at_one_place_is_one_note_with_two_ways_back(client: Client) -> None:
    Reference.objects.create(key="zorblax-1950", title="On Zorblax", authors="Blax, Zora", year="1950")
    add_section(title="Zorblax", slug="zorblax", body="One.[@zorblax-1950, p. 3]\n\nTwo.[@zorblax-1950, p. 3]\n")
    document = parse(client.get("/yarle-valley/zorblax/"))
    notes = [element for element in document.iter("li") if str(element.get("id", "")).startswith("note-")]
    assert len(notes) == 1
    assert "Zora Blax, On Zorblax (1950), p. 3." in text_of(notes[0])
    ways_back = [link.get("href", "") for link in notes[0].iter("a") if str(link.get("href")).startswith("#")]
    assert len(ways_back) == 2
    assert {way[1:] for way in ways_back} <= {element.get("id") for element in document.iter()}


def test_works_cited_are_listed_in_full(the_millers: Element) -> None:
    text = text_of(the_millers.find(".//main"))
    assert "Brandt, Jakob" in text


def test_tags_lead_to_their_pages(the_millers: Element) -> None:
    tags = Tag.objects.filter(taggedarticle_items__content_object__slug="the-millers")
    assert tags
    shown = {link.get("href"): text_of(link) for link in the_millers.iter("a") if link.get("rel") == "tag"}
    assert shown == {f"/tags/{tag.slug}/": tag.name for tag in tags}


def test_the_day_of_the_last_notable_change_is_shown(client: Client) -> None:
    section = Article.objects.get(slug="the-millers")
    changed = timezone.now()
    revisions.record_revision(section, state=Revision.State.PUBLISHED, kind=Revision.Kind.CORRECTION, created=changed)
    later = changed + timedelta(days=40)
    revisions.record_revision(section, state=Revision.State.PUBLISHED, kind=Revision.Kind.NONE, created=later)
    document = parse(client.get(ADDRESS))
    dates = [element.get("datetime") for element in document.iter("time")]
    assert f"{changed:%Y-%m-%d}" in dates
    assert f"{later:%Y-%m-%d}" not in dates
    assert f"{changed.day} {changed:%B %Y}" in text_of(document.find(".//main"))


def test_text_then_notes_then_quotations_then_tags_follow_each_other(the_millers: Element) -> None:
    found = [
        name
        for element in the_millers.iter()
        for name in ("text", "read-more", "neighbours", "notes", "quotations", "tags", "this-page")
        if name in str(element.get("class", "")).split()
    ]
    assert found == ["text", "read-more", "neighbours", "notes", "quotations", "tags", "this-page"]


def test_the_way_back_from_a_note_says_where_it_leads(the_millers: Element) -> None:
    note = next(element for element in the_millers.iter("li") if element.get("id") == "note-1")
    [way_back] = [link for link in note.iter("a") if str(link.get("href")).startswith("#")]
    assert (text_of(way_back), way_back.get("aria-label")) == ("↩ 1", "Back to note 1 in the text")


def test_a_quotation_is_linked_by_its_work_or_its_dates(the_millers: Element) -> None:
    shown = {text_of(link) for figure in the_millers.iter("figure") for link in figure.iter("a")}
    assert {"History of the Yarle Mills, vol. 5, ch. 8, by Ida Marsh Hollis (1922)", "(1933–2004)"} <= shown
    assert "source" not in shown


def test_an_error_can_be_reported_with_the_page_and_its_version_named(client: Client, settings: Any) -> None:
    assert "Report an error" not in text_of(parse(client.get(ADDRESS)))
    settings.CONTACT_EMAIL = "office@almanac.example"
    Article.objects.filter(slug="the-millers").update(title="Flour & “Weights”? 100 %")
    revisions.record_revision(
        Article.objects.get(slug="the-millers"), state=Revision.State.PUBLISHED, kind=Revision.Kind.CORRECTION
    )
    [link] = [link for link in parse(client.get(ADDRESS)).iter("a") if text_of(link) == "Report an error"]
    letter = urlsplit(link.get("href", ""))
    given = {name: value for name, [value] in parse_qs(letter.query, strict_parsing=True).items()}
    assert (letter.scheme, letter.path) == ("mailto", "office@almanac.example")
    assert given["subject"] == "Error on “Yarle Valley - Flour & “Weights”? 100 %”"
    today = timezone.now()
    assert given["body"].splitlines()[:3] == [
        "Page: Yarle Valley - Flour & “Weights”? 100 %",
        f"Address: http://127.0.0.1:8000{ADDRESS}",
        f"Last changed: {today.day} {today:%B %Y}",
    ]
    assert "\r\n" in given["body"]


def test_the_page_says_how_to_cite_it(the_millers: Element) -> None:
    text = text_of(the_millers.find(".//main"))
    assert "Cite this page" in text
    assert "http://127.0.0.1:8000/yarle-valley/the-millers/" in text


def test_its_canonical_address_is_that_of_the_site(client: Client) -> None:
    document = parse(client.get(ADDRESS + "?utm_source=elsewhere"))
    canonical = [link.get("href") for link in document.iter("link") if link.get("rel") == "canonical"]
    assert canonical == ["http://127.0.0.1:8000/yarle-valley/the-millers/"]


def test_open_graph_says_what_a_shared_link_shows(the_millers: Element) -> None:
    assert meta(the_millers, "og:type") == "article"
    assert meta(the_millers, "og:title") == "Yarle Valley - The Millers"
    assert meta(the_millers, "og:url") == "http://127.0.0.1:8000/yarle-valley/the-millers/"
    assert meta(the_millers, "og:site_name") == "Yarle Almanac"
    assert (meta(the_millers, "og:description") or "").startswith("In the spring of 1845")
    assert meta(the_millers, "description") == meta(the_millers, "og:description")


def test_linked_data_name_the_article_its_topic_and_the_way_to_it(the_millers: Element) -> None:
    [script] = [element for element in the_millers.iter("script") if element.get("type") == "application/ld+json"]
    data = json.loads(text_of(script))
    assert data["@context"] == "https://schema.org"
    things = {thing["@type"]: thing for thing in data["@graph"]}
    article = things["Article"]
    assert article["headline"] == "Yarle Valley - The Millers"
    assert article["url"] == "http://127.0.0.1:8000/yarle-valley/the-millers/"
    assert article["isPartOf"]["url"] == "http://127.0.0.1:8000/yarle-valley/"
    assert datetime.fromisoformat(article["datePublished"]) <= datetime.fromisoformat(article["dateModified"])
    assert article["author"]["name"] == article["publisher"]["name"] == "Yarle Almanac"
    assert article["mainEntityOfPage"]["@id"] == article["url"]
    crumbs = things["BreadcrumbList"]["itemListElement"]
    assert [(crumb["position"], crumb["name"]) for crumb in crumbs] == [
        (1, "Yarle Almanac"),
        (2, "Yarle Valley"),
        (3, "The Millers"),
    ]
    assert crumbs[2]["item"] == article["url"]


def test_a_title_cannot_end_the_linked_data_early(client: Client) -> None:
    add_section(title="</script><b>Zorblax</b> & co", slug="zorblax", body="Text.")
    response = client.get("/yarle-valley/zorblax/")
    document = parse(response)
    assert document.find(".//b") is None
    [script] = document.findall(".//script[@type='application/ld+json']")
    assert json.loads(text_of(script))["@graph"][0]["headline"].endswith("</script><b>Zorblax</b> & co")


def test_markup_in_a_title_is_shown_as_it_was_typed(client: Client) -> None:
    add_section(title="Men & <em>Arms</em>", slug="men-arms", body="Text.")
    response = client.get("/yarle-valley/men-arms/")
    assert text_of(parse(response).find(".//h1")) == "Yarle Valley - Men & <em>Arms</em>"


def test_a_page_set_to_none_shows_no_quotations(client: Client) -> None:
    Article.objects.filter(slug="the-millers").update(quotations="none")
    document = parse(client.get(ADDRESS))
    assert "Famous quotes" not in text_of(document)
    assert with_class(document, "quotations") == []


def test_a_page_set_to_chosen_only_shows_what_editors_pinned(client: Client) -> None:
    section = Article.objects.get(slug="the-millers")
    Article.objects.filter(pk=section.pk).update(quotations="chosen")
    quote = Quote.objects.create(text="A zorblax knows no friend.", status="reported", published=True)
    QuoteChoice.objects.create(article=section, quote=quote, action=QuoteChoice.Action.PIN)
    document = parse(client.get(ADDRESS))
    assert [text_of(quotation) for quotation in document.iter("blockquote")] == ["A zorblax knows no friend."]
    assert "Famous quotes chosen for this page:" in text_of(document)


def test_a_disputed_quotation_prints_its_label_where_it_is_pinned(client: Client) -> None:
    section = Article.objects.get(slug="the-millers")
    person = Person.objects.create(name="Zora Blax", slug="zora-blax")
    quote = Quote.objects.create(text="No millers, no zorblax.", person=person, status="disputed", published=True)
    QuoteChoice.objects.create(article=section, quote=quote, action=QuoteChoice.Action.PIN)
    [figure] = [
        figure for figure in parse(client.get(ADDRESS)).iter("figure") if "no zorblax" in text_of(figure).lower()
    ]
    assert "Attributed to Zora Blax" in text_of(figure)
    assert "disputed" in text_of(figure).lower()


def test_a_banned_quotation_is_not_shown(client: Client) -> None:
    section = Article.objects.get(slug="the-millers")
    QuoteChoice.objects.create(
        article=section, quote=Quote.objects.get(key="sommer-honest-men"), action=QuoteChoice.Action.BAN
    )
    assert SOMMER not in [text_of(quotation) for quotation in parse(client.get(ADDRESS)).iter("blockquote")]


def test_an_edit_is_seen_on_the_next_request(client: Client) -> None:
    client.get(ADDRESS)
    Article.objects.filter(slug="the-millers").update(title="The Zorblax Millers")
    text = unescape(client.get(ADDRESS).content.decode())
    assert "The Zorblax Millers" in text


def test_a_section_is_not_found_under_another_topic(client: Client) -> None:
    assert client.get("/edgar-tarlow/the-millers/").status_code == 404
    assert client.get("/the-millers/").status_code == 404
