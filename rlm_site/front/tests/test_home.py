from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from articles.models import Article
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.tests.html import links, parse, text_of

pytestmark = pytest.mark.django_db


def test_it_says_what_the_site_is(client: Client) -> None:
    document = parse(client.get("/"))
    assert [text_of(heading) for heading in document.iter("h1")] == ["Yarle Almanac"]
    assert text_of(document.find(".//title")).startswith("Yarle Almanac")


def test_every_topic_is_linked_in_its_order_with_a_sentence_about_it(client: Client) -> None:
    topics = list(Article.objects.filter(parent=None).order_by("position"))
    assert len(topics) == 3
    document = parse(client.get("/"))
    addresses = [address for address in links(document) if address in {f"/{topic.slug}/" for topic in topics}]
    assert addresses == [f"/{topic.slug}/" for topic in topics]
    [item] = [li for li in document.iter("li") if text_of(li).startswith("Yarle Valley ")]
    assert "is a collective name for the twelve parishes" in text_of(item)


def test_it_has_a_search_box(client: Client) -> None:
    forms = [form for form in parse(client.get("/")).iter("form") if form.get("action") == "/search/"]
    assert [field.get("name") for form in forms for field in form.iter("input")] == ["q"]
    assert all(form.get("method", "get").lower() == "get" for form in forms)


def test_the_newest_changes_come_first(client: Client) -> None:
    section = Article.objects.get(slug="the-millers")
    revisions.record_revision(
        section, state=Revision.State.PUBLISHED, kind=Revision.Kind.CORRECTION, note="A zorblax was no miller."
    )
    document = parse(client.get("/"))
    assert "A zorblax was no miller." in text_of(document.find(".//main"))
    assert client.get("/").context["changes"][0].article == section
    assert len(client.get("/").context["changes"]) == 5


def test_a_change_that_is_not_notable_is_not_listed(client: Client) -> None:
    section = Article.objects.get(slug="the-millers")
    revisions.record_revision(section, state=Revision.State.PUBLISHED, kind=Revision.Kind.NONE, note="A zorblax.")
    revisions.record_revision(
        section, state=Revision.State.DRAFT, kind=Revision.Kind.CORRECTION, note="Another zorblax."
    )
    assert "zorblax" not in client.get("/").content.decode()


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
