"""Search over topics, sections and quotations: `search(text, …)` knows no request, and the same words find the same
things on SQLite (FTS5) and PostgreSQL (tsvector), because both are fed with folded words and noun forms of ours.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil

from articles.models import Article
from quotes.models import Quote
from rlm_site.indexing import queue
from rlm_site.search import sql
from rlm_site.search.excerpts import _excerpt, _marked
from rlm_site.search.models import SearchDocument
from rlm_site.search.sql import KINDS, SOURCES, _found, _kind, _source, _tags
from rlm_site.search.suggestions import _suggestion
from rlm_site.search.terms import Term, _wanted, query_terms
from rlm_site.tags.models import Tag

PAGE_SIZE = 10


@dataclass(frozen=True)
class Result:
    kind: str
    row: Article | Quote
    title: list[tuple[str, bool]]
    excerpt: list[tuple[str, bool]]

    @property
    def address(self) -> str:
        return self.row.get_absolute_url()


@dataclass(frozen=True)
class Results:
    text: str = ""
    kind: str = ""  # that alone was asked for
    total: int = 0
    results: list[Result] = field(default_factory=list)
    kinds: list[tuple[str, int]] = field(default_factory=list)
    tags: list[tuple[Tag, int]] = field(default_factory=list)
    page: int = 1
    suggestion: str = ""

    @property
    def most(self) -> int:
        """Of a kind that are counted."""
        return sql.MOST

    @property
    def there_are_more(self) -> bool:
        """Than are counted: numbers are the least that there are."""
        return any(count >= self.most for kind, count in self.kinds if self.kind in {"", kind})

    @property
    def pages(self) -> int:
        return max(1, ceil(self.total / PAGE_SIZE))


def search(text: str, now: datetime, *, kind: str = "", tag: Tag | None = None, page: int = 1) -> Results:
    """One ranked list of what is public at `now`; titles outrank bodies. Any text is safe."""
    queue.drain()
    terms = query_terms(text)
    if not terms:
        return Results(text, kind)
    found = _found(terms, now, tag)
    counts = Counter(map(_kind, found))
    kinds = [(name, counts[name]) for name in KINDS]
    shown = [pk for pk in found if not kind or _kind(pk) == kind]
    if not shown:
        return Results(text, kind, kinds=kinds, suggestion="" if found or tag else _suggestion(terms, now))
    page = min(max(page, 1), ceil(len(shown) / PAGE_SIZE))
    results = list(_results(shown[(page - 1) * PAGE_SIZE : page * PAGE_SIZE], terms, now))
    with_any_tag = [pk for pk in _found(terms, now) if not kind or _kind(pk) == kind] if tag else shown
    return Results(text, kind, len(shown), results, kinds, _tags(with_any_tag), page)


def nearest(text: str, now: datetime, most: int) -> list[Article]:
    """Pages that have most to do with these words, for an address at which there is none."""
    found = (pk for term in query_terms(text)[:3] for pk in _found([term], now) if _source(pk) == "article")
    ids: list[int] = []
    for pk in found:  # the next word is searched for only where the one before has not found enough
        if (article := pk % SearchDocument.SPAN) not in ids:
            ids.append(article)
        if len(ids) == most:
            break
    pages = Article.objects.published(now).select_related("parent").in_bulk(ids)
    return [pages[pk] for pk in ids if pk in pages]


def _results(found: Sequence[int], terms: Sequence[Term], now: datetime) -> Iterator[Result]:
    documents = SearchDocument.objects.in_bulk(found)
    ids = {source: [row.object_id for row in documents.values() if row.source == source] for source in SOURCES}
    rows: dict[tuple[str, int], Article | Quote] = {}
    for article in (
        Article.objects.published(now)
        .filter(pk__in=ids["article"])
        .select_related("parent")
        .defer("body", "parent__body")
    ):
        rows["article", article.pk] = article
    for quote in Quote.objects.published(now).filter(pk__in=ids["quote"]).for_display():
        rows["quote", quote.pk] = quote
    wanted = _wanted(terms)
    for document in map(documents.get, found):
        if document and (row := rows.get((document.source, document.object_id))):
            title, excerpt = _marked(document.title, wanted), _excerpt(document.text, wanted)
            yield Result(_kind(document.pk), row, title, excerpt)
