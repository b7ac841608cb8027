"""A topic with all its sections on one page."""

from collections import Counter
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from articles.links import Ref, Resolver
from articles.models import Article
from rlm_site.tests.editor import count_queries
from rlm_site.tests.html import links, parse, text_of

pytestmark = pytest.mark.django_db

ADDRESS = "/yarle-valley/all/"


def add_topic(**fields: Any) -> Article:
    return Article.objects.create(title="Okapi", slug="okapi", **{"body": "Striped.", "published": True, **fields})


def add_section(topic: Article, title: str, **fields: Any) -> Article:
    given = {"slug": title.lower().replace(" ", "-"), "published": True, "position": topic.sections.count(), **fields}
    return Article.objects.create(parent=topic, title=title, **given)


def test_all_texts_stand_on_one_page_in_their_order(client: Client) -> None:
    document = parse(client.get(ADDRESS))
    sections = [section.title for section in Article.objects.filter(parent__slug="yarle-valley").order_by("position")]
    assert [text_of(heading) for heading in document.iter("h1")] == ["Yarle Valley"]
    headings = [text_of(heading) for heading in document.iter("h2")]
    assert [heading for heading in headings if heading in sections] == sections
    assert "The Yarle Valley is a collective name" in text_of(document)
    assert "In the spring of 1845" in text_of(document)
    assert not list(document.iter("blockquote"))
    [canonical] = [link for link in document.iter("link") if link.get("rel") == "canonical"]
    assert str(canonical.get("href")).endswith("/yarle-valley/")


def test_every_id_is_there_once_and_every_link_within_the_page_leads_to_one(client: Client) -> None:
    topic = add_topic(body="## Notes\n\nThe ROA[@arden-1987] [here](#notes-2)\n\n## One_ a")
    Article.objects.create(title="ROA", slug="roa", kind="term", summary="An army.", published=True)
    for title in ("One", "Two", "Notes", "Main"):
        add_section(topic, title, body="## Notes\n\n## A\n\nThe ROA[@arden-1987] x^[y[@arden-1987, p. 3]] [here](#a)")
    document = parse(client.get("/okapi/all/"))
    ids = Counter(element.get("id") for element in document.iter() if element.get("id"))
    assert [each for each, times in ids.items() if times > 1] == []
    within = [link.get("href", "")[1:] for link in document.iter("a") if str(link.get("href")).startswith("#")]
    assert set(within) <= ids.keys()
    assert len([each for each in within if "ref-term" in each]) == 1  # a term is explained once, where it first stands


def test_a_section_that_has_this_address_is_still_served(client: Client) -> None:
    topic = add_topic()
    add_section(topic, "Everything", slug="all", body="The section itself.")
    document = parse(client.get("/okapi/all/"))
    assert text_of(next(document.iter("h1"))) == "Okapi - Everything"


def test_a_topic_without_sections_is_its_own_whole(client: Client) -> None:
    topic = add_topic()
    add_section(topic, "A Draft", published=False)
    response = client.get("/okapi/all/")
    assert (response.status_code, response["Location"]) == (302, "/okapi/")
    assert client.get("/no-such-topic/all/").status_code == 404


def test_a_topic_leads_to_its_whole_only_with_sections(client: Client) -> None:
    assert ADDRESS in links(parse(client.get("/yarle-valley/")))
    add_topic()
    assert "/okapi/all/" not in links(parse(client.get("/okapi/")))


def test_nothing_unpublished_is_on_it(client: Client) -> None:
    topic = add_topic()
    add_section(topic, "Seen", body="Visible.")
    add_section(topic, "Unseen", body="Invisible.", published=False)
    page = client.get("/okapi/all/").content.decode()
    assert "Visible." in page
    assert "Invisible." not in page
    assert "Unseen" not in page
    Article.objects.filter(pk=topic.pk).update(published=False)
    assert client.get("/okapi/all/").status_code == 404


def test_the_former_address_of_a_topic_leads_to_the_whole_of_it(client: Client) -> None:
    topic = add_topic()
    add_section(topic, "One")
    client.get("/okapi/")
    Article.objects.filter(pk=topic.pk).update(slug="zebra")
    response = client.get("/okapi/all/")
    assert (response.status_code, response["Location"]) == (301, "/zebra/all/")


def test_it_costs_the_same_however_many_sections_there_are(client: Client) -> None:
    topic = add_topic()
    body = "## Head {n}\n\n[[Edgar Tarlow]] [[Section 0]] ROA[@arden-1987, p. {n}; @moss-mills]"
    Article.objects.create(title="ROA", slug="roa", kind="term", summary="An army.", published=True)
    add_section(topic, "Section 0", body=body)
    few = count_queries(client, "/okapi/all/")
    for number in range(1, 30):
        add_section(topic, f"Section {number}", body=body.replace("{n}", str(number)))
    assert count_queries(client, "/okapi/all/") <= few <= 9


def test_a_changed_section_is_on_it_at_once(client: Client) -> None:
    topic = add_topic()
    section = add_section(topic, "One", body="Before.")
    assert "Before." in client.get("/okapi/all/").content.decode()
    Article.objects.filter(pk=section.pk).update(body="After.")
    assert "After." in client.get("/okapi/all/").content.decode()


def test_links_to_it_work(client: Client) -> None:
    add_topic()
    refs = [Ref("address", address) for address in ("/okapi/all/", "/no-such-topic/all/", "/people/lena-sommer/")]
    client.get("/")
    resolver = Resolver([(ref, None) for ref in refs], timezone.now())
    assert [resolver.works(ref, None) for ref in refs] == [True, False, True]
