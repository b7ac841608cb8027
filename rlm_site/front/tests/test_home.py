from collections.abc import Iterable
from datetime import timedelta
from typing import Any, cast
from xml.etree.ElementTree import Element

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from articles.models import Article, Group
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.page_cache import middleware
from rlm_site.tests.html import links, meta, parse, text_of, with_class

pytestmark = pytest.mark.django_db

LONG = "A zorblax of a sentence, written by hand, that is as long as a summary may be, " * 2


def add_group(layout: str, *titles: str, **fields: Any) -> Group:
    """Create a group with a new entry of each title in it."""
    group = Group.objects.create(title=f"The {layout}", layout=layout)
    add_entries(titles, group=group, **fields)
    return group


def add_entries(titles: Iterable[str], **fields: Any) -> None:
    for position, title in enumerate(titles):
        given = {"title": title, "slug": title.lower(), "body": "Text.", "published": True, "position": position}
        Article.objects.create(**given | fields)


def part(client: Client, heading: str) -> Element | None:
    """Return the part of the page that has this heading."""
    for section in parse(client.get("/")).iter("section"):
        if text_of(section.find("h2")).startswith(heading):
            return section
    return None


def titles_in(section: Element | None) -> list[str]:
    assert section is not None
    return [text_of(item.find(".//a")) for item in section.iter("li")]


def correct(note: str, **fields: Any) -> None:
    section = Article.objects.get(slug="the-millers")
    given = {"state": Revision.State.PUBLISHED, "kind": Revision.Kind.CORRECTION}
    revisions.record_revision(section, note=note, **given | fields)


def test_it_says_what_the_site_is(client: Client) -> None:
    document = parse(client.get("/"))
    assert [text_of(heading) for heading in document.iter("h1")] == ["Yarle Almanac"]
    assert text_of(document.find(".//title")).startswith("Yarle Almanac")


def test_it_has_a_search_box(client: Client) -> None:
    forms = [form for form in parse(client.get("/")).iter("form") if form.get("action") == "/search/"]
    assert [field.get("name") for form in forms for field in form.iter("input")] == ["q"]
    assert all(form.get("method", "get").lower() == "get" for form in forms)


def test_a_shared_link_shows_the_picture_of_the_site(client: Client) -> None:
    document = parse(client.get("/"))
    address = meta(document, "og:image") or ""
    assert address.startswith("http://127.0.0.1:8000/static/img/card")
    assert [meta(document, f"og:image:{side}") for side in ("width", "height")] == ["1200", "630"]


# Without groups


def test_every_topic_that_no_list_has_is_linked_in_its_order_with_a_sentence_about_it(client: Client) -> None:
    Article.objects.filter(slug="edgar-tarlow").update(kind="person")
    topics = list(Article.objects.filter(parent=None, kind__in=["subject", "formation"]).order_by("position"))
    assert len(topics) == 2
    topics_part = part(client, "Topics")
    assert topics_part is not None
    assert [link.get("href") for link in topics_part.iter("a")] == [f"/{topic.slug}/" for topic in topics]
    assert "is a collective name for the twelve parishes" in text_of(topics_part)


def test_many_topics_are_paged(client: Client) -> None:
    Article.objects.bulk_create(
        Article(title=f"Zorblax {number}", slug=f"zorblax-{number}", position=100 + number, published=True)
        for number in range(70)
    )
    first, second = client.get("/"), client.get("/?page=2")
    assert first.context["page"].paginator.num_pages == 2
    assert "/zorblax-60/" not in links(parse(first))
    assert "/zorblax-60/" in links(parse(second))


def test_a_topic_appears_when_its_time_has_come(client: Client) -> None:
    topic = Article.objects.create(
        title="Zorblax", slug="zorblax", published=True, publish_at=timezone.now() + timedelta(hours=1)
    )
    assert "/zorblax/" not in links(parse(client.get("/")))
    Article.objects.filter(pk=topic.pk).update(publish_at=timezone.now() - timedelta(seconds=1))
    assert "/zorblax/" in links(parse(client.get("/")))


# Groups


def test_groups_stand_in_their_order_with_their_entries_in_theirs(client: Client) -> None:
    add_group("list", "Quagga", "Zebra", summary="A beast.")
    start = add_group("start", "Stripes", summary="Of stripes.")
    Group.objects.filter(pk=start.pk).update(position=0)
    Group.objects.exclude(pk=start.pk).update(position=1)
    headings = [text_of(heading) for heading in parse(client.get("/")).iter("h2")]
    assert headings[:2] == ["The start", "The list"]
    assert "Topics" not in headings
    assert titles_in(part(client, "The list")) == ["Quagga", "Zebra"]
    assert "Stripes Of stripes." in text_of(part(client, "The start"))


def test_a_written_summary_is_never_cut(client: Client) -> None:
    add_group("list", "Quagga", summary=LONG)
    assert LONG.strip() in text_of(part(client, "The list"))


def test_names_are_sorted_and_have_their_dates(client: Client) -> None:
    group = add_group("names", "Zora", kind="person")
    facts = [{"fact": "born", "value": "1901", "detail": "", "source": ""}]
    add_entries(["Ann Arden"], group=group, kind="person", sort_title="Arden, Ann", slug="ann", facts=facts)
    names = part(client, "The names")
    assert names is not None
    assert [text_of(item) for item in names.iter("li")] == ["Arden, Ann b. 1901", "Zora"]


def test_a_group_of_one_kind_leads_to_the_list_of_all(client: Client) -> None:
    add_group("names", "Zora", kind="person")
    assert "All" not in text_of(part(client, "The names"))
    add_entries(["Zadok", "Zelda"], kind="person")
    names = part(client, "The names")
    assert names is not None
    number = Article.objects.filter(parent=None, kind="person").count()
    [every] = [link for link in names.iter("a") if text_of(link) == f"All {number}"]
    assert every.get("href") == "/people/"


def test_nobody_sees_what_is_not_public_nor_a_group_without_anything_public(client: Client) -> None:
    add_group("list", "Quagga", published=False)
    group = add_group("names", "Zora")
    add_entries(["Zadok"], group=group, publish_at=timezone.now() + timedelta(hours=1))
    page = client.get("/").content.decode()
    assert "Zora" in page
    assert [word for word in ("Quagga", "Zadok", "The list") if word in page] == []


# Documents


def add_document(title: str, date: str) -> None:
    facts = [{"fact": "date", "value": date, "detail": "", "source": ""}] if date else []
    add_entries([title], kind="document", facts=facts)


def test_documents_stand_by_date(client: Client) -> None:
    assert part(client, "Documents") is None
    for title, date in [("Later", "1846-02"), ("Undated", ""), ("Earlier", "1845-03-01/1845-03-02")]:
        add_document(title, date)
    documents = part(client, "Documents")
    assert documents is not None
    assert [text_of(item) for item in documents.iter("li")] == [
        "1–2 March 1845 Earlier",
        "February 1846 Later",
        "Undated",
    ]
    assert "All" not in text_of(documents)


def test_of_many_documents_six_are_shown_from_the_first_to_the_last(client: Client) -> None:
    for year in range(1801, 1827):
        add_document(f"Deed-{year}", str(year))
    shown = titles_in(part(client, "Documents"))
    assert shown == [f"Deed-{year}" for year in (1801, 1806, 1811, 1816, 1821, 1826)]
    assert "All 26" in text_of(part(client, "Documents"))


def test_documents_that_editors_put_into_a_group_go_before_the_others(client: Client) -> None:
    group = add_group("list", "Quagga")
    for title, year in [("Third", "1803"), ("First", "1801"), ("Second", "1802")]:
        add_document(title, year)
    Article.objects.filter(title__in=["First", "Third"]).update(group=group)
    assert titles_in(part(client, "Documents")) == ["First", "Third"]
    assert "All 3" in text_of(part(client, "Documents"))
    assert titles_in(part(client, "The list")) == ["Quagga"]


# What is new


def test_the_newest_changes_come_first(client: Client) -> None:
    correct("A zorblax was no miller.")
    new = part(client, "New")
    assert new is not None
    [first, *others] = [text_of(item) for item in new.iter("li")]
    today = timezone.now()
    assert first == f"Yarle Valley - The Millers Correction, {today.day} {today:%B %Y}"
    assert len(others) == 4


def test_a_change_that_is_not_notable_is_not_listed(client: Client) -> None:
    before = titles_in(part(client, "New"))
    correct("A zorblax.", kind=Revision.Kind.NONE)
    correct("Another zorblax.", state=Revision.State.DRAFT)
    assert titles_in(part(client, "New")) == before


def test_nothing_is_new_that_is_older_than_sixty_days(client: Client) -> None:
    Revision.objects.update(created=timezone.now() - timedelta(days=60))
    assert part(client, "New") is None
    correct("A zorblax.", created=timezone.now() - timedelta(days=59, hours=23))
    assert titles_in(part(client, "New")) == ["Yarle Valley - The Millers"]


def test_it_is_made_anew_when_something_on_it_is_no_longer_new(client: Client) -> None:
    Revision.objects.update(created=timezone.now() - timedelta(days=61))
    correct("A zorblax.", created=timezone.now() - timedelta(days=59))
    page, another = cast("HttpResponse", client.get("/")), cast("HttpResponse", client.get("/about/"))
    tomorrow = (timezone.now() + timedelta(days=1)).timestamp()
    assert middleware._end_of(page) == pytest.approx(tomorrow, abs=60)
    assert middleware._end_of(another) == float("inf")


# The header of every page


def navigation(client: Client) -> list[str]:
    [nav] = [nav for nav in parse(client.get("/about/")).iter("nav") if nav.get("aria-label") == "Site"]
    return [text_of(link) for link in nav.iter("a")]


def test_only_lists_that_have_public_entries_are_linked(client: Client) -> None:
    Article.objects.filter(parent=None).update(kind="subject")
    assert navigation(client) == ["Index"]
    add_entries(["Quagga"], kind="place", published=False)
    add_entries(["Zora"], kind="person")
    add_entries(["Zorb"], kind="term", body="")
    assert navigation(client) == ["People", "Glossary", "Index"]


def test_a_list_on_whose_page_one_is_says_so(client: Client) -> None:
    add_entries(["Zora"], kind="person")
    [nav] = [nav for nav in parse(client.get("/people/")).iter("nav") if nav.get("aria-label") == "Site"]
    assert [link.get("href") for link in nav.iter("a") if link.get("aria-current") == "page"] == ["/people/"]


def test_the_footer_names_the_editors_the_licence_and_the_feeds(client: Client) -> None:
    [footer] = with_class(parse(client.get("/about/")), "bottom")
    addresses = {link.get("href") for link in footer.iter("a")}
    assert {
        "/about/",
        "/references/",
        "/quotes/",
        "/tags/",
        "/changes/",
        "/feeds/changes/",
        "/feeds/quotes/",
    } <= addresses
    assert "Texts under" in text_of(footer)
