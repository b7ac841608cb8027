"""What a form demands the database demands too: of `update`, of `bulk_create` and of other programs."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client

from articles.models import Article, Reference
from quotes.models import Person, Quote, Work
from rlm_site.page_cache import triggers
from rlm_site.tags.models import Tag
from rlm_site.tests.test_broken_rows import drop_rules

pytestmark = pytest.mark.django_db


def topic() -> Article:
    return Article.objects.get(slug="yarle-valley")


def test_a_slug_is_made_of_the_title_by_save_and_by_bulk_create() -> None:
    assert Article.objects.create(title="Vineyards", parent=topic(), published=True, body="x").slug == "vineyards"
    [made] = Article.objects.bulk_create([Article(title="Vineyards", parent=topic())])
    assert made.slug == "vineyards-2"
    assert Article.objects.create(title="Search").slug == "search-2"
    assert Person.objects.create(name="Vera Marsh").slug == "vera-marsh-2"
    [tag] = Tag.objects.bulk_create([Tag(name="Weirs")])
    assert tag.slug == "weirs"


def test_a_page_without_a_slug_takes_no_page_down(client: Client) -> None:
    Article.objects.create(title="Vineyards", parent=topic(), published=True, body="x")
    for address in ("/", "/yarle-valley/", "/yarle-valley/vineyards/", "/search/?q=vineyards", "/sitemap-articles.xml"):
        assert client.get(address).status_code == 200
    assert "Vineyards" in client.get("/feeds/changes/").content.decode()


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "empty slug": (lambda: Article.objects.update(slug=""), "articles_article.slug must consist of"),
    "slug with a slash": (lambda: Tag.objects.update(slug="a/b"), "rlm_site_tag.slug must consist of"),
    "reserved slug": (
        lambda: Article.objects.filter(pk=topic().pk).update(slug="search"),
        "the slug is reserved for the site itself",
    ),
    "empty title": (lambda: Article.objects.update(title=" "), "articles_article.title must not be empty"),
    "empty text": (lambda: Quote.objects.update(text="\n"), "quotes_quote.text must not be empty"),
    "empty name": (lambda: Person.objects.update(name=""), "quotes_person.name must not be empty"),
    "unknown status": (lambda: Quote.objects.update(status="sure"), "quotes_quote.status must be one of"),
    "section of a section": (
        lambda: Article.objects.create(title="Deep", parent=Article.objects.get(slug="the-millers")),
        "a section has no sections of its own",
    ),
    "topic with sections below another": (
        lambda: Article.objects.filter(pk=topic().pk).update(parent=Article.objects.get(slug="tolby-market")),
        "a section has no sections of its own",
    ),
    "own parent": (
        lambda: Article.objects.filter(slug="the-millers").update(parent=Article.objects.get(slug="the-millers")),
        "articles_article: a page cannot be a section of itself",
    ),
    "death before birth": (lambda: Person.objects.update(born=1900, died=1800), "before the year of birth"),
    "year 0": (lambda: Person.objects.update(born=0), "quotes_person.born must be a year"),
    "year 20000": (lambda: Work.objects.update(year=20000), "quotes_work.year must be a year"),
    "own source": (
        lambda: Quote.objects.filter(key="sommer-honest-men").update(
            true_source=Quote.objects.get(key="sommer-honest-men")
        ),
        "a quotation cannot be its own source",
    ),
    "misattributed to nobody": (
        lambda: Quote.objects.filter(person=None).update(status="misattributed"),
        "needs the person",
    ),
    "script for an address": (lambda: Reference.objects.update(url="javascript:alert(1)"), "must begin with https://"),
    "another site after retirement": (
        lambda: Quote.objects.update(retired_to="//evil.example"),
        "retired_to must be an address of this site",
    ),
    "names that are none": (lambda: Person.objects.update(aliases=["a", 1]), "aliases must be a list of names"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_words(name: str) -> None:
    act, told = REFUSED[name]
    with transaction.atomic(), pytest.raises(IntegrityError) as refusal, transaction.atomic():
        act()
    assert told in str(refusal.value)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("title", "x" * 201), ("title", "a\x07b"), ("title", "a\0b"), ("body", "a\x0bb"), ("body", "a\ufffeb")),
        *(("position", "last"), ("position", 2**40), ("published", "maybe"), ("publish_at", "soon")),
        *(("publish_at", "2026-02-30 00:00:00"), ("reviewed_on", "0000-00-00"), ("slug", "Ä")),
    ],
)
def test_another_program_is_refused_too(column: str, value: str | int) -> None:
    with pytest.raises((DatabaseError, ValueError)), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE articles_article SET {column} = %s WHERE id = %s", [value, topic().pk])


def test_a_row_that_breaks_a_rule_can_be_mended_bit_by_bit() -> None:
    """A rule is asked of the columns that change: other programs can go on with the rest."""
    of_topic = Article.objects.filter(pk=topic().pk)
    drop_rules()
    of_topic.update(slug="")
    triggers.install_triggers()
    of_topic.update(title="Still without an address")
    with pytest.raises(IntegrityError), transaction.atomic():
        of_topic.update(slug="a b")
