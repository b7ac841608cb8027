"""A page in memory outlives changes of what it does not depend on, and no others: tried with every column there is."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.db.models import ProtectedError, Q
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.utils import timezone

from articles import markdown, topics, views
from articles.models import Article, Event, Group, QuoteChoice, Reference, TaggedArticle
from quotes import matching
from quotes.models import Check, Collection, Quote
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.indexing import queue
from rlm_site.page_cache import memory, middleware, versions, watch
from rlm_site.page_cache.dependencies import collect_dependencies
from rlm_site.tags.models import Tag
from rlm_site.testing.before_django import BeforeDjango

pytestmark = pytest.mark.django_db

MILLERS = "/yarle-valley/the-millers/"
TOPIC = "/yarle-valley/"
LINKING = "/tolby-market/the-fair/"
ROBOTS = "/robots.txt"
PAGES = (
    MILLERS,
    TOPIC,
    "/yarle-valley/all/",
    LINKING,
    "/quotes/",
    "/quotes/people/",
    "/quotes/people/lena-sommer/",
    "/about/",
)  # all that tracks dependencies and reads the database


class Reader:
    """Asks for pages as they come from memory, and counts those that are made for it."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.door = BeforeDjango()
        self.editor = Client(HTTP_HOST="127.0.0.1", HTTP_COOKIE="sessionid=x")
        self.made: Counter[str] = Counter()

    def read(self, path: str) -> bytes:
        """Ask before Django, of Django, and before Django again: all give the same page."""
        fire_deferred_triggers()
        pages = [client.get(path) for client in (self.door, self.client, self.door)]
        assert len({page.content for page in pages}) == 1
        return pages[0].content

    def read_anew(self, path: str) -> bytes:
        """As it is now, whatever anybody remembers: nothing is kept for whoever sends a session."""
        matching._block_cache.clear()
        return self.editor.get(path).content


def fire_deferred_triggers() -> None:
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:  # as at commit
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


@pytest.fixture
def reader(client: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """Count what happens in the transaction of the test as committed."""
    reader = Reader(client)
    make, read = middleware._cached_page, versions.read_versions

    def count(request: Any, *args: Any) -> memory.CachedPage:
        reader.made[request.path] += 1
        return make(request, *args)

    monkeypatch.setattr(versions, "content_version", lambda: versions.read_versions().versions["all"])
    monkeypatch.setattr(middleware, "_cached_page", count)
    monkeypatch.setattr(versions, "read_versions", lambda *tags, **on: read(*tags, **on)._replace(committed=True))
    middleware.MEMORY.clear()
    queue.process_queue()
    yield reader
    middleware.MEMORY.clear()
    matching._block_cache.clear()


def elsewhere() -> "models.QuerySet[Article]":
    return Article.objects.filter(slug="edgar-tarlow")


def test_a_page_outlives_an_edit_of_another(reader: Reader) -> None:
    before = reader.read(MILLERS)
    for number in range(3):
        elsewhere().update(body=f"Edit no. {number}.")
        assert reader.read(MILLERS) == before
    assert reader.made[MILLERS] == 1


def test_a_page_that_does_not_track_its_dependencies_outlives_no_edit(reader: Reader) -> None:
    elsewhere().update(body="No link, so that no edit below changes what is related.")
    queue.process_queue()
    for number in range(3):
        elsewhere().update(body=f"Edit no. {number}.")
        reader.read("/changes/")
        reader.read("/changes/")
    assert reader.made["/changes/"] == 3


def test_a_page_that_depends_on_nothing_is_made_once(reader: Reader) -> None:
    for _round in range(3):
        reader.read(ROBOTS)
        Article.objects.update(body="x")
    assert reader.made[ROBOTS] == 1


def test_what_was_derived_elsewhere_may_wait(reader: Reader) -> None:
    reader.read(MILLERS)
    elsewhere().update(title="The General")
    reader.read(ROBOTS)
    assert reader.made == {MILLERS: 1, ROBOTS: 1}
    assert queue.Stale.objects.exists()


def test_a_page_is_made_anew_when_the_clock_says_so(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere().update(retire_at=timezone.now() + timedelta(hours=1))
    reader.read(MILLERS)
    Article.objects.filter(slug="tolby-market").update(body="Something else.")
    reader.read(MILLERS)
    assert reader.made[MILLERS] == 1
    later = middleware.time.time() + 3601
    monkeypatch.setattr(middleware, "time", SimpleNamespace(time=lambda: later))
    reader.read(MILLERS)
    assert reader.made[MILLERS] == 2


def test_a_page_during_whose_making_something_changed_is_not_trusted(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = views.render

    def render_slowly(*args: Any) -> Any:
        response = render(*args)
        Article.objects.filter(slug="the-millers").update(body="Written meanwhile.")
        fire_deferred_triggers()
        return response

    monkeypatch.setattr(views, "render", render_slowly)
    assert b"Written meanwhile." not in reader.client.get(MILLERS).content
    monkeypatch.setattr(views, "render", render)
    assert b"Written meanwhile." in reader.read(MILLERS)


def test_a_page_during_whose_making_something_changed_elsewhere_is_current(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = views.render

    def render_slowly(*args: Any) -> Any:
        elsewhere().update(body="Written meanwhile.")
        return render(*args)

    monkeypatch.setattr(views, "render", render_slowly)
    for _round in range(3):
        reader.read(MILLERS)
    assert reader.made[MILLERS] == 1


def test_a_page_made_anew_costs_at_most_eight_queries(reader: Reader) -> None:
    for _round in range(2):
        page = Article.objects.get(slug="the-millers")
        Article.objects.filter(pk=page.pk).update(body=page.body + " More.")
        queue.process_queue()
        fire_deferred_triggers()
        with CaptureQueriesContext(connection) as captured:
            reader.client.get(MILLERS)
    assert reader.made[MILLERS] == 2
    assert len(captured) <= 8


def test_strange_parameters_neither_make_a_page_nor_show_in_it(reader: Reader) -> None:
    Quote.objects.bulk_create(
        Quote(text=f"Number {n}.", key=f"number-{n}", status="reported", published=True) for n in range(30)
    )
    page = reader.read("/quotes/")
    assert reader.read("/quotes/?utm_source=x&fbclid=y") == page
    assert reader.made == {"/quotes/": 1}
    second = reader.read("/quotes/?page=2&utm_source=x")
    assert second != page
    assert b"utm_source" not in second
    assert reader.made == {"/quotes/": 1}


def test_a_page_made_of_cached_results_depends_on_the_same_as_one_that_read_everything(reader: Reader) -> None:
    dependencies = []
    for _round in range(2):
        middleware.MEMORY.clear()
        for path in PAGES:
            reader.read(path)
        dependencies.append({path: dict(depends_on_of(path)) for path in PAGES})
    assert dependencies[0] == dependencies[1]
    assert {"references", "quotes", "tags"} <= dependencies[0][MILLERS].keys()


def depends_on_of(path: str) -> Mapping[str, str]:
    page = middleware.MEMORY.get(path)
    assert page is not None
    assert page.depends_on is not None
    return page.depends_on


def test_a_topic_depends_on_its_public_pages_and_on_what_they_show(reader: Reader) -> None:
    pages = Article.objects.filter(Q(slug="yarle-valley") | Q(parent__slug="yarle-valley"))
    Article.objects.create(parent=pages[0].topic, title="A Draft", slug="a-draft", position=3)
    reader.read(MILLERS)
    named = {name for name in depends_on_of(MILLERS) if not name.startswith("article:")}
    assert {name for name in depends_on_of(MILLERS) if name not in named} == {
        f"article:{page.pk}" for page in pages if page.slug != "a-draft"
    }
    assert named >= {"references", "quotes", "tags"}
    assert all(depends_on_of(MILLERS).values())
    reader.read(LINKING)
    assert "addresses" in depends_on_of(LINKING)


def test_what_is_indexed_for_a_page_does_not_make_it_out_of_date(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    process_queue = queue.process_queue

    def process_and_commit() -> None:
        process_queue()
        fire_deferred_triggers()

    monkeypatch.setattr(queue, "process_queue", process_and_commit)
    tag = Tag.objects.get(slug="bread")
    Tag.objects.filter(pk=tag.pk).update(name="Zorblax")  # its folded name is derived, and a column of the same table
    for _round in range(3):
        reader.read(MILLERS)
    assert Tag.objects.get(pk=tag.pk).folded == "zorblax"
    assert reader.made[MILLERS] == 1


def test_the_topic_itself_says_that_it_reads_tags(reader: Reader) -> None:
    with collect_dependencies() as dependencies:
        queue.ensure_indexed()
        topics.load_topic("yarle-valley", timezone.now())
    assert {tag.partition(":")[0] for tag in dependencies} == {"article", "tags"}


def test_what_only_the_caller_can_tell_depends_on_everything(reader: Reader) -> None:
    now = timezone.now()
    reads: list[Callable[[], object]] = [
        lambda: topics.load_topics(Article.objects.all(), now),
        lambda: Article.objects.published(now),
        lambda: Tag.objects.published(now),
    ]
    for read in reads:
        with collect_dependencies() as dependencies:
            read()
        assert "all" in dependencies


def test_every_view_that_tracks_dependencies_is_tried_here() -> None:
    """A new one belongs in PAGES, where its tables and columns are tried."""
    tracking = {pattern.callback for pattern in patterns() if getattr(pattern.callback, "tracks_dependencies", False)}
    assert {resolve(path).func for path in (*PAGES, ROBOTS)} == tracking


def patterns(resolver: URLResolver | None = None) -> Iterator[URLPattern]:
    for each in (resolver or get_resolver()).url_patterns:
        if isinstance(each, URLResolver):
            yield from patterns(each)
        else:
            yield each


# Every table


DERIVED = {
    versions.VERSION_TABLE, versions.ROW_VERSION_TABLE, versions.STALE_TABLE,
    "django_content_type", "quotes_word", "quotes_quoteword",
    "articles_alias", "articles_headingword", "articles_headingid", "articles_version",
    "rlm_site_address", "rlm_site_searchdocument", "rlm_site_searchword", "rlm_site_setaside",
}  # fmt: skip
OTHER_PAGES = (
    "/", "/about/", "/changes/", "/references/", "/tags/", "/tags/bread/", "/words/millers/", "/search/?q=millers",
    "/people/", "/places/", "/map/", "/chronology/", "/documents/", "/glossary/", "/index/",
    "/yarle-valley/versions/", "/yarle-valley/versions/1/", "/yarle-valley/versions/1/cite/", "/references/all.bib",
    "/feeds/changes/", "/feeds/quotes/", "/sitemap.xml", "/sitemap-articles.xml", "/robots.txt",
)  # fmt: skip


def tables_read(reader: Reader, path: str) -> set[str]:
    topics._cached_references.cache_clear()
    matching._block_cache.clear()
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
def test_a_page_depends_on_a_tag_of_every_table_that_it_reads(reader: Reader, path: str) -> None:
    read = tables_read(reader, path) & watch.WATCHED.keys()
    page = middleware.MEMORY.get(path)
    assert read
    assert page is not None
    named = {name.partition(":")[0] for name in page.depends_on or ()}
    unnamed = {table for table in read if not named & {"all", *(tag.name for tag in watch.WATCHED[table].tags)}}
    assert unnamed == set()


# Every column

NOT_SHOWN = {Check, Group}  # on these pages
WORD_INDEX, MADE_OF = "quotes_quoteword", {"quotes_indexterm", "quotes_taggedquote"}


def rows() -> Iterator[models.Model]:
    """Of every table some that the pages show, and some that they do not."""
    millers, linking = Article.objects.get(slug="the-millers"), Article.objects.get(slug="the-fair")
    topic = millers.topic
    Article.objects.filter(pk=topic.pk).update(body="It links to no page and cites nothing.")
    revisions.record_revision(millers, state=Revision.State.DRAFT)
    Article.objects.create(parent=topic, title="A Draft", slug="a-draft", position=3)
    Event.objects.create(article=topic, title="A flood", dates="1901-09", text="The Yarle rises.", published=True)
    shown = Quote.objects.filter(person__slug="lena-sommer").first()
    assert shown is not None
    QuoteChoice.objects.get_or_create(article=millers, quote=shown)
    QuoteChoice.objects.get_or_create(article=topic, quote=shown, action=QuoteChoice.Action.BAN)
    shown.tags.add("bread")
    Quote.objects.filter(pk=shown.pk).update(collection=Collection.objects.create(name="Sayings of the Yarle"))
    millers.tags.add("bread")
    queue.process_queue()
    yield from (topic, millers, linking, elsewhere().get(), Article.objects.get(slug="a-draft"))
    yield from topic.sections.exclude(pk=millers.pk)[:1]
    yield shown
    yield from (row for row in (shown.person, shown.work, shown.quoted_in) if row)
    for entry in watch.WATCHED.values():
        if entry.model not in {Article, QuoteChoice, TaggedArticle, Revision}:
            yield from entry.model._default_manager.order_by("-pk")[:2]
    yield from Reference.objects.filter(key=markdown.source(millers.body).citations[0].key)
    for model, field in ((QuoteChoice, "article"), (TaggedArticle, "content_object")):
        for article in (millers, topic, linking):
            yield from model._default_manager.filter(**{field: article})[:1]
    yield from Revision.objects.filter(object_id__in=[millers.pk, topic.pk])
    yield Tag.objects.get(slug="bread")


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


@pytest.mark.full
def test_whatever_changes_no_current_page_is_another_than_one_made_anew(reader: Reader) -> None:
    tried = [(row, field) for row in dict.fromkeys(rows()) for field in row._meta.concrete_fields]
    fire_deferred_triggers()
    read = {path: tables_read(reader, path) for path in PAGES}
    in_memory = {path: middleware.MEMORY.get(path) for path in PAGES}
    for tables in read.values():
        tables.update(MADE_OF if WORD_INDEX in tables else ())
    noticed, outlived = set(), set()
    for row, field in tried:
        with transaction.atomic():
            change(row, field)
            queue.process_queue()  # as the next page that is made would
            fire_deferred_triggers()
            for path, page in in_memory.items():
                assert page is not None
                assert page.depends_on
                if row._meta.db_table not in read[path]:
                    continue
                if page.is_current(versions.read_versions(page.depends_on).versions):
                    assert page.body("") == reader.read_anew(path), f"{path} after {field} of {row!r}"
                    outlived.add(row._meta.model)
                else:
                    noticed.add(row._meta.model)
            transaction.set_rollback(True)
    assert noticed == {entry.model for entry in watch.WATCHED.values()} - NOT_SHOWN
    assert outlived >= {Article, TaggedArticle, QuoteChoice, Revision}
