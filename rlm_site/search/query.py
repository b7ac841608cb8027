"""Search over all registered sources.

SQLite (FTS5) and PostgreSQL (tsvector) return the same results, because both index folded words and noun forms.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any

from rlm_site.indexing import queue
from rlm_site.search import registry, sql
from rlm_site.search.excerpts import make_excerpt, mark_words
from rlm_site.search.models import SearchDocument
from rlm_site.search.registry import kind_of, source_of
from rlm_site.search.sql import find_documents, tags_of
from rlm_site.search.suggestions import suggest_spelling
from rlm_site.search.terms import Term, query_terms, words_to_mark
from rlm_site.tags.models import Tag

PAGE_SIZE = 10


@dataclass(frozen=True)
class Result:
    kind: str
    row: Any  # as the source's `results` gave it
    title: list[tuple[str, bool]]
    excerpt: list[tuple[str, bool]]

    @property
    def address(self) -> str:
        return str(self.row.get_absolute_url())


@dataclass(frozen=True)
class Results:
    text: str = ""
    kind: str = ""  # the only kind searched for; empty: all
    total: int = 0
    results: list[Result] = field(default_factory=list)
    kinds: list[tuple[str, int]] = field(default_factory=list)
    tags: list[tuple[Tag, int]] = field(default_factory=list)
    page: int = 1
    suggestion: str = ""

    @property
    def most(self) -> int:
        """Return the highest number of results that is counted per kind."""
        return sql.MAX_PER_KIND

    @property
    def there_are_more(self) -> bool:
        """Return whether counting stopped at the limit, so that the numbers are lower bounds."""
        return any(count >= self.most for kind, count in self.kinds if self.kind in {"", kind})

    @property
    def pages(self) -> int:
        return max(1, ceil(self.total / PAGE_SIZE))


def search(text: str, now: datetime, *, kind: str = "", tag: Tag | None = None, page: int = 1) -> Results:
    """Return one ranked list of what is public at `now`; titles outrank bodies. Any text is safe."""
    queue.process_queue()
    terms = query_terms(text)
    if not terms:
        return Results(text, kind)
    found = find_documents(terms, now, tag)
    counts = Counter(map(kind_of, found))
    kinds = [(name, counts[name]) for name in registry.kinds()]
    shown = [pk for pk in found if not kind or kind_of(pk) == kind]
    if not shown:
        return Results(text, kind, kinds=kinds, suggestion="" if found or tag else suggest_spelling(terms, now))
    page = min(max(page, 1), ceil(len(shown) / PAGE_SIZE))
    results = list(_load_results(shown[(page - 1) * PAGE_SIZE : page * PAGE_SIZE], terms, now))
    with_any_tag = [pk for pk in find_documents(terms, now) if not kind or kind_of(pk) == kind] if tag else shown
    return Results(text, kind, len(shown), results, kinds, tags_of(with_any_tag), page)


def nearest(text: str, now: datetime, source: str, most: int) -> list[Any]:
    """Return the public rows of a source that match these words best."""
    found = (pk for term in query_terms(text)[:3] for pk in find_documents([term], now) if source_of(pk).name == source)
    ids: list[int] = []
    for pk in found:  # lazily: the next word is only searched for if the previous ones have not found enough
        if (object_id := pk % SearchDocument.SPAN) not in ids:
            ids.append(object_id)
        if len(ids) == most:
            break
    rows = registry.source(source).results(ids, now)
    return [rows[pk] for pk in ids if pk in rows]


def _load_results(found: Sequence[int], terms: Sequence[Term], now: datetime) -> Iterator[Result]:
    documents = SearchDocument.objects.in_bulk(found)
    rows: dict[str, Mapping[int, Any]] = {
        source.name: source.results([row.object_id for row in documents.values() if row.source == source.name], now)
        for source in registry.sources()
    }
    word_filter = words_to_mark(terms)
    for document in map(documents.get, found):
        if document and (row := rows[document.source].get(document.object_id)):
            title, excerpt = mark_words(document.title, word_filter), make_excerpt(document.text, word_filter)
            yield Result(kind_of(document.pk), row, title, excerpt)
