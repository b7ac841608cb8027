"""What is not public is nowhere: every place that would show a page or a quotation is asked for it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from articles.models import Article, QuoteChoice, Reference
from quotes.models import Person, Quote
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.tests.html import links, parse, text_of

pytestmark = pytest.mark.django_db

SOON, LATELY = timezone.now() + timedelta(days=1), timezone.now() - timedelta(days=1)
STATES: dict[str, dict[str, Any]] = {
    "draft": {"published": False},
    "scheduled": {"published": True, "publish_at": SOON},
    "retired": {"published": True, "retire_at": LATELY},
}
PUBLIC: dict[str, Any] = {"published": True, "publish_at": LATELY, "retire_at": SOON}
Places = dict[str, Callable[[Client], bool]]


def shows(address: str, needle: str) -> Callable[[Client], bool]:
    return lambda client: needle in client.get(address).content.decode()


def leads_to(address: str, target: str) -> Callable[[Client], bool]:
    return lambda client: target in links(parse(client.get(address)))


def is_found(address: str) -> Callable[[Client], bool]:
    return lambda client: client.get(address).status_code == 200


def context(address: str, of: Callable[[Any], Any]) -> Callable[[Client], bool]:
    return lambda client: bool(of(client.get(address).context))


def where_it_shows(client: Client, places: Places) -> list[str]:
    return [name for name, shown in places.items() if shown(client)]


def where_it_is_missing(client: Client, places: Places) -> list[str]:
    return [name for name, shown in places.items() if not shown(client)]


# A section, with a tag, a heading word, a quotation and a source that only it has, and a link from another page.

SECTION = "/zorblaxia/zorblax-heights/"


def add_section(fields: dict[str, Any], topic: dict[str, Any]) -> None:
    above = Article.objects.create(
        **{"title": "Zorblaxia", "slug": "zorblaxia", "body": "A land.", "position": 99, **topic}
    )
    section = Article.objects.create(
        parent=above,
        title="Zorblax Heights",
        slug="zorblax-heights",
        body="The heights of zorblaxity.[@zorb-1950; @arden-1987]",
        **fields,
    )
    section.tags.add("zorblaxian", "bread")
    Reference.objects.create(key="zorb-1950", title="On Zorb", authors="Blax, Zora", year="1950")
    Article.objects.create(
        title="Linker", slug="linker", body="See [[Zorblaxia#Zorblax Heights|the heights]].", published=True
    )
    Quote.objects.create(pk=9001, key="zorb", text="The zorblax knows.", status="reported", published=True)


SECTION_PLACES: Places = {
    "its own page": is_found(SECTION),
    "the word of its heading": leads_to("/words/zorblax/", SECTION),
    "its own tag": is_found("/tags/zorblaxian/"),
    "another tag": leads_to("/tags/bread/", SECTION),
    "the list of tags": shows("/tags/", "zorblaxian"),
    "related tags": shows("/tags/bread/", "zorblaxian"),
    "search": leads_to("/search/?q=heights", SECTION),
    "counts of the search": context(
        "/search/?q=zorblaxity", lambda found: sum(n for _kind, n in found["results"].kinds)
    ),
    "tags of the search": shows("/search/?q=heights+zorblaxity", "bread ("),
    "filters of the search": is_found("/search/?q=rain&tag=zorblaxian"),
    "filters of quotations": is_found("/quotes/?tag=zorblaxian"),
    "changes": leads_to("/changes/", SECTION),
    "newest changes on the home page": leads_to("/", SECTION),
    "feed of changes": shows("/feeds/changes/", SECTION),
    "sitemap": shows("/sitemap-articles.xml", SECTION),
    "tags in the sitemap": shows("/sitemap-tags.xml", "/tags/zorblaxian/"),
    "a work that others cite too": leads_to("/references/", SECTION),
    "a work that only it cites": shows("/references/", "On Zorb"),
    "wiki links": leads_to("/linker/", SECTION),
    "pages that show a quotation": leads_to("/quotes/9001/the-zorblax-knows/", SECTION),
    "the nearest pages of an address that is not there": leads_to("/zorblax/", SECTION),
}
OF_TOPIC: Places = {
    "the topic's sentence": leads_to("/zorblaxia/", SECTION),
    "the contents beside another section": leads_to("/zorblaxia/other/", SECTION),
}


def test_a_public_section_shows_in_all_these_places(client: Client) -> None:
    add_section(PUBLIC, PUBLIC)
    Article.objects.create(
        parent=Article.objects.get(slug="zorblaxia"), title="Other", slug="other", position=2, published=True
    )
    places = {**SECTION_PLACES, **OF_TOPIC}
    assert where_it_is_missing(client, places) == []


@pytest.mark.parametrize("state", STATES)
def test_a_section_that_is_not_public_is_nowhere(client: Client, state: str) -> None:
    add_section(STATES[state], PUBLIC)
    Article.objects.create(
        parent=Article.objects.get(slug="zorblaxia"), title="Other", slug="other", position=2, published=True
    )
    assert where_it_shows(client, {**SECTION_PLACES, **OF_TOPIC}) == []
    assert client.get(SECTION).status_code == (410 if state == "retired" else 404)
    assert "the heights" in text_of(parse(client.get("/linker/")))


@pytest.mark.parametrize("state", STATES)
def test_a_section_of_a_topic_that_is_not_public_is_nowhere(client: Client, state: str) -> None:
    add_section(PUBLIC, STATES[state])
    assert where_it_shows(client, SECTION_PLACES) == []
    assert client.get(SECTION).status_code == (410 if state == "retired" else 404)


@pytest.mark.parametrize("state", STATES)
def test_a_topic_that_is_not_public_is_nowhere(client: Client, state: str) -> None:
    add_section(PUBLIC, STATES[state])
    places = {
        "its own page": is_found("/zorblaxia/"),
        "home": leads_to("/", "/zorblaxia/"),
        "search": leads_to("/search/?q=zorblaxia", "/zorblaxia/"),
        "an empty search": leads_to("/search/", "/zorblaxia/"),
        "sitemap": shows("/sitemap-articles.xml", "/zorblaxia/"),
        "changes": leads_to("/changes/", "/zorblaxia/"),
        "spelling": shows("/search/?q=zorblaxai", "zorblaxia"),
    }
    assert where_it_shows(client, places) == []
    Article.objects.filter(slug="zorblaxia").update(**PUBLIC)
    assert where_it_is_missing(client, places) == []


@pytest.mark.parametrize(("fields", "shown"), [({"publish_at": SOON}, False), ({"publish_at": LATELY}, True)])
def test_no_job_needs_to_run_for_the_clock_to_publish(client: Client, fields: dict[str, Any], shown: bool) -> None:
    add_section({"published": True, **fields}, PUBLIC)
    assert bool(where_it_shows(client, SECTION_PLACES)) is shown


def test_a_page_taken_back_is_nowhere_on_the_next_request(client: Client) -> None:
    add_section(PUBLIC, PUBLIC)
    assert where_it_is_missing(client, SECTION_PLACES) == []
    Article.objects.filter(slug="zorblax-heights").update(published=False)
    assert where_it_shows(client, SECTION_PLACES) == []


def test_a_draft_revision_of_a_public_page_is_nowhere(client: Client) -> None:
    section = Article.objects.get(slug="the-millers")
    section.title, section.body = "The Zorblax Millers", "All new: zorblaxity."
    revisions.record_revision(
        section, state=Revision.State.DRAFT, kind=Revision.Kind.REVISION, note="About zorblaxity."
    )
    places = {
        address: shows(address, "orblax")
        for address in ("/", "/yarle-valley/", "/yarle-valley/the-millers/", "/changes/")
    }
    places["feed"] = shows("/feeds/changes/", "orblax")
    assert where_it_shows(client, places) == []


# A quotation, by somebody who said nothing else, with a tag and a word that only it has.

QUOTE = "/quotes/9002/the-zorblaxest-of-mills/"


def add_quote(fields: dict[str, Any]) -> Quote:
    person = Person.objects.create(name="Zora Blax", sort_name="Blax, Zora", slug="zora-blax")
    quote = Quote.objects.create(
        **{"pk": 9002, "key": "zorblaxest", "text": "The zorblaxest of mills.", "person": person, "status": "verified"}
        | fields
    )
    quote.tags.add("zorblaxian", "bread")
    Article.objects.create(title="Zorblaxest", slug="zorblaxest", published=True)
    pinning = Article.objects.create(title="Pinning", slug="pinning", published=True)
    QuoteChoice.objects.create(article=pinning, quote=quote, action=QuoteChoice.Action.PIN)
    Quote.objects.create(
        pk=9003, key="longer", text="A longer wording.", status="reported", version_of=quote, published=True
    )
    return quote


TEXT = "zorblaxest</mark> of mills"
QUOTE_PLACES: Places = {
    "its own page": is_found(QUOTE),
    "its number": lambda client: client.get("/quotes/9002/").status_code == 301,
    "the list": leads_to("/quotes/?word=zorblaxest", QUOTE),
    "the list by tag": leads_to("/quotes/?tag=bread", QUOTE),
    "the list by its author": is_found("/quotes/?person=zora-blax"),
    "the list by its tag": is_found("/quotes/?tag=zorblaxian"),
    "its author": is_found("/people/zora-blax/"),
    "people": shows("/people/", "zora-blax"),
    "its word": leads_to("/words/zorblaxest/", QUOTE),
    "the count of its word": context("/words/zorblaxest/", lambda found: dict(found["forms"]).get("zorblaxest")),
    "its tag": is_found("/tags/zorblaxian/"),
    "the list of tags": shows("/tags/", "zorblaxian"),
    "related tags": shows("/tags/bread/", "zorblaxian"),
    "a page with its word in the heading": shows("/zorblaxest/", TEXT),
    "a page that it is pinned to": leads_to("/pinning/", QUOTE),
    "search": leads_to("/search/?q=zorblaxest&kind=quotation", QUOTE),
    "search for its author": leads_to("/search/?q=zora", QUOTE),
    "feed of quotations": shows("/feeds/quotes/", "/quotes/9002/"),
    "sitemap": shows("/sitemap-quotes.xml", "/quotes/9002/"),
    "people in the sitemap": shows("/sitemap-people.xml", "/people/zora-blax/"),
    "another wording of it": leads_to("/quotes/9003/a-longer-wording/", QUOTE),
}


def test_a_public_quotation_shows_in_all_these_places(client: Client) -> None:
    add_quote(PUBLIC)
    assert where_it_is_missing(client, QUOTE_PLACES) == []


@pytest.mark.parametrize("state", STATES)
def test_a_quotation_that_is_not_public_is_nowhere(client: Client, state: str) -> None:
    add_quote(STATES[state])
    assert where_it_shows(client, QUOTE_PLACES) == []
    assert client.get(QUOTE).status_code == (410 if state == "retired" else 404)


def test_a_misattributed_quotation_has_a_page_and_is_never_listed_as_that_person_s(client: Client) -> None:
    add_quote({**PUBLIC, "status": "misattributed"})
    elsewhere = {"its own page", "its number", "search", "search for its author", "sitemap", "another wording of it"}
    assert set(where_it_shows(client, QUOTE_PLACES)) == elsewhere
    assert "Attributed to Zora Blax" in text_of(parse(client.get(QUOTE)).find(".//main"))


@pytest.mark.parametrize("fields", [{"status": "disputed"}, {"status": "unverified"}, {"auto_pick": False}])
def test_what_the_site_may_not_pick_stands_only_where_it_is_pinned(client: Client, fields: dict[str, Any]) -> None:
    add_quote({**PUBLIC, **fields})
    shown = where_it_shows(client, QUOTE_PLACES)
    assert "a page with its word in the heading" not in shown
    assert {"its own page", "its author", "its word", "a page that it is pinned to"} <= set(shown)
