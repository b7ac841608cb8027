"""No row takes the site down: whatever another program writes into any column is refused or does no harm."""

import json
import random
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, connection, models, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from articles.models import Article, Event, Group, QuoteChoice, Reference
from quotes.models import Check, Collection, IndexTerm, Person, Quote, Work
from rlm_site import constraints
from rlm_site.constraints import APPS
from rlm_site.history import revisions, trash
from rlm_site.history.models import Deletion, Import, PreviewLink, Revision
from rlm_site.indexing import queue
from rlm_site.page_cache import triggers
from rlm_site.page_cache.middleware import MEMORY
from rlm_site.tags.models import Tag, TagChange
from rlm_site.tests.editor import signed_in

pytestmark = pytest.mark.django_db

READERS = (
    "/", "/people/", "/places/", "/documents/", "/glossary/", "/index/", "/chronology/", "/map/", "/yarle-valley/all/",
    "/yarle-valley/", "/yarle-valley/the-millers/", "/edgar-tarlow/the-ferry/", "/quotes/", "/quotes/people/",
    "/quotes/people/vera-marsh/", "/tags/", "/tags/bread/", "/words/millers/", "/references/", "/search/?q=river",
    "/changes/",
    "/feeds/changes/", "/feeds/quotes/", "/sitemap.xml", "/sitemap-articles.xml", "/sitemap-quotes.xml",
    "/sitemap-people.xml", "/sitemap-tags.xml", "/nowhere/", "/healthz",
)  # fmt: skip
LISTS = tuple(
    f"/admin/{address}"
    for address in (
        "", "articles/article/", "articles/event/", "articles/group/", "articles/reference/",
        "quotes/quote/", "quotes/person/", "quotes/work/",
        "quotes/collection/", "rlm_site/tag/", "rlm_site/revision/", "rlm_site/deletion/", "rlm_site/import/",
        "rlm_site/address/",
    )
)  # fmt: skip


@pytest.fixture
def editor() -> Client:
    return signed_in()


def drop_rules() -> None:
    """Leave the database as one in which rows were written before there was a rule."""
    with connection.cursor() as cursor:
        for name, table in triggers._installed(connection).items():
            if name.startswith("rules_"):
                on = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER {name}{on}")


def absurd_values(field: Any) -> Iterator[Any]:
    """Yield what no form would take, and what a column of its type can be made to hold."""
    if field.null:
        yield None
    if isinstance(field, models.JSONField):
        yield from (json.dumps(value) for value in ([], {}, "text", 5, None, [None, {"a": 1}, "a\x0bb"], {"text": 1}))
    elif isinstance(field, models.CharField | models.TextField):
        yield from ("", " ", "a/b ?#", "//evil.example", "javascript:alert(1)", "x" * ((field.max_length or 200) + 1))
        yield from (
            "a\x07b",
            "a\x0bb\x0cc",
            "a\x85b\u2028c",
            "\ufeff",
            "a\ufffeb",
            "a\u202eb\U0001fffe",
            "<script>&\"'",
        )
    elif isinstance(field, models.DateField):
        yield from ("0001-01-01", "9999-12-31")
    elif isinstance(field, models.BooleanField):
        yield from (True, False)
    else:
        yield from (0, -1, 99999, 2**31, 2**63 - 1, -(2**63))


def values_of_other_types(field: Any) -> Iterator[Any]:
    """Yield what SQLite would let any column hold, were there no rule against it."""
    if isinstance(field, models.JSONField):
        yield "no json"
    elif isinstance(field, models.CharField | models.TextField):
        yield b"bytes"
    else:
        yield from ("", "text", 1.5, "never", "0000-00-00", "2026-02-30", "99999-01-01")


def subjects() -> dict[str, models.Model]:
    """Return a row of every table that people or programs write, so that each column of each is tried."""
    article = Article.objects.get(slug="the-millers")
    quote = Quote.objects.filter(checks__isnull=False, work__isnull=False).order_by("pk")[0]
    article_type = ContentType.objects.get_for_model(Article)
    revisions.save_draft(article, {**revisions.content_of(article), "title": "Another"})
    revision = Revision.objects.filter(object_id=article.pk, content_type=article_type).order_by("-pk")[0]
    gone = Reference.objects.create(key="gone-1900", title="Gone")
    [deletion] = trash.move_to_trash([gone], None)
    gone.delete()
    collection = Collection.objects.create(name="Sayings of the Yarle")
    Quote.objects.filter(pk=quote.pk).update(collection=collection)
    made: dict[str, models.Model] = {
        "topic": article.topic,
        "section": article,
        "quotation": quote,
        "work": quote.work or Work(),
        "collection": collection,
        "person": Person.objects.get(slug="vera-marsh"),
        "tag": Tag.objects.get(slug="bread"),
        "reference": Reference.objects.get(key="arden-1987"),
        "group": Group.objects.create(title="Mills", layout="list"),
        "event": Event.objects.create(article=article, title="Fire", dates="1901-09", text="It burns.", published=True),
        "choice": QuoteChoice.objects.order_by("pk")[0],
        "check": Check.objects.order_by("pk")[0],
        "term": IndexTerm.objects.order_by("pk")[0],
        "revision": revision,
        "deletion": deletion,
        "preview": PreviewLink.objects.create(revision=revision, expires=timezone.now()),
        "import": Import.objects.create(name="a.csv", digest="0" * 64, model=article_type),
        "change": TagChange.objects.create(kind="rename", said="a to b", before={"folded": "a", "became": "b"}),
    }
    queue.process_queue()
    return made


def write(row: models.Model, field: Any, value: Any) -> bool:
    """Write a value as another program would; return whether the database took it."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f'UPDATE {row._meta.db_table} SET "{field.column}" = %s WHERE "{row._meta.pk.column}" = %s',
                [value, row.pk],
            )
    except (DatabaseError, OverflowError):
        return False
    return True


PARTS = 4  # of the addresses that are asked
READ_ONLY = (Revision, Deletion, PreviewLink, Import, TagChange)  # what no form mends; their own pages may fail
OWN_PAGES = {Article: "/yarle-valley/the-millers/", Person: "/quotes/people/vera-marsh/", Tag: "/tags/bread/"}


_queries: dict[str, str] = {}


def queries_of(asker: Client, address: str) -> str:
    """Return the queries of a page or list, which is asked for once a process: all subjects are there each time."""
    if address not in _queries:
        MEMORY.clear()
        with CaptureQueriesContext(connection) as queries:
            asker.get(address)
        _queries[address] = "\n".join(query["sql"] for query in queries)
    return _queries[address]


def addresses_reading(row: models.Model, client: Client, editor: Client) -> list[tuple[Client, str]]:
    """Return who asks for what: the pages and lists that read the row's table, and its form, but not its own page."""
    editor.raise_request_exception = client.raise_request_exception = False
    form = f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"
    reading = [] if isinstance(row, READ_ONLY) else [(editor, form)]
    for asker, address in [*((client, page) for page in READERS), *((editor, page) for page in LISTS)]:
        reads = row._meta.db_table in queries_of(asker, address)
        if (reads or address == "/") and address != OWN_PAGES.get(type(row)):
            reading.append((asker, address))
    return reading


def failures(asked: list[tuple[Client, str]]) -> list[str]:
    """Return the addresses that answer 500."""
    MEMORY.clear()
    return [address for asker, address in asked if asker.get(address).status_code >= 500]


def writes_of(row: models.Model) -> Iterator[list[tuple[Any, Any]]]:
    """Yield what is written at once: an absurd value into each text, or one into one other column.

    A text hides nothing of what stands beside it, as a date of publication does.
    """
    fields = [field for field in row._meta.concrete_fields if not field.primary_key]
    texts = [field for field in fields if isinstance(field, models.CharField | models.TextField)]
    for values in zip_longest(*([(field, value) for value in absurd_values(field)] for field in texts)):
        yield [pair for pair in values if pair]
    for field in fields:
        if field not in texts:
            yield from ([(field, value)] for value in absurd_values(field))


def tried_on(row: models.Model, client: Client, editor: Client) -> list[str]:
    """Write every absurd value into every column of the row; return what failed then.

    Each time the form is asked for and a fourth of the other addresses: which, is as random as the order of tests.
    """
    failed = []
    asked = addresses_reading(row, client, editor)
    first = random.randrange(PARTS)  # noqa: S311
    for number, pairs in enumerate(writes_of(row), first):
        with transaction.atomic():
            taken = [(field.name, value) for field, value in pairs if write(row, field, value)]
            if taken and (found := failures([*asked[:1], *asked[1 + number % PARTS :: PARTS]])):
                failed.append(f"{taken!r:.200}: {' '.join(found)}")
            transaction.set_rollback(True)
    return failed


def test_a_column_holds_nothing_of_another_type() -> None:
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL has types of its own")
    taken = [
        f"{row._meta.label}.{field.name} = {value!r}"
        for row in subjects().values()
        for field in row._meta.concrete_fields
        for value in values_of_other_types(field)
        if not field.primary_key and write(row, field, value)
    ]
    assert taken == []


KINDS = (
    "topic", "section", "quotation", "work", "collection", "person", "tag", "reference", "choice", "check", "term",
    "revision", "deletion", "preview", "import", "change",
)  # fmt: skip


@pytest.mark.full
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_written_into_a_column_no_other_page_fails(kind: str, client: Client, editor: Client) -> None:
    assert "\n".join(tried_on(subjects()[kind], client, editor)) == ""


@pytest.mark.full
@pytest.mark.parametrize("kind", KINDS)
def test_nor_where_it_was_written_before_there_was_a_rule(
    kind: str, client: Client, editor: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is refused, and nothing is set aside for it: what stands in lists then is harmless there."""
    row = subjects()[kind]
    drop_rules()
    monkeypatch.setattr(triggers, "tables_without_trigger", list)
    monkeypatch.setattr(constraints, "broken_rows", lambda *args: {})
    assert "\n".join(tried_on(row, client, editor)) == ""


def test_every_table_that_people_write_is_tried() -> None:
    tried = {type(row) for row in subjects().values()}
    tables = {model for label in APPS for model in apps.get_app_config(label).get_models()}
    written_by_indexing = {
        *("Alias", "HeadingWord", "HeadingId", "Link", "Related", "Version", "Word", "QuoteWord"),
        *("SearchDocument", "SearchWord", "SetAside", "Address"),
    }
    written_by_triggers = {"Stale"}
    of_two_keys_alone = {"TaggedArticle", "TaggedQuote", "Presence", "SubmittedForm"}
    left_out = written_by_indexing | written_by_triggers | of_two_keys_alone
    assert {model.__name__ for model in tables - tried} == left_out
