"""A page in memory outlives changes of what it was not made of, and no other: tried with every column there is."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from articles import markdown, topics, views
from articles.models import Article, QuoteChoice, Reference, TaggedArticle
from quotes import matching
from quotes.models import Check, Quote
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.indexing import queue
from rlm_site.page_cache import memory, middleware, versions, watch
from rlm_site.tags.models import Tag

pytestmark = pytest.mark.django_db

ALLIES = "/russian-liberation-movement/the-allies/"
TOPIC = "/russian-liberation-movement/"
LINKING = "/yalta-and-the-repatriation-agreements/force-and-conscience/"
ABOUT = "/about/"
PAGES = (ALLIES, TOPIC, LINKING, "/quotes/", "/people/", "/people/susan-sontag/")  # each says what it was made of


class Reader:
    """Asks for pages as they come from memory, and counts those that are made for it."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.editor = Client(HTTP_HOST="127.0.0.1", HTTP_COOKIE="sessionid=x")
        self.made: Counter[str] = Counter()

    def read(self, path: str) -> bytes:
        settle_triggers()
        return self.client.get(path).content

    def read_anew(self, path: str) -> bytes:
        """As it is now, whatever anybody remembers: nothing is kept for whoever sends a session."""
        matching._memory.clear()
        return self.editor.get(path).content


def settle_triggers() -> None:
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:  # as at commit
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


@pytest.fixture
def reader(client: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """Here the transaction of the test is all that there is: what happens in it counts as committed."""
    reader = Reader(client)
    make, fetch = middleware._cached_page, versions._fetch_versions

    def count(request: Any, *args: Any) -> memory.CachedPage:
        reader.made[request.path] += 1
        return make(request, *args)

    monkeypatch.setattr(versions, "content_version", lambda: versions.versions_of(())["all"])
    monkeypatch.setattr(middleware, "_cached_page", count)
    monkeypatch.setattr(versions, "_fetch_versions", lambda *asked: fetch(*asked)._replace(committed=True))
    middleware.MEMORY.clear()
    queue.process_queue()
    yield reader
    middleware.MEMORY.clear()
    matching._memory.clear()


def elsewhere() -> "models.QuerySet[Article]":
    return Article.objects.filter(slug="andrey-vlasov")


def test_a_page_outlives_an_edit_of_another(reader: Reader) -> None:
    before = reader.read(ALLIES)
    for number in range(3):
        elsewhere().update(body=f"Edit no. {number}.")
        assert reader.read(ALLIES) == before
    assert reader.made[ALLIES] == 1


def test_a_page_that_says_nothing_of_its_parts_outlives_no_edit(reader: Reader) -> None:
    for number in range(3):
        elsewhere().update(body=f"Edit no. {number}.")
        reader.read("/changes/")
        reader.read("/changes/")
    assert reader.made["/changes/"] == 3


def test_a_page_that_is_made_of_nothing_is_made_once(reader: Reader) -> None:
    for _round in range(3):
        reader.read(ABOUT)
        Article.objects.update(body="x")
    assert reader.made[ABOUT] == 1


def test_what_was_derived_elsewhere_may_wait(reader: Reader) -> None:
    reader.read(ALLIES)
    elsewhere().update(title="The General")
    reader.read(ABOUT)
    assert reader.made == {ALLIES: 1, ABOUT: 1}
    assert queue.Stale.objects.exists()


def test_a_page_is_made_anew_when_the_clock_says_so(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere().update(retire_at=timezone.now() + timedelta(hours=1))
    reader.read(ALLIES)
    Article.objects.filter(slug="kaminski-brigade").update(body="Something else.")
    reader.read(ALLIES)
    assert reader.made[ALLIES] == 1
    later = middleware.time.time() + 3601
    monkeypatch.setattr(middleware, "time", SimpleNamespace(time=lambda: later))
    reader.read(ALLIES)
    assert reader.made[ALLIES] == 2


def test_a_page_during_whose_making_something_changed_is_not_trusted(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = views.render

    def render_slowly(*args: Any) -> Any:
        response = render(*args)
        Article.objects.filter(slug="the-allies").update(body="Written meanwhile.")
        settle_triggers()
        return response

    monkeypatch.setattr(views, "render", render_slowly)
    assert b"Written meanwhile." not in reader.read(ALLIES)
    monkeypatch.setattr(views, "render", render)
    assert b"Written meanwhile." in reader.read(ALLIES)


def test_a_page_during_whose_making_something_changed_elsewhere_stands(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = views.render

    def render_slowly(*args: Any) -> Any:
        elsewhere().update(body="Written meanwhile.")
        return render(*args)

    monkeypatch.setattr(views, "render", render_slowly)
    for _round in range(3):
        reader.read(ALLIES)
    assert reader.made[ALLIES] == 1


def test_a_page_made_anew_costs_at_most_eight_queries(reader: Reader) -> None:
    for _round in range(2):
        page = Article.objects.get(slug="the-allies")
        Article.objects.filter(pk=page.pk).update(body=page.body + " More.")
        queue.process_queue()
        settle_triggers()
        with CaptureQueriesContext(connection) as captured:
            reader.client.get(ALLIES)
    assert reader.made[ALLIES] == 2
    assert len(captured) <= 8


def test_strange_parameters_neither_make_a_page_nor_show_in_it(reader: Reader) -> None:
    page = reader.read("/quotes/")
    assert reader.read("/quotes/?utm_source=x&fbclid=y") == page
    assert reader.made == {"/quotes/": 1}
    second = reader.read("/quotes/?page=2&utm_source=x")
    assert second != page
    assert b"utm_source" not in second
    assert reader.made == {"/quotes/": 1}


# Every table


DERIVED = {
    versions.VERSION_TABLE, versions.PART_TABLE, versions.STALE_TABLE,
    "django_content_type", "quotes_word", "quotes_quoteword",
    "articles_headingword", "rlm_site_searchdocument", "rlm_site_searchword",
}  # fmt: skip
OTHER_PAGES = (
    "/", "/about/", "/changes/", "/references/", "/tags/", "/tags/exile/", "/words/allies/", "/search/?q=allies",
    "/feeds/changes/", "/feeds/quotes/", "/sitemap.xml", "/sitemap-articles.xml", "/robots.txt",
)  # fmt: skip


def tables_read(reader: Reader, path: str) -> set[str]:
    topics._printed.cache_clear()
    matching._memory.clear()
    middleware._next_scheduled_moment(
        versions.current_versions(), middleware.time.time()
    )  # only the first kept page asks
    with CaptureQueriesContext(connection) as captured:
        assert reader.client.get(path).status_code == 200
    statements = " ".join(query["sql"] for query in captured)
    return {table for table in connection.introspection.table_names() if re.search(rf"\b{table}\b", statements)}


@pytest.mark.parametrize("path", [*PAGES, *OTHER_PAGES])
def test_every_table_that_a_page_reads_is_watched_or_derived(reader: Reader, path: str) -> None:
    read = tables_read(reader, path)
    assert read - DERIVED - {"search_index"} <= watch.WATCHED.keys()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_names_a_part_of_every_table_that_it_reads(reader: Reader, path: str) -> None:
    read = tables_read(reader, path) & watch.WATCHED.keys()
    page = middleware.MEMORY.get(path)
    assert read
    assert page is not None
    named = {name.partition(":")[0] for name in page.parts or ()}
    assert {table for table in read if not named & {part.name for part in watch.WATCHED[table].parts}} == set()


# Every column

NOT_SHOWN = {Check}  # on these pages
WORD_INDEX, MADE_OF = "quotes_quoteword", {"quotes_indexterm", "quotes_taggedquote"}


def rows() -> Iterator[models.Model]:
    """Of every table some that the pages show, and some that they do not."""
    allies, linking = Article.objects.get(slug="the-allies"), Article.objects.get(slug="force-and-conscience")
    topic = allies.topic
    Article.objects.filter(pk=topic.pk).update(body="It links to no page and cites nothing.")
    revisions.record_revision(allies, state=Revision.State.DRAFT)
    Article.objects.create(parent=topic, title="A Draft", slug="a-draft", position=3)
    shown = Quote.objects.filter(person__slug="susan-sontag").first()
    assert shown is not None
    QuoteChoice.objects.get_or_create(article=allies, quote=shown)
    QuoteChoice.objects.get_or_create(article=topic, quote=shown, action=QuoteChoice.Action.BAN)
    shown.tags.add("exile")
    allies.tags.add("exile")
    queue.process_queue()
    yield from (topic, allies, linking, elsewhere().get(), Article.objects.get(slug="a-draft"))
    yield from topic.sections.exclude(pk=allies.pk)[:1]
    yield shown
    yield from (row for row in (shown.person, shown.work, shown.quoted_in) if row)
    for entry in watch.WATCHED.values():
        if entry.model not in {Article, QuoteChoice, TaggedArticle, Revision}:
            yield from entry.model._default_manager.order_by("-pk")[:2]
    yield from Reference.objects.filter(key=markdown.source(allies.body).citations[0].key)
    for model, field in ((QuoteChoice, "article"), (TaggedArticle, "content_object")):
        for article in (allies, topic, linking):
            yield from model._default_manager.filter(**{field: article})[:1]
    yield from Revision.objects.filter(object_id__in=[allies.pk, topic.pk])
    yield Tag.objects.get(slug="exile")


def other_values(row: models.Model, field: "models.Field[Any, Any]") -> Iterator[Any]:
    """Values that the column could have as well; the first that the table's constraints allow is tried."""
    value = getattr(row, field.attname)
    if field.choices:
        yield from (choice for choice, _label in field.flatchoices if choice != value)
    elif isinstance(field, models.ForeignKey):
        related: Any = field.related_model
        yield from related._default_manager.exclude(pk=value).values_list("pk", flat=True)[:5]
    elif isinstance(field, models.BooleanField):
        yield not value
    elif isinstance(field, models.DateTimeField):
        yield timezone.now() + timedelta(days=1 if field.name == "publish_at" else -1)
    elif isinstance(field, models.DateField):
        yield (value or timezone.now().date()) + timedelta(days=1)
    elif isinstance(field, models.IntegerField):
        yield (value or 0) + 1
    elif isinstance(field, models.JSONField):
        yield {"changed": True}
    elif field.max_length:
        yield f"{value}x"[-field.max_length :]
    else:
        yield f"{value}x"


def change(row: models.Model, field: "models.Field[Any, Any]") -> None:
    """Another value; of the key, the row is deleted."""
    if field.primary_key:
        with suppress(ProtectedError):
            row._meta.model._default_manager.get(pk=row.pk).delete()
        return
    for value in other_values(row, field):
        with suppress(IntegrityError), transaction.atomic():
            row._meta.model._default_manager.filter(pk=row.pk).update(**{field.attname: value})
            return


def test_whatever_changes_no_page_that_stands_is_another_than_one_made_anew(reader: Reader) -> None:
    tried = [(row, field) for row in dict.fromkeys(rows()) for field in row._meta.concrete_fields]
    settle_triggers()
    read = {path: tables_read(reader, path) for path in PAGES}
    in_memory = {path: middleware.MEMORY.get(path) for path in PAGES}
    for tables in read.values():
        tables.update(MADE_OF if WORD_INDEX in tables else ())
    noticed, outlived = set(), set()
    for row, field in tried:
        with transaction.atomic():
            change(row, field)
            settle_triggers()
            for path, page in in_memory.items():
                assert page is not None
                assert page.parts
                if row._meta.db_table not in read[path]:
                    continue
                if page.stands(versions.versions_of(page.parts)):
                    assert page.body("") == reader.read_anew(path), f"{path} after {field} of {row!r}"
                    outlived.add(row._meta.model)
                else:
                    noticed.add(row._meta.model)
            transaction.set_rollback(True)
    assert noticed == {entry.model for entry in watch.WATCHED.values()} - NOT_SHOWN
    assert outlived >= {Article, TaggedArticle, QuoteChoice, Revision}
