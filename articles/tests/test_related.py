"""Topics that have to do with each other: found by links and tags, told with reasons, right after every change."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from articles import related
from articles.models import Article, Related, TaggedArticle
from rlm_site.indexing import queue
from rlm_site.tags.models import Tag
from rlm_site.tests.html import parse, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def only_these() -> None:
    Article.objects.all().delete()


def add(title: str, body: str = "", parent: Article | None = None, **fields: Any) -> Article:
    slug = title.lower().replace(" ", "-")
    return Article.objects.create(
        title=title, **{"slug": slug, "parent": parent, "body": body or "x", "published": True, **fields}
    )


def rows() -> list[tuple[str, str, int, int, list[str], int]]:
    queue.process_queue()
    found = Related.objects.select_related("article", "other").order_by("article__title", "position")
    return [(row.article.title, row.other.title, row.named, row.naming, row.tags, row.position) for row in found]


def reasons(client: Client, address: str) -> dict[str, list[str]]:
    return {each.article.title: each.reasons for each in client.get(address).context["related"]}


def test_links_relate_topics_in_both_directions(client: Client) -> None:
    okapi = add("Okapi", "[[Zebra]] and [[Zebra]]")
    add("Stripes", "[[Zebra]] [[Okapi]]", parent=okapi)
    add("Zebra", "[here](/okapi/stripes/)")
    assert rows() == [("Okapi", "Zebra", 2, 1, [], 0), ("Zebra", "Okapi", 1, 2, [], 0)]
    assert reasons(client, "/okapi/") == {"Zebra": ["named on two pages of this topic", "names this topic"]}
    assert reasons(client, "/zebra/") == {"Okapi": ["named on this page", "names this page"]}
    assert "Zebra" in text_of(parse(client.get("/okapi/")))


def test_rare_tags_count_more_and_those_of_everything_not_at_all(client: Client) -> None:
    for number in range(12):
        add(f"Page {number:02}").tags.add("everything", *(["common"] if number < 4 else []))
    for number in (0, 1):
        Article.objects.get(slug=f"page-{number:02}").tags.add("rare")
    found = [row for row in rows() if row[0] == "Page 00"]
    assert found == [
        ("Page 00", "Page 01", 0, 0, ["rare", "common"], 0),
        ("Page 00", "Page 02", 0, 0, ["common"], 1),
        ("Page 00", "Page 03", 0, 0, ["common"], 2),
    ]
    assert reasons(client, "/page-00/")["Page 01"] == ["shares the tags rare, common"]
    assert reasons(client, "/page-00/")["Page 02"] == ["shares the tag common"]


def test_the_closest_six_are_kept() -> None:
    for number in range(10):
        add(f"Page {number}", "[[Hub]]")
    add("Hub", "[[Page 7]]")
    assert [row[1] for row in rows() if row[0] == "Hub"] == ["Page 7", *(f"Page {number}" for number in range(5))]


@pytest.mark.parametrize(
    "hidden",
    [
        {"published": False},
        {"publish_at": timezone.now() + timedelta(days=1)},
        {"retire_at": timezone.now() - timedelta(days=1)},
    ],
)
def test_nothing_unpublished_is_related_or_counts(client: Client, hidden: dict[str, Any]) -> None:
    okapi, zebra = add("Okapi"), add("Zebra")
    add("Hidden", "[[Okapi]] [[Zebra]]", **hidden)
    add("Part", "[[Zebra]]", parent=okapi, **hidden).tags.add("rare")
    zebra.tags.add("rare")
    assert rows() == []


def test_a_topic_that_is_withdrawn_by_the_clock_is_not_shown(client: Client) -> None:
    add("Okapi", "[[Zebra]]")
    zebra = add("Zebra")
    assert rows()
    assert set(reasons(client, "/okapi/")) == {"Zebra"}
    with connection.cursor() as cursor:  # as if the time had come, without a change that would be noticed
        cursor.execute("UPDATE articles_article SET retire_at = publish_at WHERE id = %s", [zebra.pk])
    Article.objects.filter(pk=zebra.pk).update(retire_at=timezone.now() + timedelta(days=1))
    queue.process_queue()
    topic = type("Topic", (), {"article": Article.objects.get(slug="okapi"), "sections": ()})()
    assert related.see_also(topic, timezone.now() + timedelta(days=2)) == []


def test_the_page_of_the_site_and_glosses_are_related_to_nothing() -> None:
    add("About", "[[Okapi]]", slug="about").tags.add("rare")
    add("Okapi", "[[About]] [[Gloss]]").tags.add("rare")
    gloss = Article.objects.create(title="Gloss", slug="gloss", kind="term", summary="x", published=True)
    gloss.tags.add("rare")
    assert rows() == []


def test_a_fact_names_as_a_text_does() -> None:
    add("Okapi", kind="person", facts=[{"fact": "role", "value": "Rider of [[Zebra]]", "detail": "", "source": ""}])
    add("Zebra", aliases=[{"name": "Quagga", "language": "", "note": ""}])
    add("Gnu", "[[Quagga]]")
    assert [row[:2] for row in rows()] == [
        ("Gnu", "Zebra"), ("Okapi", "Zebra"), ("Zebra", "Okapi"), ("Zebra", "Gnu"),
    ]  # fmt: skip


# Whatever is changed, and however


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


CHANGES: dict[str, Callable[[], object]] = {
    "a text": lambda: sql("UPDATE articles_article SET body = '[[Gnu]]' WHERE slug = 'okapi'"),
    "a title": lambda: sql("UPDATE articles_article SET title = 'Quagga' WHERE slug = 'zebra'"),
    "a slug": lambda: Article.objects.filter(slug="zebra").update(slug="quagga"),
    "a section moved": lambda: Article.objects.filter(slug="stripes").update(parent=Article.objects.get(slug="gnu")),
    "a section deleted": lambda: Article.objects.get(slug="stripes").delete(),
    "a topic deleted": lambda: sql("DELETE FROM articles_article WHERE slug = 'gnu'"),
    "a topic withdrawn": lambda: sql("UPDATE articles_article SET published = %s WHERE slug = 'zebra'", False),
    "a tag added": lambda: Article.objects.get(slug="lone").tags.add("rare"),
    "a tag taken away": lambda: sql(
        "DELETE FROM articles_taggedarticle WHERE id = %s", TaggedArticle.objects.filter(tag__name="rare")[0].pk
    ),
    "a tag renamed": lambda: Tag.objects.filter(name="rare").update(name="scarce", folded="scarce"),
    "a page added": lambda: add("New", "[[Okapi]]").tags.add("rare"),
    "an alias": lambda: Article.objects.filter(slug="gnu").update(
        aliases=[{"name": "Lost", "language": "", "note": ""}]
    ),
    "a kind": lambda: Article.objects.filter(slug="lone").update(kind="term", body=""),
}


@pytest.mark.parametrize("few", [related.FEW, 0], ids=["all anew", "what changed"])
@pytest.mark.parametrize("change", CHANGES)
def test_relations_are_as_if_found_anew(monkeypatch: pytest.MonkeyPatch, change: str, few: int) -> None:
    okapi = add("Okapi", "[[Zebra]] [[Gnu]]")
    add("Stripes", "[[Zebra]] [[Lone]] [[Lost]]", parent=okapi).tags.add("rare")
    add("Zebra", "[x](/gnu/) [[Quagga]]").tags.add("rare")
    add("Gnu", "[[Stripes]]")
    add("Lone", "[[Zebra]]").tags.add("other")
    for number in range(8):
        add(f"Page {number}")
    assert rows()
    monkeypatch.setattr(related, "FEW", few)
    CHANGES[change]()
    found = rows()
    Related.objects.all().delete()
    monkeypatch.setattr(related, "FEW", 1000)
    related.index_related([0])
    assert found == rows()


def test_a_page_is_fresh_when_its_relations_change(client: Client) -> None:
    add("Okapi")
    zebra = add("Zebra")
    assert "names this page" not in text_of(parse(client.get("/okapi/")))
    Article.objects.filter(pk=zebra.pk).update(body="[[Okapi]]")
    assert "names this page" in text_of(parse(client.get("/okapi/")))
    Article.objects.filter(pk=zebra.pk).update(title="Quagga")
    assert "Quagga" in text_of(parse(client.get("/okapi/")))


def test_relations_are_stored_once() -> None:
    add("Okapi", "[[Zebra]]")
    add("Zebra")
    rows()
    before = list(Related.objects.values_list("pk", flat=True))
    Article.objects.filter(slug="zebra").update(summary="Striped.")
    rows()
    assert list(Related.objects.values_list("pk", flat=True)) == before
